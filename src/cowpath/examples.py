"""The example sessions: those of the repository, which a wheel carries too."""

from __future__ import annotations

from pathlib import Path

from cowpath import shipped
from cowpath.errors import InputError
from cowpath.words import nearest

SUFFIXES = (".sh", ".yaml")


def folder() -> Path | None:
    """Where they lie: in the package, as a wheel has it, or in the repository. None: they were not shipped."""
    return shipped.folder("examples", "commit.sh")


def files() -> dict[str, Path]:
    """The sessions by their names: ``commit``."""
    where = folder()
    there = [] if where is None else [each for each in where.iterdir() if each.suffix in SUFFIXES]
    return {each.stem: each for each in sorted(there, key=lambda each: each.stem)}


def about(session: Path) -> str:
    """The first sentence of its comment."""
    lines = session.read_text(encoding="utf-8").splitlines()
    said = ""
    for line in lines:
        if not line.startswith("#"):
            break
        said += f" {line.removeprefix('#').strip()}"
    said = said.strip()
    end = said.find(". ")
    return said if end < 0 else said[: end + 1]


def found(session: Path) -> Path:
    """The file that is meant: itself if it is there, else the example (``commit``, ``examples/commit.sh``).

    Raises InputError for a bare name that is neither.
    """
    if session.exists() or str(session) == "-":
        return session
    known = files()
    bare = session.parent == Path()
    if session.stem in known and (bare or session.parent == Path("examples")):
        example = known[session.stem]
        if session.suffix in ("", example.suffix):
            return example
    if bare and not session.suffix:
        hint = nearest(session.name, list(known), "cowpath examples lists these")
        raise InputError(f"no such file, and no such example: {session.name!r}", hint=hint)
    return session
