"""What the tests of the guest run in processes of their own: ours, the user's, and both."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from cowpath.kernel.jit.sources import digest_of

NAME = sys.argv[2] if len(sys.argv) > 2 else ""
OURS = """
import numpy as np
from cowpath.kernel.compiled import apart, compiled, driver, entry_point, inlined

@compiled
def one(a, i):
    return a[i].x // 2

@apart
def two(a, i):
    return one(a, i) + one(a, i + 1)

@inlined
def three(a, i):
    return two(a, i) * 10 + one(a, i)

@entry_point
def four(a, i):
    return three(a, i) + 1

@driver
def five(a):
    total = 0
    for i in range(len(a) - 1):
        total += three(a, i) + four(a, i) + two(a, i)
    return total

RECORDS = np.zeros(9, np.dtype([("x", "i8"), ("y", "i4", (3,))])).view(np.recarray)
RECORDS["x"] = np.arange(9) ** 3
"""
USERS = """
import numba
import numpy as np

@numba.njit(cache=True)
def last(a):
    return a[-1]
"""


def fall_back() -> None:
    """Compile some functions of ours with a Numba that lacks a name; say what they give."""
    import another_numba

    if NAME:
        another_numba.rename(NAME)
    module = written("ours", OURS)
    records = module.RECORDS
    print(module.four(records, 3), module.five(records), module.two(records, 2), module.one(records, 4))


def users_cache() -> None:
    """The user's function, with cowpath there; say where its cache is, and where ours."""
    users = written("users", USERS)
    import numpy as np

    import cowpath.engine.loop  # noqa: F401
    from cowpath.kernel.compiled import cache_folder

    later = written("later", USERS)
    ours = written("ours", OURS)
    ours.four(ours.RECORDS, 3)
    a = np.arange(5)
    assert users.last(a) == later.last(a) == 4
    for each in (users.last, later.last):
        print(each.stats.cache_path, sum(each.stats.cache_misses.values()))
    print(cache_folder(), ours.four.stats.cache_path, sum(ours.four.stats.cache_hits.values()))


def more_sources() -> None:
    """Name one more source when all is imported, but not yet compiled; say where ours is kept then."""
    ours = written("ours", OURS)
    from cowpath.kernel import compiled

    if NAME:
        written("more", NAME)
        compiled.EXTRA_SOURCES[Path(sys.argv[3]) / "more.py"] = digest_of(Path(sys.argv[3]) / "more.py")
    ours.four(ours.RECORDS, 3)
    print(ours.four.stats.cache_path)


def other_threads() -> None:
    """The user compiles while we do: with negative indices, and with Numba's own functions in its place."""
    import threading

    import numba
    import numpy as np
    from numba.core import types
    from numba.np import arrayobj

    from cowpath.kernel.jit.guest import ours

    before = arrayobj.fix_integer_index, types.Record.__repr__
    users = written("users", USERS)
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(users.last(np.arange(5))))
    with ours():
        thread.start()
        thread.join(1)
        assert not got, "Numba compiles in one thread at a time"
        assert arrayobj.fix_integer_index is not before[0]
        assert numba.njit(lambda a, i: a[i])(np.arange(5), 3) == 3
    thread.join()
    assert got == [4]
    assert (arrayobj.fix_integer_index, types.Record.__repr__) == before
    print("ok")


def written(name: str, text: str) -> Any:
    """A module in the folder that is named on the command line."""
    import importlib

    folder = Path(sys.argv[3])
    (folder / f"{name}.py").write_text(text)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    return importlib.import_module(name)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
