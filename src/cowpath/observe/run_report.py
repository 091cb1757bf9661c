"""Runs as people are told of them in a terminal: the verdicts and their reasons first, then a table per question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cowpath.observe.chains import Drawn
from cowpath.observe.tables import (
    LONGEST_HEADING,
    VERDICTS,
    Run,
    at,
    ending,
    group_names,
    merged,
    name_of,
    not_finished,
    notes,
    sections,
    shown,
    stall_time,
    table,
    verdict_columns,
    verdict_text,
)
from cowpath.observe.terminal import Fitted, Hanging
from cowpath.observe.text import clean, count, visible
from cowpath.observe.words import Chain, alike

MOST_CHAINS = 3  # sentences per design; the others are much the same
EVERY = "all"  # designs


def report(runs: Sequence[Run], waits: Sequence[Sequence[Chain]] = ()) -> Group:
    """Everything about one run, or about several side by side.

    ``waits``: of each run the chains that its sentences are about, to be drawn.
    """
    _, *questions = sections(runs)
    parts: list[RenderableType] = [Verdicts(runs)]
    if cut := [Text(f"{name_of(run)}: {line}") for run in runs if (line := not_finished(run))]:
        parts.append(Group(Text("Not finished", "bold red"), *cut))
    if told := list(chains(runs, waits or [()] * len(runs))):
        between = [part for paragraph in told for part in (Text(), paragraph)][1:]
        parts.append(Group(Text("Who waits for whom", "bold"), *between))
    if said := [Hanging(f"Note: {visible(note)}", 6, "yellow") for note in together(notes(runs))]:
        parts.append(Group(*said))
    parts += outputs(runs)
    parts += [table(title, runs, columns) for title, columns in questions]
    return Group(*(Padding(part, (0, 0, 1, 0), expand=False) for part in parts))


def together(said: Sequence[str]) -> list[str]:
    """Notes ``KERNEL: words``; what is true of several kernels is said once."""
    kernels: dict[str, list[str]] = {}
    for note in said:
        kernel, found, words = note.partition(": ")
        if found and " " not in kernel:
            kernels.setdefault(words, []).append(kernel)
        else:
            kernels.setdefault(note, [])
    return [f"{', '.join(its)}: {words}" if its else words for words, its in kernels.items()]


def outputs(runs: Sequence[Run]) -> Iterator[RenderableType]:
    """What the session printed; the same on several designs once."""
    for output in dict.fromkeys(run.get("output") for run in runs):
        if output:
            designs = [name_of(run) for run in runs if run["output"] == output]
            on = "" if len(designs) == len(runs) else f" on {', '.join(designs)}"
            yield Group(Text(f"The session's output{on}", "bold"), Text(visible(output).rstrip("\n")))


class Verdicts:
    """The verdicts for the tasks outside and for each group: a row per design where the groups have room beside each
    other, else a table of designs, and one of groups."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        beside = table(VERDICTS, self.runs, verdict_columns(self.runs))
        groups = group_names(self.runs)
        if max(map(len, groups), default=0) <= LONGEST_HEADING and beside.is_whole(options.max_width):
            yield beside
            return
        designs = Fitted("design", "outside", "longest\nstall:", "ran for", title=VERDICTS)
        for run in self.runs:
            verdict = verdict_text(run["verdict"], so_far=bool(run.get("exhausted")))
            designs.add_row(name_of(run), verdict, stall_time(run), ending(run))
        yield designs
        if groups:
            yield Text()
            yield self._groups(groups)

    def _groups(self, groups: Sequence[str]) -> Fitted:
        """A row per group, or several where it fared differently on some designs."""
        made = Fitted("group", "verdict", "OOM kills:", *(["on"] if len(self.runs) > 1 else []))
        for group in groups:
            kills = shown(count, "groups", group, "oom_kills")
            rows = [(name_of(run), [verdict_text(at("group_verdicts", group)(run)), Text(kills(run))])
                    for run in self.runs]  # fmt: skip
            for designs, (verdict, killed) in merged(rows):
                on = EVERY if len(designs) == len(self.runs) else ", ".join(designs)
                made.add_row(clean(group), verdict, killed, *([on] if len(self.runs) > 1 else []))
        return made


def chains(runs: Sequence[Run], waits: Sequence[Sequence[Chain]]) -> Iterator[RenderableType]:
    """A paragraph for each design in which somebody is stuck or was stalled; designs with the same share one."""
    told: dict[tuple[str, ...], list[int]] = {}
    for number, run in enumerate(runs):
        lines = run["chain"]
        if lines:
            told.setdefault((run["verdict"], *lines), []).append(number)
    for numbers in told.values():
        run = runs[numbers[0]]
        designs = ", ".join(name_of(runs[number]) for number in numbers)
        yield Group(
            Text.assemble((designs, "bold"), ": ", verdict_text(run["verdict"])),
            Padding(Group(*sentences(run["chain"], waits[numbers[0]])), (0, 0, 0, 2), expand=False),
        )


def sentences(lines: Sequence[str], waits: Sequence[Chain]) -> Iterator[RenderableType]:
    """A sentence for each thing that tasks wait for, and who else does; then all of it, drawn."""
    if len(waits) != len(lines):
        yield from (Text(f"{line}.") for line in lines[:MOST_CHAINS])
        if len(lines) > MOST_CHAINS:
            yield Text(f"... and {len(lines) - MOST_CHAINS} more (--json has them all).")
        return
    of = dict(zip(map(id, waits), lines, strict=True))
    groups = alike(waits)
    for first, *others in groups[:MOST_CHAINS]:
        yield Text(of[id(first)] + "." + also([chain.hops[0].who for chain in others]))
    if len(groups) > MOST_CHAINS:
        left = sum(map(len, groups[MOST_CHAINS:]))
        yield Text(f"... and {left:,} more (--json has them all).")
    yield Text()
    yield Drawn([chain for group in groups[:MOST_CHAINS] for chain in group])


def also(who: Sequence[str]) -> str:
    """`` So do wc[201] and cat[202].``"""
    if not who:
        return ""
    return f" So does {who[0]}." if len(who) == 1 else f" So do {len(who):,} others."
