"""Whether the sources that stand in the files are those that this process runs.

The cache is named by the files, and what is compiled is what Python has loaded of them. If a file has been edited in
between, in a notebook say, or if Python has taken a ``.pyc`` for a file's that has the same size and time and is
another's, then the code of one kernel would be kept as that of another: for ever, and for every process.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from functools import cache
from pathlib import Path

from cowpath.errors import InputError

from . import EXTRA_SOURCES
from .sources import bytes_of_all, digest_of

PACKAGE = Path(__file__).resolve().parent.parent.parent
HEAD = 16  # bytes of a .pyc before its code: a magic number, flags, the source's time and size
BY_TIME, UNCHECKED = 0, 1  # flags: Python compares time and size; or nothing


@cache
def at_start() -> str:
    """A hash of all of cowpath's sources: asked for first before the kernel is imported."""
    return bytes_of_all(PACKAGE)


def unchanged() -> bool:
    """Whether the files are still as they were when they were loaded, cowpath's and those of one's own."""
    try:
        mine = all(digest_of(path) == digest for path, digest in EXTRA_SOURCES.items())
        return mine and bytes_of_all(PACKAGE) == at_start()
    except OSError:
        return False


def check_all() -> None:
    """Raise InputError where Python has loaded something else than what stands in a source of cowpath's."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and file.endswith(".py") and PACKAGE in Path(file).parents:
            _check(file)


@cache
def _check(file: str) -> None:
    kept = Path(importlib.util.cache_from_source(file))
    try:
        head, source, stands = kept.read_bytes(), Path(file).read_bytes(), Path(file).stat()
    except OSError:
        return  # there is none, so it was loaded from the source
    flags = int.from_bytes(head[4:8], "little")
    time_and_size = b"".join(
        (int(each) & 0xFFFFFFFF).to_bytes(4, "little") for each in (stands.st_mtime, stands.st_size)
    )
    if head[:4] != importlib.util.MAGIC_NUMBER or not (
        flags == UNCHECKED or (flags == BY_TIME and head[8:HEAD] == time_and_size)
    ):
        return  # Python would not take it
    if marshal.loads(head[HEAD:]) != compile(source, file, "exec", dont_inherit=True):
        raise InputError(
            f"Python runs another version of this file: {kept.name} has its size and time, and is not made from it",
            file=file,
            hint=f"rm {kept}",
        )
