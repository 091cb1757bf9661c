"""What a search has found, for people: how many, why the others fail, the front, and where known designs stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cowpath.observe.terminal import Fitted
from cowpath.observe.text import count

from .found import SAFE, Counts, Found, Paid, Safe
from .places import PATHS

BETWEEN = 3  # letters between two columns
ROOM = 64  # letters that figures may take of a terminal's 80; the rest is for names


def report(found: Found, most: int) -> RenderableType:
    """All of it; of the safe orders that are not on the front and have no name only a count."""
    cases = f"{len(found.cases)} {'case' if len(found.cases) == 1 else 'cases'} ({', '.join(found.cases)})"
    head = f"{found.path} from {found.design}: {count(found.orders)} orders, {count(len(found.safe))} safe in {cases}."
    parts: list[RenderableType] = [Text(head), failures(found.failed_by), own(found)]
    if found.paid is not None:
        parts += where_it_is_paid(found, found.paid)
    if not found.safe:
        return Group(*parts, Text("None of them is safe."))
    shown, named = shown_and_named(found, most)
    parts += [Text("The Pareto front:", "bold"), orders_table(shown, 1)]
    left = sum(each.pareto for each in found.safe) - len(shown)
    if left > 0:
        parts.append(Text(f"... and {count(left)} more on the front (--json has them all).\n"))
    if named:
        title = f"Safe{'' if found.path in PATHS else ', with a name'}, and not on it:"
        parts += [Text(title, "bold"), orders_table(named, len(shown) + 1)]
    left = len(found.safe) - sum(each.pareto for each in found.safe) - len(named) if found.path in PATHS else 0
    if left > 0:
        parts.append(Text(f"... and {count(left)} more that are not on it (--json has them all).\n"))
    parts += [line for at, each in enumerate([*shown, *named], 1) for line in in_full(str(at), each, found)]
    if found.paid is not None and found.paid.no_cure:
        parts += no_cure(found, found.paid)
    return Group(*parts)


def shown_and_named(found: Found, most: int) -> tuple[list[Safe], list[Safe]]:
    """Of the front, and of the safe orders that are not on it, those that are shown."""
    front = [each for each in found.safe if each.pareto]
    others = [each for each in found.safe if not each.pareto]
    named = others[:most] if found.path in PATHS else [each for each in others if each.known_as]
    return front[:most] + [each for each in front[most:] if each.known_as], named


def where_it_is_paid(found: Found, paid: Paid) -> Iterator[RenderableType]:
    """Of a path that pays for memory.high: what comes of each place where it may sleep."""
    for failure in paid.set_aside:
        yield Text(f"Set aside: {failure.case}, which violates {failure.property} wherever the path pays.\n")
    if paid.as_they_are is not None:
        words = ", ".join(f"{name} in {case} ({count(number)})" for name, of in paid.as_they_are.items()
                          for case, number in of.items())  # fmt: skip
        yield Text(f"With the faults that it makes as they are, which pay in the charge: {words or 'all are safe'}. "
                   "So in these orders its faults pay nothing.\n")  # fmt: skip
    columns = [SAFE, *found.failed_by]
    table = Fitted("sleeps", *(f"{name}:" for name in columns))
    for place, outcomes in paid.places.items():
        table.add_row(place, *(count(outcomes[name]) if name in outcomes else "" for name in columns))
    yield table
    yield Text()
    cells = zip(paid.own.HEADINGS, paid.own.cells(), strict=True)
    yield Text(f"The order of {found.design} in the clock: {', '.join(f'{name} {cell}' for name, cell in cells)}.\n")


def no_cure(found: Found, paid: Paid) -> Iterator[RenderableType]:
    """Orders that free the outsiders, and the task reads its pages again and again."""
    words = "nobody outside waits, but the task reclaims what it has yet to get, and reads it again"
    yield Text(f"No cure, such as these: {words}.", "bold")
    yield orders_table(paid.no_cure, 1, "R")
    for at, each in enumerate(paid.no_cure, 1):
        yield from in_full(f"R{at}", each, found)


def own(found: Found) -> RenderableType:
    """What becomes of the order that was begun with."""
    if not found.own:
        return Text(f"The order of {found.design} itself violates nothing.\n")
    words = ", ".join(f"{each.property} ({each.case})" for each in found.own)
    return Text(f"The order of {found.design} itself violates {words}.\n")


def failures(failed_by: Counts) -> RenderableType:
    """Why the others fail, by what they violate first."""
    table = Fitted("violates", "in case", "orders:")
    for name, cases in failed_by.items():
        for case, number in cases.items():
            table.add_row(name, case, count(number))
    return Group(Text(), table, Text())


def orders_table(orders: Sequence[Safe], first: int, letter: str = "") -> RenderableType:
    """A row per order; the steps themselves stand below, by these numbers."""
    headings = ("order", *orders[0].measure.HEADINGS)
    narrow = sum(len(heading) + BETWEEN for heading in headings) > ROOM
    table = Fitted(*(f"{heading.replace(' ', chr(10)) if narrow else heading}:" for heading in headings), "known as")
    for at, each in enumerate(orders, first):
        table.add_row(f"{letter}{at}", *each.measure.cells(), Text(", ".join(each.known_as), "bold green"))
    return Group(table, Text())


def in_full(at: str, each: Safe, found: Found) -> Iterator[RenderableType]:
    """The steps of an order, and how it differs from where the search began."""
    yield Text.assemble((f"{at}: ", "bold"), " ".join(each.steps))
    yield Padding(Text(f"from {found.design}: {'; '.join(each.moved) or 'nothing is moved'}", "dim"), (0, 0, 0, 3))
