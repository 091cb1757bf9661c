"""What groups go on paying for when a task has let go of it, and for what no program asks for: scenarios, by policy."""

from __future__ import annotations

from typing import Any

import pytest

from cowpath import designs
from cowpath.designs import Design, from_data
from cowpath.validate import own_pages
from cowpath.validate.play import play

from .rows import AFTER, Row, row, scenario, step

PAGE = 4096
OLD, NEW = "linux-6.1", "linux-6.18"
BATCH = 31  # pages that join the lists together in 6.18 (lru_batch)
SLOTS = 64  # that a CPU gathers in 6.1


def but(kernel: str, **policies: Any) -> Design:
    """The kernel with other policies."""
    return from_data({"extends": kernel, "policies": policies}, "other.toml")


def played(design: Design, pages: int, *steps: str, **more: Any) -> Row:
    """A task in A maps so many pages, and goes on."""
    real = row(*(step(text) for text in steps), **more)
    maps = real["result"][1]["step"] = f"t anon a {pages}"
    real["steps"][0] = maps.split(" ", 1)
    return play(scenario(real), design)


def after(result: Row, text: str, counter: str = "current", group: str = "A") -> int:
    """A counter after a step, in pages."""
    entry = next(each for each in result["result"] if each["step"] == text)
    return int(entry["groups"][group][counter]) // PAGE


def stat(result: Row, key: str, group: str = "A", exited: bool = False) -> int:
    """Of memory.stat, when it has settled after the last step, or after the exit of all tasks."""
    return int(result["settled"][exited]["groups"][group]["stat"].get(key, 0))


def test_a_page_that_is_unmapped_before_it_is_listed_stays_charged() -> None:
    """40 pages are written to: 31 have joined the lists, 9 are in the CPU's batch alone when they are unmapped."""
    writes, unmaps = "t touch a 0 40 1 w", "t munmap a"
    kept, drained = (played(but(NEW, unmap_drains=drains), 64, writes, unmaps) for drains in (False, True))
    assert after(kept, writes) == after(drained, writes)
    for text in (unmaps, AFTER):
        assert after(kept, text) - after(drained, text) == 40 % BATCH


@pytest.mark.parametrize(("removed", "dying"), [("stays", 1), ("parent", 0), ("swap stays", 0)])
def test_what_a_removed_group_leaves(removed: str, dying: int) -> None:
    """Its task is elsewhere, and still maps 40 pages of it: they count above it in any case, until nobody has them."""
    groups: Row = {"P": {}, "A": {"parent": "P"}, "B": {}}
    steps = ("t touch a 0 40 1 w", "ctl move t B", "ctl rmdir A", "ctl rootstat")
    result = played(but(NEW, removed_group=removed), 64, *steps, groups=groups)
    seen = [each["cgroup.stat"]["nr_dying_descendants"] for each in result["result"] if "cgroup.stat" in each]
    assert seen == [1, dying], "at once it is dying in any case"
    assert after(result, "ctl rmdir A", group="P") >= 40
    assert (stat(result, "anon", "P"), stat(result, "anon", "P", exited=True)) == (40 * PAGE, 0)


@pytest.mark.parametrize("gathers", [True, False])
def test_a_cpu_gathers_slots_of_the_swap_space_before_it_frees_them(gathers: bool) -> None:
    """Some 700 pages are in swap when their task ends: whole lots of 64 have been freed, and the rest counts on."""
    reclaims = "ctl set A reclaim 4M"
    result = played(but(OLD, swap_slots_cache=gathers), 700, "t touch a 0 700 1 w", reclaims, swap_mb=64)
    swapped = after(result, reclaims, "swap.current")
    assert swapped > SLOTS
    assert after(result, AFTER, "swap.current") == ((swapped - 1) % SLOTS + 1 if gathers else 0)


@pytest.mark.parametrize(("known", "zeroes"), [(True, 3), (False, 0)])
def test_a_page_of_zeroes_takes_a_slot_and_is_not_written(known: bool, zeroes: int) -> None:
    """Of three times 256 pages three got a zero: a worker writes the lowest byte of a page's number. All come back."""
    reclaims = "ctl set A reclaim 4M"
    steps = ("t touch a 0 768 1 w", reclaims, "t touch a 0 768 1 r")
    result = played(but(NEW, zeromap=known), 768, *steps, swap_mb=64)
    for way in ("out", "in"):
        assert stat(result, f"swp{way}_zero") == zeroes
        assert 512 < stat(result, f"pswp{way}") + zeroes <= after(result, reclaims, "swap.current")


def test_a_forked_worker_has_pages_of_its_own() -> None:
    """Nothing of them is charged before the fork; then both copy some, and the group pays."""
    own = own_pages.OF["v2"]
    tasks = {"t": {"group": "A", "cpu": 0}, "c": {"child_of": "t", "cpu": 0}}
    forks, touches = "ctl fork t c", "c touch a 0 1 1 w"
    result = played(designs.load(NEW), 64, forks, touches, tasks=tasks)
    minflt = {entry["step"]: entry.get("minflt") for entry in result["result"]}
    assert (minflt[forks], minflt[touches]) == (own.parent_writes, 1 + own.later)
    assert stat(result, "anon") == (own.parent_writes + own.child_writes + 1) * PAGE
