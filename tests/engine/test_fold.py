"""Folding is made from the layout: whatever differs in a machine's state differs in its canonical copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from cowpath import cases, designs
from cowpath.cases.plan import compile_case
from cowpath.checker import boot
from cowpath.checker.space import Space
from cowpath.engine import canonical, costs, explore, folding
from cowpath.kernel import names as n
from cowpath.kernel import records
from cowpath.kernel import steps as s
from cowpath.kernel.compiled import compiled
from cowpath.kernel.layout import Field, Record
from cowpath.kernel.records import THINGS
from cowpath.kernel.state import EXPLORE, state_record

STATE = state_record(EXPLORE)

# what may differ without another copy, and why
EXCEPTIONS = {
    "tasks[].born": "whose age it is counts only where the OOM killer chooses by it: the copy is told whether it does",
}
LINKS = ("next", "prev", "head", "vmas")  # where nothing comes next, something would close a circle


def started(case: str, design: str) -> Space:
    space = Space()
    boot.start(compile_case(cases.load(case)), designs.load(design), costs.load(), space)
    return space


def copy_of(space: Space) -> bytes:
    """The canonical copy of the machine as it stands; tasks are told apart by their place, and by their age."""
    nothing = np.zeros(0, np.int64)
    copies(space.k, space._scratch, space.folding, space.x, nothing, nothing, nothing)
    return bytes(space.x.target.tobytes())


@compiled
def copies(k, c, f, x, places, values, same):  # type: ignore[no-untyped-def]
    """Change each of these 16-bit words of the state in turn: is the canonical copy the same? It is as it was then."""
    half, target = x.half, x.target
    folding.suspect_all(f)
    canonical.canonical(k, x.words, half, c, target, x.target_words, f, 1)
    was = target.copy()
    for i in range(len(places)):
        value = half[places[i]]
        half[places[i]] = values[i]
        folding.suspect_all(f)
        canonical.canonical(k, x.words, half, c, target, x.target_words, f, 1)
        same[i] = np.array_equal(was, target)
        half[places[i]] = value
    folding.suspect_all(f)
    canonical.canonical(k, x.words, half, c, target, x.target_words, f, 1)


def some_states(space: Space, moves: int) -> Iterator[int]:
    """Let the machine go on, always by the last that can move, so that all get somewhere."""
    for made in range(moves):
        able = int(space.drive(explore.WHO))
        if not able or space.play([able.bit_length() - 1 if made % 3 else (able & -able).bit_length() - 1]) != 1:
            return
        yield made


def in_use(state: Any, array: str) -> list[int]:
    """The records of an array of the state that are in use."""
    rows = state[array]
    live = {things.array: things for things in THINGS.values()}[array]
    count = int(state[live.count]) if live.count else len(rows)
    return [i for i in range(count) if not live.live or alive(live.live, rows[i])]


def alive(condition: str, row: Any) -> bool:
    words = set(re.findall(r"[a-z_]+", condition)) & set(row.dtype.names)
    return bool(eval(condition, vars(n) | {word: int(row[word]) for word in words}))


Number = tuple[str, Field, Any, int]  # its name, what it is, its record, and where it stands: a 16-bit word


def numbers(kind: Record, row: Any, name: str, start: int) -> Iterator[Number]:
    """Each number in a record that is in use, which begins at the byte ``start`` of the state."""
    for field_name, field in kind.fields.items():
        path = f"{name}.{field_name}" if name else field_name
        dtype, offset = kind.narrow.fields[field_name][:2]  # type: ignore[index]
        at = start + offset
        many = int(row[field.used]) if field.used else field.many or 1
        for i in range(many):
            place = at + i * dtype.base.itemsize
            if isinstance(field.of, Record):
                within = row[field_name][i] if field.many else row[field_name]
                if name or not field.many or i in in_use(row, field_name):
                    yield from numbers(field.of, within, path + "[]" * bool(field.many), place)
            else:
                yield path + "[]" * bool(field.many), field, row, place // 2


@pytest.mark.parametrize(
    ("case", "design"), [("commit", "linux-3.0"), ("swap-in", "preallocate"), ("write", "linux-3.1")]
)
def test_a_change_of_any_field_is_another_state(case: str, design: str) -> None:
    """Every field of every record in use, changed in turn: the canonical copy is another one, but for what is said."""
    space = started(case, design)
    seen: set[str] = set()
    for made in some_states(space, 60):
        if made % 7:
            continue
        looked = [each for each in numbers(STATE, space.k.state, "", 0) if said(*each[:3])]
        looked = [each for each in looked if space.x.half[each[3]] >= 0 or not each[0].endswith(LINKS)]
        places = np.array([place for *_, place in looked])
        values = np.array([other(field, int(space.x.half[place])) for _, field, _, place in looked])
        same = np.zeros(len(looked), np.int64)
        copies(space.k, space._scratch, space.folding, space.x, places, values, same)
        forgotten = [looked[i][0] for i in np.flatnonzero(same)]
        assert not forgotten, f"folded away, after {made + 1} moves"
        seen |= {path.partition("[")[0] for path, *_ in looked}
    assert {"tasks", "pages", "mms", "vmas", "directories", "tables", "groups", "cpus", "slots", "names"} <= seen


def said(path: str, field: Field, row: Any) -> bool:
    """The field says something in this record, as the layout has it."""
    says = not field.refs or any(not each.when or alive(each.when, row) for each in field.refs)
    return says and not field.folded and path not in EXCEPTIONS


def other(field: Field, value: int) -> int:
    """Something else that the field could say: nothing at all, or the first thing."""
    if not field.refs:
        return value ^ 1
    nothing = field.refs[0].at + n.NONE if not field.refs[0].down else n.NONE
    return nothing if value != nothing else field.refs[0].at


def test_what_is_folded_says_why() -> None:
    folded = [name for name, field in STATE.fields.items() if field.folded]
    assert folded and all(len(STATE.fields[name].folded) > 10 for name in folded)
    assert [name for name, field in records.task.fields.items() if field.folded] == ["program"]


def test_renumbering_is_no_other_state() -> None:
    """A page that is another one of memory's, wherever it is named: the same state."""
    space = started("commit", "linux-3.0")
    was = copy_of(space)
    k, half = space.k, space.x.half
    last, fresh = in_use(k.state, "pages")[-1], int(k.state.n_pages)
    k.state["pages"][fresh] = k.state["pages"][last]
    k.state.n_pages += 1
    for path, field, row, place in list(numbers(STATE, k.state, "", 0)):
        if said(path, field, row):
            for each in field.refs:
                if each.kind == "page" and int(half[place]) == last + each.at:
                    half[place] = fresh + each.at
    k.state["pages"][last] = np.zeros(1, k.state["pages"].dtype)[0]
    assert copy_of(space) == was


def test_the_page_that_a_copy_replaces_is_no_hole() -> None:
    """wp_copy compares the entry with the page that it found there, also once its reference has been dropped.

    A design that puts the page before it maps the copy: two machines that differ only in that page part ways.
    """
    space = started("fork-cow", "linux-3.0")
    for _ in some_states(space, 400):
        for t in range(int(space.k.state.n_tasks)):
            task = space.k.state.tasks[t]
            for d in range(int(task.depth)):
                f = task.frames[d]
                if int(f.path) != s.P_WP_COPY or int(f.old_page) == n.NONE:
                    continue
                held = int(f.held)
                f.held = held & ~n.H_PAGE_REF  # put_page came first
                was = copy_of(space)
                f.old_page = n.NONE  # the zero page
                assert copy_of(space) != was
                return
    raise AssertionError("no wp_copy")
