"""A session of later kernels whose programs are written in the test, and what can be seen of it from outside."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cowpath import api
from cowpath.kernel import names as n
from cowpath.kernel.steps import PATH_NAMES, STEP_NAMES
from cowpath.kernels import memcg_files
from cowpath.observe.watch import mask_of
from cowpath.session.cgroupfs import read_file
from cowpath.session.load import plan_session
from cowpath.session.table import read_table

MS = 1_000_000  # ns
S = 1_000 * MS
ROOT = "/sys/fs/cgroup"
STAYS = "sleep 1000"
MEASURED = 1.5  # a time of the model is within this factor of the measured one


@cache
def design_of(kernel: str) -> Any:
    return api.load_design(kernel)


class Played:
    """A session with programs by name, on 2 CPUs, without re-use of pages. It may be run piece by piece."""

    def __init__(
        self, folder: Path, text: str, programs: dict[str, str], kernel: str, *, machine: str = "", files: str = "",
        seed: int = 0, costs: str | None = None,
    ) -> None:  # fmt: skip
        head = '[machine]\nreuse = 0\nmemory = "512M"\n'
        lines = [f"{head}{machine}\n[bystanders]\nprograms = []\n{files}\n"]
        for name, program in programs.items():
            (folder / f"{name}.prog").write_text(program + "\n", encoding="utf-8")
            lines.append(f'[programs.{name}]\nwritten = "{name}.prog"\n')
        (folder / "session.toml").write_text("".join(lines), encoding="utf-8")
        self.kernel = kernel
        self.plan = plan_session(text, "session.sh", read_table(folder / "session.toml")).on(design_of(kernel))
        options = api.Options(seed=seed) if costs is None else api.Options(seed=seed, costs=costs)
        self.k: Any = api.build_machine(self.plan, design_of(kernel), options)
        self.k.books.log_mask = mask_of((n.EV_WAKE, n.EV_FORK, n.EV_EXEC))
        self.blocks: list[Any] = []
        self.clock = api.make_clock(
            self.k, self.plan, design_of(kernel), lambda block: self.blocks.append(block.copy())
        )

    def run(self, until: int = 30 * S) -> Played:
        """Go on until this moment of virtual time, or to the end of the session."""
        self.clock.run(until)
        return self

    @property
    def lines(self) -> list[str]:
        """What the session has printed."""
        return str(self.clock.output).splitlines()

    # --- groups
    def number(self, group: str) -> int:
        return self.plan.groups.index(group)

    def group(self, name: str) -> Any:
        """A group's state."""
        return self.k.state.groups[self.number(name)]

    def books(self, name: str) -> Any:
        """A group's books."""
        return self.k.books.groups[self.number(name)]

    def usage(self, name: str) -> int:
        """Pages."""
        return int(self.group(name).res.usage)

    def failcnt(self, name: str) -> int:
        return int(self.books(name).failcnt)

    def memsw_failcnt(self, name: str) -> int:
        return int(self.books(name).memsw_failcnt)

    def events(self, name: str) -> dict[str, int]:
        """memory.events and memory.swap.events."""
        return {key: int(self.books(name).events[number]) for number, key in enumerate(n.MEMCG_EVENTS)}

    def file(self, name: str, file: str) -> str:
        """What a group's file holds, as the kernel prints it."""
        keys = memcg_files.load(self.kernel) if self.k.state.cgroup2 else None
        return read_file(self.k, self.number(name), file, keys).rstrip("\n")

    def stat(self, name: str) -> dict[str, int]:
        """memory.stat."""
        return {key: int(value) for key, value in map(str.split, self.file(name, "memory.stat").splitlines())}

    # --- tasks
    def tasks(self, name: str) -> list[int]:
        """The living tasks of this name."""
        rows = self.k.state["tasks"][: int(self.k.state.n_tasks)]
        alive = np.isin(rows["run_state"], (n.T_RUNNABLE, n.T_SLEEPING))
        return [int(t) for t in np.flatnonzero(alive) if self.plan.comms[int(rows["program"][t])] == name]

    def task(self, name: str) -> Any:
        """The one living task of this name."""
        (found,) = self.tasks(name)
        return self.k.state.tasks[found]

    def alive(self, *names: str) -> set[str]:
        """Which of these live."""
        return {name for name in names if self.tasks(name)}

    def waits(self, name: str) -> str:
        """What the task sleeps for; "nothing" if it runs."""
        return str(n.WAIT_NAMES[int(self.task(name).wait_kind)])

    def stack(self, name: str) -> list[tuple[str, str]]:
        """The paths and steps that the task is in, the innermost first."""
        task = self.task(name)
        frames = [task.frames[d] for d in range(int(task.depth))]
        places = [(int(f.path), int(self.k.books.paths[int(f.path)].steps[int(f.pc)])) for f in frames]
        return [(PATH_NAMES[path], STEP_NAMES[step]) for path, step in places][::-1]

    def holds(self, name: str) -> set[str]:
        """What the task holds, of locks, pages and charges."""
        task = self.task(name)
        held = [int(task.frames[d].held) for d in range(int(task.depth))]
        return {word for i, word in enumerate(n.HOLD_NAMES) for bits in held if bits >> i & 1}

    def pages(self, file: str) -> list[int]:
        """By page of a file that is cached: the number of the group that is charged for it."""
        which = [each.name for each in self.plan.files].index(file)
        rows = self.k.state["pages"][: int(self.k.state.n_pages)]
        mine = rows[(rows["file"] == which) & (rows["refs"] > 0)]
        return [int(group) for group in mine["group"]]

    # --- what has been
    def woken(self) -> Iterator[tuple[str, int, int]]:
        """Of each sleep that has ended: the task's name then, the kind (W_*), how long it was in ns."""
        names: dict[int, int] = {}
        for row in (row for block in self.blocks for row in block):
            if row["kind"] == n.EV_FORK:
                names[int(row["a"])] = int(row["b"])
            elif row["kind"] == n.EV_EXEC:
                names[int(row["task"])] = int(row["a"])
            elif row["kind"] == n.EV_WAKE:
                program = names.get(int(row["task"]))
                yield "" if program is None else self.plan.comms[program], int(row["a"]), int(row["value"])

    def sleeps(self, name: str, kind: int | None = None) -> list[int]:
        """How long each sleep of the tasks of this name was that has ended, in ns; of one kind (W_*)."""
        return [ns for who, which, ns in self.woken() if who == name and kind in (None, which)]

    def held_up(self, name: str) -> int:
        """The longest wait for what somebody else holds, in ns."""
        return max((ns for who, kind, ns in self.woken() if who == name and n.BLOCKS[kind]), default=0)
