"""These tests call kernel functions one by one, on machines made by hand: as plain Python, which needs no compiling,
with the machine's plain form, of which a field is read much sooner and a negative index is an error.

``NUMBA_DISABLE_JIT=1 pytest tests/rules``, as ``make test`` does.
"""

import numba

collect_ignore_glob = [] if numba.config.DISABLE_JIT else ["test_*.py"]  # type: ignore[attr-defined]
