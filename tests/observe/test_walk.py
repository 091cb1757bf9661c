"""The log as a walk, one step after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cowpath.kernel import names as n
from cowpath.kernel import steps as s
from cowpath.kernel.books import event
from cowpath.observe.walk import Move, Walker, is_task
from cowpath.observe.who import Tracker
from cowpath.programs.code import Region


@dataclass(frozen=True)
class File:
    name: str


@dataclass(frozen=True)
class Plan:
    comms: tuple[str, ...] = ("ls", "cc1")
    files: tuple[File, ...] = ()
    groups: tuple[str, ...] = ("", "A")
    regions: tuple[Region, ...] = ()


def walk(*rows: tuple[int, int, int, int]) -> list[Move]:
    """Moves of (task, step or -1 for the end of a fault, status, path)."""
    block = np.zeros(len(rows), event)
    for i, (task, step, status, path) in enumerate(rows):
        kind = n.EV_FAULT if step < 0 else n.EV_STEP
        block[i] = (i * 1000, kind, 1, task, step, status, 300, path)
    return list(Walker(Plan()).moves(block, Tracker([0, 1]).attribute(block)))


def test_a_page_lock_is_got_held_and_given_back() -> None:
    moves = walk(
        (1, s.MMAP_READ_LOCK, n.NEXT, s.P_PAGE_FAULT),
        (1, s.FIND_PAGE, n.NEXT, s.P_FILE_COW),
        (1, s.LOCK_PAGE, n.NEXT, s.P_FILE_COW),
        (0, s.LOCK_PAGE, n.SLEEP, s.P_FILE_COW),
        (1, s.UNLOCK_PAGE, n.NEXT, s.P_FILE_COW),
    )
    assert moves[2].got == ("page lock",)
    assert moves[2].held == ("page reference", "mmap_sem (read)")
    assert moves[3].answer == "sleeps" and not moves[3].got and not moves[3].held
    assert moves[4].gave == ("page lock",)
    assert " ".join(moves[2].words().split()) == (
        "2,000 ns cpu 1 cc1[1] file_cow: lock_page (300 ns) + page lock [holds page reference, mmap_sem (read)]"
    )


def test_the_end_of_a_fault_leaves_what_the_system_call_holds() -> None:
    moves = walk(
        (0, s.I_MUTEX_LOCK, n.NEXT, s.P_WRITE),
        (0, s.MMAP_READ_LOCK, n.NEXT, s.P_PAGE_FAULT),
        (0, -1, 0, 0),
        (0, s.I_MUTEX_UNLOCK, n.NEXT, s.P_WRITE),
    )
    assert moves[-1].held == ("i_mutex",) and moves[-1].gave == ("i_mutex",)


def test_a_task_is_named_by_number_name_or_both() -> None:
    move = walk((1, s.CHARGE, n.FAIL_OOM, s.P_ANON))[0]
    assert [is_task(move, wanted) for wanted in ("1", "cc1", "cc1[1]", "ls")] == [True, True, True, False]
    assert move.answer == "ENOMEM"
