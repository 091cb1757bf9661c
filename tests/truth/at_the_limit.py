"""A full group on Linux 6.18, cgroup v1: its OOM killer off, nothing of it reclaimable, as it was measured.

Its filler has written to as many pages as fit, and one more task has failed to get a page: so no CPU has any in stock,
and no page for objects has room (drain_all_stock). Scenarios are smaller than those measured: 4 MiB for 64.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cowpath import api
from cowpath.engine import invariants
from cowpath.kernel import names as n
from cowpath.observe.watch import mask_of
from cowpath.session.load import plan_session
from cowpath.session.table import read_table

KERNEL = "linux-6.18"
S = 1_000_000_000
LIMIT = 1024  # pages
FILLER = f"anon a {LIMIT}\nfill a\nmlock a\nsleep 1000"
ALMOST = f"anon a {LIMIT - 40}\ntouch a 0 {LIMIT - 40} 1 w\nmlock a\nsleep 1000"  # nobody is killed for it
SLEEPER = "anon b 1\nsleep 1\ntouch b 0 1 1 w\nsleep 1000"
FULL_AT = 3  # seconds


class Limited:
    """A session in which A is full ``FULL_AT`` s after its beginning; ``programs`` run in it, ``outside`` in none.

    A program of A that begins with a sleep of FULL_AT s does what follows in the full group.
    """

    def __init__(
        self,
        folder: Path,
        programs: dict[str, str],
        outside: dict[str, str] | None = None,
        then: str = "",
        killer: bool = False,
        room: int = 0,
        until: int = 8 * S,
        kernel: str = KERNEL,
    ) -> None:
        outside = outside or {}
        every = {"filler": ALMOST if killer else FILLER, "sleeper": SLEEPER} | programs | outside
        lines = ['[machine]\nreuse = 0\nmemory = "64M"\n[bystanders]\nprograms = []\n']
        for name, program in every.items():
            (folder / f"{name}.prog").write_text(program + "\n", encoding="utf-8")
            lines.append(f'[programs.{name}]\nwritten = "{name}.prog"\n')
        (folder / "session.toml").write_text("".join(lines), encoding="utf-8")
        text = f"cgcreate -g memory:A\ncgset -r memory.limit_in_bytes={4 * LIMIT}K A\n"
        text += "" if killer else "cgset -r memory.oom_control=1 A\n"
        text += "".join(f"cgexec -g memory:A {name} &\n" for name in programs)
        text += "".join(f"{name} &\n" for name in outside if name not in then)
        text += "sleep 1\ncgexec -g memory:A filler &\n" + ("" if killer else "cgexec -g memory:A sleeper &\n")
        text += f"sleep 1.5\ncgset -r memory.limit_in_bytes={4 * (LIMIT + room)}K A\n" if room else ""
        self.plan = plan_session(text + then, "session.sh", read_table(folder / "session.toml"))
        design = api.load_design(kernel)
        self.k: Any = api.build_machine(self.plan, design, api.Options())
        self.killed: list[str] = []
        self.exits: dict[str, int] = {}
        self.killers: list[str] = []
        self.names: dict[int, str] = {0: "sh"}
        self.k.books.log_mask = mask_of((n.EV_FORK, n.EV_EXEC, n.EV_EXIT, n.EV_OOM_KILL))
        self.clock = api.make_clock(self.k, self.plan, design, self._note)
        self.clock.run(until)
        assert invariants.check_pages(self.k) == (invariants.FINE, -1)
        self.lines = self.clock.output.splitlines()

    def _note(self, events: Any) -> None:
        for event in events:
            kind, task = int(event["kind"]), int(event["task"])
            if kind == n.EV_FORK:
                self.names[int(event["a"])] = self.plan.comms[int(event["b"])]
            elif kind == n.EV_EXEC:
                self.names[task] = self.plan.comms[int(event["a"])]
            elif kind == n.EV_EXIT:
                self.exits[self.names[task]] = int(event["value"])
            elif kind == n.EV_OOM_KILL:
                self.killed.append(self.names[int(event["b"])])
                self.killers.append(self.names[task])

    def task(self, name: str) -> Any:
        """A task that lives, by its program."""
        rows = self.k.state.tasks[: int(self.k.state.n_tasks)]
        found = [row for row in rows if row.run_state in (n.T_RUNNABLE, n.T_SLEEPING) and not row.kthread]
        return next(row for row in found if self.plan.comms[int(row.program)] == name)

    def waits_for_memory(self, name: str) -> bool:
        """It sleeps until its group has memory."""
        return bool(self.task(name).run_state == n.T_SLEEPING and self.task(name).wait_kind == n.W_OOM)

    @property
    def a(self) -> Any:
        """The group's books."""
        return self.k.books.groups[1]
