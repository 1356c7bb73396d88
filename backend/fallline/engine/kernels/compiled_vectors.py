"""Vector types for compiled code: one to three registers at once.

A compiler rarely keeps four outputs of a loop over samples in registers. With explicit vectors the products of a layer
run as fast as BLAS: 70 billion multiply-adds a second, against 25 with loops. At these sizes a call of BLAS costs more
than the work. Reads and writes are not bounds-checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils, config
from numba.extending import intrinsic, models, register_model


def _lanes() -> int:
    """Number of float64 in a register of the target processor: 8 or 4."""
    pinned = config.CPU_NAME
    if pinned:
        return 8 if pinned == "x86-64-v4" or "avx512" in pinned else 4
    return 8 if binding.get_host_cpu_features().get("avx512f") else 4


LANES = _lanes()

_NUMBER, _PLACE = ir.DoubleType(), ir.IntType(32)
_FUSED = ("contract", "nsz")


class Vector(types.Type):
    """A type of several adjacent registers of float64."""

    def __init__(self, lanes: int, registers: int = 1) -> None:
        super().__init__(name=f"Vector({lanes}, {registers})")
        self.lanes = lanes
        self.registers = registers

    @property
    def part(self) -> Any:
        """The LLVM type of one register."""
        return ir.VectorType(_NUMBER, self.lanes)

    @property
    def kind(self) -> Any:
        return ir.ArrayType(self.part, self.registers)


VECTOR, QUAD = Vector(LANES), Vector(4)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, kind.kind)


# --- registers and what holds them --------------------------------------------------------------------------------


def _parts(builder: Any, kind: Any, value: Any) -> list[Any]:
    """The registers of a value."""
    return [builder.extract_value(value, place) for place in range(kind.registers)]


def _joined(builder: Any, kind: Vector, parts: Iterable[Any]) -> Any:
    value = ir.Constant(kind.kind, ir.Undefined)
    for place, part in enumerate(parts):
        value = builder.insert_value(value, part, place)
    return value


def _spread(builder: Any, number: Any, lanes: int) -> Any:
    kind = ir.VectorType(_NUMBER, lanes)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(_PLACE, 0))
    everywhere = ir.Constant(ir.VectorType(_PLACE, lanes), [0] * lanes)
    return builder.shuffle_vector(first, first, everywhere)


def _each(signature: Any, work: Callable[..., Any]) -> Any:
    """Code that works register by register; a scalar argument fills every lane."""
    kind = signature.return_type

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        columns = [
            _parts(builder, argument_type, argument)
            if isinstance(argument_type, Vector)
            else [_spread(builder, argument, kind.lanes)] * kind.registers
            for argument_type, argument in zip(signature.args, arguments, strict=True)
        ]
        return _joined(builder, kind, (work(builder, *row) for row in zip(*columns, strict=True)))

    return signature, generate


def _address(context: Any, builder: Any, array_type: Any, array: Any, places: Any) -> Any:
    """Address of a number in a C-ordered array."""
    whole = context.make_array(array_type)(context, builder, array)
    place = places[-1]
    if len(places) == 2:
        width = cgutils.unpack_tuple(builder, whole.shape)[1]
        place = builder.add(builder.mul(places[0], width), place)
    return builder.gep(whole.data, [place])


def _registers(
    context: Any, builder: Any, kind: Vector, array_type: Any, array: Any, places: Any
) -> list[Any]:
    """Addresses of a vector's registers, from that number on."""
    first = _address(context, builder, array_type, array, places)
    places = (builder.gep(first, [ir.Constant(_PLACE, n * kind.lanes)]) for n in range(kind.registers))
    return [builder.bitcast(place, kind.part.as_pointer()) for place in places]


def _loaded(signature: Any, skipped: int = 0) -> Any:
    kind = signature.return_type

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, *places = arguments[skipped:]
        at = _registers(target, builder, kind, signature.args[skipped], array, places)
        return _joined(builder, kind, (builder.load(each, align=8) for each in at))

    return signature, generate


def _stored(kind: Vector, signature: Any) -> Any:
    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, *places, vector = arguments
        at = _registers(target, builder, kind, signature.args[0], array, places)
        for each, part in zip(at, _parts(builder, kind, vector), strict=True):
            builder.store(part, each, align=8)
        return target.get_dummy_value()

    return signature, generate


# --- reading and writing --------------------------------------------------------------------------------------------


@intrinsic
def load(context: Any, like: Any, array: Any, row: Any, column: Any) -> Any:
    """As many numbers of a matrix as `like` has, from [row, column] on."""
    return _loaded(like(like, array, types.int64, types.int64), skipped=1)


@intrinsic
def store(context: Any, array: Any, row: Any, column: Any, vector: Any) -> Any:
    """Write numbers into a matrix from [row, column] on."""
    return _stored(vector, types.void(array, types.int64, types.int64, vector))


@intrinsic
def load_flat(context: Any, like: Any, array: Any, place: Any) -> Any:
    """As many numbers of a flat array as `like` has, from `place` on."""
    return _loaded(like(like, array, types.int64), skipped=1)


@intrinsic
def store_flat(context: Any, array: Any, place: Any, vector: Any) -> Any:
    """Write numbers into a flat array from `place` on."""
    return _stored(vector, types.void(array, types.int64, vector))


@intrinsic
def load_four(context: Any, array: Any, place: Any) -> Any:
    """Four numbers of a flat array from `place` on."""
    return _loaded(QUAD(array, types.int64))


def _number(signature: Any) -> Any:
    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, *places = arguments
        return builder.load(_address(target, builder, signature.args[0], array, places))

    return signature, generate


@intrinsic
def number(context: Any, array: Any, place: Any) -> Any:
    """One number of a flat array."""
    return _number(array.dtype(array, types.int64))


@intrinsic
def number_at(context: Any, array: Any, row: Any, column: Any) -> Any:
    """One number of a matrix."""
    return _number(array.dtype(array, types.int64, types.int64))


@intrinsic
def transpose(context: Any, array: Any, row: Any, column: Any, target_array: Any, to: Any, at: Any) -> Any:
    """Transpose LANES by LANES numbers from [row, column] to [to, at] of another."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (array, row, column, target_array, to, at), kinds = arguments, signature.args
        down = [ir.Constant(ir.IntType(64), n) for n in range(LANES)]
        rows = []
        for n in down:
            [place] = _registers(target, builder, VECTOR, kinds[0], array, (builder.add(row, n), column))
            rows.append(builder.load(place, align=8))
        for n, part in zip(down, _transposed(builder, rows), strict=True):
            [place] = _registers(target, builder, VECTOR, kinds[3], target_array, (builder.add(to, n), at))
            builder.store(part, place, align=8)
        return target.get_dummy_value()

    return types.void(array, *[types.int64] * 2, target_array, *[types.int64] * 2), generate


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Transpose rows: pairs of them exchange halves, then quarters, then eighths."""
    span = LANES // 2
    while span:
        for n in (n for n in range(LANES) if not n & span):
            one, other = rows[n], rows[n + span]
            # `low` keeps the first row's lanes without the bit `span`; the second row fills the others.
            low = [lane if not lane & span else LANES + lane - span for lane in range(LANES)]
            high = [lane + span if not lane & span else LANES + lane for lane in range(LANES)]
            rows[n], rows[n + span] = _picked(builder, one, other, low), _picked(builder, one, other, high)
        span //= 2
    return rows


# --- creating -------------------------------------------------------------------------------------------------------


def _zeros(registers: int) -> Any:
    kind = Vector(LANES, registers)

    @intrinsic
    def zeros(context: Any) -> Any:
        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return ir.Constant(kind.kind, [ir.Constant(kind.part, [0.0] * LANES)] * registers)

        return kind(), generate

    return zeros


zeros1, zeros2, zeros3 = map(_zeros, (1, 2, 3))
"""Zero in every lane of one register, of two, of three."""


@intrinsic
def four_zeros(context: Any) -> Any:
    """Four zeros."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(QUAD.kind, [ir.Constant(QUAD.part, [0.0] * 4)])

    return QUAD(), generate


@intrinsic
def filled(context: Any, vector: Any, value: Any) -> Any:
    """The value in as many lanes as the vector has."""
    return _each(vector(vector, types.float64), lambda builder, vector, spread: spread)


@intrinsic
def four_of(context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """Four adjacent numbers."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        four = ir.Constant(QUAD.part, ir.Undefined)
        for place, value in enumerate(arguments):
            four = builder.insert_element(four, value, ir.Constant(_PLACE, place))
        return _joined(builder, QUAD, [four])

    return QUAD(*[types.float64] * 4), generate


# --- arithmetic -----------------------------------------------------------------------------------------------------


@intrinsic
def multiply_add(context: Any, sums: Any, factor: Any, vector: Any) -> Any:
    """sums + factor * vector in one rounding; the factor is a vector or a number."""

    def work(builder: Any, sums: Any, factor: Any, vector: Any) -> Any:
        return builder.fadd(sums, builder.fmul(factor, vector, flags=_FUSED), flags=_FUSED)

    return _each(vector(sums, factor, vector), work)


@intrinsic
def times(context: Any, factor: Any, vector: Any) -> Any:
    """factor * vector; the factor is a vector or a number."""

    def work(builder: Any, factor: Any, vector: Any) -> Any:
        return builder.fmul(factor, vector, flags=_FUSED)

    return _each(vector(factor, vector), work)


@intrinsic
def where_positive(context: Any, tested: Any, vector: Any, otherwise: Any) -> Any:
    """By lane: `otherwise` if `tested` is 0 or less, `vector` if it is more or NaN."""

    def work(builder: Any, tested: Any, vector: Any, otherwise: Any) -> Any:
        zero = ir.Constant(tested.type, [0.0] * tested.type.count)
        return builder.select(builder.fcmp_ordered("<=", tested, zero), otherwise, vector)

    return _each(vector(vector, vector, vector), work)


@intrinsic
def sizes_of(context: Any, vector: Any) -> Any:
    """The absolute values."""

    def work(builder: Any, part: Any) -> Any:
        kind = ir.FunctionType(part.type, [part.type])
        absolute = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fabs.v{vector.lanes}f64")
        return builder.call(absolute, [part])

    return _each(vector(vector), work)


@intrinsic
def total(context: Any, vector: Any) -> Any:
    """The sum over the lanes of one register."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        name = f"llvm.vector.reduce.fadd.v{vector.lanes}f64"
        kind = ir.FunctionType(_NUMBER, [_NUMBER, vector.part])
        add = cgutils.get_or_insert_function(builder.module, kind, name)
        [part] = _parts(builder, vector, arguments[0])
        return builder.call(add, [ir.Constant(_NUMBER, 0.0), part], fastmath=("reassoc",))

    return types.float64(vector), generate


@intrinsic
def folded(context: Any, vector: Any) -> Any:
    """Four numbers with the same sum as the lanes of one register."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if vector.lanes == 4:
            return arguments[0]
        [part] = _parts(builder, vector, arguments[0])
        low, high = (_picked(builder, part, part, range(first, first + 4)) for first in (0, 4))
        return _joined(builder, QUAD, [builder.fadd(low, high, flags=_FUSED)])

    return QUAD(vector), generate


@intrinsic
def totals(context: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
    """The sums of four vectors of four, adjacent: half the work of four separate sums."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def added(one: Any, other: Any, first: tuple[int, ...], second: tuple[int, ...]) -> Any:
            halves = (_picked(builder, one, other, places) for places in (first, second))
            return builder.fadd(*halves, flags=_FUSED)

        a, b, c, d = (_parts(builder, QUAD, each)[0] for each in arguments)
        first, second = (added(*pair, (0, 4, 2, 6), (1, 5, 3, 7)) for pair in ((a, b), (c, d)))
        return _joined(builder, QUAD, [added(first, second, (0, 1, 4, 5), (2, 3, 6, 7))])

    return QUAD(QUAD, QUAD, QUAD, QUAD), generate


def _picked(builder: Any, one: Any, other: Any, places: Iterable[int]) -> Any:
    """Lanes of two vectors, by number."""
    numbers = list(places)
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_PLACE, len(numbers)), numbers))
