"""Records the calls of SQLite on its files, with a shim around its file layer.

SQLite's usual layer opens every file. Only the methods that change a file are replaced by recording ones.
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
"""Flags of files whose folder SQLite also syncs at their first sync."""

_FULL = 13
"""Result of a write on a full disk."""

_METHODS = {1: 12, 2: 16, 3: 18}
"""Number of methods of a file, by the version of their table."""

_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)


class _Layer(Structure):
    """SQLite's sqlite3_vfs; members not used here have no type."""

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
    """A call.

    `what` is create, write, truncate, sync or delete; a sync or delete may include the folder.
    """

    what: str
    file: str
    place: int = 0
    data: bytes = b""
    and_folder: bool = False


class Recording:
    """Records the calls on files of one folder, in order.

    Must outlive the open databases.
    """

    def __init__(self, folder: Path) -> None:
        self.calls: list[Call] = []
        self._folder = os.fsencode(folder) + b"/"
        self._names: dict[int, str] = {}
        self._new: set[str] = set()
        self._references: list[object] = []
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
    def recorded(self) -> Iterator[None]:
        """Record databases opened in this context, until they are closed."""
        self._register(ctypes.byref(self._shim), 1)
        try:
            yield
        finally:
            self._unregister(ctypes.byref(self._shim))  # the usual layer is the default again

    def takes(self, name: str, end: int) -> bool:
        """Return whether a file may be written up to `end`.

        A simulated full disk returns False.
        """
        return True

    def _name(self, path: bytes | None) -> str | None:
        if path is None or not path.startswith(self._folder):
            return None
        return os.fsdecode(path[len(self._folder) :])

    def _open(self, layer: int, place: int | None, file: int, flags: int, out_flags: object) -> int:
        # SQLite keeps this pointer, so the bytes must not be a copy that Python frees.
        path = None if place is None else ctypes.string_at(place)
        name, is_new = self._name(path), path is not None and not os.path.exists(path)
        status: int = self._usual.contents.open(self._usual, place, file, flags, out_flags)
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
        """Replace methods.

        The first word of a file points to its methods, whose first word is the version.
        """
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

        methods_of_ours = (_Write(wrote), _Truncate(truncated), _Sync(synced))
        for place, method in zip((3, 4, 5), methods_of_ours, strict=True):
            ours[place] = ctypes.cast(method, c_void_p)
        methods[0] = ctypes.addressof(ours)
        self._references.append((ours, methods_of_ours))
