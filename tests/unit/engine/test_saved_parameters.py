"""Parameters from an untrusted file: valid ones are read to the bit, all else is rejected."""

from __future__ import annotations

import io
import pickle
import tracemalloc
import zipfile
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fallline.engine.data.saved_parameters import MOST_BYTES, read_parameters
from fallline.vocabulary.errors import UnusableParameters

W = np.arange(6.0).reshape(2, 3)


def npz(save: Any = np.savez, **arrays: Any) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def archive(compression: int = zipfile.ZIP_STORED, /, **members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "array", [W, np.asfortranarray(W), W.astype(">f8")], ids=["C", "Fortran", "big endian"]
)
def test_files_of_numpy_are_read_to_the_bit(save: Any, array: NDArray[Any]) -> None:
    loaded = read_parameters(npz(save, W1=array, b1=np.array([[-0.0, 1e-310, 3.0]])))
    assert list(loaded.arrays) == ["W1", "b1"]
    assert loaded.arrays["W1"].tolist() == W.tolist()
    assert loaded.arrays["b1"].tobytes() == np.array([[-0.0, 1e-310, 3.0]]).tobytes()
    assert all(each.dtype == np.float64 and not each.flags.writeable for each in loaded.arrays.values())
    assert loaded.as_json() == {
        "parameters": [{"name": "W1", "shape": [2, 3]}, {"name": "b1", "shape": [1, 3]}],
        "count": 9,
    }


class Trap:
    """Unpickling it would leave a mark."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return (setattr, (Trap, "sprung", True))


def header(shape: str, descr: str = "'<f8'") -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not an .npz"),
        (b"W1,b1\n1,2\n", "not an .npz"),
        (npy(W), "not an .npz"),
        (b"x" + npz(W1=W), "not an .npz"),
        (npz(W1=W)[:-30], "not an .npz"),
        (npz(W1=W).replace(b"\x93NUMPY", b"\x93NUMBY"), "not an .npz"),
        (pickle.dumps({"W1": W}), "not an .npz"),
        (npz(W1=np.array([Trap()], dtype=object)), "W1 contains pickled objects, which are not supported"),
        (npz(W1=W, W2=np.array([[np.nan]])), "W2 must contain finite numbers"),
        (npz(W1=np.array([[np.inf]])), "W1 must contain finite numbers"),
        (npz(W1=W.astype(np.float32)), "W1 must contain float64 numbers, not float32"),
        (npz(W1=W.astype(int)), "float64"),
        (npz(W1=W.astype(complex)), "float64"),
        (npz(W1=np.array(["a"])), "float64"),
        (npz(W1=np.zeros(2, dtype=[("a", "f8")])), "float64"),
        (npz(**{"gd/W1": W, "sgd/W1": W}), "parameters of several runs"),
        (npz(weights=W), "named W1, b1, W2"),
        (npz(W0=W), "named W1, b1, W2"),
        (npz(W1=W, other=W), "named W1, b1, W2"),
        (archive(**{"../W1": npy(W)}), "several runs"),
        (archive(), "not an .npz"),
        (archive(**{f"W{n}": npy(W) for n in range(1, 66)}), "1 to 64 arrays"),
        (archive(W1=npy(W)[:-8]), "W1 is truncated"),
        (archive(W1=npy(W) + b"12345678"), "W1 is truncated"),
        (archive(W1=header("(10**9, 10**9)") + b"8" * 8), "not an .npz"),
        (archive(W1=header("(1000000000, 1000000000)") + b"8" * 8), "W1 is truncated"),
        (archive(W1=header("(-1, -1)") + b"8" * 8), "W1 is truncated"),
        (archive(W1=header("(1,)", "__import__('os')") + b"8" * 8), "not an .npz"),
    ],
)  # fmt: skip
def test_other_files_are_rejected_with_a_reason(body: bytes, words: str) -> None:
    with pytest.raises(UnusableParameters, match=words.replace(".", r"\.")):
        read_parameters(body)
    assert not Trap.sprung


HEAD = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"
HEADS = [
    b"",
    b"{[]: 1}",
    b"\'\'\'",
    b"{'descr",
    b"{'descr': '<f8', (",
    b"  x\n y\n",
    b"(" * 5_000 + b")" * 5_000,
    b"-" * 9_000 + b"1",
    b"{1: 2, 'a': 3, None: 3}",
    HEAD.replace(b"'<f8'", b"()"),
    HEAD.replace(b"'<f8'", b"('<f8',)"),
    HEAD.replace(b"<f8", b"<f8\0"),
    HEAD.replace(b"<f8", b"f8,f8,"),
    HEAD.replace(b"<f8", b"\xff"),
    HEAD.replace(b"'<f8'", b"[" + b"1," * 400 + b"]"),
    HEAD.replace(b"(1,)", b"(1L,)"),
    HEAD.replace(b"(1,)", b"(True,)"),
    HEAD.replace(b"(1,)", b"(" + b"9" * 5_000 + b",)"),
    HEAD.replace(b"(1,)", b"(" + b"1, " * 100 + b")"),
    HEAD.replace(b"(1,)", b"(0, 999999999999999999, 999999999999999999)"),
    HEAD + b"\0",
    HEAD + b"()",
]  # fmt: skip


def with_head(head: bytes, version: bytes, claimed: int | None = None) -> bytes:
    size = 2 if version == b"\x01\x00" else 4
    length = (len(head) if claimed is None else claimed).to_bytes(size, "little")
    return archive(W1=b"\x93NUMPY" + version + length + head + b"8" * 8)


@pytest.mark.parametrize("version", [b"\x01\x00", b"\x02\x00"])
@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_a_header_is_not_evaluated_and_fails_in_no_other_way(head: bytes, version: bytes) -> None:
    assert read_parameters(with_head(HEAD, version)).arrays["W1"].size == 1
    for claimed in (None, 0, 1, len(head) + 1, len(head) + 9, 65_535):
        with pytest.raises(UnusableParameters):
            read_parameters(with_head(head, version, claimed))


@pytest.mark.parametrize("end", range(12))
def test_an_array_that_ends_within_its_header_is_rejected(end: int) -> None:
    with pytest.raises(UnusableParameters):
        read_parameters(archive(W1=npy(W)[:end]))


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_small_file_with_large_content_takes_no_memory(compression: int) -> None:
    bomb = archive(compression, W1=npy(np.zeros(50_000_000 // 8)), b1=npy(np.zeros(10)))
    assert len(bomb) < MOST_BYTES
    tracemalloc.start()
    with pytest.raises(UnusableParameters, match=r"uncompressed|not an \.npz"):
        read_parameters(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MOST_BYTES


def test_an_archive_with_false_sizes_is_rejected() -> None:
    data = npy(np.zeros(300_000))
    body = archive(zipfile.ZIP_DEFLATED, W1=data)
    lying = body.replace(len(data).to_bytes(4, "little"), (600).to_bytes(4, "little"))
    assert lying != body
    with pytest.raises(UnusableParameters):
        read_parameters(lying)


def test_all_parameters_that_a_network_may_have_fit() -> None:
    loaded = read_parameters(npz(W1=np.ones((64, 1_500)), b1=np.ones((1, 1_500))))
    assert loaded.size == 8 * 65 * 1_500
