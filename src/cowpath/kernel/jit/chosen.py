"""Whether the kernel is compiled or plain Python in this process: asked before Numba is imported, which takes long."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .. import own
from . import folders, shipped
from .loaded import at_start
from .sources import note_of

VARIABLE = "COWPATH_INTERPRETED"  # 1: plain Python; auto: unless compiled code is at hand; 0 or nothing: compiled
ASKED_FOR = "cowpath.engine.explore.drive"  # whether this is compiled


def interpreted() -> bool:
    """What the environment says. Once a function of the kernel is defined, it is too late to say otherwise."""
    way = os.environ.get(VARIABLE)
    if way == "auto":
        way = "0" if at_hand(ASKED_FOR, own.named()) else "1"
    return "1" in (way, os.environ.get("NUMBA_DISABLE_JIT"))


def at_hand(name: str, extra: Iterable[str | Path]) -> bool:
    """Whether a function is compiled, with these more sources.

    Of sources that were never compiled as they stand: no, though it may be a comment that is new. To see that takes
    longer than a small case.
    """
    with suppress(OSError):
        name_of_note = note_of(at_start())
        if shipped.note(name_of_note) is not None or folders.note(name_of_note) is not None:
            from .cache import is_kept

            return is_kept(name, extra)
    return False
