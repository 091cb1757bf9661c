#!/usr/bin/env bash
# numpy 2.4.6: a record type of more than 2 GiB. One field that is too long is refused (ValueError: does not fit into a C
# int), and so is an offset that is given by hand. But fields that fit each and do not together are taken without a word: the
# size of an item wraps around and is negative (numpy's item size is a C int).
# One would guess: the same ValueError, or a size of 64 bits, as shapes and strides have. Fails if that changes. No array of
# such a type is made here.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np

GIB = 1 << 30


def told(*what):
    try:
        np.dtype(*what)
    except ValueError as error:
        return str(error)
    return "taken"


one_field = told([("a", "i1", (2 * GIB,))])
by_hand = told({"names": ["a", "b"], "formats": ["i1", "i8"], "offsets": [0, 2 * GIB + 8], "itemsize": 2 * GIB + 16})
print("one field of 2 GiB:      ", one_field)
print("an offset beyond 2 GiB:  ", by_hand)
assert "C int" in one_field and "C int" in by_hand

kind = np.dtype([("a", "i1", (GIB,)), ("b", "i8"), ("c", "i1", (GIB,))])
print("1 GiB + 8 bytes + 1 GiB:  itemsize", kind.itemsize, "offset of the last field", kind.fields["c"][1])
assert kind.itemsize == 2 * GIB + 8 - (1 << 32) == -2147483640
PYTHON
