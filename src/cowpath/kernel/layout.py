"""Record types that are laid out as C would: NumPy's, whose instances read like structs (``page.locked_by``)."""

from __future__ import annotations

from typing import Any

import numpy as np


def _alignment(kind: np.dtype[Any]) -> int:
    """What C would align a field of this type to; NumPy forgets it for a record inside a record."""
    if kind.subdtype is not None:
        return _alignment(kind.subdtype[0])
    if kind.fields is not None:
        return max(_alignment(field[0]) for field in kind.fields.values())
    return kind.alignment


def record(**fields: Any) -> np.dtype[Any]:
    """A record type whose instances read like a C struct (``page.locked_by``), laid out as C would."""
    formats = [np.dtype(kind) for kind in fields.values()]
    offsets, end, widest = [], 0, 1
    for kind in formats:
        align = _alignment(kind)
        end = -(-end // align) * align
        offsets.append(end)
        end += kind.itemsize
        widest = max(widest, align)
    whole = -(-end // widest) * widest
    layout: Any = {"names": list(fields), "formats": formats, "offsets": offsets, "itemsize": whole}
    return np.dtype((np.record, np.dtype(layout, align=True)))
