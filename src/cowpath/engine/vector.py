"""What the explorer asks of the processor beyond Numba: words that are compared many at a time.

LLVM makes of it what the processor has. In plain Python nobody calls it (``arrays.find_changes``).
"""

from __future__ import annotations

from typing import Any

from cowpath.kernel.compiled import intrinsic

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
