"""The store in SQL, over one connection of SQLAlchemy's. Must not know which database it is, how one gets at it, nor
which thread this is.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from fallline.storage.interface import Known, KnownTable, Moment, Record, latest
from fallline.storage.packed_answers import packed, unpacked
from fallline.storage.tables import ANSWER, CLOCK, DATASET, ENTRY, EXPERIMENT, PART
from fallline.vocabulary.journal import Json, Kept

_PROGRESS = (
    update(EXPERIMENT)
    .where(EXPERIMENT.c.id == bindparam("one"))
    .values(
        used=bindparam("at"), seen=bindparam("then"), playing=bindparam("plays"), progress=bindparam("stands")
    )
)
_TOUCH = (
    update(EXPERIMENT)
    .where(EXPERIMENT.c.id == bindparam("one"))
    .values(used=bindparam("at"), seen=bindparam("then"))
)
_CLEAR = delete(PART).where(PART.c.experiment == bindparam("one"), PART.c.run == bindparam("of"))
_DROP = _CLEAR.where(PART.c.name == bindparam("called"))
_FORGET = delete(EXPERIMENT).where(EXPERIMENT.c.id == bindparam("one"))
_FORGET_TABLE = delete(DATASET).where(DATASET.c.id == bindparam("one"))

Rows = list[dict[str, Any]]


def known(connection: Connection) -> list[Known]:
    """Every experiment."""
    told = EXPERIMENT.c
    rows = connection.execute(
        select(told.id, told.token_hash, told.used, told.seen, told.playing, told.dataset, told.owner)
    )
    return [
        Known(id, token_hash, Moment(used, seen), bool(playing), table, owner)
        for id, token_hash, used, seen, playing, table, owner in rows
    ]


def load(connection: Connection, id: str) -> Kept | None:
    """What it takes to open an experiment, without its parts."""
    row = connection.execute(select(EXPERIMENT.c.progress).where(EXPERIMENT.c.id == id)).one_or_none()
    if row is None:
        return None
    facts = select(ENTRY.c.body).where(ENTRY.c.experiment == id).order_by(ENTRY.c.number)
    asked = select(ANSWER.c.key, ANSWER.c.digest).where(ANSWER.c.experiment == id)
    return Kept(
        tuple(json.loads(body) for (body,) in connection.execute(facts)),
        json.loads(row.progress),
        digests={row.key: row.digest for row in connection.execute(asked)},
    )


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
    return None if row is None else unpacked(row.body)


def write(connection: Connection, records: Sequence[Record]) -> None:
    """Store all of it; the caller's transaction makes it all or nothing. ValueError for what does not fit."""
    try:
        _many(connection, insert(EXPERIMENT), [row for record in records for row in _begun(record)])
        for record in records:
            _check_next(connection, record)
            _many(connection, insert(ENTRY), _entries(record))
        _many(connection, insert(ANSWER), [row for record in records for row in _answers(record)])
        _many(
            connection,
            _PROGRESS,
            [_progress(record) for record in {each.id: each for each in records}.values()],
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
    return [
        {
            "id": record.id,
            "token_hash": record.begun.token_hash,
            "created": record.at.at,
            "used": record.at.at,
            "seen": record.at.seen,
            "playing": 0,
            "dataset": record.begun.table,
            "owner": record.begun.owner,
            "progress": "{}",
        }
    ]


def _check_next(connection: Connection, record: Record) -> None:
    if not record.written.entries:
        there = select(func.count()).select_from(EXPERIMENT).where(EXPERIMENT.c.id == record.id)
        if not connection.execute(there).scalar_one():
            raise ValueError("there is no such experiment")
        return
    count = select(func.count()).select_from(ENTRY).where(ENTRY.c.experiment == record.id)
    if (held := connection.execute(count).scalar_one()) != record.first:
        raise ValueError(f"entry {held} must come next, not {record.first}")


def _entries(record: Record) -> Rows:
    return [
        {"experiment": record.id, "number": number, "body": json.dumps(body, separators=(",", ":"))}
        for number, body in enumerate(record.written.entries, record.first)
    ]


def _answers(record: Record) -> Rows:
    return [
        {"experiment": record.id, "key": each.key, "digest": each.digest, "body": packed(each.answer)}
        for each in record.written.receipts
    ]


def _progress(record: Record) -> dict[str, Any]:
    progress = record.written.progress
    return {
        "one": record.id,
        "at": record.at.at,
        "then": record.at.seen,
        "plays": int(progress["playing"]),
        "stands": json.dumps(progress, separators=(",", ":")),
    }


def _write_parts(connection: Connection, record: Record) -> None:
    written, id = record.written, record.id
    _many(connection, _CLEAR, [{"one": id, "of": run} for run in written.cleared])
    gone = [*written.dropped, *((run, name) for run, name, _ in written.parts)]
    _many(connection, _DROP, [{"one": id, "of": run, "called": name} for run, name in gone])
    rows = [{"experiment": id, "run": run, "name": name, "data": data} for run, name, data in written.parts]
    _many(connection, insert(PART), rows)


def touch(connection: Connection, used: Mapping[str, Moment]) -> None:
    """These experiments were used at these times."""
    _many(connection, _TOUCH, [{"one": id, "at": at, "then": seen} for id, (at, seen) in used.items()])


def marked(connection: Connection) -> Moment | None:
    """The last moment that anything here tells of."""
    found = connection.execute(select(CLOCK.c.at, CLOCK.c.seen)).one_or_none()
    if found is None:
        return None
    newest = connection.execute(select(func.max(EXPERIMENT.c.seen))).scalar_one() or 0.0
    return latest(Moment(found.at, found.seen), newest)


def mark(connection: Connection, moment: Moment) -> None:
    """Note that a server is running."""
    connection.execute(delete(CLOCK))
    connection.execute(insert(CLOCK), [{"one": 1, "at": moment.at, "seen": moment.seen}])


def forget(connection: Connection, ids: Sequence[str]) -> None:
    """Delete experiments; what belongs to them goes with them."""
    _many(connection, _FORGET, [{"one": id} for id in ids])


def tables(connection: Connection) -> list[KnownTable]:
    """Every table that people have sent."""
    rows = connection.execute(select(DATASET.c.id, DATASET.c.size, DATASET.c.since, DATASET.c.seen))
    return [KnownTable(id, size, Moment(since, seen)) for id, size, since, seen in rows]


def table(connection: Connection, id: str) -> bytes | None:
    """The CSV of a table."""
    row = connection.execute(select(DATASET.c.body).where(DATASET.c.id == id)).one_or_none()
    return None if row is None else zlib.decompress(row.body)


def keep_table(connection: Connection, id: str, at: Moment, body: bytes) -> None:
    """Store a CSV."""
    row = {
        "id": id,
        "since": at.at,
        "seen": at.seen,
        "size": len(body),
        "body": zlib.compress(body, level=1),
    }
    connection.execute(insert(DATASET), [row])


def forget_tables(connection: Connection, ids: Sequence[str]) -> None:
    """Delete tables."""
    _many(connection, _FORGET_TABLE, [{"one": id} for id in ids])
