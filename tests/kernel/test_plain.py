"""The plain form of a machine's records: what goes through an array of them meets all, as of NumPy's."""

from __future__ import annotations

import numpy as np

from cowpath.kernel import plain

ONE = np.dtype([("number", "i4"), ("many", "i8", (3,))])
TWO = np.dtype([("first", "i2"), ("ones", ONE, (4,))])


def test_each_record_is_met_also_those_that_nobody_has_asked_for() -> None:
    array = np.zeros(1, TWO)
    array["ones"]["number"] = [[5, 6, 7, 8]]
    array["ones"]["many"][0, 2] = [1, 2, 3]
    seen = plain.view(TWO, 0, memoryview(array).cast("B"))
    assert [one.number for one in seen.ones] == [5, 6, 7, 8] and len(seen.ones) == 4
    assert list(seen.ones[2].many) == [1, 2, 3]
    for number, one in enumerate(seen.ones):
        one.number = 10 * number
    assert array["ones"]["number"].tolist() == [[0, 10, 20, 30]]
