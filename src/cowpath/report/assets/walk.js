"use strict";
// Walks through the states of a small machine: which moves can be made where, which were made, and when each begins.
window.cowpath = (function () {
  const UNITS = [[1e9, "s"], [1e6, "ms"], [1e3, "us"]];
  const NOWHERE = -1;

  // nanoseconds as cowpath writes them: three significant digits; a tie goes to the even digit
  function duration(ns) {
    for (const [factor, unit] of UNITS) if (Math.abs(ns) >= factor * 0.9995) return `${significant(ns / factor)} ${unit}`;
    return `${ns} ns`;
  }
  function significant(value) {
    const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    const scaled = value * 10 ** digits;
    const tie = Number.isInteger(value * 2 ** (digits + 1)) && !Number.isInteger(value * 2 ** digits);
    const even = tie ? 2 * Math.round(scaled / 2) / 10 ** digits : value;
    return even.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
  }

  // a machine as the page has it: its numbers, read. The server's answers are added to it.
  function machine(data, server) {
    const text = (number) => data.texts[number];
    const read = ([mover, to, name, shown, does, did, cost]) => (
      { mover, to, name: text(name), shown: text(shown), does: text(does), did: did.map(text), cost });
    return {
      data, server, whole: data.all,
      add(more) { // what a server has answered
        for (const kind of ["parts", "texts", "states"]) data[kind].push(...more[kind]);
        Object.assign(data.moves, more.moves);
      },
      state: (number) => data.states[number],
      part: (number) => data.parts[number],
      texts: (numbers) => numbers.map(text),
      violates: (number) => data.states[number].violates.map(([name, reason]) => ({ name: text(name), reason: text(reason) })),
      moves: (number) => (data.moves[number] ? data.moves[number].map(read) : null),
      move(number, mover) { return (this.moves(number) || []).find((each) => each.mover === mover && each.to !== NOWHERE); },
    };
  }

  // the moves of these movers from the first state on, as far as they can be made and are known
  function walk(machine, movers) {
    const steps = [], free = new Map();
    let at = 0, order = 0;
    for (const mover of movers) {
      const move = machine.move(at, mover);
      if (!move) break;
      const begins = Math.max(order, free.get(mover) || 0);
      order = begins;
      free.set(mover, begins + move.cost);
      steps.push({ ...move, from: at, begins });
      at = move.to;
    }
    return steps;
  }

  const movers = (steps) => steps.map((step) => step.mover);
  const same = (one, other) => one.length === other.length && one.every((each, i) => each === other[i]);
  function common(one, other) {
    let i = 0;
    while (i < one.length && i < other.length && one[i] === other[i]) i += 1;
    return i;
  }

  // a walk as a file for cowpath replay; ``says``: what it violates, if that is known. Else the first property that its
  // last state violates stands in it.
  function schedule(machine, steps, cycle, says) {
    const end = steps.length ? steps[steps.length - 1].to : 0;
    const bad = says || machine.violates(end)[0] || { name: "", reason: "" };
    const names = steps.map((step) => step.name);
    const loop = cycle === null ? names.length : cycle - 1;
    return { ...machine.data.schedule, property: bad.name, reason: bad.reason, schedule: names.slice(0, loop),
      cycle: names.slice(loop), chain: machine.texts(machine.state(end).waiting) };
  }

  return { NOWHERE, duration, machine, walk, movers, same, common, schedule };
})();
