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


NARROW = {"i4": "i2", "i8": "i4"}
WIDE_FIELDS = ("limit",)  # RESOURCE_MAX must fit


def narrowed(kind: np.dtype[Any]) -> np.dtype[Any]:
    """The same record with numbers of half the width: for a machine so small that all of them fit."""
    if kind.subdtype is not None:
        base, shape = kind.subdtype
        return np.dtype((narrowed(base), shape))
    if kind.fields is None:
        return np.dtype(NARROW.get(kind.str[1:], kind.str))
    fields = {name: field[0] if name in WIDE_FIELDS else narrowed(field[0]) for name, field in kind.fields.items()}
    return record(**fields)
