"""Builds as tables for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from cowpath.observe.terminal import Fitted
from cowpath.observe.text import clean, count

from .rows import Measured, Outcome
from .score import CLOSE, Compared, Configuration, Held, megabytes

RIGHT, WRONG, UNSCORED = ("right", "green"), ("wrong", "bold red"), ("-", "dim")


def builds_report(held: Held | None) -> Iterator[RenderableType]:
    """What became of each configuration, the figures at each read-ahead, and the sums."""
    if held is None:
        return
    found = held.configurations
    compared = [one for each in found for one in each.compared]
    runs = sum(len(one.measured.runs) for one in compared)
    yield Text(f"{clean(held.design)}: {count(runs)} builds, {count(len(found))} configurations", style="bold")
    yield verdicts_table(found)
    yield figures_table(compared)
    yield Text(total(held), style="bold")


def total(held: Held) -> str:
    """How many verdicts are right, and how many counters are close."""
    sums = held.totals
    close = ", ".join(f"{name} in {sums.close[name]}" for name in sums.close)
    return (
        f"{clean(held.design)}: the verdict is right for {sums.right} of {sums.of} configurations with a limit whose "
        f"real runs agree (by the peak without a limit: {sums.by_peak}); of {sums.finished} builds under a limit that "
        f"finish, close (within {100 * CLOSE:.0f} %, major faults: the same order): {close}"
    )


def verdicts_table(found: Sequence[Configuration]) -> Fitted:
    """A line for each configuration."""
    table = Fitted("build", "limit:", "jobs", "real", "simulated", "verdict", "by peak")
    for each in found:
        setup = each.setup
        verdict = (RIGHT if each.right else WRONG) if each.scored else UNSCORED
        peak = (RIGHT if each.by_peak_right else WRONG) if each.scored and each.by_peak is not None else UNSCORED
        cells = (clean(setup.recording, 20), setup.limit_text, setup.jobs_text)
        table.add_row(*cells, " or ".join(each.real), " or ".join(each.simulated), Text(*verdict), Text(*peak))
    return table


def figures_table(found: Sequence[Compared]) -> Fitted:
    """Real and simulated, line below line: of each setup its time, kills and counters."""
    table = Fitted(
        "limit:", "jobs", "read-ahead:", "", "verdict", "s:", "slower:", "kills:", "max MiB:", "failcnt:", "pgfault:",
        "majors:", "outside:", keys=4,
    )  # fmt: skip
    for one in found:
        setup = one.setup
        slower = [None if factor is None else f"{factor:.1f}" for factor in one.slower]
        head = (setup.limit_text, setup.jobs_text, f"{setup.read_ahead_kb}K")
        table.add_row(*head, "real", *_real(one.measured, slower[0] or "-"))
        table.add_row("", "", "", "model", *_simulated(one, slower[1] or "-"))
    return table


def _real(measured: Measured, slower: str) -> Iterator[str]:
    runs = measured.runs
    yield " or ".join(measured.verdicts)
    yield _span(runs, lambda run: run.seconds, ".1f")
    yield slower
    for name in ("oom_kill", "max_usage_in_bytes", "failcnt", "pgfault", "pgmajfault"):
        yield _counter(runs, name)
    yield _span([run for run in runs if run.outside is not None], lambda run: run.outside or 0)


def _counter(runs: Sequence[Outcome], name: str) -> str:
    if name == "max_usage_in_bytes":
        return _span(runs, lambda run: megabytes(run.counters[name]), ".1f")
    return _span(runs, lambda run: run.counters[name])


def _span(runs: Sequence[Outcome], value: Callable[[Outcome], float], form: str = ",d") -> str:
    """``8 to 12``"""
    if not runs:
        return "-"
    values = [value(run) for run in runs]
    least, most = format(min(values), form), format(max(values), form)
    return least if least == most else f"{least} to {most}"


def _simulated(one: Compared, slower: str) -> Iterator[str | Text]:
    run = one.simulated
    yield Text(run.verdict, "" if run.verdict in one.measured.verdicts else "bold red")
    yield f"{run.seconds:.1f}"
    yield slower
    yield count(run.counters["oom_kill"])
    for name in ("max_usage_in_bytes", "failcnt", "pgfault", "pgmajfault"):
        far = one.both_finish and name != "failcnt" and not one.is_close(name)
        yield Text(_counter([run], name), "bold red" if far else "")
    yield "-" if run.outside is None else count(run.outside)
