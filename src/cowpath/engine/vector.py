"""What the explorer asks of the processor beyond Numba: to compare many words at a time, to fetch memory in advance.

LLVM makes of it what the processor has. In plain Python nobody calls what compares (``arrays.find_changes``).
"""

from __future__ import annotations

from typing import Any

from cowpath.kernel.compiled import intrinsic, plainly

from . import arrays

WIDTH = 16  # 64-bit words that are compared at once


@intrinsic
def differ(_: Any, a: Any, b: Any, at: Any) -> Any:
    """A bit for each of WIDTH words from ``at`` on that is another."""
    from llvmlite import ir
    from numba import types

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(ir.IntType(64), WIDTH).as_pointer()
        sides = []
        for kind, array in zip(signature.args[:2], args[:2], strict=True):
            begin = builder.gep(context.make_array(kind)(context, builder, value=array).data, [args[2]])
            sides.append(builder.load(builder.bitcast(begin, vector), align=8))
        mask = builder.bitcast(builder.icmp_unsigned("!=", *sides), ir.IntType(WIDTH))
        return builder.zext(mask, ir.IntType(64))

    return types.int64(a, b, types.int64), make


@intrinsic
def lowest(_: Any, bits: Any) -> Any:
    """The place of the lowest bit that is set; one must be."""
    from llvmlite import ir
    from numba import types

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), make


@plainly(arrays.prefetch)
@intrinsic
def prefetch(_: Any, a: Any, at: Any) -> Any:
    """Have the processor bring an array's place from memory, and go on meanwhile."""
    from llvmlite import ir
    from numba import types

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        place = builder.gep(context.make_array(signature.args[0])(context, builder, value=args[0]).data, [args[1]])
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        call = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(call, [builder.bitcast(place, byte), number(0), number(3), number(1)])  # to read, near, data
        return context.get_dummy_value()

    return types.void(a, types.int64), make


@plainly(arrays.copy_row)
@intrinsic
def copy_row(_: Any, source: Any, target: Any, start: Any, to: Any, words: Any) -> Any:
    """So many 16-bit words, as they stand, from one place to another one, which is no part of it."""
    from llvmlite import ir
    from numba import types

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte, size = ir.IntType(8).as_pointer(), ir.IntType(64)
        begins = []
        for kind, array, at in zip(signature.args[:2], args[:2], args[2:4], strict=True):
            begin = builder.gep(context.make_array(kind)(context, builder, value=array).data, [at])
            begins.append(builder.bitcast(begin, byte))
        copy = builder.module.declare_intrinsic("llvm.memcpy", [byte, byte, size])
        builder.call(copy, [begins[1], begins[0], builder.mul(args[4], size(2)), ir.Constant(ir.IntType(1), 0)])
        return context.get_dummy_value()

    return types.void(source, target, types.int64, types.int64, types.int64), make
