"""All that touches Numba's insides; kernel code knows ``..compiled`` only.

Each file here has a plain fall-back: where a Numba has an inner name no more, compiling takes longer, or is done anew
in each process, and what is compiled does the same. Nothing here is in force for functions that are not ours.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

Function = Callable[..., Any]
Told = Callable[[int, int], None]  # functions compiled, and how many there are
# compiled along with our own, with the SHA-256 of what was loaded: to be named before the first function is compiled
EXTRA_SOURCES: dict[Path, str] = {}
