"""ps and its kin read every process' files in /proc as the real ones do, and wait where those wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cowpath
from cowpath import api
from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.programs.code import Ops
from cowpath.session.load import load_session, plan_session
from cowpath.session.table import read_table

TRIED = Path(__file__).parents[1] / "data" / "tried"
SECOND = 1_000_000_000
FULL = """
cgcreate -g memory:A
cgset -r memory.limit_in_bytes=4M A
cgset -r memory.oom_control=1 A
cgexec -g memory:A java &
sleep 1
"""
JAVA = """
anon heap 2000
thread gc
  sleep 700ms
  anon more 16
end
thread leaver
  sleep 800ms
end
fill heap
touch heap 1500 500 1 w
sleep 1h
"""


def session(folder: Path, command: str) -> Path:
    """A java process whose fault waits for memory, behind it a thread that wants to map; then somebody's command."""
    (folder / "java.prog").write_text(JAVA)
    (folder / "s.toml").write_text('[bystanders]\nprograms = []\n[programs.java]\nwritten = "java.prog"\n')
    (folder / "s.sh").write_text(f"{FULL}{command}\nsleep 2\n")
    return folder / "s.sh"


def reads(text: str) -> Ops:
    """The reads of /proc that a script stands for."""
    ops = plan_session(
        f"{text} &\n", "s.sh", read_table(Path(__file__).parents[2] / "src/cowpath/data/programs.toml")
    ).ops
    return ops[ops["code"] == n.OP_READ_PROC]


def test_ps_is_stuck_beside_a_process_whose_mmap_sem_is_held() -> None:
    """It reads cmdline of every process, and that goes through access_process_vm."""
    result = cowpath.run(TRIED / "ps-recording.sh")
    assert result.verdict == "stuck"
    (chain,) = [" ".join(str(chain).split()) for chain in result.summary["chain"]]
    assert chain.startswith("ps[") and "waits for mmap_sem (to read), behind the waiting writer gc[" in chain


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ("ps aux &", "stuck"),
        ("ps -ef &", "stuck"),
        ("ps -e", "isolated"),
        ("top -b -n 2 -d 100ms", "isolated"),
        ("top -b -c -n 1 &", "stuck"),
        ("pgrep java &", "stuck"),
        ("pidof java &", "stuck"),
        ("cat /proc/$!/cmdline &", "stuck"),
        ("cat /proc/$!/smaps &", "stuck"),
        ("cat /proc/java/status", "isolated"),
        ("cat /proc/$!/stat /proc/self/maps", "isolated"),
        ("taskset -c 0 cat /proc/*/maps &", "stuck"),
    ],
)
def test_who_is_stuck(tmp_path: Path, command: str, verdict: str) -> None:
    assert cowpath.run(session(tmp_path, command)).verdict == verdict


def test_a_thread_that_exits_waits_behind_a_writer_of_its_mmap_sem(tmp_path: Path) -> None:
    """exit_mm takes mmap_sem for reading, uninterruptibly: the thread cannot end before its group has memory."""
    plan = load_session(session(tmp_path, "true"))
    design = api.load_design("linux-3.0")
    k: Any = api.build_machine(plan, design, api.Options())
    api.make_clock(k, plan, design, lambda events: None).run(3 * SECOND)
    (leaver,) = [t for t in range(int(k.state.n_tasks)) if k.state.tasks[t].exiting]
    task = k.state.tasks[leaver]
    assert plan.comms[int(task.program)] == "leaver"
    assert (task.run_state, task.wait_kind, task.killable) == (n.T_SLEEPING, n.W_MMAP_READ, 0)


@pytest.mark.parametrize(
    ("command", "bits"),
    [
        ("ps", [1, 1]),
        ("ps aux", [1, 1, 0]),
        ("ps u", [1, 1, 0]),
        ("ps -f", [1, 1, 0]),
        ("ps -p 1 -o pid,comm", [1, 1]),
        ("ps -eo pid,args", [1, 1, 0]),
        ("ps axo pid,comm", [1, 1]),
        ("top -n 1", [1, 1]),
        ("top -bcn1", [1, 1, 0]),
        ("pgrep -u root", [1]),
        ("pgrep -u root java", [1, 0]),
        ("pidof java", [1, 0, 0]),
    ],
)
def test_what_each_reads(command: str, bits: list[int]) -> None:
    """0: a file that needs the mmap_sem. ps shows arguments, and so reads cmdline, in some of its formats only."""
    ops = reads(command)
    assert ops["bits"].tolist() == bits and (ops["a"] == n.ALL_TASKS).all()


def test_ps_does_what_was_recorded_too() -> None:
    plan = plan_session("ps\n", "s.sh")
    ops = plan.ops
    (first,) = np.flatnonzero(ops["code"] == n.OP_READ_PROC)[:1]
    assert (ops["code"] == n.OP_TOUCH).sum() > 100 and ops["code"][first + 2] == n.OP_MARK


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cat /proc/42/maps", "s.sh:1:5: a task's number is not known before the run: 42 (cat /proc/$!/maps"),
        ("cat /proc/x/mapz", "s.sh:1:5: no such file of a task: 'mapz' (did you mean maps?"),
        ("cat /proc/meminfo", "s.sh:1:5: cat reads only files of tasks in /proc: '/proc/meminfo' (cat /proc/$!/maps)"),
        ("cat /proc/x/maps", "s.sh:1:5: no task of the session is called 'x'"),
        ("top -z", "s.sh:1:5: unknown option of top: '-z'"),
        ("top -n none", "s.sh:1:8: 'none' is not a number of rounds (top -b -n 1)"),
        ("python3 server.py", "s.sh:1:9: 'python3 server.py' is not the python3 that is packaged, a recording of"
         " \"/usr/local/bin/python -c 'import numpy'\" (python3 alone; or say in the session's table what it"
         " stands for: [programs.python3] with recording = \"numpy\", or written = \"python3.prog\")"),
    ],
)  # fmt: skip
def test_errors(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        plan_session(text + "\n", "s.sh")
    assert str(caught.value).startswith(problem)


def test_a_recording_with_the_arguments_that_it_was_made_with() -> None:
    plan = plan_session("python3 -c 'import numpy'\nls -l /usr/lib\nls\n", "s.sh")
    assert len(plan.ops) and not plan.notes


def test_the_same_program_with_other_arguments_is_noted() -> None:
    """What ls reads is much the same elsewhere; what python3 does is not."""
    assert len(plan_session("ls -a /etc\n", "s.sh").notes) == 1
    for text in ("bash run.sh", "sqlite3 my.db", "sort names"):
        with pytest.raises(InputError, match=r"is not the .* that is packaged"):
            plan_session(text + "\n", "s.sh")


def test_an_interpreter_alone_is_noted() -> None:
    """Typed alone it would be a prompt; what runs is the recording. The default bystander's bash is nobody's typing."""
    for text in ("python3", "bash", "sqlite3", "sort"):
        (note,) = plan_session(text + "\n", "s.sh").notes
        assert f"{text}: what ran is the recording of " in note
    assert not plan_session("shell &\n", "s.sh").notes


def test_the_sessions_table_says_what_a_program_stands_for(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[programs.python3]\nrecording = "numpy"\n[programs.ps]\nrecording = "ps"\n')
    (tmp_path / "s.sh").write_text("python3 server.py\nps\n")
    plan = load_session(tmp_path / "s.sh")
    assert any("python3" in note for note in plan.notes) and not (plan.ops["code"] == n.OP_READ_PROC).any()
