/* The sections below the pictures as tabs; without scripts they stand one below the other. */
"use strict";
window.tabs = (() => {
  const links = [...document.querySelectorAll("nav.tabs a")], listeners = [];
  const section = (link) => document.getElementById(link.hash.slice(1));
  let open = links[0];
  /* what is wider than its place can be moved by keys, and says so */
  function sideways() {
    for (const each of document.querySelectorAll(".wide, pre")) {
      const scrolls = each.scrollWidth > each.clientWidth + 1;
      each.classList.toggle("scrolls", scrolls);
      if (scrolls || each.scrollHeight > each.clientHeight + 1) each.tabIndex = 0;
      else each.removeAttribute("tabindex");
    }
  }
  addEventListener("resize", sideways);
  function show(link) {
    open = link;
    for (const each of links) {
      each.setAttribute("aria-selected", String(each === link));
      each.tabIndex = each === link ? 0 : -1;
      section(each).classList.toggle("open", each === link);
    }
    sideways();
    for (const listener of listeners) listener(section(link).id);
  }
  const named = () => links.find((link) => link.hash === location.hash);
  links[0].parentElement.setAttribute("role", "tablist");
  for (const link of links) {
    link.setAttribute("role", "tab");
    link.setAttribute("aria-controls", section(link).id);
    section(link).setAttribute("role", "tabpanel");
    section(link).setAttribute("aria-labelledby", link.id);
    link.addEventListener("click", (event) => { event.preventDefault(); history.replaceState(null, "", link.hash); show(link); });
    link.addEventListener("keydown", (event) => {
      const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!by) return;
      event.preventDefault();
      const next = links[(links.indexOf(link) + by + links.length) % links.length];
      next.focus();
      next.click();
    });
  }
  addEventListener("hashchange", () => { const link = named(); if (link) { show(link); link.scrollIntoView(); } });
  document.documentElement.classList.add("tabbed");
  return {start(listener) { listeners.push(listener); show(named() ?? open); }, get open() { return section(open).id; }};
})();
