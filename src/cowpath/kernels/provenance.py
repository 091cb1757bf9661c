"""What a step stands for in a release: the functions and files of its source, as far as somebody has looked."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from .profile import Kernel
from .tables import Lists

NOT_SEEN = "not seen"
OWN = "own"  # in the table: no release has it, it is the model's


@cache
def table() -> dict[str, dict[str, str]]:
    """``stands_for.toml``: by step, and by "FUNCTION FILE" the releases in which that was seen."""
    text = (resources.files("cowpath") / "kernels" / "stands_for.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def stands_for(step: str, kernel: Kernel) -> str:
    """Functions with their files, the model's own, or ``NOT_SEEN``."""
    release = kernel.order_of or ".".join(map(str, kernel.release))
    found = []
    for what, releases in table().get(step, {}).items():
        if releases == OWN:
            return f"(the model's own: {what})"
        if release in releases.split():
            function, file = what.split()
            found.append(f"{function}, {file}")
    return "; ".join(found) or NOT_SEEN


def steps_of(paths: Lists) -> list[str]:
    """The steps of all paths, each once, in their order."""
    return list(dict.fromkeys(step for steps in paths.values() for step in steps))
