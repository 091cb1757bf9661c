"""A machine that runs a truth scenario, and what one can see of it from outside, as the measurements did."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cowpath import api
from cowpath.engine.verdict import Judgement, judge
from cowpath.kernel import names as n
from cowpath.kernel.memcg_stock import stock_of
from cowpath.kernel.steps import PATH_NAMES, STEP_NAMES
from cowpath.observe.watch import mask_of
from cowpath.session.cgroupfs import memory_stat, read_file
from cowpath.session.load import plan_session
from cowpath.session.table import load_tables

TESTS = Path(__file__).parents[1]
EXAMPLES = TESTS.parent / "examples"
TRUTH = json.loads((TESTS / "data" / "truth" / "linux-3.0.json").read_text(encoding="utf-8"))
MS = 1_000_000  # ns
S = 1_000 * MS
A = 1  # the group's number
STALL_NS = 20 * MS  # what counts as a stall of the bomb's victim: at full speed it waits microseconds for a lock

# designs of which the truth has no column of its own, and the one that does what they do
SAME_AS = {"linux-3.0-oom-flag": "linux-3.0", "linux-3.1": "preallocate"}
WAYS_2_AND_3 = ("charge-after-map", "charge-after-unlock", "unlock-charge-relock")


def scenario(name: str) -> Any:
    """A scenario of the truth file."""
    return next(row for row in TRUTH["scenarios"] if row["id"] == name)


def limits(oom_off: bool = False, limited: bool = True) -> str:
    """The commands that make group A as every scenario has it."""
    setup = scenario("fork-bomb")["setup"]["group_A"]
    lines = ["cgcreate -g memory:A"]
    if limited:
        lines += [
            f"cgset -r {file}={setup[file]} A" for file in ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        ]
    if oom_off:
        lines.append("cgset -r memory.oom_control=1 A")
    return "\n".join(lines) + "\n"


@cache
def _design(name: str) -> Any:
    return api.load_design(name)


class World:
    """A session on a design, run piece by piece.

    ``table``: the example whose programs and machine it uses; ``reads``: its victim only reads; ``log``: event kinds.
    """

    def __init__(
        self, session: str, table: str, design: str, seed: int = 0, log: tuple[int, ...] = (), reads: bool = False
    ) -> None:
        options = api.Options(seed=seed)
        programs = load_tables(EXAMPLES / table)
        if reads:
            reader = load_tables(EXAMPLES / "fork-bomb-read.sh").programs["victim"]
            programs = replace(programs, programs={**programs.programs, "victim": reader})
        self.plan = plan_session(session, "session.sh", programs)
        self.k = api.build_machine(self.plan, _design(design), options)
        self.k.books.log_mask = mask_of(log)
        self.events: list[Any] = []
        self.clock = api.make_clock(self.k, self.plan, _design(design), lambda block: self.events.append(block.copy()))
        self._lib = [file.name for file in self.plan.files].index("lib")

    def note_short_stalls(self) -> None:
        """From now on a wait for another group's memory is a stall after STALL_NS, not only after the usual bound.

        A run of seconds has few that long (a killer that works ends them), and some seed would have none.
        """
        self.clock.stall_ns = self.k.books.stall_ns = STALL_NS

    def run(self, until_ns: int) -> None:
        """Go on until this moment."""
        self.clock.run(until_ns)

    def run_to(self, there: Callable[[], bool], moves: int = 1, until_ns: int = 10 * S) -> None:
        """Go on until something is so, looked at every so many moves."""
        while not there():
            assert self.clock.run(until_ns, moves).reason == "budget", "it never came to that"

    # --- the group

    @property
    def group(self) -> Any:
        """Group A's state."""
        return self.k.state.groups[A]

    @property
    def books(self) -> Any:
        """Group A's books."""
        return self.k.books.groups[A]

    def count(self, counter: int) -> int:
        """One of group A's counters (C_*)."""
        return int(self.books.counters[counter])

    def file(self, name: str) -> str:
        """A file of the group, without its last newline."""
        return read_file(self.k, A, f"memory.{name}").rstrip("\n")

    def number(self, name: str) -> int:
        """A file of the group that holds one number."""
        return int(self.file(name))

    @property
    def stat(self) -> dict[str, int]:
        """memory.stat of the group."""
        return memory_stat(self.k, A)

    @property
    def stock(self) -> int:
        """Pages in all CPUs' stocks of the group."""
        return sum(int(stock_of(self.k, c, A)) for c in range(int(self.k.state.n_cpus)))

    def verdict(self) -> Judgement:
        """The verdict on the machine as it stands."""
        return judge(self.k, self.plan, self.clock)

    # --- tasks

    def tasks(self, name: str | None = None, group: int | None = None) -> list[int]:
        """The living tasks of this name, or in this group."""
        rows = self.k.state["tasks"][: int(self.k.state.n_tasks)]
        alive = np.isin(rows["run_state"], (n.T_RUNNABLE, n.T_SLEEPING))
        return [
            int(t) for t in np.flatnonzero(alive)
            if (name is None or self.plan.comms[int(rows["program"][t])] == name)
            and (group is None or rows["group"][t] == group)
        ]  # fmt: skip

    def task(self, name: str) -> Any:
        """The living task of this name, or None."""
        found = self.tasks(name)
        return self.k.state.tasks[found[0]] if found else None

    def waits(self, name: str) -> str | None:
        """What the task of this name waits for; None if there is none any more."""
        task = self.task(name)
        return None if task is None else n.WAIT_NAMES[int(task.wait_kind)]

    def stack(self, name: str) -> list[tuple[str, str]]:
        """The paths and steps that the task of this name is in, the innermost first."""
        task = self.task(name)
        frames = [task.frames[d] for d in range(int(task.depth))]
        steps = [
            (PATH_NAMES[int(f.path)], STEP_NAMES[int(self.k.books.paths[int(f.path)].steps[int(f.pc)])]) for f in frames
        ]
        return steps[::-1]

    # --- the library

    def lib_pages_locked(self) -> int:
        """How many of lib's pages a task has locked at this moment."""
        pages = self.k.state["pages"][: int(self.k.state.n_pages)]
        return int(np.count_nonzero((pages["file"] == self._lib) & (pages["locked_by"] >= 0)))
