"""How the benchmark's figures are printed: a table per point, and what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

console = Console(width=120, highlight=False)


@dataclass(frozen=True)
class Target:
    """A figure, and the bound that it is to keep: at least ``bound``, or at most, where ``most``."""

    what: str
    value: float
    bound: float
    unit: str = ""
    most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is."""
        return self.value <= self.bound if self.most else self.value >= self.bound


def show(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column is text, the others are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def show_targets(targets: Sequence[Target]) -> None:
    """Print what was asked for."""
    rows = []
    for target in targets:
        bound = f"{'at most' if target.most else 'at least'} {target.bound:g}{target.unit}"
        rows.append((target.what, f"{target.value:.3g}{target.unit}", bound, "met" if target.met else "NOT MET"))
    show("", ("target", "here", "asked for", ""), rows)


def rate(value: float) -> str:
    """A number of things per second."""
    return f"{value:,.0f}"
