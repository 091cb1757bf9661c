"""A small machine that begins anew as often as somebody likes: it is started once, and its bytes are put back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .space import Space


class Anew:
    """The machine of a space. ``bytes``: all of it as it stands, to be kept and put back."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.bytes = np.asarray(space.k.base).view(np.uint8)
        self._first = self.bytes.copy()

    def begin(self) -> None:
        """Bring it to its start."""
        self.bytes[:] = self._first

    def after(self, movers: Sequence[int]) -> Space:
        """The machine after moves from its start, which can be made."""
        self.begin()
        if self.space.play(list(movers)) != len(movers):
            raise AssertionError("a way that was found cannot be gone")
        return self.space
