"""What is inlined is what is marked: else a few functions grow to all of the kernel, and so does compiling them."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from cowpath import checking
from cowpath.kernel.compiled import cache_folder, compiled, driver, inlined
from cowpath.kernel.jit.dispatchers import OPTIONS
from cowpath.kernel.jit.parts import as_part

SYMBOLS, FUNCTION = 2, 2  # SHT_SYMTAB, STT_FUNC


def functions_of(image: bytes) -> Iterator[int]:
    """The sizes of the functions in a 64-bit ELF image."""
    (table,) = struct.unpack_from("<Q", image, 0x28)
    entry, count = struct.unpack_from("<HH", image, 0x3A)
    for number in range(count):
        kind, *_, offset, size = struct.unpack_from("<4xIQQQQ", image, table + number * entry)
        for at in range(offset, offset + size, 24) if kind == SYMBOLS else ():
            info, length = struct.unpack_from("<4xB11xQ", image, at)
            if info & 15 == FUNCTION and length:
                yield length


@pytest.mark.skipif(sys.platform != "linux", reason="objects of another form")
def test_no_function_is_half_of_the_kernel() -> None:
    """The largest, which every move goes through, is a quarter of the explorer's code: of 220 functions and more."""
    checking.check("linux-3.0", "commit", states=1)
    kept_as = list(cache_folder().rglob("*.drive-*.nbc"))  # Numba lets go of the object that it has loaded
    assert kept_as
    for file in kept_as:
        kept = file.read_bytes()
        sizes = list(functions_of(kept[kept.index(b"\x7fELF") :]))
        assert len(sizes) > 100
        assert max(sizes) < sum(sizes) / 2


def inlined_within(call: Any) -> set[str]:
    """Which functions are to be copied into their callers, of two that an entry point calls."""

    @inlined
    def hot(x):  # type: ignore[no-untyped-def]
        return call(x) + 1

    @driver
    def way_in(x):  # type: ignore[no-untyped-def]
        return hot(x)

    assert way_in(1) == 3
    found = set()
    dispatchers: tuple[Any, Any] = hot, call
    for each in dispatchers:
        for overload in each.overloads.values():
            for function in overload.library._final_module.functions:
                if not function.is_declaration and any(b"alwaysinline" in a for a in function.attributes):
                    found.add(each.py_func.__name__)
    return found


def test_what_an_inlined_function_calls_is_not_inlined_with_it() -> None:
    def cold(x):  # type: ignore[no-untyped-def]
        return x * 2

    assert inlined_within(compiled(cold)) == {"hot"}
    assert inlined_within(as_part(cold, False, OPTIONS)) == {"hot", "cold"}  # Numba hands it on to whoever says nothing
