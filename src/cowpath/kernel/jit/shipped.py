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
from pathlib import Path
from typing import Any, NamedTuple

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


def processor() -> Processor | None:
    """What code is shipped for, on a machine of this kind."""
    return PROCESSORS.get({"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine()))


def building() -> dict[str, str]:
    """The environment in which Numba compiles for any processor of this machine's kind; empty if none is known."""
    wanted = processor()
    return {} if wanted is None else {"NUMBA_CPU_NAME": wanted.name, "NUMBA_CPU_FEATURES": ""}


def find(kept: str, files: str, stamp: str, key: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """What is shipped of a function, as Numba's cache has it; None if there is nothing that fits.

    ``kept``: the name of our cache's folder; the others are what Numba's cache knows a function by: the name of its
    ``files``, its source's stamp, and the ``key`` in its index.
    """
    _, (_, _, features), _ = key
    if not OBJECTS.is_dir() or not _runs_here(features):
        return None
    content = _opened(OBJECTS / _name(kept, files, stamp, key))
    if content is None:
        return None
    found: tuple[Any, ...] = pickle.loads(zlib.decompress(content))
    return found


def _runs_here(features: str) -> bool:
    """Whether code may use what shipped code uses: ``features`` as LLVM has them, ``+sse4.2,-avx``."""
    wanted = processor()
    return wanted is not None and {f"+{name}" for name in wanted.features} <= set(features.split(","))


def sealed(content: bytes) -> bytes:
    """A file that tells whether it is as it was written."""
    return hashlib.sha256(content).digest() + content


def _opened(path: Path) -> bytes | None:
    """What is in such a file; None if there is none, or it is not as it was written."""
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    content = whole[DIGEST:]
    return content if whole == sealed(content) else None


def _name(kept: str, files: str, stamp: str, key: tuple[Any, ...]) -> str:
    """Under which name a function is shipped. What code depends on is in it, but for the processor.

    Sources, releases and settings are in the name of our cache's folder, the rest of it is said here.
    """
    signature, _, bytecode = key
    function = files.split("-")[0]
    said = repr((kept, sys.abiflags, sysconfig.get_platform(), function, stamp, signature, bytecode))
    return f"{function}-{hashlib.sha256(said.encode()).hexdigest()[:16]}.object"


def note(name: str) -> str | None:
    """What ``sources_key`` is of the sources that this is a hash of, if these are the wheel's: it takes a second."""
    said, known, _ = _sources()
    return known if said == name else None


def fits(kept: str, features: str) -> bool:
    """Whether what is shipped is for our cache's folder of this name, and runs on a processor with these features."""
    return kept == _sources()[2] and _runs_here(features)


def _sources() -> tuple[str, str, str]:
    """Of the sources that are shipped compiled: both hashes of them, and the name of our cache's folder."""
    said = (_opened(OBJECTS / "sources") or b"").decode("ascii", "replace").split()
    return (said[0], said[1], said[2]) if len(said) == 3 else ("", "", "")


def pack(folder: Path, objects: Path, sources: tuple[str, str]) -> dict[str, int]:
    """Make what is shipped out of a folder of our cache that was filled under ``building``; ``sources``: see ``note``.

    Returns the functions, with the bytes of all files of each. Raises ValueError where something in the folder is made
    for another processor.
    """
    objects.mkdir(parents=True, exist_ok=True)
    (objects / "sources").write_bytes(sealed(" ".join((*sources, folder.name)).encode()))
    sizes: dict[str, int] = {}
    for index in sorted(folder.glob("*.nbi")):
        with index.open("rb") as file:
            pickle.load(file)  # Numba's version
            stamp, overloads = pickle.loads(file.read())
        for key, name in overloads.items():
            wanted = processor()
            if wanted is None or key[1][1:] != (wanted.name, ""):
                raise ValueError(f"{index}: made for {key[1][1:]}")
            whole = sealed(zlib.compress((folder / name).read_bytes(), 9))
            (objects / _name(folder.name, index.stem, stamp, key)).write_bytes(whole)
            function = index.stem.split("-")[0]
            sizes[function] = sizes.get(function, 0) + len(whole)
    return sizes
