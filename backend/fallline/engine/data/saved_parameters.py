"""Reader of uploaded parameters in NumPy's `.npz` format.

It checks every claim of the file before it uses it. The claims are the unpacked size, the number of entries of each
array, and that there are numbers and no pickled objects. NumPy's own readers are for trusted files: they allocate
as much as a header claims, and evaluate the header as Python.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.vocabulary.arrays import Array
from fallline.vocabulary.errors import UnusableParameters

MOST_BYTES = 1024 * 1024
"""Limit for the file and for its content; 100,000 numbers take 800,000 bytes."""

NO_FILE = "not an .npz file: write one with numpy.savez"
MOST_ARRAYS = 64
MAGIC = b"PK\x03\x04"
"""First bytes of an archive that is not empty."""
_NAMED = re.compile(r"[Wb][1-9][0-9]?\.npy")
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)

_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Compression methods of `numpy.savez` and `savez_compressed`.

zipfile unpacks other methods in one piece, without a limit: 300 bytes of bzip2 become 400 MB.
"""

_HEAD = re.compile(
    rb"\{'descr': (?P<descr>'[^'\\]{1,32}'|\[[^\]]{1,999}\]), 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:-?[0-9]{1,18}, ?)*(?:-?[0-9]{1,18})?)\),? ?\}\s*"
)
"""Header of an array, as every writer of the format writes it."""

_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4}
"""Size of the header's length field, by the version of the format."""


@dataclass(frozen=True, slots=True)
class SavedParameters:
    """Arrays by name: float64, finite, read-only."""

    arrays: Mapping[str, Array]

    @property
    def size(self) -> int:
        return sum(values.nbytes for values in self.arrays.values())

    def as_json(self) -> dict[str, Any]:
        arrays = [{"name": name, "shape": list(values.shape)} for name, values in self.arrays.items()]
        return {"parameters": arrays, "count": sum(values.size for values in self.arrays.values())}


def read_parameters(body: bytes) -> SavedParameters:
    """Read the arrays of a file from `numpy.savez`. Raises UnusableParameters."""
    if not body.startswith(MAGIC):
        raise UnusableParameters(NO_FILE)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return SavedParameters(_arrays(archive))
    except _BROKEN:
        raise UnusableParameters(NO_FILE) from None


def _arrays(archive: zipfile.ZipFile) -> dict[str, Array]:
    members = archive.infolist()
    names = [member.filename for member in members]
    if any(member.compress_type not in _COMPRESSIONS for member in members):
        raise UnusableParameters(NO_FILE)
    if not members or len(members) > MOST_ARRAYS or len(set(names)) < len(names):
        raise UnusableParameters(
            f"a file of parameters must contain 1 to {MOST_ARRAYS} arrays with distinct names"
        )
    arrays, left = {}, MOST_BYTES
    for name in names:
        if not _NAMED.fullmatch(name):
            raise UnusableParameters(_wrong_name(name))
        # The archive's size of a member is only a claim: never unpack more than the limit.
        with archive.open(name) as member:
            data = member.read(left + 1)
        if len(data) > left:
            raise UnusableParameters(f"uncompressed, the file has more than {MOST_BYTES:,} bytes")
        left -= len(data)
        arrays[name.removesuffix(".npy")] = _array(name.removesuffix(".npy"), data)
    return arrays


def _wrong_name(name: str) -> str:
    if "/" in name:
        return "these are parameters of several runs: export one run, on the page or by REST with ?run="
    return "arrays must be named W1, b1, W2, b2, ..., and the file must contain nothing else"


def _array(name: str, data: bytes) -> Array:
    """Read one array from the bytes of its `.npy`."""
    shape, is_fortran, dtype, rest = _parts(name, data)
    if dtype.hasobject:
        raise UnusableParameters(f"{name} contains pickled objects, which are not supported")
    if dtype.kind != "f" or dtype.itemsize != 8:
        raise UnusableParameters(f"{name} must contain float64 numbers, not {dtype.name}")
    if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize != len(rest):
        raise UnusableParameters(f"{name} is truncated: its size does not match its {shape} numbers")
    values = np.frombuffer(rest, dtype).reshape(shape, order="F" if is_fortran else "C")
    if not np.isfinite(values).all():
        raise UnusableParameters(f"{name} must contain finite numbers, but has NaN or infinity")
    own = np.array(values, np.float64, order="C")
    own.setflags(write=False)
    return own


def _parts(name: str, data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], bytes]:
    """Shape, Fortran order, number type, and the bytes of the numbers."""
    magic, version = data[:6], data[6:8]
    if magic != np.lib.format.MAGIC_PREFIX:
        raise UnusableParameters(NO_FILE)
    if version not in _LENGTH_BYTES:
        raise UnusableParameters(
            f"{name} has a format version for named fields or objects; use one for numbers"
        )
    start = 8 + _LENGTH_BYTES[version]
    end = start + int.from_bytes(data[8:start], "little")
    head = _HEAD.fullmatch(data, start, end)
    if head is None or end > len(data):
        raise UnusableParameters(NO_FILE)
    shape = tuple(int(digits) for digits in head["shape"].replace(b" ", b"").split(b",") if digits)
    return shape, head["fortran"] == b"True", _kind(head["descr"].decode("latin-1")), data[end:]


def _kind(descr: str) -> np.dtype[Any]:
    """The number type that a header names; "V" for a record of several."""
    try:
        return np.dtype("V" if descr.startswith("[") else descr.strip("'"))
    except TypeError:
        raise UnusableParameters(NO_FILE) from None
