"""The recordings that come with the package."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from cowpath.programs.recording import SUFFIX


def packaged() -> dict[str, Traversable]:
    """The recordings in the package, by name; ``recording.load`` takes one."""
    folder = files("cowpath").joinpath("data", "recordings")
    found = (entry for entry in folder.iterdir() if entry.name.endswith(SUFFIX))
    return {entry.name.removesuffix(SUFFIX): entry for entry in sorted(found, key=lambda entry: entry.name)}
