"""What SQLite does to its files, call by call: a shim around the file layer of the very library that Python uses.

Every file is opened by the layer that SQLite always uses; of its table of methods, those that change a file are
replaced by ones that also write the call down. Nothing else differs.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass
from pathlib import Path

_JOURNAL_OR_WAL = 0x00000800 | 0x00080000
"""The files of whose folder SQLite makes sure, too, when it syncs them for the first time."""

_FULL = 13
"""What a write answers on a full disk."""

_METHODS = {1: 12, 2: 16, 3: 18}
"""Methods of a file, by the version of their table."""

_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)


class _Layer(Structure):
    """sqlite3_vfs, which is SQLite's word for such a layer; what is not touched has no type."""

    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _Open),
        ("delete", _Delete),
        ("others", c_void_p * 14),
    )


@dataclass(frozen=True, slots=True)
class Call:
    """`what` is create, write, truncate, sync or delete. A sync, and a delete, may be one of the folder too."""

    what: str
    file: str
    place: int = 0
    data: bytes = b""
    and_folder: bool = False


class Recording:
    """The calls for files of one folder, in order, over all the times that it is opened. Must outlive what is open."""

    def __init__(self, folder: Path) -> None:
        self.calls: list[Call] = []
        self._folder = os.fsencode(folder) + b"/"
        self._names: dict[int, str] = {}
        self._new: set[str] = set()
        self._kept: list[object] = []
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        library.sqlite3_vfs_find.restype = POINTER(_Layer)
        self._register, self._unregister = library.sqlite3_vfs_register, library.sqlite3_vfs_unregister
        self._register.argtypes, self._unregister.argtypes = (POINTER(_Layer), c_int), (POINTER(_Layer),)
        self._usual = library.sqlite3_vfs_find(None)
        usual = self._usual.contents
        self._shim = _Layer.from_buffer_copy(usual)
        self._shim.name = b"recording"
        self._shim.open, self._shim.delete = _Open(self._open), _Delete(self._delete)

    @contextmanager
    def of_what_is_opened(self) -> Iterator[None]:
        """Databases that are opened meanwhile are recorded, for as long as they are open."""
        self._register(ctypes.byref(self._shim), 1)
        try:
            yield
        finally:
            self._unregister(ctypes.byref(self._shim))  # the one before it is the usual one again

    def takes(self, name: str, end: int) -> bool:
        """Whether a file may be written up to there: a disk that fills up says no."""
        return True

    def _name(self, path: bytes | None) -> str | None:
        if path is None or not path.startswith(self._folder):
            return None
        return os.fsdecode(path[len(self._folder) :])

    def _open(self, layer: int, place: int | None, file: int, flags: int, told: object) -> int:
        # SQLite goes on using the very bytes at that place, which a copy for Python would not outlive.
        path = None if place is None else ctypes.string_at(place)
        name, is_new = self._name(path), path is not None and not os.path.exists(path)
        status: int = self._usual.contents.open(self._usual, place, file, flags, told)
        if status == 0 and name is not None:
            self._names[file] = name
            if is_new:
                self.calls.append(Call("create", name))
                if flags & _JOURNAL_OR_WAL:
                    self._new.add(name)
            self._replace_methods(file)
        return status

    def _delete(self, layer: int, path: bytes, and_folder: int) -> int:
        status: int = self._usual.contents.delete(self._usual, path, and_folder)
        if status == 0 and (name := self._name(path)) is not None:
            self.calls.append(Call("delete", name, and_folder=bool(and_folder)))
        return status

    def _replace_methods(self, file: int) -> None:
        """The first word of a file points to its methods, the first word of which is the table's version."""
        methods = ctypes.cast(file, POINTER(c_void_p))
        table = ctypes.cast(methods[0], POINTER(c_void_p))
        version = ctypes.cast(table, POINTER(c_int))[0]
        ours = (c_void_p * (1 + _METHODS[version]))(*table[: 1 + _METHODS[version]])
        write, truncate, sync = _Write(table[3]), _Truncate(table[4]), _Sync(table[5])

        def wrote(of: int, data: int, size: int, place: int) -> int:
            if not self.takes(self._names[of], place + size):
                return _FULL
            self.calls.append(Call("write", self._names[of], place, ctypes.string_at(data, size)))
            return int(write(of, data, size, place))

        def truncated(of: int, size: int) -> int:
            self.calls.append(Call("truncate", self._names[of], size))
            return int(truncate(of, size))

        def synced(of: int, how: int) -> int:
            status, name = int(sync(of, how)), self._names[of]
            self.calls.append(Call("sync", name, and_folder=name in self._new))
            self._new.discard(name)
            return status

        kept = (_Write(wrote), _Truncate(truncated), _Sync(synced))
        for place, method in zip((3, 4, 5), kept, strict=True):
            ours[place] = ctypes.cast(method, c_void_p)
        methods[0] = ctypes.addressof(ours)
        self._kept.append((ours, kept))
