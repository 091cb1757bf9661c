"""How a model agrees with real kernels, as tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from cowpath.observe.terminal import Fitted
from cowpath.observe.text import clean, count, significant

from .changes import Counter
from .many import Found, by_design
from .score import Score, Sum, by_counter, by_kind, percent, sums
from .span import EQUAL, NEAR, OFF, WITHIN, Span
from .throttle import CAP_S, Slept, errors

STYLES = {EQUAL: "green", WITHIN: "green", NEAR: "yellow", OFF: "bold red"}
NAME = 34  # letters of a scenario's or a counter's name


def report(found: Sequence[Found], ids: Iterable[str] = (), verbose: bool = False) -> Iterator[RenderableType]:
    """For each kernel what it comes to, a table of scenarios, the counters of those that are asked for, and the sums.

    What it comes to stands first for who reads, and last for who has waited for it at a terminal.
    """
    wanted = set(ids)
    for name, its in by_design(found).items():
        scores = [each.score for each in its if each.score is not None and not each.apart]
        verdict = Text(f"{clean(name)}: {total(scores) if scores else _many(len(its), 'scenario')}", style="bold")
        yield verdict
        if scores:
            yield scenarios_table(scores)
        yield from _apart(its)
        for each in its:
            if each.score is not None and (verbose or each.job.scenario.id in wanted):
                yield details(each.score)
        if scores:
            yield sums_table("by counter", sums(scores, by_counter))
            yield sums_table("by kind", sums(scores, by_kind))
            yield verdict
            yield Text("")


def total(scores: Sequence[Score]) -> str:
    """``812 of 900 counters agree (90.2 %); every outcome is right in 50 of 56 scenarios``."""
    agree, of = sum(each.agree for each in scores), sum(each.total for each in scores)
    right = sum(each.outcome_ok for each in scores)
    return (f"{count(agree)} of {_many(of, 'counter')} agree ({percent(scores):.1f} %); every outcome is right in "
            f"{right} of {_many(len(scores), 'scenario')}")  # fmt: skip


def scenarios_table(scores: Sequence[Score]) -> Fitted:
    """A line for each scenario: how many of its counters agree, whether its outcomes are right, what is most off."""
    table = Fitted("scenario", "agree:", "of:", "outcomes", "furthest off", "by:")
    for each in scores:
        wrong = next((outcome.what for outcome in each.outcomes if not outcome.right), "")
        outcome = Text(f"wrong: {wrong}", style="bold red") if wrong else Text("right" if each.outcomes else "-")
        agree = Text(str(each.agree), style="" if each.agree == each.total else "yellow")
        worst = each.worst
        cells = ("", "") if worst is None else (clean(worst.label, NAME), _part(worst.off_by))
        table.add_row(clean(each.scenario.id, NAME), agree, str(each.total), outcome, *cells)
    return table


def details(each: Score) -> RenderableType:
    """All counters and outcomes of a scenario."""
    counters = Fitted("step and counter", "real:", "simulated:", "difference:", "verdict")
    before = ""
    for counter in each.counters:
        if counter.step != before:
            counters.add_row(Text(clean(counter.step, NAME), "bold"))
        before = counter.step
        cells = (f"  {clean(counter.label, NAME)}", span_text(counter.real), number(counter.simulated))
        counters.add_row(*cells, _difference(counter), Text(counter.verdict, style=STYLES[counter.verdict]))
    ends = Fitted("step", "outcome", "real", "simulated", "")
    for outcome in each.outcomes:
        mark = Text("right", "green") if outcome.right else Text("wrong", "bold red")
        ends.add_row(
            clean(outcome.step, NAME), outcome.what, clean(outcome.real, 60), clean(outcome.simulated, 60), mark
        )
    what = each.scenario.desc
    title = Text.assemble((clean(each.scenario.id), "bold"), f" on {each.scenario.kernel}: {clean(what, 120)}")
    return Group(title, *([counters] if each.counters else []), *([ends] if each.outcomes else []))


def sums_table(title: str, found: Sequence[Sum]) -> RenderableType:
    """The worst first; those that all agree in one line."""
    table = Fitted(title, "agree:", "of:", "%:", "furthest off by:")
    for each in found:
        if each.agree < each.total:
            table.add_row(clean(each.name, NAME), count(each.agree), count(each.total), f"{each.percent:.1f}",
                          _part(each.off_by))  # fmt: skip
    good = [f"{clean(each.name)} ({count(each.total)})" for each in found if each.agree == each.total]
    line = Text(f"{title}, all agree: {', '.join(good)}", style="dim")
    return Group(*([table] if table.rows else []), *([line] if good else []))


def sleeps_report(slept: Sequence[Slept], verbose: bool) -> Iterator[RenderableType]:
    """How far the sleeps over memory.high are off, for each kernel."""
    if verbose and slept:
        table = Fitted("kernel", "memory.high (pages):", "excess:", "measured (s):", "simulated (s):", "off by:")
        for each in slept:
            simulated = "-" if each.simulated is None else f"{each.simulated:.4f}"
            table.add_row(each.line.kernel, count(each.line.high), count(each.line.excess),
                          f"{each.line.measured:.4f}", simulated, f"{100 * each.error:.1f} %")  # fmt: skip
        yield table
    for found in errors(slept):
        yield Text(f"{clean(found.design)}: {found.lines} sleeps over memory.high below {CAP_S:g} s: off by "
                   f"{100 * found.median:.1f} % in the middle, 9 of 10 by at most {100 * found.p90:.1f} %",
                   style="bold")  # fmt: skip


def _apart(found: Sequence[Found]) -> Iterator[RenderableType]:
    """What is in no sum, and why."""
    for each in found:
        if each.apart:
            name = f"{each.job.scenario.id} on {each.job.scenario.kernel}"
            scored = "" if each.score is None else f" ({total([each.score])})"
            yield Text(f"apart: {clean(name, 60)}: {clean(each.apart, 160)}{scored}", style="yellow")


def _part(off_by: float) -> str:
    return f"{significant(100 * off_by)} %"


def span_text(span: Span) -> str:
    """``8,175`` or ``8,174 to 8,176``."""
    least, most = number(span.least), number(span.most)
    return least if least == most else f"{least} to {most}"


def number(value: float | None) -> str:
    """With thousands separated; counters are whole numbers."""
    return count(None if value is None else int(value) if value == int(value) else value)


def _difference(counter: Counter) -> str:
    if counter.simulated is None:
        return "not there"
    away = counter.real.away(counter.simulated)
    return "" if away == 0 else f"{int(away):+,}" if away == int(away) else f"{away:+,.2f}"


def _many(number: int, what: str) -> str:
    return f"{count(number)} {what}{'' if number == 1 else 's'}"
