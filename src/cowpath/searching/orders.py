"""Every order of a path's steps that their dependencies allow, with and without one more pair of unlock and lock.

The dependencies are those of the steps (``kernel.steps``: what each takes, needs, gives back, comes before), never of a
design. After the added lock the mapping may be checked again, which is what that step is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from cowpath.kernels.check import Walk

Steps = tuple[str, ...]
PAIR = ("unlock_page", "lock_page")
RECHECK = "recheck_mapping"


def orders(path: str, steps: Sequence[str]) -> Iterator[Steps]:
    """Every possible order of these steps on a path, then those with the pair, then those that check again as well."""
    yield from arrangements(path, steps, relocks=False)
    if set(PAIR) <= set(steps):
        with_pair = list(arrangements(path, [*steps, *PAIR], relocks=True))
        yield from with_pair
        for order in with_pair:
            checked = rechecked(order)
            if is_possible(path, checked):
                yield checked


def arrangements(path: str, steps: Sequence[str], relocks: bool) -> Iterator[Steps]:
    """Every possible order of a multiset of steps; what is alike is not told apart."""
    left = Counter(steps)
    order: list[str] = []

    def extend(walk: Walk) -> Iterator[Steps]:
        if len(order) == len(steps):
            if not walk.held:
                yield tuple(order)
            return
        for step in sorted(left):
            if not left[step] or walk.problem(step) is not None:
                continue
            left[step] -= 1
            order.append(step)
            yield from extend(walk.after(step))
            order.pop()
            left[step] += 1

    yield from (found for found in extend(Walk(path)) if relocks == is_relocking(found))


def is_relocking(order: Steps) -> bool:
    """The lock is let go and taken again."""
    return order.count("lock_page") > 1


def rechecked(order: Steps) -> Steps:
    """The same order, and the mapping is checked again right after the lock has been taken again."""
    again = order.index("lock_page", order.index("lock_page") + 1)
    return (*order[: again + 1], RECHECK, *order[again + 1 :])


def is_possible(path: str, order: Steps) -> bool:
    """Whether the steps can be taken in this order."""
    walk = Walk(path)
    for step in order:
        if walk.problem(step) is not None:
            return False
        walk = walk.after(step)
    return not walk.held
