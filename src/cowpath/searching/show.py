"""What a search has found, for people: how many, why the others fail, the front, and where known designs stand."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cowpath.observe.text import count

from .places import PATHS
from .run import Found, Safe


def report(found: Found, most: int) -> RenderableType:
    """All of it; of the safe orders that are not on the front and have no name only a count."""
    front = [each for each in found.safe if each.pareto]
    others = [each for each in found.safe if not each.pareto]
    named = others[:most] if found.path in PATHS else [each for each in others if each.known_as]
    cases = f"{len(found.cases)} {'case' if len(found.cases) == 1 else 'cases'} ({', '.join(found.cases)})"
    head = Text(
        f"{found.path} from {found.design}: {count(found.orders)} orders, {count(len(found.safe))} safe in {cases}."
    )
    if not found.safe:
        return Group(head, failures(found), own(found), Text("None of them is safe."))
    shown = front[:most] + [each for each in front[most:] if each.known_as]
    parts: list[RenderableType] = [
        head,
        failures(found),
        own(found),
        Text("The Pareto front:", "bold"),
        orders_table(shown, 1),
    ]
    if len(shown) < len(front):
        parts.append(Text(f"... and {count(len(front) - len(shown))} more on the front (--json has them all).\n"))
    if named:
        title = f"Safe{'' if found.path in PATHS else ', with a name'}, and not on it:"
        parts += [Text(title, "bold"), orders_table(named, len(shown) + 1)]
    return Group(*parts, *(line for at, each in enumerate([*shown, *named], 1) for line in in_full(at, each, found)))


def own(found: Found) -> RenderableType:
    """What becomes of the order that was begun with."""
    if not found.own:
        return Text(f"The order of {found.design} itself violates nothing.\n")
    words = ", ".join(f"{each.property} ({each.case})" for each in found.own)
    return Text(f"The order of {found.design} itself violates {words}.\n")


def failures(found: Found) -> RenderableType:
    """Why the others fail, by what they violate first."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("violates first", "in case"):
        table.add_column(heading)
    table.add_column("orders", justify="right")
    for name, cases in found.failed_by.items():
        for case, number in cases.items():
            table.add_row(name, case, count(number))
    return table


def orders_table(orders: list[Safe], first: int) -> RenderableType:
    """A row per order; the steps themselves stand below, by these numbers."""
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("order", *orders[0].measure.HEADINGS):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("known as")
    for at, each in enumerate(orders, first):
        table.add_row(str(at), *each.measure.cells(), Text(", ".join(each.known_as), "bold green"))
    return table


def in_full(at: int, each: Safe, found: Found) -> Iterator[RenderableType]:
    """The steps of an order, and how it differs from where the search began."""
    yield Text.assemble((f"{at}: ", "bold"), " ".join(each.steps))
    yield Padding(Text(f"from {found.design}: {'; '.join(each.moved) or 'nothing is moved'}", "dim"), (0, 0, 0, 3))
