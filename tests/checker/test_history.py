"""Which kernel is affected by what: the audit of the profiles against the history of such bugs, as written down here.

Each row is of the history: a case that asks for the bug, and the releases that had it, from one to before another, as
the commits say that brought and mended it. What a profile does is in none of this.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

import pytest

from cowpath import cases, checking
from cowpath.kernels import profile

from ..slow import NIGHTLY

PROPOSAL = "high-delay-in-charge"
PROPOSED = {"high-cat", "high-append", "high-spawn", "high-anon"}
EVER = ("", "")
UNWINDS = ("", "3.12")  # 3812c8c8f395: a charge in a system call fails, a fault waits at its end with nothing held
IN_CHARGE = ("5.18", "")  # c9afe31ec443: over memory.high, and more than a batch owed, asleep in the charge
KILLS_IN_CHARGE = ("4.19", "")  # 29ef680ae7c2: who charges kills, and goes round with all that it holds

# case: the intervals of releases; every other case about isolation holds on all of them
ISOLATION: dict[str, tuple[tuple[str, str], ...]] = {
    # the commit, 1d65f86db148
    "commit": (("", "3.1"),),
    "oom-on": (("", "3.1"),),
    "hierarchy": (("", "3.1"),),
    "truncate-while-waiting": (("", "3.1"),),
    "unkillable": (("", "3.1"),),
    "killed-waiter": (("", "3.1"),),
    # page locks of read-ahead; i_mutex; mmap_sem
    "cold-readahead": (UNWINDS,),
    "readahead-oom-on": (UNWINDS,),
    "write": (UNWINDS,),
    "fsync": (UNWINDS,),
    "lookup": (UNWINDS,),
    "mmap-sem-reader": (UNWINDS,),
    # the same with the killer on, since it is in the charge again
    "write-oom-on": (UNWINDS, KILLS_IN_CHARGE),
    "oom-group": (KILLS_IN_CHARGE,),
    "fork-oom-on": (KILLS_IN_CHARGE,),  # page tables are charged
    "populate-oom-on": (("5.14", ""),),  # 4ca9b3859dac
    "mmap-sem-oom-on": (UNWINDS, ("4.19", "6.4")),  # 0bff0aaea03e: per-VMA locks
    "vma-lock": (UNWINDS, KILLS_IN_CHARGE),
    "truncate-oom-on": (("5.15", ""),),  # 730633f0b7f9: invalidate_lock
    "page-table-oom-on": (("4.19", "5.0"),),  # 63f3655f9501
    # memory.high
    # a page from swap is charged to the group that it is of, whoever reads it
    "swap-in": (EVER,),
    "high-readahead": (IN_CHARGE,),
    "high-windows": (IN_CHARGE,),
    "high-truncate": (IN_CHARGE,),
    "high-populate": (IN_CHARGE,),
    "high-mlock": (IN_CHARGE,),
    "high-fork": (IN_CHARGE,),
    "high-write": (IN_CHARGE,),
}
KILLABLE: dict[str, tuple[tuple[str, str], ...]] = {
    "killed-waiter": (("", "3.0"),),  # 37b23e0525d3
    "oom-victim-waits": (UNWINDS, KILLS_IN_CHARGE),  # inode_lock is not killable to this day
    "vma-lock": (UNWINDS,),  # and a thread that wants mmap_sem to write is, since dc0ef0df7b6a (4.7)
    "mmap-sem-oom-on": (UNWINDS,),
}
PROGRESS = {
    "oom-lock": (("", "3.1"),),  # 79dfdaccd1d5: a counter
    "unkillable": (("", "4.19"), ("5.15", "")),  # in between the charge goes past the limit
}
# where a profile is known not to be as its release: on which more is violated, as its ``missing`` says
DEPARTS = {("killable", "vma-lock"): {"linux-4.19"}, ("killable", "mmap-sem-oom-on"): {"linux-4.19"}}
MISSING = "dc0ef0df7b6a"


def number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def affected(intervals: tuple[tuple[str, str], ...]) -> set[str]:
    """The profiles whose releases are in one of the intervals."""
    found = set()
    for name in profile.names():
        release = profile.load(name).release
        for since, until in intervals:
            if (not since or number(since) <= release) and (not until or release < number(until)):
                found.add(name)
    return found


def violated(case: str, *properties: str, wanted: Collection[str] = ()) -> dict[str, set[str]]:
    """For each property, the profiles (of these) to which the case applies and that violate it: one search of each."""
    jobs = [job.design.name for job in checking.load_jobs(None, [case], None) if job.applies]
    asked = [name for name in jobs if name in (wanted or profile.names())]
    results = checking.check(asked, [case], properties=list(properties)).results
    assert {result.verdict for result in results} <= {"proved", "violated", "vacuous"}
    return {
        each: {result.design for result in results if (result.property, result.verdict) == (each, "violated")}
        for each in properties
    }


# too large to be searched whole on each release: oom-lock since a victim's memory is reaped
TOO_LARGE = {"oom-lock", "mmap-sem-dirty"}
SMALL = [case for case in cases.names() if case not in TOO_LARGE]
OLD = ("linux-2.6.39", "linux-3.0", "linux-3.1", "linux-3.12")  # in which it is not
# some seconds, asked by ``make test`` on either side of each change, and on the first and the last release
LARGE = {"readahead-oom-on", "cold-readahead", "mmap-sem-oom-on", "high-readahead", "vma-lock"}


def asked(case: str) -> set[str]:
    """The profiles on which to ask: all, or of a large case those that tell where the history changes."""
    names = profile.names()
    if NIGHTLY or case not in LARGE:
        return set(names)
    found = {names[0], names[-1]}
    for rows in (ISOLATION, KILLABLE):
        has = affected(rows.get(case, ()))
        for before, after in pairwise(names):
            if (before in has) != (after in has):
                found |= {before, after}
    return found


@pytest.mark.parametrize("case", SMALL)
def test_isolation_and_killable_are_violated_on_the_releases_of_the_history(case: str) -> None:
    of = asked(case)
    found = violated(case, "isolation", "killable", wanted=of)
    assert found["isolation"] == affected(ISOLATION.get(case, ())) & of
    departs = DEPARTS.get(("killable", case), set())
    assert found["killable"] == (affected(KILLABLE.get(case, ())) | departs) & of
    assert all(any(MISSING in line for line in profile.load(name).missing) for name in departs)


@pytest.mark.parametrize("case", list(PROGRESS))
def test_progress_is_violated_on_the_releases_of_the_history(case: str) -> None:
    of = OLD if case in TOO_LARGE else ()
    assert violated(case, "progress", wanted=of)["progress"] == affected(PROGRESS[case])


def test_what_the_proposal_adds_to_its_kernel() -> None:
    """A charge of a batch or less is slept for with what its caller holds: entry 35."""
    for case in cases.names():
        if cases.load(case).has_high and "linux-6.18" not in affected(ISOLATION.get(case, ())):
            (result,) = checking.check([PROPOSAL], [case], properties="isolation").results
            assert (result.verdict == "violated") == (case in PROPOSED), case
