"""Loops, jobs and moves on a machine: what a session prints, and what is left of its tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cowpath import api
from cowpath.kernel import names as n
from cowpath.session.load import load_session, plan_session
from cowpath.session.plan import Plan
from cowpath.session.table import Table

MS = 1_000_000  # ns
A, B = "/sys/fs/cgroup/memory/A", "/sys/fs/cgroup/memory/B"
GROUPS = "cgcreate -g memory:A -g memory:B\n"
LIVING = (n.T_RUNNABLE, n.T_SLEEPING)


class Run:
    """A session run for so long."""

    def __init__(self, session: str | Plan, until_ns: int) -> None:
        self.plan = plan_session(session, "s.sh", Table(bystanders=())) if isinstance(session, str) else session
        design = api.load_design("linux-3.0")
        self.k: Any = api.build_machine(self.plan, design, api.Options())
        clock = api.make_clock(self.k, self.plan, design, lambda events: None)
        self.ending = clock.run(until_ns)
        self.lines = clock.output.splitlines()

    def tasks(self, *states: int) -> int:
        """How many tasks there are in these states, without the kernel's."""
        tasks = self.k.state.tasks[: int(self.k.state.n_tasks)]
        return sum(task.run_state in states and not task.kthread for task in tasks)


def test_an_endless_loop_goes_on_until_the_time_is_up() -> None:
    run = Run("N=5; while true; do sleep ${N}ms; echo round; done", 52 * MS)
    assert run.ending.reason == "until" and run.ending.at == 52 * MS
    assert run.lines == ["round"] * 10


@pytest.mark.parametrize(
    "text",
    ["while true; do :; done", "while true; do continue; done", "until false; do cd; done",
     "while true; do while false; do true; done; done"],
)  # fmt: skip
def test_a_loop_that_does_nothing_does_not_stop_the_clock(text: str) -> None:
    run = Run(text, 100 * MS)
    assert run.ending.at == 100 * MS
    assert run.k.books.steps < 50_000


def test_a_loop_leaves_no_dead_jobs_behind() -> None:
    run = Run("while true; do sleep 100us & sleep 1ms; done", 1000 * MS)
    assert run.tasks(n.T_ZOMBIE) <= 2 and run.k.state.n_tasks < 12
    assert run.k.state.births > 900


def test_the_last_job_is_the_one_of_this_round() -> None:
    """Those of earlier rounds are still there: they have lost their name, and a plain wait waits for them too."""
    run = Run("for r in 1; do while true; do sleep 1 & sleep 1ms & wait $!; echo r; done; done", 100 * MS)
    assert 60 < len(run.lines) < 100
    assert run.tasks(*LIVING) >= len(run.lines)
    killed = Run("while true; do sleep 1 & J=$!; sleep 1ms; kill $J; wait $J; echo r; done", 100 * MS)
    assert 60 < len(killed.lines) < 100 and killed.tasks(*LIVING) < 4
    both = Run("while true; do sleep 20ms & sleep 1ms; wait; echo r; done", 100 * MS)
    assert len(both.lines) == 4


def test_jobs_of_a_for_loop() -> None:
    run = Run('P=; for t in 30 10 20; do sleep ${t}ms & P="$P $!"; done\nkill %1; wait $P; echo done', 1000 * MS)
    assert run.lines == ["done"] and run.ending.reason == "script" and 20 * MS <= run.ending.at < 22 * MS


def test_break_and_status() -> None:
    run = Run(
        "cgcreate -g memory:A; for i in 1 2 3; do cgset -r memory.limit_in_bytes=$i A && echo $i; done\n"
        "while true; do cgset -r memory.memsw.limit_in_bytes=0 A || break; done; echo after\n"
        "cgset -r memory.memsw.limit_in_bytes=0 A; sleep 1ms && echo slept; false || echo no; true && false || echo or",
        1000 * MS,
    )
    refused = "cgset: A: memory.memsw.limit_in_bytes: Invalid argument"
    assert run.lines == ["1", "2", "3", refused, "after", refused, "slept", "no", "or"]


def test_a_loop_in_the_background_is_killed_with_what_it_started() -> None:
    loop = "while true; do echo in; sleep 10ms; sleep 1 & wait $!; done"
    run = Run(f"{loop} & sleep 35ms; kill $!; wait; echo out", 40 * MS)
    assert run.lines == ["in", "out"] and run.tasks(*LIVING) == 0


def test_an_error_in_the_background_has_its_own_reason() -> None:
    text = "cgcreate -g memory:A\nsleep 1ms && cgset -r memory.memsw.limit_in_bytes=0 A &\nsleep 1 & kill %2; wait"
    assert Run(text, 10**9).lines == ["cgset: A: memory.memsw.limit_in_bytes: Invalid argument"]


def test_a_job_moves_alone() -> None:
    """Its child stays where it is."""
    run = Run(
        f"{GROUPS}cgexec -g memory:A sleep 2ms && cgexec -g memory:A sleep 5ms && sleep 1 & J=$!\n"
        f"sleep 1ms; cgclassify -g memory:B $J; cat {B}/tasks; sleep 3ms; cat {A}/tasks\n"
        f"sleep 10ms; cat {A}/tasks; echo -; cat {B}/cgroup.procs; cgexec -g memory:A sleep 1 &\n"
        f"sleep 1ms; cgclassify -g memory:/ $J $!; echo -; cat {A}/tasks; cat {B}/tasks",
        40 * MS,
    )
    assert run.lines == ["3", "4", "-", "3", "-"]  # the shell of the list is task 3, its two sleeps are task 4


@pytest.mark.parametrize(("file", "moved"), [("tasks", 1), ("cgroup.procs", 3)])
def test_a_process_moves_with_its_threads_or_alone(tmp_path: Path, file: str, moved: int) -> None:
    session = tmp_path / "s.sh"
    session.write_text(f"{GROUPS}two & sleep 1ms; echo $! > {A}/{file}; cat {A}/tasks {A}/cgroup.procs")
    (tmp_path / "s.toml").write_text('[bystanders]\nprograms = []\n[programs.two]\nwritten = "two.prog"')
    (tmp_path / "two.prog").write_text("thread a\nsleep 1\nend\nthread b\nsleep 1\nend\nsleep 1\n")
    run = Run(load_session(session), 10 * MS)
    assert (len(run.lines), int(run.k.state.groups[1].tasks)) == (moved + 1, moved)


def test_who_is_gone_cannot_be_moved() -> None:
    run = Run(f"{GROUPS}sleep 1ms & sleep 5ms; cgclassify -g memory:B $! && echo moved; echo $! > {B}/tasks", 10**9)
    assert run.lines == ["cgclassify: B: No such process", "echo: B: No such process"]


def test_a_group_is_removed_as_soon_as_it_is_empty() -> None:
    run = Run(f"{GROUPS}cgexec -g memory:A sleep 5ms & until cgdelete memory:A; do sleep 2ms; done; echo gone", 40 * MS)
    assert run.lines == ["cgdelete: A: Device or resource busy"] * 3 + ["gone"]


def test_the_shell_in_a_group() -> None:
    """What it starts begins there, and the group cannot be removed."""
    run = Run(
        f"{GROUPS}echo $$ > {A}/tasks\nsleep 1 & cat {A}/tasks; cgexec -g memory:B sleep 1 & sleep 1ms; cat {B}/tasks\n"
        f"rmdir {A}; echo 0 > /cgroup/memory/tasks; sleep 1 & kill %2; sleep 1ms; cgdelete memory:B && echo gone",
        20 * MS,
    )
    assert run.lines == ["0", "3", "4", "rmdir: A: Device or resource busy", "gone"]
