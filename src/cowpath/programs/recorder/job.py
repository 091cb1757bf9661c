"""The command under perf, from its start to its end, with its signals: what is recorded lies in perf's file then.

Ctrl-C is the command's, as without cowpath; the recording goes on until the command has ended. A second one kills it,
and there is no recording.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowpath.errors import InputError
from cowpath.programs.recorder.group import Group
from cowpath.programs.recorder.perf import Perf

LAUNCHER = Path(__file__).with_name("launcher.py")
LOOK_S = 0.05
WATCHED = (signal.SIGINT, signal.SIGTERM)
SAID = 300  # characters of what perf said
Look = Callable[[int], None]  # called now and then while the command runs, with its pid


@dataclass(frozen=True)
class Ended:
    """How the command ended, and what wait4(2) says that it and its children used."""

    pid: int
    launcher: int  # the process that has started it, and is no part of it
    status: int  # as wait(2) gives it
    minflt: int
    majflt: int
    utime: float  # s
    stime: float
    maxrss: int  # KiB, of the largest process
    begin_ns: int  # CLOCK_MONOTONIC
    end_ns: int
    interrupted: bool  # Ctrl-C, or SIGTERM

    @property
    def words(self) -> str:
        """How it ended, in words."""
        if os.WIFSIGNALED(self.status):
            number = os.WTERMSIG(self.status)
            return f"was killed by {signal.strsignal(number) or 'signal'} ({number})"
        return f"exited with {os.WEXITSTATUS(self.status)}"


@contextmanager
def counted(numbers: Sequence[signal.Signals]) -> Iterator[list[int]]:
    """Within this, these signals do nothing but to be put into a list."""
    got: list[int] = []
    before = {number: signal.signal(number, lambda number, _: got.append(number)) for number in numbers}
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def from_terminal(number: int) -> bool:
    """Whether the command will have had this signal too: Ctrl-C in a terminal is for all of the foreground."""
    with suppress(OSError):  # there is none
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
        try:
            return number == signal.SIGINT and os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False


def run(command: Sequence[str], perf: Perf, out: Path, group: Group | None, look: Look | None = None) -> Ended:
    """Run it and record into ``out``. Raises InputError if perf or the command does not start, or perf fails.

    KeyboardInterrupt after a second Ctrl-C: the command has been killed then.
    """
    report, reported = os.pipe()
    ways = ("", "") if group is None else (str(group.tasks), str(group.home))
    said, environment = out.with_name("perf.says"), out.with_name("environment")
    environment.write_text(json.dumps(dict(os.environ)), encoding="ascii")
    words = (str(reported), str(environment), str(os.getpgrp()), *ways)
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER), *words, *command]
    with said.open("wb") as stderr, os.fdopen(report, encoding="utf-8") as lines:
        try:
            process = subprocess.Popen(perf.record(out, launcher), pass_fds=(reported,), process_group=0, stderr=stderr)
        finally:
            os.close(reported)
        try:
            with counted(WATCHED) as got:
                begun = _line(lines.readline())
                interrupted = _wait(process, begun.get("pid"), look, got)
        except BaseException:
            _kill(process, group)
            raise
        end = _line(lines.readline())
    if process.returncode == 0 and "errno" in begun:
        problem = f"can't run {command[0]!r}: {os.strerror(begun['errno'])}"
        raise InputError(problem, hint="after -- comes a command with its arguments: cowpath record -- make -j2")
    if "status" not in end or process.returncode != 0:
        raise _perf_failed(process.returncode, said.read_text(encoding="utf-8", errors="replace"))
    return Ended(**begun, **end, interrupted=interrupted)


def _wait(process: subprocess.Popen[bytes], pid: int | None, look: Look | None, got: list[int]) -> bool:
    """Until perf has ended. Returns whether the command was interrupted. Raises KeyboardInterrupt the second time."""
    passed_on = 0
    while process.poll() is None:
        if len(got) > 1:
            raise KeyboardInterrupt
        if len(got) > passed_on:
            if pid is not None and not from_terminal(got[0]):
                with suppress(OSError):
                    os.kill(pid, got[0])
            passed_on = 1
        if look is not None and pid is not None:
            look(pid)
        time.sleep(LOOK_S)
    return bool(got)


def _kill(process: subprocess.Popen[bytes], group: Group | None) -> None:
    """Kill perf, and the command with all that it has started."""
    for pid in tree(process.pid):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    if group is not None:
        group.kill()
    process.wait()


def tree(pid: int) -> list[int]:
    """A process and all that it has started, as far as they are still its children, or theirs."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += tree(child)
    return found


def _line(line: str) -> dict[str, Any]:
    """A line of the launcher's report; nothing if it has not come so far."""
    with suppress(ValueError):
        return dict(json.loads(line))
    return {}


def _perf_failed(status: int, said: str) -> InputError:
    """What to say of a perf that has not recorded to the end."""
    lines = [line for line in said.splitlines() if line.strip()]
    how = f"was killed by signal {-status}" if status < 0 else f"failed with status {status}"
    words = " ".join(" ".join(lines).split())[-SAID:]
    hint = "TMPDIR=DIR names another folder for its file" if "space" in words or "write" in words else None
    return InputError(f"perf {how}, and nothing is recorded: {words or 'it said nothing'}", hint=hint)
