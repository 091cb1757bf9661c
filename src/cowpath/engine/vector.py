"""What the explorer asks of the processor beyond Numba: words that are compared many at a time.

LLVM makes of it what the processor has. Under NUMBA_DISABLE_JIT it is plain Python.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

WIDTH = 16  # 64-bit words that are compared at once
WORD, MASK = ir.IntType(64), ir.IntType(WIDTH)


@intrinsic
def _differ(_: Any, a: Any, b: Any, at: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vector = ir.VectorType(WORD, WIDTH).as_pointer()
        sides = []
        for kind, array in zip(signature.args[:2], args[:2], strict=True):
            begin = builder.gep(context.make_array(kind)(context, builder, value=array).data, [args[2]])
            sides.append(builder.load(builder.bitcast(begin, vector), align=8))
        return builder.zext(builder.bitcast(builder.icmp_unsigned("!=", *sides), MASK), WORD)

    return types.int64(a, b, types.int64), make


@intrinsic
def _lowest(_: Any, bits: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), make


def _differ_in_python(a: Any, b: Any, at: int) -> int:
    return sum(1 << i for i in range(WIDTH) if a[at + i] != b[at + i])


def _lowest_in_python(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


PLAIN = numba.config.DISABLE_JIT  # type: ignore[attr-defined]
differ: Any = _differ_in_python if PLAIN else _differ  # a bit for each of WIDTH words from ``at`` on that is another
lowest: Any = _lowest_in_python if PLAIN else _lowest  # the place of the lowest bit that is set; one must be
