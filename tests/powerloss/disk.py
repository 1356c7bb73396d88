"""A disk that has promised to keep what was synced, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from powerloss.recording import Call

SECTOR = 512
"""Bytes that reach the disk together or not at all."""

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
        """As it is found after the power comes back: of what is pending some has reached the disk, in any order."""
        found = bytearray(self.safe)
        share = rng.random()
        calls = self.pending[: rng.randint(0, len(self.pending))] if how == "the rest" else self.pending
        for call in calls:
            if how == "some" and rng.random() < share:
                continue
            _change(found, call, rng if how == "some" and rng.random() < 0.5 else None)
        return bytes(self.safe if how == "all" else found)


class Disk:
    """The files of one folder. What is lost is all that was not synced, the rest from some call on, or some of it:
    whole calls, and of others some sectors.

    Names come and go in order, and may come later than what is in the files: `create` and `delete` wait for the folder.
    """

    LOSSES = ("all", "the rest", "some")

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        self._safe: dict[str, _File] = {}
        self._pending: list[tuple[str, _File | None]] = []

    def take(self, calls: Iterable[Call]) -> None:
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
        if name not in self._files:  # there before the first call
            self._files[name] = self._safe[name] = _File()
        return self._files[name]

    def lose(self, how: str, rng: random.Random) -> Files:
        """What is found when the power comes back."""
        names = dict(self._safe)
        for name, file in self._pending[: 0 if how == "all" else rng.randint(0, len(self._pending))]:
            _name(names, name, file)
        return {name: file.lost(how, rng) for name, file in names.items()}


def _name(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def _change(found: bytearray, call: Call, torn: random.Random | None = None) -> None:
    if call.what == "truncate":
        del found[call.place :]
        return
    end = call.place + len(call.data)
    found.extend(bytes(max(end - len(found), 0)))
    start = call.place
    while start < end:
        stop = min((start // SECTOR + 1) * SECTOR, end)
        if torn is None or torn.random() < 0.5:
            found[start:stop] = call.data[start - call.place : stop - call.place]
        start = stop
