"""Wait-for chains as a picture of letters: the waiters, and below them what they wait for and who holds it.

::

    ls[200], wc[201]
    └─ page lock: libc.so.6 page 50
       └─ held by gcc[75] in A
          └─ A's memory: limit 64M, OOM killer on
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.text import Text

from cowpath.observe.words import Chain, alike

MOST_NAMES = 4  # of tasks that wait for the same thing; of the others how many there are
CORNER = "\N{BOX DRAWINGS LIGHT UP AND RIGHT}\N{BOX DRAWINGS LIGHT HORIZONTAL} "
STEP = 3  # letters that each line stands further to the right
STYLES = ("bold", "", "bold red")  # the waiters, what is between, and what it ends in


class Drawn:
    """Chains, drawn; those of several tasks that wait for the same thing share one picture."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        self.pictures = [list(lines_of(same)) for same in alike(chains)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        corner = "`- " if options.ascii_only else CORNER
        for lines in self.pictures:
            for depth, line in enumerate(lines):
                style = STYLES[0] if depth == 0 else STYLES[2] if depth == len(lines) - 1 else STYLES[1]
                lead = " " * (STEP * (depth - 1)) + corner if depth else ""
                folded = Text(line, style).wrap(console, max(options.max_width - STEP * depth, STEP))
                for at, part in enumerate(folded):
                    yield Text.assemble(lead if at == 0 else " " * (STEP * depth), part)


def lines_of(same: Sequence[Chain]) -> Iterator[str]:
    """The lines of chains that differ in their first task only. Each is one step below the one before."""
    first = same[0]
    yield names([chain.hops[0].who for chain in same])
    for hop, after in zip(first.hops, [*first.hops[1:], None], strict=True):
        if hop.thing is None:
            yield hop.waits_for
        else:
            yield f"{hop.thing.title}: {hop.thing.rest}" if hop.thing.rest else hop.thing.title
        if after is not None:
            yield f"{hop.by} {after.who}"
    if first.deadlock:
        yield f"{first.hops[-1].by} {first.deadlock}: a cycle"


def names(who: Sequence[str]) -> str:
    """``ls[200], wc[201] and 5 more``."""
    shown, left = who[:MOST_NAMES], len(who) - MOST_NAMES
    return ", ".join(shown) + (f" and {left:,} more" if left > 0 else "")
