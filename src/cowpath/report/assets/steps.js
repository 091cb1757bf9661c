"use strict";
// Goes through the states of a counterexample. What comes from the data becomes text, never markup.
(function () {
  const all = JSON.parse(document.getElementById("data").textContent);
  const stage = document.getElementById("stage").content.firstElementChild.cloneNode(true);
  const chooser = document.getElementById("chooser");
  const sections = [...document.querySelectorAll(".found")];
  const part = (name) => stage.querySelector(name);
  const slider = part(".slider");
  const SPEED = 1400; // ms of a state while it plays
  let found = 0; // which counterexample
  let at = 0; // which state: 0 is before the first move
  let timer = null;

  function el(tag, options, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(options || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "text") made.textContent = value;
      else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
  const data = () => all[found];
  const last = () => data().states.length - 1;

  // --- a state
  function show() {
    const state = data().states[at];
    const before = at > 0 ? data().states[at - 1] : null;
    const move = at > 0 ? data().moves[at - 1] : null;
    tell(move);
    part(".cards").replaceChildren(...state.tasks.map((number) => card(data().parts[number], move)));
    draw(state.graph);
    fill("pages", state, before, pageCells);
    part(".groups").hidden = state.groups.length === 0;
    part(".groups div").replaceChildren(...state.groups.map((number) => group(data().parts[number], isNew("groups", number, before))));
    fill("locks", state, before, (lock) => [lock.name, list(lock.holders), list(lock.waiters)]);
    fill("requests", state, before, (request) => [request.what, request.state]);
    slider.max = last();
    slider.value = at;
    slider.setAttribute("aria-valuetext", counted());
    part(".count").textContent = counted();
    for (const name of ["first", "back"]) part(`[data-go=${name}]`).disabled = at === 0;
    for (const name of ["forward", "last"]) part(`[data-go=${name}]`).disabled = at === last();
    markRow();
  }

  const counted = () => (at === 0 ? `start, of ${plural(last(), "move")}` : `move ${at} of ${last()}`);

  function tell(move) {
    const headline = part(".headline");
    const did = [];
    if (move === null) {
      headline.replaceChildren("Before the first move");
      did.push("every task stands where the case lets it begin");
    } else {
      const named = move.mover === move.does ? move.mover : `${move.mover} \u2014 ${move.does}`;
      headline.replaceChildren(`${at}. ${named} `, el("span", { class: "when", text: `at ${move.begins}` }));
      did.push(...(move.did.length ? move.did : ["nothing is taken or given back: on to the next step"]));
      if (data().cycle === at) did.push("from this move on, it goes on in the same way for ever");
    }
    if (at === last() && data().cycle !== null) did.push(`after this move comes move ${data().cycle} again`);
    part(".did").replaceChildren(...did.map((text) => el("li", { text })));
  }

  // --- tasks
  function card(task, move) {
    const waits = task.waits_for !== "";
    const moved = move !== null && move.mover === task.name;
    const made = el("article", { class: `card${waits ? " blocked" : ""}${moved ? " moved" : ""}` });
    const head = el("h3", {}, task.name);
    if (task.group) head.append(" ", el("span", { class: "dim", text: `in ${task.group}` }));
    head.append(" ", el("span", { class: "state", text: moved ? `${task.state} \u00b7 has moved` : task.state }));
    made.append(head);
    if (waits) made.append(el("p", { class: "wait", text: task.by ? `${task.waits_for}, ${task.by}` : task.waits_for }));
    made.append(...places(task));
    if (task.does) made.append(el("p", { class: "outer", text: "in user mode, next:" }), el("p", { text: task.does }));
    if (task.holds.length) {
      made.append(el("p", { class: "outer", text: "holds" }), el("ul", { class: "holds" }, ...task.holds.map((text) => el("li", { text }))));
    }
    if (task.notes.length) made.append(el("p", { text: task.notes.join(", ") }));
    return made;
  }

  function places(task) {
    if (!task.places.length) return [];
    const outer = task.places.slice(0, -1).map((place) => `${place.path}: ${stepOf(place)}`);
    const inner = task.places[task.places.length - 1];
    const steps = data().paths[inner.path];
    const head = [...outer, inner.path].join(" \u203a ");
    const made = [el("p", { class: "outer", text: head })];
    if (inner.undoing) made.push(el("p", { text: `gives everything back: ${inner.undoing}` }));
    made.push(el("ol", { class: "steps" }, ...steps.map((step, i) => el("li", {
      text: step, class: i < inner.at ? "past" : null, "aria-current": i === inner.at ? "step" : null,
    }))));
    return made;
  }

  const stepOf = (place) => (place.at < 0 ? "its error exit" : data().paths[place.path][place.at]);

  // --- tables
  function fill(kind, state, before, cells) {
    const table = part(`table.${kind}`);
    table.parentElement.hidden = state[kind].length === 0;
    const rows = state[kind].map((number) => {
      return el("tr", { class: isNew(kind, number, before) ? "changed" : null },
        ...cells(data().parts[number]).map((cell) => (typeof cell === "string" ? el("td", { text: cell }) : el("td", {}, cell))));
    });
    table.tBodies[0].replaceChildren(...rows);
  }

  const isNew = (kind, number, before) => before !== null && !before[kind].includes(number);
  const list = (names) => (names.length ? names.join(", ") : "\u2013");

  function pageCells(page) {
    const what = [page.kind, ...page.marks].join(", ");
    return [page.name, page.owner || "\u2013", list(page.waiters), page.charged_to || "\u2013", list(page.mapped_by), what];
  }

  function group(state, changed) {
    const swapped = state.memsw - state.usage;
    const more = [`OOM killer ${state.killer ? "on" : "off"}`];
    if (swapped > 0) more.push(`${plural(swapped, "page")} in swap`);
    if (state.under_oom) more.push("out of memory");
    if (state.oom_lock > 0) more.push(`oom_lock ${state.oom_lock}`);
    if (state.waiters.length) more.push(`asleep until there is memory: ${state.waiters.join(", ")}`);
    return el("div", { class: changed ? "group changed" : "group" },
      el("p", {}, el("b", { text: state.name }), " ", ...usage(state.usage, state.limit)),
      state.memsw_limit === null ? null : el("p", {}, "memory+swap ", ...usage(state.memsw, state.memsw_limit)),
      el("p", { class: "dim", text: more.join(" \u00b7 ") }));
  }

  function usage(pages, limit) {
    if (limit === null) return [`${plural(pages, "page")}, no limit`];
    return [meter(pages, limit), " ", el("span", { class: "amount", text: `${pages} of ${plural(limit, "page")}` })];
  }

  function meter(pages, limit) {
    const inner = el("span", { class: pages >= limit ? "full" : null });
    inner.style.width = `${limit > 0 ? Math.min(100, (100 * pages) / limit) : 100}%`;
    return el("span", { class: "meter", "aria-hidden": "true" }, inner);
  }

  function draw(graph) {
    const place = part(".drawn");
    if (graph === null) place.replaceChildren(el("p", { class: "dim", text: "Nobody waits for another, or for memory." }));
    else place.replaceChildren(document.getElementById(`graph-${graph}`).content.cloneNode(true));
  }

  function widthOf(graph) {
    return graph === null ? 0 : Number(document.getElementById(`graph-${graph}`).content.firstElementChild.getAttribute("width"));
  }

  function markRow() {
    for (const row of sections[found].querySelectorAll(".moves tbody tr")) {
      if (row.id === `found-${found + 1}-move-${at}`) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  // --- going
  function go(where) {
    const wanted = Math.max(0, Math.min(last(), where));
    if (wanted === at) return;
    at = wanted;
    show();
    remember();
  }

  function choose(which, where) {
    found = Math.max(0, Math.min(all.length - 1, which));
    at = Math.max(0, Math.min(last(), where));
    sections.forEach((section, i) => { section.hidden = i !== found; });
    sections[found].querySelector(".stage-place").append(stage);
    stage.style.setProperty("--aside", `${Math.max(...data().states.map((state) => widthOf(state.graph)))}px`);
    if (chooser) chooser.value = String(found + 1);
    show();
  }

  // the address: #move=7, or #found=2&move=7; links of the page itself are #found-2 and #found-2-move-7
  function remember() {
    try {
      history.replaceState(null, "", `#${all.length > 1 ? `found=${found + 1}&` : ""}move=${at}`);
    } catch (error) { /* a page that is shown inside another one may not */ }
  }

  function fromAddress() {
    const link = /^#found-(\d+)(?:-move-(\d+))?$/.exec(location.hash);
    const asked = new URLSearchParams(location.hash.slice(1));
    const which = Number(link ? link[1] : asked.get("found") || 1) - 1;
    return [which || 0, Number((link ? link[2] : asked.get("move")) || 0) || 0];
  }

  function play(on) {
    if (timer !== null) clearInterval(timer);
    timer = null;
    if (on) {
      if (at === last()) go(0);
      timer = setInterval(() => { go(at + 1); if (at === last()) play(false); }, SPEED);
    }
    part("[data-go=play]").textContent = on ? "pause" : "play";
  }

  function help() {
    const keys = part(".keys");
    keys.hidden = !keys.hidden;
    part("[data-go=help]").setAttribute("aria-expanded", String(!keys.hidden));
  }

  const actions = {
    first: () => go(0), back: () => go(at - 1), forward: () => go(at + 1), last: () => go(last()),
    play: () => play(timer === null), help,
  };
  const KEYS = { ArrowLeft: "back", ArrowRight: "forward", Home: "first", End: "last", " ": "play", "?": "help" };

  function act(name) {
    if (name !== "play" && name !== "help") play(false);
    actions[name]();
  }

  document.addEventListener("keydown", (event) => {
    const name = KEYS[event.key];
    const tag = event.target.tagName;
    if (!name || event.ctrlKey || event.altKey || event.metaKey || tag === "SELECT") return;
    if (event.key === " " && (tag === "BUTTON" || tag === "SUMMARY")) return;
    event.preventDefault();
    act(name);
  });
  for (const button of stage.querySelectorAll("[data-go]")) button.addEventListener("click", () => act(button.dataset.go));
  slider.addEventListener("input", () => { play(false); go(Number(slider.value)); });
  if (chooser) chooser.addEventListener("change", () => { play(false); choose(Number(chooser.value) - 1, 0); remember(); });
  for (const row of document.querySelectorAll(".moves tbody tr")) {
    row.addEventListener("click", (event) => { event.preventDefault(); play(false); go(Number(row.id.split("-move-")[1])); });
  }
  window.addEventListener("hashchange", () => {
    play(false);
    choose(...fromAddress());
    if (location.hash.startsWith("#found-")) sections[found].scrollIntoView();
  });
  let left = 0; // where it was before it was printed: paper shows the last state
  /* a telephone shows the moves first: what they are about is folded */
  const abouts = document.querySelectorAll("details.about"), narrow = matchMedia("(max-width: 34rem)");
  const fold = () => { for (const each of abouts) each.open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();
  window.addEventListener("beforeprint", () => { for (const each of abouts) each.open = true; play(false); left = at; at = last(); show(); });
  window.addEventListener("afterprint", () => { fold(); at = left; show(); });
  document.documentElement.classList.add("js");
  choose(...fromAddress());
})();
