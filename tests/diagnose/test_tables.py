"""The tables hold together: every lock that a line names is one, every end has its sentence, every sign can fit."""

from __future__ import annotations

import tomllib
from pathlib import Path

import cowpath.diagnose
from cowpath.diagnose.entries import entries
from cowpath.diagnose.release import FIRST, LAST, number
from cowpath.diagnose.tables import tables, words
from cowpath.diagnose.waits import ENDS, FOR_A_GROUP

HERE = Path(cowpath.diagnose.__file__).parent
FUNCTIONS = tomllib.loads((HERE / "functions.toml").read_text(encoding="utf-8"))


def test_every_lock_is_one() -> None:
    locks = set(tables().locks)
    assert {table["lock"] for table in (*FUNCTIONS["taken"], *FUNCTIONS["held"])} <= locks
    assert {table["for"] for table in (*FUNCTIONS["wait"], *FUNCTIONS["bit"])} <= locks | ENDS
    assert set(FUNCTIONS["lockdep"]) <= locks | {""}
    assert {table["of"] for table in FUNCTIONS["primitive"]} == {"rwsem", "mutex", "bit", "completion"}
    assert {table["does"] for table in FUNCTIONS["memory"]} == {*FOR_A_GROUP, "host", "asked", "teardown"}


def test_every_end_has_its_sentence() -> None:
    assert set(words()["ends"]) >= ENDS
    assert set(words()["memory"]) == {f"memory: {what}" for what in FOR_A_GROUP if what != "limit"}
    assert set(words()["holders"]) <= set(tables().locks)


def test_every_sign_can_fit() -> None:
    waits = {*tables().locks, *ENDS, *(f"memory: {what}" for what in FOR_A_GROUP), "memory", "memory: the host's"}
    for entry in entries():
        for sign in entry.signs:
            assert set(sign.waits) <= waits | {"nothing", "not known"}, entry.number
            assert sign.waits, entry.number
            for lock in (sign.holds.partition(" (")[0], sign.waiter, sign.beside, sign.inner):
                assert lock in {*tables().locks, ""}, entry.number
            for limit in (sign.since, sign.before, entry.since, entry.fixed, *entry.mended):
                assert limit is None or FIRST < number(limit) < LAST


def test_entries_are_numbered_once_and_in_order() -> None:
    numbers = [entry.number for entry in entries()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 24


def test_ages_leave_room() -> None:
    assert all(low < high for low, high in tables().ages.values())
