"""Compiled functions that come with a wheel: for any processor of the machine's kind, and for one Python and one Numba.

They are files of Numba's cache under another name: the name has a hash of all that the code depends on, and a file that
does not fit is not found. Nothing is ever told: what is not there, does not fit or is broken is compiled.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
import sys
import sysconfig
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite
import numba

OBJECTS = Path(__file__).resolve().parent.parent / "objects"  # not there in a clone, nor in a source archive
DIGEST = hashlib.sha256().digest_size  # at the head of a file, of what follows


class Processor(NamedTuple):
    """What shipped code is made for: a name of LLVM's, and what it takes for granted with that."""

    name: str
    features: tuple[str, ...] = ()


PROCESSORS = {  # by the machine's kind
    "x86_64": Processor("x86-64-v2", ("cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3")),
    "aarch64": Processor("generic"),
}
# Numba's settings that are not in the code; any other one that is not what it was when the wheel was made is a misfit
NOT_IN_THE_CODE = frozenset(
    """
    CACHE_DIR CACHE_LOCATOR_CLASSES COLOR_SCHEME CPU_FEATURES CPU_NAME DEVELOPER_MODE DISABLE_CUDA
    DISABLE_PERFORMANCE_WARNINGS ENABLE_AVX ENABLE_CUDASIM FORCE_CUDA_CC FULL_TRACEBACKS GDB_BINARY
    NUMBA_DEFAULT_NUM_THREADS NUMBA_NUM_THREADS SHOW_HELP THREADING_LAYER THREADING_LAYER_PRIORITY
    """.split()
)


def processor() -> Processor | None:
    """What code is shipped for, on a machine of this kind."""
    return PROCESSORS.get({"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine()))


def find(sources: str, function: str, signature: Any, context: Any) -> tuple[Any, ...] | None:
    """What is shipped of a function, as Numba's cache has it; None if there is nothing that fits.

    ``sources``: the key of all that is compiled along with it. ``function``: the name of its files in Numba's cache.
    """
    if not OBJECTS.is_dir() or not _runs_here(context.codegen().magic_tuple()[2]):
        return None
    path = OBJECTS / file_name(sources, function, signature)
    if not path.is_file():
        return None
    whole = path.read_bytes()
    packed = whole[DIGEST:]
    if whole != sealed(packed):
        return None
    found: tuple[Any, ...] = pickle.loads(zlib.decompress(packed))
    return found


def sealed(packed: bytes) -> bytes:
    """A file that tells whether it is as it was written."""
    return hashlib.sha256(packed).digest() + packed


def _runs_here(features: str) -> bool:
    """Whether code may use what shipped code uses: ``features`` as LLVM has them, ``+sse4.2,-avx``."""
    wanted = processor()
    return wanted is not None and {f"+{name}" for name in wanted.features} <= set(features.split(","))


def file_name(sources: str, function: str, signature: Any) -> str:
    """The name under which a function is shipped: all is in it that the code depends on, but for the processor."""
    made_with = (
        sources, numba.__version__, llvmlite.__version__, sys.implementation.cache_tag, sys.abiflags,
        sysconfig.get_platform(), *settings(), function, signature,
    )  # fmt: skip
    return f"{function.split('-')[0]}-{hashlib.sha256(repr(made_with).encode()).hexdigest()[:16]}.object"


def settings() -> Iterator[tuple[str, Any]]:
    """Numba's settings that what it makes may depend on."""
    for name, value in sorted(vars(numba.config).items()):  # type: ignore[attr-defined]
        if name.isupper() and not name.startswith(("_", "CUDA_")) and name not in NOT_IN_THE_CODE:
            yield name, value


def pack(kept: Path, sources: str, folder: Path) -> dict[str, int]:
    """Make what is shipped out of what was kept in a folder by runs of their own, under ``building``.

    Returns the functions, with the bytes of all files of each. Raises ValueError where something in the folder is made
    for another processor.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sizes: dict[str, int] = {}
    for index in sorted(kept.glob("*.nbi")):
        with index.open("rb") as file:
            pickle.load(file)  # Numba's version
            _, overloads = pickle.loads(file.read())
        for (signature, made_for, *_), name in overloads.items():
            wanted = processor()
            if wanted is None or made_for[1:] != (wanted.name, ""):
                raise ValueError(f"{index}: made for {made_for[1:]}")
            whole = sealed(zlib.compress((kept / name).read_bytes(), 9))
            (folder / file_name(sources, index.stem, signature)).write_bytes(whole)
            function = index.stem.split("-")[0]
            sizes[function] = sizes.get(function, 0) + len(whole)
    return sizes


def building() -> dict[str, str]:
    """The environment in which Numba compiles for any processor of this machine's kind; empty if none is known."""
    wanted = processor()
    return {} if wanted is None else {"NUMBA_CPU_NAME": wanted.name, "NUMBA_CPU_FEATURES": ""}
