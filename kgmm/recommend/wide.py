"""Rows of two matrices, sixteen numbers at a time: what the compiler cannot do so, not knowing that the two share no memory."""

# mypy: ignore-errors
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16  #: float32 of a cache line
_LINE = ir.VectorType(ir.FloatType(), LANES)


def _places(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """Pointers to the chunk of a row of either matrix; the arguments begin with (matrix, row, matrix, row, chunk)."""
    found = []
    for at in (0, 2):
        matrix = cgutils.create_struct_proxy(signature.args[at])(context, builder, arguments[at])
        wide = cgutils.unpack_tuple(builder, matrix.shape, 2)[1]
        chunk = builder.mul(arguments[4], ir.Constant(arguments[4].type, LANES))
        place = builder.gep(matrix.data, [builder.add(builder.mul(arguments[at + 1], wide), chunk)])
        found.append(builder.bitcast(place, _LINE.as_pointer()))
    return found


@intrinsic
def product(typing_context: Any, U: Any, u: Any, V: Any, i: Any, chunk: Any) -> Any:
    """Compiled code only: the scalar product of a chunk of row u of U and of row i of V, both float32, C-contiguous."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b = (builder.load(place, align=4) for place in _places(context, builder, signature, arguments))
        total = ir.FunctionType(ir.FloatType(), [ir.FloatType(), _LINE])
        add = cgutils.get_or_insert_function(builder.module, total, f"llvm.vector.reduce.fadd.v{LANES}f32")
        return builder.call(add, [ir.Constant(ir.FloatType(), 0.0), builder.fmul(a, b)], fastmath=("reassoc",))

    whole = types.uint64
    return types.float32(U, whole, V, whole, whole), generate


@intrinsic
def mix(typing_context: Any, U: Any, u: Any, V: Any, i: Any, chunk: Any, step: Any, keep: Any) -> Any:
    """Compiled code only: a, b = keep · a + step · b, keep · b + step · a, of a chunk of row u of U and of row i of V."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = _places(context, builder, signature, arguments)
        a, b = (builder.load(place, align=4) for place in places)
        nowhere, first = ir.Constant(_LINE, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)

        def all_lanes(number: Any) -> Any:
            one = builder.insert_element(nowhere, number, first)
            return builder.shuffle_vector(one, one, everywhere)

        step, keep = map(all_lanes, arguments[5:])
        for place, mine, other in ((places[0], a, b), (places[1], b, a)):
            kept, moved = (builder.fmul(x, y, flags=("contract",)) for x, y in ((keep, mine), (step, other)))
            builder.store(builder.fadd(kept, moved, flags=("contract",)), place, align=4)
        return context.get_dummy_value()

    whole, single = types.uint64, types.float32
    return types.void(U, whole, V, whole, whole, single, single), generate
