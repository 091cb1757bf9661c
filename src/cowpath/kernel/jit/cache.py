"""Where our compiled functions are kept between two runs: in a folder of their own, not in that of the user's.

Numba's cache does not see a change in a called function of another file, so the folder is named by a hash of all
sources that are compiled, of Numba's version and of the bounds-check switch. It is asked for when a function is first
compiled, not when it is defined: until then there may come more sources.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numba

from . import shipped

PACKAGE = Path(__file__).resolve().parent.parent.parent
SOURCES = ("kernel", "engine")
EXTRA_SOURCES: list[Path] = []  # compiled along with them: to be named before the first function is compiled
KEPT: list[Any] = []  # the functions that are kept on disk


def cache_folder() -> Path:
    """Where compiled code is kept: ``$COWPATH_CACHE``, or ``~/.cache/cowpath``, and below it the key of the sources."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("COWPATH_CACHE") or caches / "cowpath") / _key(tuple(EXTRA_SOURCES))


@cache
def _key(extra: tuple[Path, ...]) -> str:
    checked = os.environ.get("NUMBA_BOUNDSCHECK") not in (None, "", "0")
    digest = hashlib.sha256(f"{numba.__version__} {checked}".encode())
    own = [source for folder in SOURCES for source in sorted((PACKAGE / folder).rglob("*.py"))]
    for source in [*own, *extra]:
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:16]


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
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

    class _Locator(_CacheLocator):
        """Says where a function is kept."""

        def __init__(self, function: Any) -> None:
            self._py_file = inspect.getfile(function)
            self._line = function.__code__.co_firstlineno

        def get_cache_path(self) -> str:
            return str(cache_folder())

        def get_source_stamp(self) -> str:
            return hashlib.sha256(Path(self._py_file).read_bytes()).hexdigest()

        def get_disambiguator(self) -> str:
            return str(self._line)

    class _Files(CompileResultCacheImpl):
        """Names a function's files."""

        def __init__(self, function: Any) -> None:  # Numba's would ask the user's settings for a locator
            self._lineno = function.__code__.co_firstlineno
            self._locator = _Locator(function)
            self._filename_base = self.get_filename_base(f"{function.__module__}.{function.__qualname__}", sys.abiflags)

    class _Kept(FunctionCache):
        """A function's cache; a disk that is full, or a file that is broken, costs time and nothing else."""

        _impl_class = _Files

        def load_overload(self, *args: Any) -> Any:
            try:
                found = super().load_overload(*args)
            except Exception:
                with suppress(OSError):
                    self.flush()  # so that it can be written again
                found = None
            return self._shipped(*args) if found is None else found

        def _shipped(self, signature: Any, context: Any) -> Any:
            try:
                found = shipped.find(cache_folder().name, self._impl.filename_base, signature, context)
                return found and self._impl.rebuild(context, found)
            except Exception:
                return None

        def save_overload(self, *args: Any) -> None:
            try:
                super().save_overload(*args)
            except OSError as error:
                warnings.warn(f"compiled code cannot be kept, it is made anew each time: {error}", stacklevel=2)

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
    users, config.CACHE_DIR = config.CACHE_DIR, str(cache_folder())
    try:
        dispatcher.enable_caching()
    except Exception:
        return  # not kept
    finally:
        config.CACHE_DIR = users
