"""Parameters that somebody saved, read out of NumPy's own file (`.npz`): a pure function of its bytes.

Nothing of the file is believed before it is checked: how large it is unpacked, that an array has as many numbers as its
head says, that there are numbers and no pickled objects. Must not know which network they are for.
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
from numpy.typing import NDArray

from fallline.vocabulary.errors import UnusableParameters

Array = NDArray[np.float64]

MOST_BYTES = 1024 * 1024
"""Of the file, and of what is unpacked out of it: 100,000 numbers take 800,000."""

NO_FILE = "this is no .npz file: write one with numpy.savez"
MOST_ARRAYS = 64
MAGIC = b"PK\x03\x04"
"""How an archive begins that is not empty."""
_NAMED = re.compile(r"[Wb][1-9][0-9]?\.npy")
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class SavedParameters:
    """Arrays by name, float64, finite, not to be changed."""

    arrays: Mapping[str, Array]

    @property
    def size(self) -> int:
        """Bytes that they hold."""
        return sum(values.nbytes for values in self.arrays.values())

    def as_json(self) -> dict[str, Any]:
        """What was found: names and shapes."""
        told = [{"name": name, "shape": list(values.shape)} for name, values in self.arrays.items()]
        return {"parameters": told, "count": sum(values.size for values in self.arrays.values())}


def read_parameters(body: bytes) -> SavedParameters:
    """The arrays of a file that `numpy.savez` wrote. Raises UnusableParameters."""
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
    if not members or len(members) > MOST_ARRAYS or len(set(names)) < len(names):
        raise UnusableParameters(f"a file of parameters holds 1 to {MOST_ARRAYS} arrays, each once")
    arrays, left = {}, MOST_BYTES
    for name in names:
        if not _NAMED.fullmatch(name):
            raise UnusableParameters(_wrong_name(name))
        # What the archive says of a member's size is a claim: no more than is allowed is ever unpacked.
        with archive.open(name) as member:
            data = member.read(left + 1)
        if len(data) > left:
            raise UnusableParameters(f"unpacked, the file holds more than {MOST_BYTES:,} bytes")
        left -= len(data)
        arrays[name.removesuffix(".npy")] = _array(name.removesuffix(".npy"), data)
    return arrays


def _wrong_name(name: str) -> str:
    if "/" in name:
        return "these are parameters of several runs: take those of one: Export has them, REST with ?run="
    return "parameters are named W1, b1, W2, b2, ..., and nothing else is in the file"


def _array(name: str, data: bytes) -> Array:
    """One array; not by `numpy.load`, which makes room for as many numbers as the head claims."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise UnusableParameters(
            f"{name} is written in a form that holds names or objects, not numbers alone"
        )
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read(stream)
    if dtype.hasobject:
        raise UnusableParameters(f"{name} holds pickled objects, which are never read")
    if dtype.kind != "f" or dtype.itemsize != 8:
        raise UnusableParameters(f"{name} is to hold float64 numbers, and holds {dtype.name}")
    rest = data[stream.tell() :]
    if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize != len(rest):
        raise UnusableParameters(f"{name} is cut off: it holds other than its {shape} numbers")
    values = np.frombuffer(rest, dtype).reshape(shape, order="F" if is_fortran else "C")
    if not np.isfinite(values).all():
        raise UnusableParameters(f"{name} is to hold finite numbers, and holds NaN or infinity")
    own = np.array(values, np.float64, order="C")
    own.setflags(write=False)
    return own
