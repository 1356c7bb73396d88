"""A simulated disk that guarantees only synced data after a power loss."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from powerloss.recording import Call

SECTOR = 512
"""Bytes that are written together or not at all."""

Files = dict[str, bytes]


@dataclass(slots=True)
class _File:
    safe: bytearray = field(default_factory=bytearray)
    pending: list[Call] = field(default_factory=list)

    def sync(self) -> None:
        for call in self.pending:
            _change(self.safe, call)
        self.pending = []

    def lost(self, how: str, rng: random.Random) -> bytes:
        """Return the content after a power loss, with some of the pending calls."""
        content = bytearray(self.safe)
        share = rng.random()
        calls = self.pending[: rng.randint(0, len(self.pending))] if how == "the rest" else self.pending
        for call in calls:
            if how == "some" and rng.random() < share:
                continue
            _change(content, call, rng if how == "some" and rng.random() < 0.5 else None)
        return bytes(self.safe if how == "all" else content)


class Disk:
    """The files of one folder.

    A power loss drops all unsynced calls, those after some call, or some of them, partly by sectors. File names change
    in order, and maybe later than contents: `create` and `delete` wait for a sync of the folder.
    """

    LOSSES = ("all", "the rest", "some")

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._safe: dict[str, _File] = {}
        self._pending: list[tuple[str, _File | None]] = []

    def apply(self, calls: Iterable[Call]) -> None:
        for call in calls:
            if call.what in ("create", "delete"):
                file = _File() if call.what == "create" else None
                self._pending.append((call.file, file))
                _name(self._files, call.file, file)
            elif call.what == "sync":
                self._file(call.file).sync()
            else:
                self._file(call.file).pending.append(call)
            if call.and_folder:
                for name, file in self._pending:
                    _name(self._safe, name, file)
                self._pending = []

    def _file(self, name: str) -> _File:
        if name not in self._files:  # existed before the first call
            self._files[name] = self._safe[name] = _File()
        return self._files[name]

    def lose(self, how: str, rng: random.Random) -> Files:
        """Return the files after a power loss."""
        names = dict(self._safe)
        for name, file in self._pending[: 0 if how == "all" else rng.randint(0, len(self._pending))]:
            _name(names, name, file)
        return {name: file.lost(how, rng) for name, file in names.items()}


def _name(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def _change(content: bytearray, call: Call, torn: random.Random | None = None) -> None:
    if call.what == "truncate":
        del content[call.place :]
        return
    end = call.place + len(call.data)
    content.extend(bytes(max(end - len(content), 0)))
    start = call.place
    while start < end:
        stop = min((start // SECTOR + 1) * SECTOR, end)
        if torn is None or torn.random() < 0.5:
            content[start:stop] = call.data[start - call.place : stop - call.place]
        start = stop
