"""Compiling the modelled kernel as a whole: its functions are parts, and what Python calls is made of them.

Numba optimizes a function, with all that it calls, and makes machine code of it before it goes on to the callers. The
kernel's functions lie ten calls deep, so the innermost ones go through that again and again, most of the time for
nothing: Python calls a handful of them. Here a part is only translated; it is optimized, and machine code is made of
it, once for each entry point. A part that Python calls after all (a test does) becomes an entry point then.

This lives on how Numba links its libraries. Where a name of that is gone, or the trial of ``possible`` fails, all is
compiled as Numba does it: to the same code, in a few times the time.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import numba
from llvmlite.binding import parse_assembly
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

from . import passes
from .guest import compiles_as_ours
from .interrupts import ctrl_c_waits

REPLACED = ("add_overload", "_compile_for_args", "overloads")  # of a part's dispatcher
OURS = "cowpath."  # modules; a step of the user's own is compiled with all of Numba's passes
NEVER_CALLED = ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value


def linked_with(library: Any) -> Iterator[Any]:
    """All that a library is to be linked with: a part brings along what it calls, an entry point has it already."""
    seen = {library}
    waiting = list(library._linking_libraries)
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            yield each
            if isinstance(each, Part):
                waiting += each._linking_libraries


class Whole(JITCodeLibrary):
    """The code of an entry point, with that of its parts."""

    own: frozenset[str] = frozenset()

    def finalize(self) -> None:
        """Link, optimize, make machine code."""
        self.own = frozenset(function.name for function in self._final_module.functions if not function.is_declaration)
        self._linking_libraries = list(linked_with(self))
        with ctrl_c_waits():
            super().finalize()

    def _optimize_final_module(self) -> None:
        for function in self._final_module.functions:
            if not function.is_declaration and function.name not in self.own:
                function.linkage = "linkonce_odr"  # it may go where it is called, and need not stay
        super()._optimize_final_module()


class Root(Whole):
    """The code of an entry point that no compiled code calls: of what is kept on disk, half is left out."""

    def _get_module_for_linking(self) -> Any:
        """Only the names of what it defines: nothing is ever linked with it, and to read all of it takes long."""
        names = (function.name for function in self._final_module.functions if function.name in self.own)
        stubs = "\n".join(f'define void @"{name}"() {{ unreachable }}' for name in names)
        return parse_assembly(stubs)


class Part(JITCodeLibrary):
    """The code of a function that compiled code calls: translated, and no more."""

    apart = False  # it is called, never copied into those that call it

    def finalize(self) -> None:
        """Nothing is made of it."""
        self._finalized = True

    def _optimize_functions(self, module: Any) -> None:
        """Numba would make a pass manager for each function, and for each that is only declared."""
        module.data_layout = self._codegen._data_layout
        manager, builder = self._codegen._function_pass_manager()
        for function in module.functions:
            if not function.is_declaration:
                manager.run(function, builder)

    def _get_module_for_linking(self) -> Any:
        if self.apart:
            for function in self._final_module.functions:
                if not function.is_declaration:
                    function.add_function_attribute("noinline")
        return self._final_module

    @property
    def codegen(self) -> Any:
        """Itself: to be asked for ``set_env``."""
        return self

    def set_env(self, name: str, env: Any) -> None:
        """Its environment belongs to machine code: it has none."""

    def get_pointer_to_function(self, name: str) -> int | None:
        """Of machine code that is not there: ``as_part`` sees to it that it is not called."""
        return NEVER_CALLED


class ApartPart(Part):
    """A part of which there is to be one copy in all."""

    apart = True


def as_part(function: Any, apart: bool, options: dict[str, Any]) -> Any:
    """A function compiled as a part; when Python calls it, it is compiled again, as an entry point."""
    compiler = ApartCompiler if apart else PartCompiler
    dispatcher: Any = numba.njit(pipeline_class=compiler, **options)(function)
    if not all(hasattr(dispatcher, name) for name in REPLACED):  # or NUMBA_DISABLE_JIT
        return numba.njit(**options)(function)

    def add_overload(compiled: Any) -> None:  # without telling the dispatcher's C half of it
        with suppress(AttributeError):  # what was thought of each line, which Numba does not keep on disk either
            compiled.fndesc.typemap = compiled.fndesc.calltypes = None
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled

    @cache
    def whole() -> Any:
        return compiles_as_ours(numba.njit(pipeline_class=WholeCompiler, **options)(function))

    def compile_for(*args: Any, **kws: Any) -> Any:
        return whole()._compile_for_args(*args, **kws)

    dispatcher.add_overload = add_overload
    dispatcher._compile_for_args = compile_for
    return dispatcher


class _Lowering(NativeLowering):
    library: type[Any]

    def run_pass(self, state: Any) -> bool:
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return bool(super().run_pass(state))


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerPart(_Lowering):
    _name: Any = "lower_part"
    library = Part


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerApart(_Lowering):
    _name: Any = "lower_apart"
    library = ApartPart


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerWhole(_Lowering):
    _name: Any = "lower_whole"
    library = Whole


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerRoot(_Lowering):
    _name: Any = "lower_root"
    library = Root


def _replacing_lowering(replacement: Any, unwrapped: bool) -> Any:
    class Pipeline(Compiler):
        def define_pipelines(self) -> list[Any]:
            if not possible():
                return list(super().define_pipelines())
            self.state.flags.no_cpython_wrapper = self.state.flags.no_cfunc_wrapper = unwrapped
            builder = DefaultPassBuilder.define_nopython_pipeline(self.state)
            builder.add_pass_after(replacement, NativeLowering)
            builder.passes = [each for each in builder.passes if each[0] is not NativeLowering]
            if self.state.func_id.modname.startswith(OURS):
                builder.passes = [each for each in builder.passes if each[0] not in passes.NOT_NEEDED]
            builder.finalize()
            return [builder]

    return Pipeline


PartCompiler = _replacing_lowering(_LowerPart, unwrapped=True)  # Python does not call a part
ApartCompiler = _replacing_lowering(_LowerApart, unwrapped=True)
RootCompiler = _replacing_lowering(_LowerRoot, unwrapped=False)
WholeCompiler = _replacing_lowering(_LowerWhole, unwrapped=False)
_possible: bool | None = None  # None: not tried yet


def possible() -> bool:
    """Whether this Numba can do it: tried on a few small functions before the first is compiled."""
    global _possible
    if _possible is None:
        _possible = True
        try:
            _possible = _tried()
        except Exception:
            _possible = False
    return _possible


def _tried() -> bool:
    one = as_part(lambda: 1, True, {})
    two = as_part(lambda: one() + 1, False, {})
    three = numba.njit(pipeline_class=WholeCompiler)(lambda: two() + one())
    four = numba.njit(pipeline_class=RootCompiler)(lambda: two() + two())
    works = three() == 3 and four() == 4
    dispatchers: tuple[Any, ...] = three, four
    for each in dispatchers:
        for compiled in each.overloads.values():
            compiled.library.serialize_using_object_code()  # as it is kept on disk
    return works
