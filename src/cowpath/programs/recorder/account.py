"""What ``cowpath record`` says after the run: what was recorded, what was lost, and how other counts compare."""

from __future__ import annotations

from collections.abc import Iterator

from cowpath.observe.text import size
from cowpath.programs.recorder.job import Ended
from cowpath.programs.recorder.record import Counts, Recorded


def lines(result: Recorded) -> Iterator[str]:
    """The account, a line each."""
    ended, seen = result.ended, result.seen
    interrupted = ", interrupted: the recording ends with it" if ended.interrupted else ""
    yield f"the command {ended.words} after {(ended.end_ns - ended.begin_ns) / 1e9:.2f} s{interrupted}"
    yield f"{seen.faults:,} page faults recorded, {seen.in_kernel:,} of them in the kernel; {lost(result.lost)}"
    yield from compared(seen, ended)
    if result.counters is not None:
        yield "the group: " + ", ".join(_counter(name, value) for name, value in result.counters.items())
    for gap in result.recording.origin["gaps"]:
        yield f"not whole: {gap}"
    for what, instead in result.recording.origin["instead"].items():
        yield f"not recorded: {what}; instead: {instead}"


def lost(events: int) -> str:
    """How many events perf had no room for."""
    return "no event was lost" if events == 0 else f"{events:,} events were LOST, and are missing"


def compared(seen: Counts, ended: Ended) -> Iterator[str]:
    """The faults beside minflt + majflt, and why they differ: neither has all that the other has.

    handle_mm_fault and mm_account_fault, mm/memory.c: what the kernel touches for itself (get_user_pages) is counted
    as the task's and raises no exception; an exception that ends in a signal, or in EFAULT, is not counted.
    """
    counted = ended.minflt + ended.majflt
    yield f"minflt {ended.minflt:,} + majflt {ended.majflt:,} = {counted:,}, {counted - seen.faults:+,} beside these"
    populated = f", up to {seen.populated:,} pages of MAP_POPULATE" if seen.populated else ""
    execs = f"a page or more for each of {seen.execs:,} execs{populated}, mlock"
    yield f"  not among the recorded: what the kernel touched itself: {execs}"
    yield f"  only among them: {seen.signals:,} that ended in a signal, any in EFAULT or of unawaited children"


def _counter(name: str, value: int) -> str:
    return f"{name} {value:,}" if name in ("failcnt", "pgfault", "pgmajfault", "oom_kill") else f"{name} {size(value)}"
