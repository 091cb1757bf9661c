/* The pictures: what is chosen is marked where it is, with its hold, its holder and its waiters, and told in words. */
"use strict";
(() => {
  const box = document.getElementById("told"), nothing = box.textContent;
  function choose(mark) {
    for (const each of document.querySelectorAll(".picture .marked")) each.classList.remove("marked");
    for (const each of document.querySelectorAll(".picture [aria-pressed=true]")) each.setAttribute("aria-pressed", "false");
    for (const each of document.querySelectorAll("svg.marking")) each.classList.remove("marking");
    box.textContent = mark ? mark.getAttribute("aria-label") : nothing;
    box.classList.toggle("chosen", Boolean(mark));
    if (!mark) return;
    const picture = mark.closest(".picture"), {hold} = mark.dataset;
    mark.setAttribute("aria-pressed", "true");
    mark.classList.add("marked");
    mark.parentElement.classList.add("marked");  // its lane
    picture.querySelector("svg.lanes").classList.add("marking");
    if (!hold) return;
    for (const each of picture.querySelectorAll("svg [data-hold]")) if (each.dataset.hold === hold) each.classList.add("marked");
    for (const each of picture.querySelectorAll("[data-holds]")) if (each.dataset.holds.split(" ").includes(hold)) each.classList.add("marked");
  }
  const chosen = (mark) => choose(mark.getAttribute("aria-pressed") === "true" ? null : mark);
  for (const mark of document.querySelectorAll(".picture .mark")) {
    mark.addEventListener("click", () => chosen(mark));
    mark.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      chosen(mark);
    });
  }
  addEventListener("keydown", (event) => { if (event.key === "Escape") choose(null); });

  /* another design in one of the places: its picture comes into it; who asks for the other one's gets it in exchange */
  const pictures = [...document.querySelectorAll(".picture")], places = document.querySelector(".pictures");
  for (const picture of pictures)
    picture.querySelector("select")?.addEventListener("change", ({target}) => {
      const other = pictures.find((each) => each.dataset.run === target.value);
      target.value = picture.dataset.run;  // each picture's own select names its own design
      choose(null);
      if (other === picture) return;
      const stand = document.createElement("i");
      const swapped = !other.hidden;
      picture.before(stand);
      if (swapped) other.before(picture);
      else { picture.hidden = true; places.append(picture); }
      other.hidden = false;
      stand.replaceWith(other);
      other.querySelector("select").focus();
    });
  addEventListener("beforeprint", () => { for (const each of document.querySelectorAll("details.notes")) each.open = true; });
  if (matchMedia("(max-width: 40rem)").matches)
    for (const each of document.querySelectorAll("details.legend")) each.open = false;
})();
