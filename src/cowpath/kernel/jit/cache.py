"""Where our compiled functions are kept between two runs: in a folder of their own, not in that of the user's.

Numba's cache does not see a change in a called function of another file, so the folder is named by a hash of what is
compiled (``sources``) and of what else decides about the code (``settings``). It is asked for when a function is first
compiled, not when it is defined: until then there may come more sources.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba

from . import EXTRA_SOURCES, folders, loaded, shipped
from .interrupts import ctrl_c_waits
from .loaded import PACKAGE
from .sources import digest_of, note_of, what_is_compiled

KEPT: list[Any] = []  # the functions that are kept on disk
# settings of Numba's without an effect on the code, and those of the processor: what comes of these is in Numba's index
NO_MATTER = (
    "ANNOTATE", "CACHE_", "CHROME_", "COLOR_", "CPU_", "CUDA_", "DEBUG_CACHE", "DIFF_", "DISABLE_CUDA", "DUMP_",
    "ENABLE_AVX", "ENABLE_CUDASIM", "FORCE_CUDA", "GDB_", "HIGHLIGHT_", "HTML", "NUMBA_", "RUNNING_", "SHOW_",
    "THREADING_", "_",
)  # fmt: skip


def cache_folder() -> Path:
    """Where compiled code is kept: ``$COWPATH_CACHE``, or ``~/.cache/cowpath``, and below it the key of the sources."""
    return folders.root() / _key(tuple((path.name, digest) for path, digest in EXTRA_SOURCES.items()))


def is_kept(name: str, extra: Iterable[str | Path]) -> bool:
    """Whether a function has been compiled, with these more sources, or has come with a wheel."""
    more = {path: digest_of(path) for path in (Path(source).resolve() for source in extra)}
    folder = folders.root() / _key(tuple((path.name, digest) for path, digest in more.items()))
    return any(folder.glob(f"{name}-*.nbi")) or _fits(folder)


def is_shipped() -> bool:
    """Whether all has come compiled, with a wheel, and fits."""
    return _fits(cache_folder())


def _fits(folder: Path) -> bool:
    features = numba.config.CPU_FEATURES or llvmlite.binding.get_host_cpu_features().flatten()  # type: ignore[attr-defined]
    return shipped.fits(folder.name, features)


def can_be_kept() -> bool:
    """Whether the folder can be written; if not, that is said, once."""
    return folders.take_into_use(cache_folder())


def settings() -> str:
    """What decides about the code beside its sources: the releases, and the settings of Numba's."""
    config = vars(numba.config)
    known = {name: config[name] for name in sorted(config) if name.isupper() and not name.startswith(NO_MATTER)}
    known["BOUNDSCHECK"] = bool(known.get("BOUNDSCHECK"))
    return f"{sys.implementation.cache_tag} -O{sys.flags.optimize} {numba.__version__} {llvmlite.__version__} {known}"


@cache
def _key(extra: tuple[tuple[str, str], ...]) -> str:
    return hashlib.sha256(f"{settings()} {sources_key()} {extra}".encode()).hexdigest()[:16]


def sources_as_they_stand() -> str:
    """A hash of all of cowpath's sources, to the last comment, as this process has loaded them."""
    return loaded.at_start()


def sources_key() -> str:
    """``what_is_compiled``, which takes a second: looked up, if these sources have been seen before."""
    name = _noted_as()
    known = shipped.note(name) or folders.note(name)
    if known is None:
        known = what_is_compiled(PACKAGE)
        if not loaded.unchanged():
            return sources_as_they_stand()  # that is what other sources say; nothing will be kept
        folders.write_note(name, known)
    return known


def _noted_as() -> str:
    return note_of(sources_as_they_stand())


def ship(objects: Path) -> dict[str, int]:
    """Make what a wheel has compiled (``shipped``) out of what is kept; returns the bytes of each function."""
    return shipped.pack(cache_folder(), objects, (_noted_as(), sources_key()))


def keep(dispatcher: Any) -> Any:
    """Keep what a function is compiled to on disk."""
    compile_now = getattr(dispatcher, "compile", None)  # None under NUMBA_DISABLE_JIT
    if compile_now is None:
        return dispatcher
    KEPT.append(dispatcher.py_func)

    def compile_or_load(signature: Any) -> Any:
        if not dispatcher.overloads:
            _give_cache(dispatcher)
        return compile_now(signature)

    dispatcher.compile = compile_or_load
    return dispatcher


try:
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile, _CacheLocator

    class _Locator(_CacheLocator):
        """Says where a function is kept. What of our sources matters is in the folder's name, for all of them."""

        def __init__(self, function: Any) -> None:
            self._py_file = inspect.getfile(function)

        def get_cache_path(self) -> str:
            return str(cache_folder())

        def get_source_stamp(self) -> str:
            source = Path(self._py_file).resolve()
            return "" if PACKAGE in source.parents else hashlib.sha256(source.read_bytes()).hexdigest()

        def get_disambiguator(self) -> str:
            return self.get_source_stamp()[:16]

    class _Files(CompileResultCacheImpl):
        """Names a function's files: not by its line, which a comment above it moves."""

        def __init__(self, function: Any) -> None:  # Numba's would ask the user's settings for a locator
            self._lineno = function.__code__.co_firstlineno
            self._locator = _Locator(function)
            self._filename_base = self.get_filename_base(f"{function.__module__}.{function.__qualname__}", sys.abiflags)

    class _Kept(FunctionCache):
        """A function's cache; a disk that is full, or a file that is broken, costs time and nothing else.

        Each signature has files of its own. Numba numbers those of a function by its index: two processes that save at
        the same time could leave an index that leads one's signature to the other's code.
        """

        _impl_class = _Files

        def _index_key(self, signature: Any, codegen: Any) -> Any:
            key = super()._index_key(signature, codegen)
            name = f"{self._impl.filename_base}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"
            self._cache_file = IndexDataCacheFile(self._cache_path, name, self._impl.locator.get_source_stamp())
            return key

        def load_overload(self, *args: Any) -> Any:
            try:
                with ctrl_c_waits():
                    found = super().load_overload(*args)
            except Exception:
                with suppress(OSError):
                    self.flush()  # so that it can be written again
                found = None
            if found is None and (ready := self._shipped(*args)) is not None:
                return ready  # it need not be kept
            can_be_kept()
            return found

        def _shipped(self, signature: Any, context: Any) -> Any:
            try:
                key, stamp = self._index_key(signature, context.codegen()), self._impl.locator.get_source_stamp()
                found = shipped.find(cache_folder().name, self._impl.filename_base, stamp, key)
                return found and self._impl.rebuild(context, found)
            except Exception:
                return None

        def save_overload(self, *args: Any) -> None:
            if not loaded.unchanged():
                folders.say_changed()
                return
            loaded.check_all()
            try:
                super().save_overload(*args)
            except OSError as error:
                folders.say_unwritable(error)

except (ImportError, AttributeError):
    _Kept = None  # type: ignore[assignment,misc]


def _give_cache(dispatcher: Any) -> None:
    try:
        assert hasattr(dispatcher, "_cache")
        dispatcher._cache = _Kept(dispatcher.py_func)
    except Exception:  # this Numba keeps its books in another way: whatever it cannot do as we want it, it does not do
        _give_plain_cache(dispatcher)


def _give_plain_cache(dispatcher: Any) -> None:
    """By the documented way, which looks at a setting for all: ours is there for that moment."""
    config: Any = numba.config
    if not hasattr(config, "CACHE_DIR") or not hasattr(dispatcher, "enable_caching"):
        return
    can_be_kept()
    users, config.CACHE_DIR = config.CACHE_DIR, str(cache_folder())
    try:
        dispatcher.enable_caching()
    except Exception:
        return  # not kept
    finally:
        config.CACHE_DIR = users
