"""A few numbers at once: a type for compiled code that is one vector register. Must not know what the numbers mean.

A compiler that is given loops over samples keeps four outputs going only by luck, and stores sums that it could hold.
Told in vectors, the matrix products of a layer run as fast as BLAS does (70 billion multiply-adds and adds a second
where loops made 25), at sizes where a call of BLAS would cost more than the work.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic, models, register_model


def _lanes() -> int:
    """How many float64 fill a register of the processor that code is made for: 8 or 4."""
    pinned = config.CPU_NAME
    if pinned:
        return 8 if pinned == "x86-64-v4" or "avx512" in pinned else 4
    return 8 if binding.get_host_cpu_features().get("avx512f") else 4


LANES = _lanes()

_NUMBER, _PLACE = ir.DoubleType(), ir.IntType(32)
_VECTOR = ir.VectorType(_NUMBER, LANES)
_FUSED = ("contract", "nsz")


class Vector(types.Type):  # type: ignore[misc]
    """The type of LANES float64 side by side."""

    def __init__(self) -> None:
        super().__init__(name=f"Vector({LANES})")


VECTOR = Vector()


@register_model(Vector)  # type: ignore[untyped-decorator]
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _address(context: Any, builder: Any, kind: Any, array: Any, row: Any, column: Any) -> Any:
    whole = context.make_array(kind)(context, builder, array)
    width = cgutils.unpack_tuple(builder, whole.shape)[1]
    place = builder.add(builder.mul(row, width), column)
    return builder.bitcast(builder.gep(whole.data, [place]), _VECTOR.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(_PLACE, 0))
    everywhere = ir.Constant(ir.VectorType(_PLACE, LANES), [0] * LANES)
    return builder.shuffle_vector(first, first, everywhere)


@intrinsic  # type: ignore[untyped-decorator]
def load(context: Any, array: Any, row: Any, column: Any) -> Any:
    """The LANES numbers of a C-ordered matrix from [row, column] on. Nothing checks that they lie in the row."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_address(target, builder, signature.args[0], *arguments), align=8)

    return VECTOR(array, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(context: Any, array: Any, row: Any, column: Any, vector: Any) -> Any:
    """Write LANES numbers into a C-ordered matrix from [row, column] on."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[3], _address(target, builder, signature.args[0], *arguments[:3]), align=8)
        return target.get_dummy_value()

    return types.void(array, types.int64, types.int64, VECTOR), generate


@intrinsic  # type: ignore[untyped-decorator]
def spread(context: Any, number: Any) -> Any:
    """One number in every lane."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return VECTOR(types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def plus(context: Any, sums: Any, factor: Any, vector: Any) -> Any:
    """sums + factor * vector in one rounding; the factor is a vector or a number."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total, one, other = arguments
        if signature.args[1] != VECTOR:
            one = _spread(builder, one)
        return builder.fadd(total, builder.fmul(one, other, flags=_FUSED), flags=_FUSED)

    return VECTOR(VECTOR, factor, VECTOR), generate


@intrinsic  # type: ignore[untyped-decorator]
def times(context: Any, factor: Any, vector: Any) -> Any:
    """factor * vector; the factor is a vector or a number."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        one, other = arguments
        if signature.args[0] != VECTOR:
            one = _spread(builder, one)
        return builder.fmul(one, other, flags=_FUSED)

    return VECTOR(factor, VECTOR), generate


@intrinsic  # type: ignore[untyped-decorator]
def where_positive(context: Any, tested: Any, vector: Any, otherwise: Any) -> Any:
    """Lane by lane `otherwise` where `tested` is 0 or less, and `vector` where it is more, or NaN."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = ir.Constant(_VECTOR, [0.0] * LANES)
        low = builder.fcmp_ordered("<=", arguments[0], zero)
        return builder.select(low, arguments[2], arguments[1])

    return VECTOR(VECTOR, VECTOR, VECTOR), generate


@intrinsic  # type: ignore[untyped-decorator]
def total(context: Any, vector: Any) -> Any:
    """The sum over the lanes."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_NUMBER, [_NUMBER, _VECTOR])
        name = f"llvm.vector.reduce.fadd.v{LANES}f64"
        add = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(add, [ir.Constant(_NUMBER, 0.0), arguments[0]], fastmath=("reassoc",))

    return types.float64(VECTOR), generate
