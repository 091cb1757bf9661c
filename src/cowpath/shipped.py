"""What stands beside the package in the repository, and in its data in a wheel (``hatch_build.py``)."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent


def folder(name: str, known: str) -> Path | None:
    """Where a folder lies, which has a file of the name ``known``. None: it was not shipped."""
    for each in (HERE / "data" / name, HERE.parents[1] / name):
        if (each / known).is_file():
            return each
    return None
