// Leaves the counterexample: every move that can be made in a state can be chosen; undo, bookmarks, a walk as a file.
(function () {
  const { el, part, named, choose, go, own, remember, machine, cycle, number, data, pause, now, whenShown } = cowpath.stage;
  const button = (name) => part(`[data-do=${name}]`);
  const before = []; // walks that were left, for undo
  const marks = []; // walks that were bookmarked
  const KEYS = { u: "undo", m: "mark", c: "counterexample" };
  let asking = false; // the server is to answer

  // --- what can be done
  function show() {
    const { steps, at } = now();
    const moves = machine().moves(number());
    const following = at < steps.length ? steps[at].mover : null;
    const had = document.activeElement && document.activeElement.closest(".next") !== null;
    part(".next").replaceChildren(...(moves || []).map((move, i) => el("li", {}, choice(move, i, move.mover === following))));
    part(".nothing").textContent = moves === null ? unknown() : moves.length ? "" : "Nobody can move any more.";
    if (had) (part(".next button:not(:disabled)") || button("undo")).focus();
    part(".own").textContent = own() ? left() : "";
    button("undo").disabled = before.length === 0;
    button("counterexample").disabled = !own();
    button("counterexample").textContent = `back to ${begun()}`;
    mine(steps, at);
    if (moves === null && machine().server) ask(number());
  }

  function choice(move, i, same) {
    const made = el("button", { type: "button", "data-mover": move.mover, "data-same": same, disabled: move.to === cowpath.NOWHERE,
      title: move.did.join("; ") || "nothing is taken or given back" });
    if (i < 9) made.append(el("kbd", { text: String(i + 1), "aria-hidden": "true" }));
    made.append(named(move));
    if (same) made.append(el("span", { class: "dim", text: own() ? " (as in this walk)" : ` (as in ${begun()})` }));
    made.addEventListener("click", () => take(move.mover));
    return made;
  }

  function unknown() {
    if (machine().server) return "\u2026";
    return "This case has more states than a page can carry: the moves that lead on from here are not in it. "
      + "cowpath explore, with the same case and design, opens it with all of them.";
  }

  const begun = () => (data().name ? "the counterexample" : "the first walk"); // what the page began with

  function left() {
    const { steps } = now();
    if (!data().walk.length) return "";
    const same = cowpath.common(cowpath.movers(steps), data().walk);
    return same === steps.length ? `This walk ends at move ${same} of ${begun()}.` : `This walk has left ${begun()} after ${same} of its moves.`;
  }

  function mine(steps, at) {
    part(".mine").hidden = !own();
    if (!own()) return;
    part(".mine ol").replaceChildren(...steps.map((step, i) => el("li", { "aria-current": i + 1 === at ? "step" : null, text: named(step) })));
  }

  // --- the server
  async function ask(state) {
    if (asking) return;
    asking = true;
    const here = machine(), { states, parts, texts } = here.data;
    const has = { states: states.length, parts: parts.length, texts: texts.length, graphs: document.querySelectorAll("template[id^=graph-]").length };
    try {
      const answer = await fetch(`${here.server}?${new URLSearchParams({ machine: data().machine, state, ...has })}`);
      if (!answer.ok) throw new Error(await answer.text());
      const more = await answer.json();
      more.graphs.forEach((drawn, i) => document.body.append(graph(drawn, has.graphs + i)));
      here.add(more);
    } catch (error) {
      part(".nothing").textContent = "The server does not answer. It may have ended: the command at the end of this page starts it again.";
      return;
    } finally {
      asking = false;
    }
    show();
  }

  function graph(drawn, number) {
    const made = el("template", { id: `graph-${number}` });
    made.content.append(new DOMParser().parseFromString(drawn, "image/svg+xml").documentElement);
    return made;
  }

  const form = part(".what-if");
  function offer() {
    const { path, step, other } = form.elements, { paths } = machine().data;
    const options = (select, names) => select.replaceChildren(...names.map(([value, text]) => el("option", { value, text })));
    const steps = () => {
      const numbered = paths[path.value].map((name, i) => [String(i + 1), `${i + 1} ${name}`]);
      for (const each of [step, other]) options(each, numbered);
    };
    const had = path.value;
    options(path, Object.keys(paths).map((name) => [name, name]));
    path.value = had in paths ? had : machine().data.about || path.value;
    path.onchange = steps;
    form.elements.edit.onchange = () => { form.querySelector(".other").hidden = form.elements.edit.value !== "swap"; };
    steps();
  }
  async function check(event) {
    event.preventDefault();
    const said = form.querySelector(".checked"), button = form.querySelector("[type=submit]");
    const asked = Object.fromEntries(["path", "step", "edit", "other"].map((name) => [name, form.elements[name].value]));
    const walk = cowpath.movers(now().steps).slice(0, now().at);
    said.textContent = "The design is checked anew \u2026";
    button.disabled = true;
    try {
      const answer = await fetch("what-if", { method: "POST", body: JSON.stringify({ machine: String(data().machine), walk, ...asked }) });
      const told = await answer.json();
      if (told.page) location.assign(told.page);
      said.textContent = told.error || "";
    } catch (error) {
      said.textContent = "The server does not answer.";
    }
    button.disabled = false;
  }
  if (form) {
    form.addEventListener("submit", check);
    offer();
  }

  // --- going
  function leave() {
    pause();
    const { found, steps, at } = now();
    before.push([found, at, cowpath.movers(steps)]);
  }

  function take(mover) {
    const { found, steps, at } = now();
    const way = cowpath.movers(steps);
    pause();
    if (way[at] === mover) return go(at + 1);
    leave();
    choose(found, at + 1, [...way.slice(0, at), mover]);
    remember();
  }

  const actions = {
    undo() {
      if (!before.length) return;
      pause();
      choose(...before.pop());
      remember();
    },
    mark() {
      const { found, steps, at } = now();
      const way = cowpath.movers(steps);
      if (!marks.some((each) => each.found === found && each.at === at && cowpath.same(each.way, way))) {
        marks.push({ found, at, way, words: `${at}. ${at ? named(steps[at - 1]) : "before the first move"}` });
      }
      tellMarks();
    },
    counterexample() {
      if (!own()) return;
      const { found, steps } = now();
      leave();
      choose(found, cowpath.common(cowpath.movers(steps), data().walk));
      remember();
    },
    save() {
      const { steps } = now();
      const says = own() || !data().own ? null : data();
      const text = JSON.stringify(cowpath.schedule(machine(), steps, cycle(), says), null, 1);
      const link = el("a", { download: "walk.json", href: URL.createObjectURL(new Blob([`${text}\n`], { type: "application/json" })) });
      link.click();
      URL.revokeObjectURL(link.href);
    },
  };

  function tellMarks() {
    part(".bookmarks").replaceChildren(...marks.map((mark, i) => {
      const to = el("button", { type: "button", text: mark.words });
      const away = el("button", { type: "button", text: "\u00d7", "aria-label": `forget bookmark ${i + 1}` });
      to.addEventListener("click", () => { leave(); choose(mark.found, mark.at, mark.way); remember(); });
      away.addEventListener("click", () => { marks.splice(i, 1); tellMarks(); button("mark").focus(); });
      return el("li", {}, to, away);
    }));
  }

  for (const name of Object.keys(actions)) button(name).addEventListener("click", actions[name]);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || ["SELECT", "TEXTAREA"].includes(event.target.tagName)) return;
    const which = /^[1-9]$/.test(event.key) ? part(".next").querySelectorAll("button")[Number(event.key) - 1] : null;
    if (which && !which.disabled) take(Number(which.dataset.mover));
    else if (KEYS[event.key]) actions[KEYS[event.key]]();
  });
  whenShown(show);
})();
