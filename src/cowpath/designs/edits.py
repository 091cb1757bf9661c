"""The difference of two paths as moved steps: what was moved, put in or left out, one edit at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

Steps = tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """One step that is moved, put in (``old`` is -1) or left out (``new`` is -1); places in the alignment."""

    step: str
    old: int
    new: int
    before: str  # the step of the new path that it comes to stand before, or empty at its end

    def words(self) -> str:
        """``charge moved before find_page``."""
        if self.new < 0:
            return f"{self.step} left out"
        where = f"before {self.before}" if self.before else "to the end"
        return f"{self.step} {'put in' if self.old < 0 else 'moved'} {where}"


@dataclass(frozen=True)
class Alignment:
    """Two paths side by side: ``slots`` are the steps of both in one order, ``kept`` those that stay."""

    slots: Steps
    kept: frozenset[int]
    edits: tuple[Edit, ...]

    def path(self, done: Collection[Edit]) -> Steps:
        """The path in which only these edits are made."""
        there = set(self.kept) | {edit.old for edit in self.edits if edit not in done}
        there |= {edit.new for edit in done}
        return tuple(step for slot, step in enumerate(self.slots) if slot in there)


def align(old: Sequence[str], new: Sequence[str]) -> Alignment:
    """Align two paths by a longest common subsequence; the same step on both sides of it has been moved."""
    slots: list[str] = []
    kept: set[int] = set()
    gone: dict[str, list[int]] = {}
    come: list[tuple[str, int, str]] = []
    i = j = 0
    lengths = _common(old, new)
    while i < len(old) or j < len(new):
        if i < len(old) and j < len(new) and old[i] == new[j]:
            kept.add(len(slots))
            slots.append(old[i])
            i, j = i + 1, j + 1
        elif j < len(new) and (i == len(old) or lengths[i][j + 1] >= lengths[i + 1][j]):
            come.append((new[j], len(slots), new[j + 1] if j + 1 < len(new) else ""))
            slots.append(new[j])
            j += 1
        else:
            gone.setdefault(old[i], []).append(len(slots))
            slots.append(old[i])
            i += 1
    edits = [Edit(step, gone[step].pop(0) if gone.get(step) else -1, at, before) for step, at, before in come]
    edits += [Edit(step, at, -1, "") for step, places in gone.items() for at in places]
    return Alignment(tuple(slots), frozenset(kept), tuple(edits))


def moved(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """The difference in words, an edit each; in the order of the new path."""
    return [edit.words() for edit in align(old, new).edits]


def _common(old: Sequence[str], new: Sequence[str]) -> list[list[int]]:
    """The lengths of the longest common subsequences of all ends of both."""
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            longest = max(lengths[i + 1][j], lengths[i][j + 1])
            lengths[i][j] = lengths[i + 1][j + 1] + 1 if old[i] == new[j] else longest
    return lengths
