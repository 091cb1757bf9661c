"""Whether the kernel is compiled already: asked before Numba is imported, which is for nothing where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from . import folders
from .sources import bytes_of_all, note_of

PACKAGE = Path(__file__).resolve().parent.parent.parent


def at_hand(name: str, extra: Iterable[str | Path]) -> bool:
    """Whether a function is compiled, with these more sources.

    Of sources that were never compiled as they stand: no, though it may be a comment that is new. To see that takes
    longer than a small case.
    """
    with suppress(OSError):
        if folders.note(note_of(bytes_of_all(PACKAGE))) is not None:
            from .cache import is_kept

            return is_kept(name, extra)
    return False
