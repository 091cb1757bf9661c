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
from cowpath.engine import costs, explore, fold
from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.layout import Field, Record
from cowpath.kernel.records import THINGS
from cowpath.kernel.state import EXPLORE, state_record

STATE = state_record(EXPLORE)

# what may differ without another copy, and why
EXCEPTIONS = {
    "tasks[].born": "whose age it is counts only where the OOM killer chooses by it: the copy is told whether it does",
}


def started(case: str, design: str) -> Space:
    space = Space()
    boot.start(compile_case(cases.load(case)), designs.load(design), costs.load(), space)
    return space


def copy_of(space: Space) -> bytes:
    """The canonical copy of the machine as it stands; tasks are told apart by their place, and by their age."""
    x = space.x
    fold.canonical(space.k, x.half, space._scratch, x.target, x.names, x.alike, x.stances, 1)
    return bytes(x.target.tobytes())


def some_states(space: Space, moves: int) -> Iterator[int]:
    """Let the machine go on, always by the last that can move, so that all get somewhere."""
    for made in range(moves):
        able = int(space.drive(explore.WHO))
        if not able or space.play([able.bit_length() - 1 if made % 3 else (able & -able).bit_length() - 1]) != 1:
            return
        yield made


def in_use(k: Any, array: str) -> list[int]:
    """The records of an array of the state that are in use."""
    rows = k.state[array]
    live = {things.array: things for things in THINGS.values()}[array]
    count = int(k.state[live.count]) if live.count else len(rows)
    return [i for i in range(count) if not live.live or alive(live.live, rows[i])]


def alive(condition: str, row: Any) -> bool:
    words = set(re.findall(r"[a-z_]+", condition)) & set(row.dtype.names)
    return bool(eval(condition, vars(n) | {word: int(row[word]) for word in words}))


Number = tuple[str, Field, Any, Any, Any]  # its name, what it is, its record, and where it stands: in what, at which


def numbers(kind: Record, row: Any, name: str) -> Iterator[Number]:
    """Each number in a record that is in use."""
    for field_name, field in kind.fields.items():
        path = f"{name}{field_name}" if not name or name.endswith(".") else f"{name}.{field_name}"
        if isinstance(field.of, Record):
            rows = [row[field_name]]
            if field.many:
                rows = [row[field_name][i] for i in range(int(row[field.used]) if field.used else field.many)]
                path += "[]"
            for each in rows:
                yield from numbers(field.of, each, path + ".")
        elif field.many:
            for i in range(field.many):
                yield path + "[]", field, row, row[field_name], i
        else:
            yield path, field, row, row, field_name


def all_numbers(k: Any) -> Iterator[Number]:
    for name, field in STATE.fields.items():
        if isinstance(field.of, Record) and field.many:
            for i in in_use(k, name):
                yield from numbers(field.of, k.state[name][i], f"{name}[].")
        else:
            yield from numbers(Record({name: field}), k.state, "")


def counts(field: Field, row: Any) -> bool:
    """The field says something in this record, as the layout has it."""
    return not field.refs or any(not each.when or alive(each.when, row) for each in field.refs)


@pytest.mark.parametrize(
    ("case", "design"), [("commit", "linux-3.0"), ("swap-in", "preallocate"), ("write", "linux-3.1")]
)
def test_a_change_of_any_field_is_another_state(case: str, design: str) -> None:
    """Every field of every record in use, changed in turn: the canonical copy is another one, but for what is said."""
    space = started(case, design)
    seen: set[str] = set()
    for made in some_states(space, 60):
        if made % 12:
            continue
        was = copy_of(space)
        for path, field, row, where, at in all_numbers(space.k):
            if field.folded or path in EXCEPTIONS or not counts(field, row):
                continue
            value = where[at]
            where[at] = value ^ 1 if not field.refs else other_number(space.k, field, int(value))
            changed = copy_of(space) != was
            where[at] = value
            assert changed, f"{path}: {value} is folded away, after {made + 1} moves"
            seen.add(path.split("[")[0])
        assert copy_of(space) == was
    assert {"tasks", "pages", "mms", "vmas", "directories", "tables", "files", "groups", "cpus"} <= seen


def other_number(k: Any, field: Field, value: int) -> int:
    """Something else that the field could say: nothing at all, or the first thing."""
    at = field.refs[0].at
    nothing = at + n.NONE if not field.refs[0].down else n.NONE
    return nothing if value != nothing else at


def test_what_is_folded_says_why() -> None:
    folded = [name for name, field in STATE.fields.items() if field.folded]
    assert folded and all(len(STATE.fields[name].folded) > 10 for name in folded)
    assert [name for name, field in fold.records.task.fields.items() if field.folded] == ["program"]


def test_renumbering_is_no_other_state() -> None:
    """Two free pages, one taken or the other: the same state. So with a request."""
    space = started("commit", "linux-3.0")
    was = copy_of(space)
    k = space.k
    used = [p for p in range(int(k.state.n_pages)) if int(k.state.pages[p].refs)]
    last = used[-1]
    other = int(k.state.n_pages)
    k.state.n_pages += 1
    row = k.state.pages[last].copy()
    k.state["pages"][other] = row
    for _, field, row, where, at in list(all_numbers(k)):
        for each in field.refs:
            if each.kind == "page" and int(where[at]) == last + each.at and counts(field, row):
                where[at] = other + each.at
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
                was, page = copy_of(space), int(f.old_page)
                others = [p for p in in_use(space.k, "pages") if p != page]
                f.old_page = others[0]
                assert copy_of(space) != was
                return
    raise AssertionError("no wp_copy")
