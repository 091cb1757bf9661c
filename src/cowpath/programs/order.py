"""Records in order of time, of which several belong to one task, or one CPU: which comes next, what was known last."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]


def following(keys: Ints) -> npt.NDArray[np.int64]:
    """For each record the next one with the same key, by place; -1: there is none."""
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    after = np.full(len(keys), -1)
    after[order[:-1][same]] = order[1:][same]
    return after


def carried_forward(values: Ints, known: npt.NDArray[np.bool_], keys: Ints) -> Ints:
    """Each record's value, or where it is not known the last known one of the same key; 0: none was."""
    order = np.argsort(keys, kind="stable")
    place = np.arange(len(keys))
    last = np.maximum.accumulate(np.where(known[order], place, -1))
    begins = np.append(True, keys[order][1:] != keys[order][:-1])[: len(keys)]
    first = np.maximum.accumulate(np.where(begins, place, 0))  # of the key's records
    carried = np.empty_like(values)
    carried[order] = np.where(last >= first, values[order][last], 0)
    return carried
