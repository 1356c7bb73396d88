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
_FUSED = ("contract", "nsz")


class Vector(types.Type):
    """The type of so many float64 side by side."""

    def __init__(self, lanes: int) -> None:
        super().__init__(name=f"Vector({lanes})")
        self.lanes = lanes

    @property
    def kind(self) -> Any:
        """The type in LLVM's words."""
        return ir.VectorType(_NUMBER, self.lanes)


VECTOR, QUAD = Vector(LANES), Vector(4)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.kind)


def _address(context: Any, builder: Any, array_type: Any, array: Any, places: Any, kind: Any) -> Any:
    """Where a vector lies in a C-ordered array; nothing checks that it ends there."""
    whole = context.make_array(array_type)(context, builder, array)
    place = places[-1]
    if len(places) == 2:
        width = cgutils.unpack_tuple(builder, whole.shape)[1]
        place = builder.add(builder.mul(places[0], width), place)
    return builder.bitcast(builder.gep(whole.data, [place]), kind.as_pointer())


def _spread(builder: Any, number: Any, lanes: int) -> Any:
    kind = ir.VectorType(_NUMBER, lanes)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(_PLACE, 0))
    everywhere = ir.Constant(ir.VectorType(_PLACE, lanes), [0] * lanes)
    return builder.shuffle_vector(first, first, everywhere)


def _factor(builder: Any, kind: Any, factor: Any, lanes: int) -> Any:
    return factor if isinstance(kind, Vector) else _spread(builder, factor, lanes)


def _loaded(kind: Vector, signature: Any) -> Any:
    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        at = _address(target, builder, signature.args[0], arguments[0], arguments[1:], kind.kind)
        return builder.load(at, align=8)

    return signature, generate


def _stored(kind: Vector, signature: Any) -> Any:
    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        at = _address(target, builder, signature.args[0], arguments[0], arguments[1:-1], kind.kind)
        builder.store(arguments[-1], at, align=8)
        return target.get_dummy_value()

    return signature, generate


@intrinsic
def load(context: Any, array: Any, row: Any, column: Any) -> Any:
    """The LANES numbers of a matrix from [row, column] on."""
    return _loaded(VECTOR, VECTOR(array, types.int64, types.int64))


@intrinsic
def store(context: Any, array: Any, row: Any, column: Any, vector: Any) -> Any:
    """Write LANES numbers into a matrix from [row, column] on."""
    return _stored(VECTOR, types.void(array, types.int64, types.int64, VECTOR))


@intrinsic
def load_flat(context: Any, array: Any, place: Any) -> Any:
    """The LANES numbers of a flat array from `place` on."""
    return _loaded(VECTOR, VECTOR(array, types.int64))


@intrinsic
def store_flat(context: Any, array: Any, place: Any, vector: Any) -> Any:
    """Write LANES numbers into a flat array from `place` on."""
    return _stored(VECTOR, types.void(array, types.int64, VECTOR))


@intrinsic
def load_four(context: Any, array: Any, place: Any) -> Any:
    """The four numbers of a flat array from `place` on."""
    return _loaded(QUAD, QUAD(array, types.int64))


@intrinsic
def store_four(context: Any, array: Any, place: Any, four: Any) -> Any:
    """Write four numbers into a flat array from `place` on."""
    return _stored(QUAD, types.void(array, types.int64, QUAD))


@intrinsic
def spread(context: Any, number: Any) -> Any:
    """One number in every lane."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0], LANES)

    return VECTOR(types.float64), generate


@intrinsic
def spread_four(context: Any, number: Any) -> Any:
    """One number four times."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0], 4)

    return QUAD(types.float64), generate


@intrinsic
def alike(context: Any, vector: Any, number: Any) -> Any:
    """The number in as many lanes as the vector has."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[1], vector.lanes)

    return vector(vector, types.float64), generate


@intrinsic
def four_of(context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four numbers side by side."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        four = ir.Constant(QUAD.kind, ir.Undefined)
        for place, number in enumerate(arguments):
            four = builder.insert_element(four, number, ir.Constant(_PLACE, place))
        return four

    return QUAD(*[types.float64] * 4), generate


@intrinsic
def plus(context: Any, sums: Any, factor: Any, vector: Any) -> Any:
    """sums + factor * vector in one rounding; the factor is a vector or a number."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        factor = _factor(builder, signature.args[1], arguments[1], vector.lanes)
        return builder.fadd(arguments[0], builder.fmul(factor, arguments[2], flags=_FUSED), flags=_FUSED)

    return vector(sums, factor, vector), generate


@intrinsic
def times(context: Any, factor: Any, vector: Any) -> Any:
    """factor * vector; the factor is a vector or a number."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        factor = _factor(builder, signature.args[0], arguments[0], vector.lanes)
        return builder.fmul(factor, arguments[1], flags=_FUSED)

    return vector(factor, vector), generate


@intrinsic
def where_positive(context: Any, tested: Any, vector: Any, otherwise: Any) -> Any:
    """Lane by lane `otherwise` where `tested` is 0 or less, and `vector` where it is more, or NaN."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        zero = ir.Constant(vector.kind, [0.0] * vector.lanes)
        low = builder.fcmp_ordered("<=", arguments[0], zero)
        return builder.select(low, arguments[2], arguments[1])

    return vector(vector, vector, vector), generate


@intrinsic
def sizes_of(context: Any, vector: Any) -> Any:
    """The absolute values."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = f"llvm.fabs.v{vector.lanes}f64"
        kind = ir.FunctionType(vector.kind, [vector.kind])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)

    return vector(vector), generate


@intrinsic
def total(context: Any, vector: Any) -> Any:
    """The sum over the lanes."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = f"llvm.vector.reduce.fadd.v{vector.lanes}f64"
        kind = ir.FunctionType(_NUMBER, [_NUMBER, vector.kind])
        add = cgutils.get_or_insert_function(builder.module, kind, name)
        return builder.call(add, [ir.Constant(_NUMBER, 0.0), arguments[0]], fastmath=("reassoc",))

    return types.float64(vector), generate
