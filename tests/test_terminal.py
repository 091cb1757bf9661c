"""What a terminal is shown: colours and progress, none with NO_COLOR, and nothing from outside that it obeys."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SESSION = ROOT / "examples" / "oom-off.sh"
COMMAND = [sys.executable, "-c", "from cowpath.cli import main; main()"]
COLOUR = re.compile(rb"\x1b\[[0-9;]*3[0-9][0-9;]*m")


def in_a_terminal(arguments: list[str], **environment: str) -> bytes:
    """What the command writes with a terminal as its output and as its errors."""
    ours, theirs = pty.openpty()
    variables = {**os.environ, "TERM": "xterm-256color", **environment}
    for name in ("NO_COLOR", "FORCE_COLOR", "CI"):
        if name not in environment:
            variables.pop(name, None)
    process = subprocess.Popen([*COMMAND, *arguments], stdout=theirs, stderr=theirs, cwd=ROOT, env=variables)
    os.close(theirs)
    written = b""
    while select.select([ours], [], [], 300)[0]:
        try:
            block = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        written += block
    os.close(ours)
    assert process.wait() == 0
    return written


def test_colours_and_progress_in_a_terminal() -> None:
    written = in_a_terminal(["run", str(SESSION), "--until", "3s"])
    assert COLOUR.search(written)
    assert b"of the machine's time" in written


def test_no_color() -> None:
    written = in_a_terminal(["run", str(SESSION), "--until", "3s"], NO_COLOR="1")
    assert not COLOUR.search(written)
    assert b"stuck" in written


def test_neither_where_it_is_none() -> None:
    done = subprocess.run([*COMMAND, "run", str(SESSION), "--until", "3s"], capture_output=True, cwd=ROOT)
    assert done.returncode == 0 and b"\x1b" not in done.stdout and b"stuck" in done.stdout
    assert b"\x1b" not in done.stderr and b"machine's time" not in done.stderr


@pytest.mark.parametrize("arguments", [["run", "{}"], ["compare", "{}", "--design", "linux-3.0"]])
def test_a_session_gives_the_terminal_no_orders(arguments: list[str], tmp_path: Path) -> None:
    """Neither by what it prints, nor by the name of its file."""
    session = tmp_path / "a\x1b]0;title\x07.sh"
    session.write_text("echo '\x1b[2J\x1b]0;owned\x07 and \x9b31m'\n")
    written = in_a_terminal([argument.format(session) for argument in arguments] + ["--until", "1s"])
    assert b"owned" in written
    for order in (b"\x1b[2J", b"\x1b]", b"\x07", "\x9b".encode()):
        assert order not in written


def test_two_outputs_to_one_file(tmp_path: Path) -> None:
    target = tmp_path / "out"
    arguments = ["run", str(SESSION), "--log", str(target), "--report", str(tmp_path / "." / "out")]
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr.strip() == f"cowpath: {target}: two outputs cannot go to one file (give each a name of its own)"
    assert not target.exists()
