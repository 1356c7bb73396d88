"""A store in memory, for tests and for servers without persistence.

Facts and answers are stored as text, so that changing a passed object does not change the store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fallline.storage.interface import CopyFailed, latest
from fallline.storage.sums import packed, unpacked
from fallline.vocabulary.journal import (
    ExperimentInfo,
    Json,
    Moment,
    Record,
    StoredExperiment,
    TableInfo,
    deletion_in,
)


@dataclass(slots=True)
class _Experiment:
    info: ExperimentInfo
    entries: list[str] = field(default_factory=list)
    progress: str = "{}"
    answers: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    parts: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Approximate bytes."""
        texts = sum(map(len, self.entries)) + len(self.progress)
        answers = sum(len(answer) for _, answer in self.answers.values())
        return texts + answers + sum(len(data) for pieces in self.parts.values() for data in pieces.values())

    def copy(self) -> _Experiment:
        parts = {run: dict(pieces) for run, pieces in self.parts.items()}
        return _Experiment(self.info, list(self.entries), self.progress, dict(self.answers), parts)

    def apply(self, record: Record) -> None:
        batch = record.batch
        if batch.entries and record.first != len(self.entries):
            raise ValueError(f"entry {len(self.entries)} must come next, not {record.first}")
        if repeated := [receipt.key for receipt in batch.receipts if receipt.key in self.answers]:
            raise ValueError(f"answered before: {repeated}")
        self.entries += map(json.dumps, batch.entries)
        self.progress = json.dumps(batch.progress)
        self.info = replace(
            self.info,
            used=record.at,
            is_playing=batch.progress["playing"],
            deletion=deletion_in(batch.progress),
        )
        self.answers |= {each.key: (each.digest, packed(each.answer)) for each in batch.receipts}
        for run in batch.cleared:
            self.parts.pop(run, None)
        for run, name in batch.dropped:
            self.parts.get(run, {}).pop(name, None)
        for run, name, data in batch.parts:
            self.parts.setdefault(run, {})[name] = data


class MemoryStore:
    """Experiments in a dictionary."""

    kind = "memory"
    is_durable = False

    def __init__(self) -> None:
        self._experiments: dict[str, _Experiment] = {}
        self._tables: dict[str, tuple[Moment, bytes]] = {}
        self._mark: Moment | None = None

    def open(self) -> None: ...

    def close(self) -> None: ...

    def try_writing(self) -> None: ...

    def experiments(self) -> list[ExperimentInfo]:
        return [one.info for one in self._experiments.values()]

    def load(self, id: str, *, with_parts: bool = True) -> StoredExperiment | None:
        one = self._experiments.get(id)
        if one is None:
            return None
        digests = {key: digest for key, (digest, _) in one.answers.items()}
        return StoredExperiment(
            tuple(map(json.loads, one.entries)),
            json.loads(one.progress),
            one.copy().parts if with_parts else {},
            digests,
        )

    def readable_facts(self, id: str) -> tuple[Json, ...]:
        return tuple(map(json.loads, self._experiments[id].entries)) if id in self._experiments else ()

    def answer(self, id: str, key: str) -> Json | None:
        one = self._experiments.get(id)
        return unpacked(one.answers[key][1]) if one is not None and key in one.answers else None

    def write(self, records: Sequence[Record]) -> None:
        changed: dict[str, _Experiment] = {}
        for record in records:
            one = changed[record.id] = self._of(record, changed)
            one.apply(record)
        self._experiments |= changed

    def _of(self, record: Record, changed: Mapping[str, _Experiment]) -> _Experiment:
        there = changed.get(record.id) or self._experiments.get(record.id)
        if (there is None) == (record.new is None):
            raise ValueError("only the first record of an experiment has its token")
        if record.new is not None:
            new = record.new
            return _Experiment(
                ExperimentInfo(
                    record.id, new.token_hash, record.at, is_playing=False, table=new.table, owner=new.owner
                )
            )
        assert there is not None
        return there if record.id in changed else there.copy()

    def touch(self, used: Mapping[str, Moment]) -> None:
        for id, at in used.items():
            if one := self._experiments.get(id):
                one.info = replace(one.info, used=at)

    def last_mark(self) -> Moment | None:
        newest = max((one.info.used.seen for one in self._experiments.values()), default=0.0)
        return None if self._mark is None else latest(self._mark, newest)

    def mark(self, moment: Moment) -> None:
        self._mark = moment

    def delete(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._experiments.pop(id, None)

    def sizes(self) -> dict[str, int]:
        return {id: one.size for id, one in self._experiments.items()}

    def size_of(self, id: str) -> int:
        one = self._experiments.get(id)
        return 0 if one is None else one.size

    @property
    def stored_bytes(self) -> int:
        return sum(one.size for one in list(self._experiments.values()))

    def disk_use(self) -> tuple[int, int]:
        return 0, 0

    def copy_to(self, target: Path, between: Callable[[], None]) -> None:
        raise CopyFailed("a store in memory has no file to copy")

    def tables(self) -> list[TableInfo]:
        return [TableInfo(id, len(body), at) for id, (at, body) in self._tables.items()]

    def table(self, id: str) -> bytes | None:
        return self._tables[id][1] if id in self._tables else None

    def add_table(self, id: str, at: Moment, body: bytes) -> None:
        self._tables[id] = (at, body)

    def delete_tables(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._tables.pop(id, None)
