"""Designs as step lists: the paths in which they differ, with what moved from the first to each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from cowpath.designs import Design, kernel_lines
from cowpath.designs.edits import align
from cowpath.kernel.steps import PATH_NAMES

SHOWN_PATH = "file_cow"  # of a page about one design


@dataclass(frozen=True)
class Step:
    """A step of a path; ``moved``: it stands elsewhere, or not at all, in the first design."""

    name: str
    moved: bool


@dataclass(frozen=True)
class PathOf:
    """A path of a design, and how it differs from the first design's, in words."""

    name: str
    steps: list[Step]
    edits: list[str]


@dataclass(frozen=True)
class Policy:
    """A policy of a design; ``changed``: the first design has another one."""

    name: str
    value: str
    changed: bool


@dataclass(frozen=True)
class DesignOf:
    """What a page shows of a design."""

    name: str
    summary: str
    commit: str
    kernel: str  # which, and how it was chosen
    paths: list[PathOf]
    policies: list[Policy]


def design_lists(designs: Sequence[Design]) -> list[DesignOf]:
    """The step lists of the paths in which the designs differ, with what moved from the first to each."""
    first = designs[0]
    differing = [path for path in PATH_NAMES if any(each.paths[path] != first.paths[path] for each in designs)]
    policies = [name for name in first.policies if any(each.policies[name] != first.policies[name] for each in designs)]
    return [
        DesignOf(
            each.name,
            each.summary,
            each.commit,
            kernel_lines([each])[0],
            [_path(path, first.paths[path], each.paths[path]) for path in differing or [SHOWN_PATH]],
            [
                Policy(name, str(each.policies[name]), each.policies[name] != first.policies[name])
                for name in policies or first.policies
            ],
        )
        for each in designs
    ]


def _path(name: str, old: Sequence[str], new: Sequence[str]) -> PathOf:
    found = align(old, new)
    places = sorted(found.kept | {edit.new for edit in found.edits if edit.new >= 0})
    steps = [Step(found.slots[place], place not in found.kept) for place in places]
    gone = [edit.step for edit in found.edits if edit.new < 0]
    return PathOf(name, steps, [*_moves(steps), *(f"{step} left out" for step in gone)])


def _moves(steps: Sequence[Step]) -> Iterator[str]:
    """``find_page, lock_page: now before copy_page``: steps in a row that were moved or put in."""
    for moved, group in groupby(enumerate(steps), key=lambda each: each[1].moved):
        if moved:
            row = list(group)
            after = row[-1][0] + 1
            where = f"before {steps[after].name}" if after < len(steps) else "at the end"
            yield f"{', '.join(step.name for _, step in row)}: now {where}"
