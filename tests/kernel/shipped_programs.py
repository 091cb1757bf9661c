"""What the tests of shipped code run in processes of their own: with a folder for their files."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

if "RENAMED" in os.environ:
    import another_numba

    another_numba.rename(os.environ["RENAMED"])

import llvmlite.binding
import numba

from cowpath.kernel.jit import cache, shipped
from cowpath.kernel.jit.sources import digest_of

OURS = """
import numpy as np
from cowpath.kernel.compiled import compiled, driver, kept

@compiled
def one(a, i):
    return a[i] * 3 // 2

@driver
def ours(a):
    total = 0
    for i in range(len(a)):
        total += one(a, i)
    return total

@kept
def plain(a):
    return a[0] + 1

NUMBERS = np.arange(3, 12)
"""
FOLDER = Path(sys.argv[2])


def used(name: str, text: str = OURS, writable: bool = True) -> tuple[int, int, int, int]:
    """What the functions give, in a module as if just imported, how many were found compiled, how many files kept."""
    place = FOLDER / name  # not where they were when they were shipped
    place.mkdir()
    (place / "toy.py").write_text(text)
    cache.EXTRA_SOURCES.clear()
    cache.EXTRA_SOURCES[place / "toy.py"] = digest_of(place / "toy.py")
    if not writable:
        (place / "cache").write_text("a file where the folder should be")
    os.environ["COWPATH_CACHE"] = str(place / "cache")
    cache._key.cache_clear()
    sys.path.insert(0, str(place))
    sys.modules.pop("toy", None)
    importlib.invalidate_caches()
    toy = importlib.import_module("toy")
    given = int(toy.ours(toy.NUMBERS)), int(toy.plain(toy.NUMBERS))
    found = sum(sum(each.stats.cache_hits.values()) for each in (toy.ours, toy.plain))
    sys.path.remove(str(place))
    return *given, found, len(list((place / "cache").rglob("*.nbc")))


@contextmanager
def environment(**settings: str) -> Iterator[None]:
    """Numba with such settings, as if they had been there from the start."""
    with patch.dict(os.environ, settings):
        numba.core.config.reload_config()
        yield
    numba.core.config.reload_config()


@contextmanager
def objects(change: Callable[[bytes], bytes]) -> Iterator[None]:
    """Shipped files that are not as they were."""
    files = {path: path.read_bytes() for path in shipped.OBJECTS.iterdir()}
    for path, content in files.items():
        path.write_bytes(change(content))
    yield
    for path, content in files.items():
        path.write_bytes(content)


def misfits() -> dict[str, Any]:
    """Why shipped code is not to be taken."""
    flipped = {name: environment(**{name: value}) for name, value in (
        ("NUMBA_BOUNDSCHECK", "1"), ("NUMBA_OPT", "1"), ("NUMBA_DEBUGINFO", "1"), ("NUMBA_LOOP_VECTORIZE", "0"),
    )}  # fmt: skip
    return flipped | {
        "another Numba": patch.object(numba, "__version__", "0.60.0"),
        "another llvmlite": patch.object(llvmlite, "__version__", "0.43.0"),
        "another Python": patch.object(sys.implementation, "cache_tag", "cpython-310"),
        "another platform": patch("sysconfig.get_platform", lambda: "win-amd64"),
        "another kind of machine": patch("platform.machine", lambda: "riscv64"),
        "cut short": objects(lambda content: content[:-1]),
        "empty": objects(lambda content: b""),
        "one bit": objects(lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]),
        "whole, but no object": objects(lambda content: shipped.sealed(b"garbage")),
        "something else": objects(lambda content: shipped.sealed(zlib.compress(pickle.dumps(("a", "b"))))),
        "not there": patch.object(shipped, "OBJECTS", FOLDER / "nowhere"),
    }


def keep() -> None:
    """Compile and keep the functions; the environment says for which processor. Ship them, if it is the right one."""
    print(json.dumps(used("kept")))
    cache.ship(FOLDER / "objects")


def use() -> None:
    """Use what is shipped where it fits and where it does not; say what came of it."""
    shipped.OBJECTS = FOLDER / "objects"
    told = {"it fits": used("fits")}
    for number, (why, differs) in enumerate(misfits().items()):
        with differs:
            told[why] = used(f"misfit{number}")
    told["another source"] = used("changed", OURS.replace("* 3", "* 5"))
    told["it fits again"] = used("again", writable=False)
    print(json.dumps(told))


def use_here() -> None:
    """Use what is shipped on a processor that lacks the feature that is named, if one is."""
    shipped.OBJECTS = FOLDER / "objects"
    have = llvmlite.binding.get_host_cpu_features()
    have.update(dict.fromkeys(sys.argv[4:], False))
    with patch("llvmlite.binding.get_host_cpu_features", lambda: have):
        print(json.dumps(used(sys.argv[3])))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
