"""The store in SQL, over one connection of SQLAlchemy's. Must not know which database it is, how one gets at it, nor
which thread this is.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from fallline.storage.checksums import checksum
from fallline.storage.interface import ExperimentInfo, Moment, Record, RecordDamaged, TableInfo, latest
from fallline.storage.packed_answers import packed, unpacked
from fallline.storage.tables import ANSWER, CLOCK, DATASET, ENTRY, EXPERIMENT, PART, SESSION
from fallline.vocabulary.journal import Json, StoredExperiment

_PROGRESS = (
    update(EXPERIMENT)
    .where(EXPERIMENT.c.id == bindparam("one"))
    .values(
        used=bindparam("at"),
        seen=bindparam("then"),
        playing=bindparam("plays"),
        progress=bindparam("stands"),
        facts=bindparam("count"),
        stands_sum=bindparam("sum"),
    )
)
_TOUCH = (
    update(EXPERIMENT)
    .where(EXPERIMENT.c.id == bindparam("one"))
    .values(used=bindparam("at"), seen=bindparam("then"), stands_sum=bindparam("sum"))
)
_CLEAR = delete(PART).where(PART.c.experiment == bindparam("one"), PART.c.run == bindparam("of"))
_DROP = _CLEAR.where(PART.c.name == bindparam("called"))
_FORGET = delete(EXPERIMENT).where(EXPERIMENT.c.id == bindparam("one"))
_FORGET_TABLE = delete(DATASET).where(DATASET.c.id == bindparam("one"))

NEVER = Moment(0.0, math.inf)
"""When an experiment was used of which that cannot be read: it is not deleted for being old."""

Rows = list[dict[str, Any]]


def experiments(connection: Connection) -> list[ExperimentInfo]:
    """Every experiment. Of a damaged one only the id may be known, and that of its facts."""
    found = [_known(row) for row in connection.execute(select(EXPERIMENT))]
    ids = {each.id for each in found}
    lost = [id for (id,) in connection.execute(select(ENTRY.c.experiment).distinct()) if id not in ids]
    return found + [ExperimentInfo(id, b"", NEVER, is_playing=False, is_damaged=True) for id in lost]


def _known(row: Any) -> ExperimentInfo:
    stands = row.stands_sum == _stands_sum(row)
    return ExperimentInfo(
        row.id,
        row.token_hash,
        Moment(row.used, row.seen) if stands else NEVER,
        stands and bool(row.playing),
        row.dataset,
        row.owner,
        row.made_sum != _made_sum(row),
    )


def _made_sum(row: Any) -> int:
    return checksum(row.id, row.token_hash, row.created, row.dataset, row.owner)


def _stands_sum(row: Any) -> int:
    return checksum(row.id, row.used, row.seen, row.playing, row.progress, row.facts)


def load(connection: Connection, id: str) -> StoredExperiment | None:
    """What it takes to open an experiment, without its parts. Raises RecordDamaged."""
    row = connection.execute(select(EXPERIMENT).where(EXPERIMENT.c.id == id)).one_or_none()
    facts = readable_facts(connection, id)
    if row is None:
        if facts:
            raise RecordDamaged("its row cannot be found")
        return None
    if row.made_sum != _made_sum(row):
        raise RecordDamaged("what it was made with cannot be read")
    if row.stands_sum != _stands_sum(row):
        raise RecordDamaged("where its runs stand cannot be read")
    if len(facts) != row.facts:
        raise RecordDamaged(f"{row.facts - len(facts)} of its {row.facts} facts cannot be read")
    asked = connection.execute(select(ANSWER).where(ANSWER.c.experiment == id)).all()
    if any(each.row_sum != checksum(id, each.key, each.digest) for each in asked):
        raise RecordDamaged("which commands it has answered cannot be read")
    return StoredExperiment(
        facts, json.loads(row.progress), digests={each.key: each.digest for each in asked}
    )


def readable_facts(connection: Connection, id: str) -> tuple[Json, ...]:
    """The facts up to the first that is damaged or missing."""
    rows = connection.execute(select(ENTRY).where(ENTRY.c.experiment == id).order_by(ENTRY.c.number))
    facts: list[Json] = []
    for row in rows:
        if row.number != len(facts) or row.row_sum != checksum(id, row.number, row.body):
            break
        facts.append(json.loads(row.body))
    return tuple(facts)


def parts(connection: Connection, id: str) -> dict[str, dict[str, bytes]]:
    """The parts of each run."""
    found: dict[str, dict[str, bytes]] = {}
    rows = connection.execute(select(PART.c.run, PART.c.name, PART.c.data).where(PART.c.experiment == id))
    for run, name, data in rows:
        found.setdefault(run, {})[name] = data
    return found


def answer(connection: Connection, id: str, key: str) -> Json | None:
    """What was answered to the command with that key."""
    row = connection.execute(
        select(ANSWER.c.body).where(ANSWER.c.experiment == id, ANSWER.c.key == key)
    ).one_or_none()
    try:
        return None if row is None else unpacked(row.body)
    except (zlib.error, ValueError) as error:
        raise RecordDamaged("the answer to that command cannot be read") from error


def write(connection: Connection, records: Sequence[Record]) -> None:
    """Store all of it; the caller's transaction makes it all or nothing. ValueError for what does not fit."""
    facts: dict[str, int] = {}
    try:
        _many(connection, insert(EXPERIMENT), [row for record in records for row in _begun(record)])
        for record in records:
            _check_next(connection, record, facts)
            _many(connection, insert(ENTRY), _entries(record))
        _many(connection, insert(ANSWER), [row for record in records for row in _answers(record)])
        _many(
            connection,
            _PROGRESS,
            [_progress(record, facts[record.id]) for record in {each.id: each for each in records}.values()],
        )
        for record in records:
            _write_parts(connection, record)
    except IntegrityError as error:
        raise ValueError(f"that does not fit what is stored: {error.orig}") from error


def _many(connection: Connection, statement: Any, rows: Rows) -> None:
    if rows:
        connection.execute(statement, rows)


def _begun(record: Record) -> Rows:
    if record.begun is None:
        return []
    begun, at = record.begun, record.at.at
    return [
        {
            "id": record.id,
            "token_hash": begun.token_hash,
            "created": at,
            "used": at,
            "seen": record.at.seen,
            "playing": 0,
            "dataset": begun.table,
            "owner": begun.owner,
            "progress": "{}",
            "made_sum": checksum(record.id, begun.token_hash, at, begun.table, begun.owner),
        }
    ]


def _check_next(connection: Connection, record: Record, facts: dict[str, int]) -> None:
    """Raises ValueError where the record does not follow what is stored; counts its facts in `facts`."""
    if record.id not in facts:
        row = connection.execute(select(EXPERIMENT.c.facts).where(EXPERIMENT.c.id == record.id)).one_or_none()
        if row is None:
            raise ValueError("there is no such experiment")
        facts[record.id] = row.facts
    if record.written.entries and facts[record.id] != record.first:
        raise ValueError(f"entry {facts[record.id]} must come next, not {record.first}")
    facts[record.id] += len(record.written.entries)


def _entries(record: Record) -> Rows:
    texts = (json.dumps(body, separators=(",", ":")) for body in record.written.entries)
    return [
        {
            "experiment": record.id,
            "number": number,
            "body": text,
            "row_sum": checksum(record.id, number, text),
        }
        for number, text in enumerate(texts, record.first)
    ]


def _answers(record: Record) -> Rows:
    return [
        {
            "experiment": record.id,
            "key": each.key,
            "digest": each.digest,
            "body": packed(each.answer),
            "row_sum": checksum(record.id, each.key, each.digest),
        }
        for each in record.written.receipts
    ]


def _progress(record: Record, facts: int) -> dict[str, Any]:
    progress, (at, seen) = record.written.progress, record.at
    plays, stands = int(progress["playing"]), json.dumps(progress, separators=(",", ":"))
    return {
        "one": record.id,
        "at": at,
        "then": seen,
        "plays": plays,
        "stands": stands,
        "count": facts,
        "sum": checksum(record.id, at, seen, plays, stands, facts),
    }


def _write_parts(connection: Connection, record: Record) -> None:
    written, id = record.written, record.id
    _many(connection, _CLEAR, [{"one": id, "of": run} for run in written.cleared])
    gone = [*written.dropped, *((run, name) for run, name, _ in written.parts)]
    _many(connection, _DROP, [{"one": id, "of": run, "called": name} for run, name in gone])
    rows = [{"experiment": id, "run": run, "name": name, "data": data} for run, name, data in written.parts]
    _many(connection, insert(PART), rows)


def touch(connection: Connection, used: Mapping[str, Moment]) -> None:
    """These experiments were used at these times. A damaged one stays as it is."""
    rows = connection.execute(select(EXPERIMENT).where(EXPERIMENT.c.id.in_(list(used)))).all()
    _many(
        connection,
        _TOUCH,
        [
            {
                "one": row.id,
                "at": (moment := used[row.id]).at,
                "then": moment.seen,
                "sum": checksum(row.id, moment.at, moment.seen, row.playing, row.progress, row.facts),
            }
            for row in rows
            if row.stands_sum == _stands_sum(row)
        ],
    )


def last_mark(connection: Connection) -> Moment | None:
    """The last moment that anything here tells of."""
    found = connection.execute(select(CLOCK)).one_or_none()
    if found is None or found.row_sum != checksum(found.at, found.seen):
        return None
    newest = connection.execute(select(func.max(EXPERIMENT.c.seen))).scalar_one() or 0.0
    return latest(Moment(found.at, found.seen), newest)


def mark(connection: Connection, moment: Moment) -> None:
    """Note that a server is running."""
    connection.execute(delete(CLOCK))
    row = {"one": 1, "at": moment.at, "seen": moment.seen, "row_sum": checksum(*moment)}
    connection.execute(insert(CLOCK), [row])


def was_left_open(connection: Connection) -> bool:
    """Whether a server opened the file and did not close it."""
    return bool(connection.execute(select(SESSION.c.is_open)).scalar_one_or_none())


def note_session(connection: Connection, *, is_open: bool) -> None:
    """Note that a server opened the file, or is about to close it."""
    connection.execute(delete(SESSION))
    connection.execute(insert(SESSION), [{"one": 1, "is_open": int(is_open)}])


def delete(connection: Connection, ids: Sequence[str]) -> None:
    """Delete experiments; what belongs to them goes with them."""
    _many(connection, _FORGET, [{"one": id} for id in ids])


def tables(connection: Connection) -> list[TableInfo]:
    """Every table that people have sent."""
    told = DATASET.c
    rows = connection.execute(select(told.id, told.size, told.since, told.seen, told.row_sum))
    return [
        TableInfo(id, size, Moment(since, seen))
        for id, size, since, seen, row_sum in rows
        if row_sum == checksum(id, since, seen, size)
    ]


def table(connection: Connection, id: str) -> bytes | None:
    """The CSV of a table."""
    row = connection.execute(select(DATASET.c.body).where(DATASET.c.id == id)).one_or_none()
    try:
        return None if row is None else zlib.decompress(row.body)
    except zlib.error as error:
        raise RecordDamaged("the file that was sent cannot be read") from error


def add_table(connection: Connection, id: str, at: Moment, body: bytes) -> None:
    """Store a CSV."""
    row = {
        "id": id,
        "since": at.at,
        "seen": at.seen,
        "size": len(body),
        "body": zlib.compress(body, level=1),
        "row_sum": checksum(id, at.at, at.seen, len(body)),
    }
    connection.execute(insert(DATASET), [row])


def delete_tables(connection: Connection, ids: Sequence[str]) -> None:
    """Delete tables."""
    _many(connection, _FORGET_TABLE, [{"one": id} for id in ids])
