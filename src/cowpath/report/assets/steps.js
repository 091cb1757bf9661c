// Goes through the states of a walk: at first a counterexample's. What comes from the data becomes text, never markup.
cowpath.stage = (function () {
  const all = JSON.parse(document.getElementById("data").textContent);
  const machines = all.machines.map((each) => cowpath.machine(each, all.server));
  const stage = document.getElementById("stage").content.firstElementChild.cloneNode(true);
  const chooser = document.getElementById("chooser");
  const sections = [...document.querySelectorAll(".found")];
  const part = (name) => stage.querySelector(name);
  const slider = part(".slider");
  const SPEED = 1400; // ms of a state while it plays
  let found = 0; // which counterexample
  let steps = []; // the walk
  let at = 0; // which state: 0 is before the first move
  let timer = null;
  let shown = () => {}; // what else is to be done when a state is shown

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
  const data = () => all.found[found];
  const machine = () => machines[data().machine];
  const last = () => steps.length;
  const number = () => (at === 0 ? 0 : steps[at - 1].to);
  const own = () => !cowpath.same(cowpath.movers(steps), data().walk); // it is not the counterexample any more

  // --- a state
  function show() {
    const state = machine().state(number());
    const move = at > 0 ? steps[at - 1] : null;
    const before = move === null ? null : machine().state(move.from);
    tell(move);
    part(".cards").replaceChildren(...state.tasks.map((each) => card(machine().part(each), move)));
    draw(state.graph);
    fill("pages", state, before, pageCells);
    part(".groups").hidden = state.groups.length === 0;
    part(".groups div").replaceChildren(...state.groups.map((each) => group(machine().part(each), isNew("groups", each, before))));
    fill("locks", state, before, (lock) => [lock.name, list(lock.holders), list(lock.waiters)]);
    fill("requests", state, before, (request) => [request.what, request.state]);
    slider.max = last();
    slider.value = at;
    slider.setAttribute("aria-valuetext", counted());
    part(".count").textContent = counted();
    for (const name of ["first", "back"]) part(`[data-go=${name}]`).disabled = at === 0;
    for (const name of ["forward", "last"]) part(`[data-go=${name}]`).disabled = at === last();
    markRow();
    shown();
  }

  const counted = () => (at === 0 ? `start, of ${plural(last(), "move")}` : `move ${at} of ${last()}`);

  function tell(move) {
    const headline = part(".headline");
    const did = [];
    if (move === null) {
      headline.replaceChildren("Before the first move");
      did.push("every task stands where the case lets it begin");
    } else {
      headline.replaceChildren(`${at}. ${named(move)} `, el("span", { class: "when", text: `at ${cowpath.duration(move.begins)}` }));
      did.push(...(move.did.length ? move.did : ["nothing is taken or given back: on to the next step"]));
      if (cycle() === at) did.push("from this move on, it goes on in the same way for ever");
    }
    if (at === last() && cycle() !== null) did.push(`after this move comes move ${cycle()} again`);
    part(".did").replaceChildren(...did.map((text) => el("li", { text })));
    const bad = machine().violates(number()).map((each) => each.name);
    part(".violates").textContent = bad.length ? `This state violates ${bad.join(", ")}.` : "";
  }

  const cycle = () => (own() ? null : data().cycle);
  const named = (move) => (move.shown === move.does ? move.shown : `${move.shown} \u2014 ${move.does}`);

  // --- tasks
  function card(task, move) {
    const waits = task.waits_for !== "";
    const moved = move !== null && move.shown === task.name;
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
    const path = machine().data.paths[inner.path];
    const head = [...outer, inner.path].join(" \u203a ");
    const made = [el("p", { class: "outer", text: head })];
    if (inner.undoing) made.push(el("p", { text: `gives everything back: ${inner.undoing}` }));
    made.push(el("ol", { class: "steps" }, ...path.map((step, i) => el("li", {
      text: step, class: i < inner.at ? "past" : null, "aria-current": i === inner.at ? "step" : null,
    }))));
    return made;
  }

  const stepOf = (place) => (place.at < 0 ? "its error exit" : machine().data.paths[place.path][place.at]);

  // --- tables
  function fill(kind, state, before, cells) {
    const table = part(`table.${kind}`);
    table.parentElement.hidden = state[kind].length === 0;
    const rows = state[kind].map((each) => {
      return el("tr", { class: isNew(kind, each, before) ? "changed" : null },
        ...cells(machine().part(each)).map((cell) => (typeof cell === "string" ? el("td", { text: cell }) : el("td", {}, cell))));
    });
    table.tBodies[0].replaceChildren(...rows);
  }

  const isNew = (kind, each, before) => before !== null && !before[kind].includes(each);
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
    const there = at <= cowpath.common(cowpath.movers(steps), data().walk);
    for (const row of sections[found].querySelectorAll(".moves tbody tr")) {
      if (there && row.id === `found-${found + 1}-move-${at}`) row.setAttribute("aria-current", "true");
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

  // another counterexample, or a walk of one's own from its beginning on
  function choose(which, where, movers) {
    found = Math.max(0, Math.min(all.found.length - 1, which));
    steps = cowpath.walk(machine(), movers || data().walk);
    at = Math.max(0, Math.min(last(), where));
    sections.forEach((section, i) => { section.hidden = i !== found; });
    const place = sections[found].querySelector(".stage-place");
    if (stage.parentElement !== place) place.append(stage); // who is moved loses the focus
    const widths = cowpath.walk(machine(), data().walk).map((step) => widthOf(machine().state(step.to).graph));
    stage.style.setProperty("--aside", `${Math.max(0, ...widths)}px`);
    if (chooser) chooser.value = String(found + 1);
    show();
  }

  // the address: #move=7, or #found=2&walk=0.0.1&move=7; links of the page itself are #found-2 and #found-2-move-7
  function remember() {
    const which = all.found.length > 1 ? `found=${found + 1}&` : "";
    const way = own() ? `walk=${cowpath.movers(steps).join(".")}&` : "";
    try {
      history.replaceState(null, "", `#${which}${way}move=${at}`);
    } catch (error) { /* a page that is shown inside another one may not */ }
  }

  function fromAddress() {
    const link = /^#found-(\d+)(?:-move-(\d+))?$/.exec(location.hash);
    const asked = new URLSearchParams(location.hash.slice(1));
    const which = Number(link ? link[1] : asked.get("found") || 1) - 1;
    const way = asked.has("walk") ? asked.get("walk").split(".").filter(Boolean).map(Number) : null;
    return [which || 0, Number((link ? link[2] : asked.get("move")) || 0) || 0, way];
  }

  function play(on) {
    if (timer !== null) clearInterval(timer);
    timer = null;
    if (on) {
      if (at === last()) go(0);
      if (at === last()) return;
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
    row.addEventListener("click", (event) => {
      const [, which, move] = row.id.match(/^found-(\d+)-move-(\d+)$/).map(Number);
      event.preventDefault();
      play(false);
      if (own()) choose(which - 1, move);
      go(move);
      remember();
    });
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
  return {
    el, part, named, choose, go, own, remember, machine, cycle, number, data,
    pause: () => play(false),
    now: () => ({ found, steps, at }),
    whenShown(act) { shown = act; act(); },
  };
})();
