"""What is replaced within Numba while this thread compiles our functions: a guest leaves the house as it was.

Numba compiles in one thread at a time, under a lock, which is held for as long: a function of the user's is never
compiled meanwhile. Without the lock, or where Numba has no such function any more, nothing is replaced and compiling,
or what is compiled, is only slower.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import get_ident
from typing import Any

import numba
from numba.core import types

LOCK: Any
arrayobj: Any
try:
    from numba.core.compiler_lock import global_compiler_lock as LOCK
except ImportError:
    LOCK = None
BaseContext: Any
try:
    from numba.core.base import BaseContext
except ImportError:
    BaseContext = None
ConfigStack: Any
try:
    from numba.core.targetconfig import ConfigStack
except ImportError:
    ConfigStack = None
try:
    from numba.np import arrayobj
except ImportError:
    arrayobj = None

Function = Callable[..., Any]
GARBAGE = 300_000, 10, 10  # objects between two collections, and how many of these until older ones are looked through
_inside = False  # read and written under the lock


def compiles_as_ours(dispatcher: Any) -> Any:
    """Let a function, and what it calls, be compiled within ``ours``."""
    compile_now = getattr(dispatcher, "compile", None)  # None under NUMBA_DISABLE_JIT
    if compile_now is not None:

        def compile_here(signature: Any) -> Any:
            with ours():
                return compile_now(signature)

        dispatcher.compile = compile_here
    return dispatcher


@contextmanager
def ours() -> Iterator[None]:
    """Within this, what this thread compiles is ours."""
    global _inside
    if LOCK is None:
        yield
        return
    with LOCK, ExitStack() as until_the_end:
        if not _inside:
            _inside = True
            until_the_end.callback(_leave)
            until_the_end.enter_context(_own_garbage())
            until_the_end.enter_context(_replaced(arrayobj, "fix_integer_index", no_negative_indices))
            for name in ("Record", "NestedArray"):
                until_the_end.enter_context(_replaced(getattr(types, name, None), "__repr__", said_once))
            until_the_end.enter_context(_replaced(getattr(types, "BaseFunction", None), "get_call_type", typed_once))
            until_the_end.enter_context(_replaced(BaseContext, "get_abi_sizeof", measured_once))
        yield


def _leave() -> None:
    global _inside
    _inside = False


@contextmanager
def _own_garbage() -> Iterator[None]:
    """What is there already is not looked through for garbage, of which Numba makes much: a function's is soon gone."""
    if not gc.isenabled() or gc.get_freeze_count():
        yield
        return
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def _replaced(owner: Any, name: str, by: Callable[[Function], Function]) -> Iterator[None]:
    original = getattr(owner, "__dict__", {}).get(name)
    if original is None:
        yield
        return
    replacement, thread = by(original), get_ident()

    def either(*args: Any, **kws: Any) -> Any:  # Numba's, for whoever comes by without the lock
        return (replacement if get_ident() == thread else original)(*args, **kws)

    setattr(owner, name, either)
    try:
        yield
    finally:
        setattr(owner, name, original)


def no_negative_indices(_: Function) -> Function:
    """An index is compiled as it stands, without NumPy's meaning of a negative one.

    That would cost a comparison and a conditional move at every access, a fifth of all the time, and the kernel's code
    has no use for it (under NUMBA_BOUNDSCHECK a negative index is an error). Numba has no setting for it.
    """

    def as_it_stands(context: Any, builder: Any, kind: Any, index: Any, size: Any) -> Any:
        return context.cast(builder, index, kind, numba.types.intp)

    return as_it_stands


def said_once(make: Function) -> Function:
    """A record's repr, 60 KB of it, is made for each pass over each function: here once for each type."""
    said: dict[int, tuple[Any, str]] = {}

    def repr_of(kind: Any) -> str:
        if id(kind) not in said:
            said[id(kind)] = kind, make(kind)
        return said[id(kind)][1]

    return repr_of


def typed_once(find: Function) -> Function:
    """What ``+`` makes of two integers is found by trying all that it can mean: here once for each kind of arguments.

    Numba looks for it anew at each place, a sixth of all its time. The answer may depend on whether what calls it is
    inlined: so may what is compiled for it.
    """
    found: dict[Any, Any] = {}

    def get_call_type(kind: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws:
            return find(kind, context, args, kws)
        flags = ConfigStack.top_or_none() if ConfigStack is not None else None
        key = kind, context, tuple(args), getattr(flags, "forceinline", None)
        signature = found.get(key)
        if signature is None:
            signature = find(kind, context, args, kws)
            if signature is not None:
                found[key] = signature
        return signature

    return get_call_type


def measured_once(measure: Function) -> Function:
    """How long a type of LLVM's is: Numba has a small module parsed each time it asks."""
    known: dict[Any, int] = {}

    def get_abi_sizeof(context: Any, kind: Any) -> int:
        key = context, kind
        if key not in known:
            known[key] = measure(context, kind)
        return known[key]

    return get_abi_sizeof
