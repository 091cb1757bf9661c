"""What the designs cost, as tables for a terminal and for a Markdown page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from cowpath.errors import InputError
from cowpath.observe.costs import DesignCosts, Measure, SessionCosts, measures_of, nothing_of
from cowpath.observe.tables import Column, Run, table
from cowpath.observe.text import clean


def range_text(row: DesignCosts, measure: Measure) -> str:
    """The least and the most over the seeds, if they read differently."""
    figure = row.figures[measure.key]
    if figure is None:
        return ""
    least, most = measure.show(figure.least), measure.show(figure.most)
    return "" if least == most else f"{least} to {most}"


def mean_text(row: DesignCosts, measure: Measure) -> str:
    """The mean over the seeds."""
    figure = row.figures[measure.key]
    return "-" if figure is None else measure.show(figure.mean)


def compared(row: DesignCosts, measure: Measure, base: str) -> str:
    """How it compares with the base; nothing for the base itself, or where there is none of it."""
    figure, found = row.figures[measure.key], row.relative[measure.key]
    return (
        "" if row.design == base or found is None or figure is None or figure.most == found.share == 0 else str(found)
    )


def verdicts(costs: SessionCosts) -> list[str]:
    """On which designs it was not the same work as elsewhere, and why: it stands above the figures."""
    troubles = {row.trouble for row in costs.rows}
    if len(troubles) == 1:
        return [f"Every design: {trouble}." for trouble in troubles if trouble]
    return [f"{clean(row.design)}: {row.trouble}." for row in costs.rows if row.trouble]


def foot(costs: SessionCosts) -> list[str]:
    """What stands below a session's tables: what there was nothing of."""
    nothing = nothing_of(costs)
    return [f"None on any design: {', '.join(nothing)}."] if nothing else []


# --- for a terminal ------------------------------------------------------------------------------


def report(costs: SessionCosts) -> RenderableType:
    """A session's tables: a row per design; a cell is the mean, how it compares, and the range over the seeds."""
    runs = [{"design": row.design, "row": row} for row in costs.rows]
    parts: list[RenderableType] = [Rule(Text(heading(costs)), align="left")]
    parts += [Text("\n".join(said), style="bold yellow")] if (said := verdicts(costs)) else []
    for question, measures in measures_of(costs):
        made = table(question, runs, [Column(m.heading, cell(m, costs.base)) for m in measures])
        made.spaced = True  # its cells have several lines
        parts.append(made)
    parts.append(Text("\n".join(foot(costs)), style="dim"))
    return Group(*(Padding(part, (0, 0, 1, 0)) for part in parts))


def heading(costs: SessionCosts) -> str:
    """``sigbus-storm.sh: means of 5 seeds, compared with linux-3.0``."""
    seeds = "seed 0" if costs.seeds == 1 else f"means of {costs.seeds} seeds"
    return f"{clean(costs.session)}: {seeds}, compared with {clean(costs.base)}"


def cell(measure: Measure, base: str) -> Callable[[Run], Text]:
    """The cells of a measure's column: up to three lines."""

    def of(run: Run) -> Text:
        row = run["row"]
        text = Text(mean_text(row, measure))
        relative, spread = compared(row, measure, base), range_text(row, measure)
        if relative:
            text.append(f"\n{relative}", style="bold" if relative[0] in "+-x" else "")
        if spread:
            text.append(f"\n{spread}", style="dim")
        return text

    return of


# --- for a Markdown page -------------------------------------------------------------------------


def markdown(costs: SessionCosts, command: str) -> str:
    """A session's tables as Markdown, below the command that makes them."""
    parts = [f"`{command}`"]
    for question, measures in measures_of(costs):
        headings = [one_line(m) for m in measures]
        lines = [f"| {question} | " + " | ".join(headings) + " |", "|---|" + "---:|" * len(measures)]
        for row in costs.rows:
            cells = [markdown_cell(row, m, costs.base) for m in measures]
            lines.append(f"| {clean(row.design)} | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, *verdicts(costs), *foot(costs)])


def one_line(measure: Measure) -> str:
    """A measure's heading without its line breaks."""
    return " ".join(measure.heading.replace("_\n", "_").split())


def markdown_cell(row: DesignCosts, measure: Measure, base: str) -> str:
    """``1,234 (1,200 to 1,260) **+4.5 %**``."""
    relative, spread = compared(row, measure, base), range_text(row, measure)
    words = [mean_text(row, measure)]
    if spread:
        words.append(f"({spread})")
    if relative:
        words.append(f"**{relative}**" if relative[0] in "+-x" else relative)
    return " ".join(words)


def begin_mark(session: str) -> str:
    """What stands before a session's tables in a page."""
    return f"<!-- cowpath costs: {session} -->"


END_MARK = "<!-- end -->"


def check_marks(page: str, sessions: Sequence[str], file: str) -> None:
    """Raise InputError if a page has no place for a session's tables."""
    for session in sessions:
        mark = begin_mark(session)
        before, found, after = page.partition(mark)
        line = before.count("\n") + 1
        if not found:
            raise InputError(
                f"no place for the tables of {session}", file=file, hint=f"two lines: {mark} and {END_MARK}"
            )
        if END_MARK not in after.partition("<!-- cowpath costs:")[0]:
            raise InputError(f"no {END_MARK} after {mark}", file=file, line=line, hint=f"a line with {END_MARK}")


def with_tables(page: str, session: str, tables: str) -> str:
    """The page with what stands between a session's marks replaced."""
    mark = begin_mark(session)
    before, _, after = page.partition(mark)
    return f"{before}{mark}\n{tables}\n{END_MARK}{after.partition(END_MARK)[2]}"
