"""A function of ours as a dispatcher of Numba's: a part of others, or one that Python calls."""

from __future__ import annotations

from typing import Any

import numba
import numba.extending

from . import Function
from .cache import keep
from .guest import compiles_as_ours
from .progress import FUNCTIONS

parts: Any
try:
    from . import parts
except (ImportError, AttributeError):  # a Numba with other insides: each function is compiled by itself
    parts = None

# no exception for a division by zero: the code checks what it divides by
OPTIONS: dict[str, Any] = {"error_model": "numpy"}


def part(function: Function, inline: bool, apart: bool = False, borrows: bool = False) -> Function:
    """A function that compiled code calls. ``inline``: copied into its callers; ``apart``: one copy in all;
    ``borrows``: somebody else keeps the arrays that it is handed, and it makes none.
    """
    FUNCTIONS.append(function.__name__)
    options = OPTIONS | {"forceinline": inline, "_nrt": not borrows}  # said of all: Numba hands it on to what is called
    if parts is None:
        return _compiled_once(numba.njit(**options)(function))
    return _compiled_once(parts.as_part(function, apart, options))


def entry(function: Function, alone: bool) -> Function:
    """A function that Python calls, and all that it calls, kept on disk. ``alone``: no compiled code calls it."""
    FUNCTIONS.append(function.__name__)
    options = OPTIONS | {"forceinline": False}
    if parts is not None:
        options["pipeline_class"] = parts.RootCompiler if alone else parts.WholeCompiler
    return compiles_as_ours(keep(numba.njit(**options)(function)))


def kept(function: Function) -> Function:
    """A function that has nothing to do with the kernel, kept with ours."""
    return keep(numba.njit(function))


def intrinsic(function: Function) -> Function:
    """What makes compiled code by hand."""
    made: Function = numba.extending.intrinsic(function)
    return made


def _compiled_once(dispatcher: Any) -> Any:
    """A function is compiled for 64-bit integers, whatever the width of the field that an argument comes from.

    Numba would compile it, and all that it calls, once for each width.
    """
    template_of = getattr(dispatcher, "get_call_template", None)  # None under NUMBA_DISABLE_JIT
    if template_of is not None:

        def with_wide_integers(args: Any, kws: Any) -> Any:
            return template_of(tuple(_widened(arg) for arg in args), {name: _widened(kws[name]) for name in kws})

        dispatcher.get_call_template = with_wide_integers
    return dispatcher


def _widened(kind: Any) -> Any:
    plain: Any = numba.types.unliteral(kind)
    return numba.types.int64 if plain in numba.types.signed_domain else kind
