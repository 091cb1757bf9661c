"""A copy that goes on from the last one is the one that is made anew, and that the layout says, in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cowpath import cases, designs
from cowpath.cases.plan import compile_case
from cowpath.checker import boot
from cowpath.checker.space import Space
from cowpath.engine import canonical, costs, fold, folding, units
from cowpath.engine.fingerprint import fingerprint
from cowpath.kernel import names as n
from cowpath.kernel.compiled import compiled
from cowpath.kernel.records import FRAMES, THINGS

from .slow_canonical import STATE, Copy

STATES = 800
CASES = (
    ("cold-readahead", "preallocate"), ("oom-lock", "preallocate"), ("swap-in", "linux-3.1"),
    ("fork-cow", "linux-6.18"), ("high-readahead", "linux-6.12"),
)  # fmt: skip


@compiled
def folded(k, words, half, c, target, target_words, f, rows, order, copies, keys, went_on):  # type: ignore[no-untyped-def]
    """Fold these states in this order: only the words that differ are said to do so."""
    for at in range(len(order)):
        i = order[at]
        for j in range(len(words)):
            if words[j] != rows[i, j]:
                words[j] = rows[i, j]
                f.changed[0] = j
                folding.suspect(f, f.changed, 0, 1)
        keys[i] = canonical.folded_key(k, words, half, c, target, target_words, f, 1)
        for j in range(len(words)):
            copies[i, j] = target_words[j]
        went_on[i] = f.goes_on


@compiled
def begin(f):  # type: ignore[no-untyped-def]
    canonical.start_folding(f)


@compiled
def names_of(k, f):  # type: ignore[no-untyped-def]
    f.stale_tasks[:] = 1
    fold.renew_stances(k, f.alike, f.stances, f.stale_tasks)
    fold.order_tasks(k, f.order, f.order_was, f.alike, f.stances)
    fold.give_names(k, f.names, f.order)


@compiled
def names_differ(k, half, f, places, values, other):  # type: ignore[no-untyped-def]
    """Change each of these 16-bit words of the state in turn: are the names others? It is as it was then."""
    fold.give_names(k, f.names, f.order)
    f.was[:] = f.names
    for i in range(len(places)):
        value = half[places[i]]
        half[places[i]] = values[i]
        fold.give_names(k, f.names, f.order)
        other[i] = not np.array_equal(f.was, f.names)
        half[places[i]] = value


class Folder:
    """Folds states of a case, one after the other."""

    def __init__(self, case: str, design: str) -> None:
        self.space = Space()
        plan = compile_case(cases.load(case))
        boot.start(plan, designs.load(design), costs.load(), self.space)
        self.alike = boot.alike_tasks(plan)

    def some_states(self, count: int) -> Any:
        """The first that a search comes to."""
        rows: list[Any] = []

        def look(_: Any, __: int) -> bool:
            rows.append(self.space.x.words.copy())
            return len(rows) >= count

        self.space.explore(0, fold=False, reduce=False, look=look)
        return np.array(rows)

    def fold(self, rows: Any, order: Any) -> tuple[Any, Any, Any]:
        """Of each state its copy, that copy's fingerprint, and whether the next could go on from it."""
        s = self.space
        begin(s.folding)
        s.folding.alike[:] = self.alike
        copies, keys, went_on = np.zeros_like(rows), np.zeros(len(rows), np.uint64), np.zeros(len(rows), np.int64)
        folded(s.k, s.x.words, s.x.half, s._scratch, s.x.target, s.x.target_words, s.folding, rows, order, copies, keys,
               went_on)  # fmt: skip
        return copies, keys, went_on

    def anew(self, rows: Any) -> Any:
        """The copies, each made as if there had been no other."""
        return np.array([self.fold(rows[i : i + 1], np.zeros(1, np.int64))[0][0] for i in range(len(rows))])

    def slowly(self, row: Any) -> Any:
        """The copy, from the layout."""
        self.space.x.words[:] = row
        names_of(self.space.k, self.space.folding)
        halves = row.view(np.int16)[: STATE.narrow.itemsize // 2]
        copy = Copy(halves.view(STATE.narrow)[0], self.space.folding.names).copy
        return np.frombuffer(copy.tobytes(), np.uint64)


@pytest.mark.parametrize(("case", "design"), CASES)
def test_in_any_order_the_copies_are_the_same(case: str, design: str) -> None:
    folder = Folder(case, design)
    rows = folder.some_states(STATES)
    rng = np.random.default_rng(19)
    copies, keys, went_on = folder.fold(rows, np.arange(len(rows)))
    assert went_on.any()
    for _ in range(3):
        again, keys_again, _ = folder.fold(rows, rng.permutation(len(rows)))
        assert (again == copies).all() and (keys_again == keys).all()
    some = rng.permutation(len(rows))[:12]
    assert (folder.anew(rows[some]) == copies[some]).all()
    for i in some:
        assert (folder.slowly(rows[i]) == copies[i]).all()
        assert keys[i] == fingerprint(copies[i])


def test_what_only_a_field_names_is_copied_too() -> None:
    """Pages and tables that nobody uses, numbered by some field: they get their names while the copy is made."""
    folder = Folder("cold-readahead", "preallocate")
    rows = folder.some_states(STATES)
    rng = np.random.default_rng(6)
    changed = 0
    for row in rows[:: len(rows) // 60]:
        state = row.view(np.int16)[: STATE.narrow.itemsize // 2].view(STATE.narrow)[0]
        idle = [p for p in range(int(state["n_pages"])) if state["pages"][p]["refs"] == 0]
        for task in state["tasks"][: state["n_tasks"]]:
            for frame in task["frames"][: task["depth"]]:
                if idle and rng.random() < 0.5:
                    frame["old_page"] = rng.choice(idle)
                    changed += 1
        for page in state["pages"][: state["n_pages"]]:
            if page["refs"] > 0 and page["rmap"] == n.NONE and rng.random() < 0.1:
                page["rmap"] = rng.integers(0, 6 * 8)
                changed += 1
    assert changed > 20
    order = rng.permutation(len(rows))
    copies, keys, went_on = folder.fold(rows, order)
    assert not went_on.all()
    assert (folder.fold(rows, rng.permutation(len(rows)))[1] == keys).all()
    for i in range(0, len(rows), len(rows) // 20):
        assert (folder.slowly(rows[i]) == copies[i]).all()


@pytest.mark.parametrize(("case", "design"), CASES)
def test_names_hang_on_nothing_else(case: str, design: str) -> None:
    """Whatever is written into the words on which no name hangs: the names are the same."""
    folder = Folder(case, design)
    space = folder.space
    space.folding.alike[:] = folder.alike
    mask = units.NAMING.view(np.uint16)[: units.HALVES]
    free, bound = np.flatnonzero(mask == 0), np.flatnonzero(mask)
    assert len(free) > 1500 and len(bound) > 500
    rng = np.random.default_rng(14)
    rows = folder.some_states(STATES)
    some_differ = False
    for i in rng.permutation(len(rows))[:25]:
        space.x.words[:] = rows[i]
        names_of(space.k, space.folding)
        for values in (space.x.half[free] ^ 1, rng.integers(-1, 9, len(free)).astype(np.int16)):
            other = np.zeros(len(free), np.int64)
            names_differ(space.k, space.x.half, space.folding, free, values, other)
            assert not other.any(), f"half {free[other.argmax()]}"
        nothing, other = np.full(len(bound), n.NONE, np.int16), np.zeros(len(bound), np.int64)
        names_differ(space.k, space.x.half, space.folding, bound, nothing, other)
        some_differ |= bool(other.any())
    assert some_differ


def test_a_units_words_are_its_records() -> None:
    """No record shares a word with more than its neighbours, and every word of a record belongs to its unit."""
    for place, kind in enumerate(fold.KINDS_RENAMED):
        at, words = units.place(THINGS[kind].array)
        for number in range(fold.ROOMS[place]):
            start = at + number * words
            own = {fold.FIRST_BITS[place] + number}
            if kind == "task":
                own |= set(range(units.FRAME_UNITS + number * FRAMES, units.FRAME_UNITS + (number + 1) * FRAMES))
            for half in range(start, start + words):
                assert {int(units.FIRST_OF[half // 4]), int(units.LAST_OF[half // 4])} & own
