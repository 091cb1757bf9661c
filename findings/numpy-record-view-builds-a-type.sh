#!/usr/bin/env bash
# numpy 2.4.6: to read an inner record of an np.record, by attribute or by key, builds a new dtype of all its fields each
# time, so one read takes longer the more fields the inner record has: some 190 us with 2,000 of them, where the same read of
# a plain structured array (np.void) gives a view with the dtype that is there, in a constant 0.4 us.
# One would guess: a record array is the structured array with a nicer spelling, and costs a little more a read.
# Fails if that changes: the identity of the dtypes is what is held to; of the times only that they differ by ten times.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from timeit import repeat

import numpy as np


def microseconds(read):
    return min(repeat(read, number=500, repeat=5)) / 500 * 1e6


took = {}
for fields in (20, 2000):
    inner = np.dtype([(f"f{i}", "i4") for i in range(fields)])
    plain = np.zeros(1, np.dtype([("inner", inner), ("n", "i4")]))
    record, void = plain.view(np.recarray)[0], plain[0]
    assert record.inner.dtype == void["inner"].dtype == inner
    assert record.inner.dtype is not record.inner.dtype and record["inner"].dtype is not record["inner"].dtype
    assert void["inner"].dtype is void["inner"].dtype
    took[fields] = microseconds(lambda: record.inner), microseconds(lambda: void["inner"])
    print(f"{fields:>5} fields: np.record {took[fields][0]:6.1f} us, np.void {took[fields][1]:.1f} us")
assert took[2000][0] > 10 * took[20][0] and took[2000][0] > 10 * took[2000][1]
PYTHON
