/* The page about runs: draws the figures, says who held what. Data goes into the page as text only. */
"use strict";
window.cowpath = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const roots = new Map(), drawings = new Map();  // what is drawn, by element: models, and their views
  const WAITS = ["stranger", "page_lock"];  // how a wait for a page lock is drawn
  const ROWS = 34;  // lanes that have room for their names
  let shown = data.shown;

  // --- words
  function time(seconds) {
    for (const [factor, unit] of [[1, "s"], [1e-3, "ms"], [1e-6, "us"]])
      if (Math.abs(seconds) >= factor * 0.9995) return `${(seconds / factor).toFixed(Math.max(0, 2 - Math.floor(Math.log10(seconds / factor))))} ${unit}`;
    return `${Math.round(seconds * 1e9)} ns`;
  }
  const at = (seconds) => `${seconds.toFixed(6)} s`;
  function who(run, person) {
    if (person === -2) return "the disk";
    if (person < 0) return "nobody that is known";
    const group = run.groups[person];
    return group ? `${run.names[person]} in ${group}` : `${run.names[person]} (outside every group)`;
  }

  // --- what is drawn
  function source(run, label) {
    const root = roots.get(`figure-${data.runs.indexOf(run)}`);
    return root ? root.document.get_model_by_name(label) : null;
  }
  /* the piece of a lane at a time: its state, its source, its place there */
  function piece(run, row, seconds) {
    for (const state of run.drawn) {
      const found = source(run, `pieces ${state}`);
      if (!found) continue;
      const {y, left, right} = found.data;
      for (let i = 0; i < y.length; i++)
        if (y[i] === row && left[i] <= seconds && seconds < right[i]) return {state, found, i};
    }
    return null;
  }
  function waiters(run, thing, from, to) {
    const rows = [];
    for (const state of WAITS) {
      const found = source(run, `pieces ${state}`);
      if (!found || thing < 0) continue;
      const {y, left, right, what} = found.data;
      for (let i = 0; i < y.length; i++)
        if (what[i] === thing && left[i] < to && right[i] > from) rows.push(y[i]);
    }
    return [...new Set(rows)];
  }
  const few = (run, rows) => rows.slice(0, 6).map((row) => run.names[row]).join(", ") + (rows.length > 6 ? ` and ${rows.length - 6} more` : "");

  /* who stands behind a wait: its holder, what that one did when the wait began, who stood in its way, and so on */
  function behind(run, columns, i) {
    const lines = [], seen = new Set([columns.y[i]]), begin = columns.left[i];
    let by = columns.by ? columns.by[i] : -1;
    if (by === -2) return "The page is being read from the disk, or written to it.";
    while (by >= 0 && !seen.has(by) && lines.length < 6) {
      seen.add(by);
      const there = by < run.lanes.length ? piece(run, by, begin) : null;
      const does = there ? `, who ${did(run, there.state, there.found.data, there.i)}` : "";
      lines.push(`${lines.length ? "in the way of that stood" : "In the way stood"} ${who(run, by)}${does}`);
      by = there && there.found.data.by ? there.found.data.by[there.i] : -1;
    }
    return lines.length ? `${lines.join("; ")} (when the wait began).` : "";
  }
  /* what a task did: "waited for the page lock of libc.so.6 page 31" */
  function did(run, state, columns, i) {
    const thing = columns.what ? columns.what[i] : -1;
    return data.looks[state] + (thing >= 0 ? ` ${run.things[thing]}` : data.looks[state].endsWith("for") ? " one" : "");
  }

  const NOTHING = "Nothing is chosen: click a wait, or a hold.";
  function say(lines) {
    const box = document.getElementById("detail");
    box.classList.toggle("chosen", lines[0] !== NOTHING);  // it stays in view then
    box.replaceChildren(...lines.filter(Boolean).map((line) => Object.assign(document.createElement("p"), {textContent: line})));
  }

  function tapped(key, state, from) {
    const run = data.runs[key], [i] = from.selected.indices;
    if (i === undefined) return;
    for (const label of ["holds", ...run.drawn.map((each) => `pieces ${each}`)]) {
      const other = source(run, label);
      if (other && other !== from && other.selected.indices.length) other.selected.indices = [];
    }
    const columns = from.data, left = columns.left[i], right = columns.right[i];
    const span = `from ${at(left)} to ${at(right)}: ${time(right - left)}${columns.open[i] ? ", cut off by the end of the run" : ""}`;
    if (state === "hold") {
      const page = run.pages[columns.y[i]], rows = waiters(run, run.locks[columns.y[i]], left, right);
      const nobody = run.resolution ? "No wait for it meanwhile is long enough to be on this page." : "Nobody waited for it meanwhile.";
      say([`${who(run, columns.by[i])} held the page lock of ${page}${data.lockers[columns.kind[i]]}, ${span}.`,
           rows.length ? `Meanwhile it was waited for by ${few(run, rows)}.` : nobody]);
      return;
    }
    const row = columns.y[i], thing = columns.what ? columns.what[i] : -1;
    const others = WAITS.includes(state) ? waiters(run, thing, left, right).filter((each) => each !== row) : [];
    const totals = run.states.map((each, number) => [each, run.lanes[row][2 + number]]).filter(([, ns]) => ns > 0);
    say([`${who(run, row)} ${did(run, state, columns, i)} ${span}${columns.joined[i] ? " (joined of shorter pieces: this took more of the time than anything else)" : ""}.`,
         behind(run, columns, i),
         others.length ? `In the same queue: ${few(run, others)}.` : "",
         `In all: ${totals.map(([each, ns]) => `${each.replace("_", " ")} ${time(ns / 1e9)}`).join(", ")}.`]);
  }

  // --- colours: the figures take those of the page
  const PAPER = ["#000000", "#444444", "#999999", "#ffffff"];
  function paint(colours) {
    const style = getComputedStyle(document.documentElement);
    const [text, dim, line, back] = colours ?? ["--text", "--dim", "--line", "--back"].map((each) => style.getPropertyValue(each).trim());
    for (const root of [...roots.values()].filter(Boolean))
      for (const model of root.references()) {
        if (model.type.endsWith("Axis"))
          model.setv({axis_label_text_color: text, major_label_text_color: text, axis_line_color: dim, major_tick_line_color: dim, minor_tick_line_color: model.minor_tick_line_color && line});
        else if (model.type === "Grid") model.setv({grid_line_color: line});
        else if (model.type === "Legend") model.setv({label_text_color: text, background_fill_color: back});
      }
  }

  async function draw(element, figure) {
    if (roots.has(element) || !figure) return;
    roots.set(element, null);
    const [views] = await Bokeh.embed.embed_items({[element]: figure.doc}, [{docid: element, roots: {[figure.root]: element}, root_ids: [figure.root]}]);
    roots.set(element, views.roots[0].model);
    drawings.set(element, views.roots[0]);
    if (matchMedia("(pointer: fine)").matches)  // a finger on a figure scrolls the page
      for (const model of views.roots[0].model.references()) if (model.type === "PanTool") model.active = true;
    paint();
  }

  // --- moving about
  const model = (label) => roots.get(`figure-${shown}`)?.document.get_model_by_name(label);
  function span(range, factor, shift) {
    const middle = (range.start + range.end) / 2 + shift * (range.end - range.start);
    const half = (range.end - range.start) / 2 * factor;
    const [least, most] = range.bounds ?? [-Infinity, Infinity];
    let from = middle - half, to = middle + half;
    if (Math.min(from, to) < least) { const by = least - Math.min(from, to); from += by; to += by; }
    if (Math.max(from, to) > most) { const by = Math.max(from, to) - most; from -= by; to -= by; }
    range.setv({start: from < to ? Math.max(from, least) : Math.min(from, most), end: from < to ? Math.min(to, most) : Math.max(to, least)});
  }
  function rowsAt(first, count) {
    const rows = model("rows"), all = data.runs[shown].lanes.length;
    const top = Math.max(0, Math.min(first, all - count));
    rows.setv({start: top + Math.min(count, all) - 0.4, end: top - 0.6});
  }
  const inView = () => { const rows = model("rows"); return [Math.round(rows.end + 0.6), Math.round(rows.start - rows.end - 0.2 + 0.4)]; };
  const actions = {
    in: () => span(model("times"), 0.5, 0),
    out: () => span(model("times"), 2, 0),
    left: () => span(model("times"), 1, -0.4),
    right: () => span(model("times"), 1, 0.4),
    up: () => { const [top, count] = inView(); rowsAt(top - Math.max(1, count >> 1), count); },
    down: () => { const [top, count] = inView(); rowsAt(top + Math.max(1, count >> 1), count); },
    lanes: () => { const all = data.runs[shown].lanes.length, [, count] = inView(); rowsAt(0, count >= all ? Math.min(all, ROWS) : all); },
    all: () => { const ends = data.runs[shown].ends / 1e9; model("times").setv({start: -0.01 * ends, end: 1.01 * ends}); },
  };
  for (const button of document.querySelectorAll("[data-do]"))
    button.addEventListener("click", () => model("times") && actions[button.dataset.do]());
  const find = document.getElementById("find");
  let found = -1;  // the lane that was found last
  find.addEventListener("input", () => { found = -1; });
  find.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const run = data.runs[shown], wanted = find.value.trim().toLowerCase(), lanes = run.lanes.length;
    if (!wanted || !model("rows")) return;
    for (let step = 1; step <= lanes; step++) {
      const row = (found + step) % lanes;
      if (!who(run, row).toLowerCase().includes(wanted)) continue;
      found = row;
      rowsAt(row, Math.min(inView()[1], ROWS));
      say([`${who(run, row)} is the top lane in view. Enter again: the next one.`]);
      return;
    }
    say([`No lane is called ${find.value}.`]);
  });
  const select = document.getElementById("design");
  select?.addEventListener("change", async () => {
    const before = model("times");
    document.getElementById(`timeline-${shown}`).hidden = true;
    shown = Number(select.value);
    found = -1;
    document.getElementById(`timeline-${shown}`).hidden = false;
    await draw(`figure-${shown}`, data.runs[shown].figure);
    if (before) model("times").setv({start: before.start, end: before.end});  // the same time on both designs
    say([NOTHING]);
  });

  // --- print: the figures in view as pictures that take the paper's width
  addEventListener("beforeprint", () => {
    paint(PAPER);
    for (const [element, view] of drawings) {
      const box = document.getElementById(element);
      if (box.closest("[hidden]") || box.closest("section").id !== tabs.open) continue;
      const {canvas} = view.export("png");
      canvas.className = "printed";
      box.after(canvas);
    }
  });
  addEventListener("afterprint", () => {
    for (const each of document.querySelectorAll("canvas.printed")) each.remove();
    paint();
  });

  /* a figure is drawn when its tab is opened: it takes the width that it has then */
  async function open(tab) {
    document.documentElement.removeAttribute("data-drawn");
    if (tab === "time") await draw(`figure-${shown}`, data.runs[shown].figure);
    if (tab === "latencies") await draw("figure-latencies", data.latencies);
    if (tabs.open === tab) document.documentElement.setAttribute("data-drawn", tab);
  }
  tabs.start(open);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint());
  return {data, tapped, source, roots, time};
})();
