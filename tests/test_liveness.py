"""What has come to a standstill and what has not: small sessions on which a verdict was wrong once, and their kin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cowpath
from cowpath.cli import app

TRIED = Path(__file__).parent / "data" / "tried"
FULL = """cgcreate -g memory:A
cgset -r memory.limit_in_bytes=1M A
cgset -r memory.memsw.limit_in_bytes=1M A
cgset -r memory.oom_control=1 A
"""
OWN = """anon own 17
touch own 0 17 1 w
mapf lib @lib 64 rw private
anon memory 400
fill memory
sleep 50ms
touch lib 10 1 1 w
sleep 1h
"""
READER = """mapf lib @lib 64 r private
touch lib 10 1 1 r
"""


def run(tmp_path: Path, session: str, programs: dict[str, str] | None = None, **options: Any) -> cowpath.Result:
    """A session with its written programs: beside those given ``hog``, which gets stuck in its group with page 10 of
    lib locked, and ``reader``, which waits for that page.
    """
    programs = {"hog": OWN, "reader": READER, **(programs or {})}
    table = '[machine]\ncpus = 2\nmemory = "64M"\nreuse = 0\n[bystanders]\nprograms = []\n'
    if "hog" in session:
        table += "[files.lib]\npages = 64\nwarm = true\n"
    for name, text in programs.items():
        (tmp_path / f"{name}.prog").write_text(text)
        table += f'[programs.{name}]\nwritten = "{name}.prog"\n'
    (tmp_path / "case.toml").write_text(table)
    (tmp_path / "case.sh").write_text(session)
    return cowpath.run(tmp_path / "case.sh", **options)


# --- a task that moves to another CPU ---------------------------------------------------------------
@pytest.mark.parametrize("name", ["lost.sh", "lost2.sh"])
def test_a_task_that_moves_to_another_cpu_leaves_nobody_behind(name: str) -> None:
    result = cowpath.run(TRIED / name)
    assert result.summary["groups"]["A"]["jobs_done"] == (1 if name == "lost.sh" else 6)
    assert result.summary["virtual_ns"] < 1_000_000_000


# --- who sleeps ends no standstill ------------------------------------------------------------------
def test_a_sleeper_in_the_group_makes_a_wait_no_less_stuck() -> None:
    result = cowpath.run(TRIED / "idle.sh")
    assert (result.verdict, result.group_verdicts) == ("stuck", {"A": "waits"})
    assert all("unless idle[3], asleep for another hour, does something" in line for line in result.chain)
    assert "unless idle[3], asleep for another hour, does something" in result.summary["group_chains"]["A"]
    [free] = result.summary["unless"]["A"]
    assert (free["task"], free["does"]) == ("idle[3]", "asleep for another hour")
    assert 3_500 < free["for_ns"] / 1e9 < 3_600


def test_of_several_sleepers_the_soonest_is_named_and_the_others_are_counted(tmp_path: Path) -> None:
    session = FULL + "cgexec -g memory:A late & cgexec -g memory:A soon & cgexec -g memory:A hog &\nsleep 1\nreader &\n"
    result = run(tmp_path, session + "sleep 9\n", {"late": "sleep 1h\n", "soon": "sleep 12m\n"})
    assert result.verdict == "stuck"
    assert "unless soon[4], asleep for another 12 minutes, or 1 more do something" in result.chain[0]


def test_who_computes_in_the_group_does_not_make_it_progress(tmp_path: Path) -> None:
    session = FULL + "cgexec -g memory:A busy & cgexec -g memory:A hog &\nsleep 1\nreader &\nsleep 9\n"
    result = run(tmp_path, session, {"busy": "loop forever\n  compute 1s\nend\n"})
    assert (result.verdict, result.group_verdicts) == ("stuck", {"A": "waits"})
    assert "unless busy[3], which runs, does something" in result.chain[0]


def test_a_group_in_which_tasks_end_now_and_then_progresses(tmp_path: Path) -> None:
    """The wait has not ended, but within the bound of 2 s a task has: what it had is given back."""
    session = FULL + "cgexec -g memory:A churn & cgexec -g memory:A hog &\nsleep 1\nreader &\nsleep 9\n"
    churn = "loop forever\n  fork child\n    compute 1ms\n  end\n  wait all\n  sleep 1s\nend\n"
    result = run(tmp_path, session, {"churn": churn})
    assert result.group_verdicts["A"] == "progresses"
    assert result.verdict == "stalled"


def test_a_run_goes_on_while_somebody_of_the_group_will_wake(tmp_path: Path) -> None:
    """The shell waits for a stuck reader; a sleeper of the group gives memory back after 30 s, and all is well."""
    session = FULL + "cgexec -g memory:A giver & sleep 0.1; cgexec -g memory:A hog &\nsleep 1\nreader\n"
    giver = "anon own 20\ntouch own 0 20 1 w\nsleep 30s\n"
    result = run(tmp_path, session, {"giver": giver})
    assert result.verdict == "stalled"
    assert result.summary["longest_stall"]["ended"]
    assert result.summary["virtual_ns"] > 30_000_000_000


def test_a_run_goes_on_while_somebody_outside_may_come_to_help(tmp_path: Path) -> None:
    raised = [f"cgset -r memory.{file}limit_in_bytes=2M A" for file in ("memsw.", "")]
    session = FULL + f"sleep 40 && {' && '.join(raised)} &\n"
    result = run(tmp_path, session + "cgexec -g memory:A hog &\nsleep 1\nreader\n")
    assert result.verdict == "stalled"
    assert result.summary["longest_stall"]["ended"]
    assert result.summary["ended"] != "settled"


def test_who_outside_may_come_to_help_is_named(tmp_path: Path) -> None:
    session = FULL + "cgexec -g memory:A hog &\nsleep 1\nreader &\nsleep 1h\ncgset -r memory.oom_control=0 A\n"
    result = run(tmp_path, session, until="60s")
    assert result.verdict == "stuck"
    assert "unless sh[0], asleep for another hour, does something" in result.chain[0]


def test_a_standstill_that_nobody_can_end_ends_the_run(tmp_path: Path) -> None:
    result = run(tmp_path, FULL + "cgexec -g memory:A hog &\nsleep 1\nreader\n")
    assert (result.verdict, result.group_verdicts) == ("stuck", {"A": "waits"})
    assert result.summary["ended"] in ("idle", "settled")
    assert result.summary["virtual_ns"] < 10_000_000_000
    assert result.chain[0].endswith("and nothing in the machine will end it")
    assert result.summary["unless"] == {"A": []}


# --- forks are no progress of memory, and there is an end to them -----------------------------------
def test_forks_are_no_progress_of_memory() -> None:
    result = cowpath.run(TRIED / "forkbomb-progresses.sh", until="12s")
    assert result.group_verdicts == {"A": "live-locked"}


def test_a_fork_at_the_limit_of_tasks_fails_and_the_run_goes_on(tmp_path: Path) -> None:
    """EAGAIN: the program's status is a failure, it goes on, and when a task has gone it can fork again."""
    forker = "task f\n  sleep 1s\nend\nloop 30\n  start f\nend\nwait all\nstart f\nwait all\nmark\n"
    session = "cgcreate -g memory:A\ncgexec -g memory:A forker\n"
    result = run(tmp_path, session, {"forker": forker}, tasks=20)
    assert result.summary["ended"] == "script"
    assert result.summary["groups"]["A"]["jobs_done"] == 1
    assert 2 < result.summary["virtual_ns"] / 1e9 < 3


def test_a_shell_that_cannot_fork_says_so_and_tries_again(tmp_path: Path) -> None:
    session = "cgcreate -g memory:A\nnapper & napper & napper & napper &\ncgexec -g memory:A napper\n"
    result = run(tmp_path, session, {"napper": "sleep 5s\n"}, tasks=7)  # sh, two kernel threads, four
    assert result.output == 3 * "case.sh: fork: retry: Resource temporarily unavailable\n"  # after 0, 1 and 3 s
    assert result.summary["groups"]["A"]["tasks"] == 0
    assert result.group_verdicts == {"A": "finished"}


def test_a_shell_that_can_never_fork_goes_on_without(tmp_path: Path) -> None:
    session = "cgcreate -g memory:A\nnapper & napper & napper & napper &\ncgexec -g memory:A napper\n"
    result = run(tmp_path, session, {"napper": "sleep 1h\n"}, tasks=7)
    retry = "case.sh: fork: retry: Resource temporarily unavailable\n"
    assert result.output.startswith(4 * retry + "case.sh: fork: Resource temporarily unavailable\n")
    assert result.group_verdicts == {"A": "empty"}


@pytest.mark.parametrize(("memory", "tasks"), [("64M", 1024), ("256M", 4096), ("16G", 8192), ("1M", 20)])
def test_by_default_there_may_be_as_many_tasks_as_linux_makes_of_the_memory(memory: str, tasks: int) -> None:
    """fork_init: max_threads = mempages / (8 * THREAD_SIZE / PAGE_SIZE), at least 20; and what there is room for."""
    from cowpath import api

    options = api.Options.of(memory)
    k = api.build_machine(api.load_plan(TRIED / "lost.sh", options), api.load_design("linux-3.0"), options)
    assert int(k.books.max_threads) == tasks


def test_tasks_out_of_range() -> None:
    with pytest.raises(cowpath.InputError, match=r"--tasks: 9000 tasks \(1 to 8192\)"):
        cowpath.run(TRIED / "lost.sh", tasks=9000)


# --- what a run that has to end early says ----------------------------------------------------------
def test_a_run_that_runs_out_of_something_says_what_and_gives_the_verdicts_so_far(tmp_path: Path) -> None:
    session = FULL + "cgexec -g memory:A hog &\nsleep 1\nreader &\nsleep 9\nkeeper\n"
    keeper = "oom_score_adj -1000\nanon all 20000\ntouch all 0 20000 1 w\n"
    programs = {"keeper": keeper, "hog": "oom_score_adj -1000\n" + OWN, "reader": "oom_score_adj -1000\n" + READER}
    result = run(tmp_path, session, programs)
    assert (result.verdict, result.group_verdicts["A"]) == ("stuck", "waits")
    assert result.summary["ended"] == "exhausted"
    assert result.exhausted is not None
    assert result.exhausted["what"].startswith("pages of memory")
    assert (result.exhausted["count"], "--memory" in result.exhausted["hint"]) == (16384, True)
    told = CliRunner().invoke(app, ["run", str(tmp_path / "case.sh")], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert told.exit_code == 3
    assert "stuck, so far" in told.output and "exhausted" in told.output
    assert "the machine ran out of pages of memory, and there is nobody to kill: there were 16,384" in told.output
    assert "a larger --memory, or --swap" in told.output


def test_every_pool_that_can_run_out_has_words() -> None:
    from cowpath.engine.exhausted import POOLS
    from cowpath.kernel import state

    kinds = {value for name, value in vars(state).items() if name.startswith("ERR_") and value}
    assert set(POOLS) == kinds
    assert all(what and hint for what, _, hint in POOLS.values())


# --- groups without tasks ---------------------------------------------------------------------------
def test_a_group_that_never_had_a_task_is_empty() -> None:
    assert cowpath.run(TRIED / "parent-finished.sh").group_verdicts == {"P": "empty", "P/A": "finished"}


def test_a_group_that_is_charged_with_its_childs_tasks_had_them(tmp_path: Path) -> None:
    session = "cgcreate -g memory:P\necho 1 > /sys/fs/cgroup/memory/P/memory.use_hierarchy\ncgcreate -g memory:P/A\n"
    result = run(tmp_path, session + "cgcreate -g memory:Q\ncgexec -g memory:P/A napper\n", {"napper": "sleep 1s\n"})
    assert result.group_verdicts == {"P": "finished", "P/A": "finished", "Q": "empty"}


def test_a_group_made_anew_has_had_no_task(tmp_path: Path) -> None:
    session = "cgcreate -g memory:A\ncgexec -g memory:A napper\ncgdelete memory:A\ncgcreate -g memory:A\n"
    assert run(tmp_path, session, {"napper": "sleep 1s\n"}).group_verdicts == {"A": "empty"}


# --- the OOM killer's victim ------------------------------------------------------------------------
def test_a_victim_that_cannot_die_is_named_and_what_it_waits_for() -> None:
    result = cowpath.run(TRIED / "oom-victim-not-named.sh")
    [line] = result.chain
    at = result.summary["kills"][0]["at_ns"] / 1e9
    assert line.startswith(
        "outsider[5] waits for the i_mutex of log, held by writer[4] in A, which waits for A's memory: limit 16M, OOM "
        f"killer on: it chose hog[3] at {at:.2f} s, which waits for the i_mutex of log, held by writer[4] (a cycle); "
    )
    [victim] = result.summary["victims"]
    assert (victim["group"], victim["task"], victim["cycle"]) == ("A", "hog[3]", True)
    assert victim["chain"].startswith("hog[3] in A waits for the i_mutex of log, held by writer[4] in A, which")
    assert "it chose hog[3]" in result.summary["group_chains"]["A"]


# --- --fail-on --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "status"),
    [(["stuck"], 1), (["stalled"], 1), (["waits"], 1), (["killed,live-locked"], 0), (["killed", "waits"], 1),
     (["killed, stuck"], 1)],
)  # fmt: skip
def test_fail_on_takes_several_verdicts(tmp_path: Path, words: list[str], status: int) -> None:
    run(tmp_path, FULL + "cgexec -g memory:A hog &\nsleep 1\nreader\n")
    options = [part for word in words for part in ("--fail-on", word)]
    told = CliRunner().invoke(app, ["run", str(tmp_path / "case.sh"), "--json", *options])
    assert json.loads(told.stdout)["runs"][0]["verdict"] == "stuck"
    assert told.exit_code == status


def test_fail_on_a_verdict_that_is_none() -> None:
    told = CliRunner().invoke(app, ["run", str(TRIED / "lost.sh"), "--fail-on", "stuck,hung"])
    assert told.exit_code == 2
    assert "--fail-on: no such verdict: 'hung' (one or several of stuck, stalled, killed, live-locked, waits)" in str(
        told.stderr
    )
