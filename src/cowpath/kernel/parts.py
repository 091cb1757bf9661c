"""Compiling the modelled kernel as a whole: its functions are parts, and what Python calls is made of them.

Numba optimizes a function, with all that it calls, and makes machine code of it before it goes on to the callers. The
kernel's functions lie ten calls deep, so the innermost ones go through that again and again, most of the time for
nothing: Python calls a handful of them. Here a part is only translated; it is optimized, and machine code is made of
it, once for each entry point. A part that Python calls after all (a test does) becomes an entry point then.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from typing import Any

import numba
from llvmlite.binding import parse_assembly
from numba.core import codegen, compiler, typed_passes, types
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

UNWRAPPED = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # Python does not call a part
NEVER_CALLED = ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value


def _said_once(kind: Any) -> None:
    """A record's repr, 60 KB of it, is made for each pass over each function: here once for each type."""
    make = kind.__repr__
    said: dict[int, tuple[Any, str]] = {}

    def repr_of(self: Any) -> str:
        if id(self) not in said:
            said[id(self)] = self, make(self)
        return said[id(self)][1]

    kind.__repr__ = repr_of


for _kind in (types.Record, types.NestedArray):
    _said_once(_kind)


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


class Whole(codegen.JITCodeLibrary):
    """The code of an entry point, with that of its parts."""

    own: frozenset[str] = frozenset()

    def finalize(self) -> None:
        """Link, optimize, make machine code."""
        self.own = frozenset(function.name for function in self._final_module.functions if not function.is_declaration)
        self._linking_libraries = list(linked_with(self))
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


class Part(codegen.JITCodeLibrary):
    """The code of a function that compiled code calls: translated, and no more."""

    apart = False  # it is called, never copied into those that call it

    def finalize(self) -> None:
        """Nothing is made of it."""
        self._finalized = True

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


def as_part(dispatcher: Any) -> Any:
    """A function compiled as a part; when Python calls it, it is compiled again, as an entry point."""
    if not hasattr(dispatcher, "add_overload"):  # NUMBA_DISABLE_JIT
        return dispatcher

    def add_overload(compiled: Any) -> None:  # without telling the dispatcher's C half of it
        dispatcher.overloads[tuple(compiled.signature.args)] = compiled

    @cache
    def whole() -> Any:
        options = {name: value for name, value in dispatcher.targetoptions.items() if name not in UNWRAPPED}
        return numba.jit(pipeline_class=WholeCompiler, **options)(dispatcher.py_func)

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


def _replacing_lowering(replacement: Any) -> Any:
    class Pipeline(compiler.CompilerBase):
        def define_pipelines(self) -> list[Any]:
            builder = compiler.DefaultPassBuilder.define_nopython_pipeline(self.state)
            builder.add_pass_after(replacement, typed_passes.NativeLowering)
            builder.passes = [each for each in builder.passes if each[0] is not typed_passes.NativeLowering]
            builder.finalize()
            return [builder]

    return Pipeline


PartCompiler = _replacing_lowering(_LowerPart)
RootCompiler = _replacing_lowering(_LowerRoot)
ApartCompiler = _replacing_lowering(_LowerApart)
WholeCompiler = _replacing_lowering(_LowerWhole)
