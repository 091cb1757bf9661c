"""What is said after a recording: what was lost, and the other counts beside it."""

from __future__ import annotations

from cowpath.programs.recorder.account import lines
from cowpath.programs.recorder.job import Ended
from cowpath.programs.recorder.record import Counts, Recorded
from cowpath.programs.recording import Recording

GAP = "perf lost 3 events"


def said(lost: int = 0, status: int = 0, interrupted: bool = False) -> str:
    origin = {"gaps": [GAP] if lost else [], "instead": {"repeated use of pages": "the machine's reuse rule"}}
    recording = Recording("job", ("job",), None, (), (), (), origin=origin)
    ended = Ended(7, 6, status, 1_010, 2, 0.5, 0.1, 4096, 0, 1_500_000_000, interrupted)
    seen = Counts(faults=1_000, in_kernel=40, before_exec=1, signals=1, execs=9, populated=4)
    return "\n".join(lines(Recorded(recording, ended, {"max_usage": 5 << 20, "pgfault": 1_012}, (), lost, seen)))


def test_why_the_counts_differ() -> None:
    text = said()
    assert "the command exited with 0 after 1.50 s" in text
    assert "1,000 page faults recorded, 40 of them in the kernel; no event was lost" in text
    assert "minflt 1,010 + majflt 2 = 1,012, +12 beside these" in text
    assert "each of 9 execs, up to 4 pages of MAP_POPULATE" in text and "1 that ended in a signal" in text
    assert "the group: max_usage 5M, pgfault 1,012" in text


def test_what_was_lost_is_not_whole() -> None:
    assert "3 events were LOST" in said(lost=3) and f"not whole: {GAP}" in said(lost=3)


def test_how_it_ended() -> None:
    assert "the command was killed by Killed (9)" in said(status=9)
    assert "exited with 2" in said(status=2 << 8)
    assert "interrupted: the recording ends with it" in said(status=2, interrupted=True)
