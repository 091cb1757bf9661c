"""All tests run with Numba's bounds checks: an index out of range is an error. Numba reads this when it is imported."""

import os

os.environ.setdefault("NUMBA_BOUNDSCHECK", "1")
