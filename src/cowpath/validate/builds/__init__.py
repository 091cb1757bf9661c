"""Builds in groups of every size: what the model makes of them, against what a real kernel did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cowpath.errors import InputError
from cowpath.validate.scenario import rows_of

from .rows import is_build


@dataclass(frozen=True)
class How:
    """How builds are played; None is the default."""

    recordings: Path | None = None  # the folder where recordings lie
    fetches: int | None = None  # of code per recorded touch
    seed: int = 0


def is_of_builds(file: Path) -> bool:
    """Whether a file's first row is a build. One that cannot be read is none: whoever reads it says why."""
    try:
        row, _ = next(rows_of(file))
    except InputError:
        return False
    return is_build(row)
