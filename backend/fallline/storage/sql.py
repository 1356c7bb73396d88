"""SQL statements of the store, on one connection of SQLAlchemy."""

from __future__ import annotations

import json
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from fallline.storage.interface import RecordDamaged, latest
from fallline.storage.sums import checksum, packed, unpacked
from fallline.storage.tables import ANSWER, CLOCK, DATASET, ENTRY, EXPERIMENT, PART, SESSION
from fallline.vocabulary.journal import (
    ExperimentInfo,
    Json,
    Moment,
    Record,
    StoredExperiment,
    TableInfo,
    deletion_in,
    log_id,
)

_UPDATE = update(EXPERIMENT).where(EXPERIMENT.c.id == bindparam("one"))
_CLEAR = delete(PART).where(PART.c.experiment == bindparam("one"), PART.c.run == bindparam("of"))
_DROP = _CLEAR.where(PART.c.name == bindparam("called"))
_STANDS = select(EXPERIMENT.c.facts, func.length(EXPERIMENT.c.progress).label("length")).where(
    EXPERIMENT.c.id == bindparam("one")
)
_EXPERIMENT = select(EXPERIMENT).where(EXPERIMENT.c.id == bindparam("one"))
_FACTS = select(ENTRY).where(ENTRY.c.experiment == bindparam("one")).order_by(ENTRY.c.number)
_ANSWERS = select(ANSWER).where(ANSWER.c.experiment == bindparam("one"))
_PARTS = select(PART.c.run, PART.c.name, PART.c.data).where(PART.c.experiment == bindparam("one"))
_LENGTHS = select(PART.c.run, PART.c.name, func.length(PART.c.data)).where(
    PART.c.experiment == bindparam("one")
)

NEVER = Moment(0.0, math.inf)
"""Last use of an experiment if it cannot be read, so that it is not deleted as unused."""

Rows = list[dict[str, Any]]


def experiments(connection: Connection) -> list[ExperimentInfo]:
    """Return every experiment. A damaged one may have only its id, from its facts."""
    intact = [_info(row) for row in connection.execute(select(EXPERIMENT))]
    ids = {each.id for each in intact}
    lost = [id for (id,) in connection.execute(select(ENTRY.c.experiment).distinct()) if id not in ids]
    return intact + [ExperimentInfo(id, b"", NEVER, is_playing=False, is_damaged=True) for id in lost]


def _info(row: Any) -> ExperimentInfo:
    is_intact = row.stands_sum == _stands_sum(row)
    return ExperimentInfo(
        row.id,
        row.token_hash,
        Moment(row.used, row.seen) if is_intact else NEVER,
        is_intact and bool(row.playing),
        row.dataset,
        row.owner,
        row.made_sum != _made_sum(row),
        deletion_in(json.loads(row.progress)) if is_intact and '"deleted"' in row.progress else None,
    )


def _made_sum(row: Any) -> int:
    return checksum(row.id, row.token_hash, row.created, row.dataset, row.owner)


def _stands_sum(row: Any) -> int:
    return checksum(row.id, row.used, row.seen, row.playing, row.progress, row.facts)


def load(connection: Connection, id: str) -> StoredExperiment | None:
    """Return the data to open an experiment, without its parts. Raises RecordDamaged."""
    row = connection.execute(_EXPERIMENT, {"one": id}).one_or_none()
    facts = readable_facts(connection, id)
    if row is None:
        if facts:
            raise RecordDamaged("its row is missing")
        return None
    if row.made_sum != _made_sum(row):
        raise RecordDamaged("its token, owner and data cannot be read")
    if row.stands_sum != _stands_sum(row):
        raise RecordDamaged("the progress of its runs cannot be read")
    if len(facts) != row.facts:
        raise RecordDamaged(f"{row.facts - len(facts)} of its {row.facts} facts cannot be read")
    answers = connection.execute(_ANSWERS, {"one": id}).all()
    if any(each.row_sum != checksum(id, each.key, each.digest) for each in answers):
        raise RecordDamaged("its finished commands cannot be read")
    return StoredExperiment(
        facts, json.loads(row.progress), digests={each.key: each.digest for each in answers}
    )


def readable_facts(connection: Connection, id: str) -> tuple[Json, ...]:
    """Return the facts up to the first damaged or missing one."""
    rows = connection.execute(_FACTS, {"one": id})
    facts: list[Json] = []
    for row in rows:
        if row.number != len(facts) or row.row_sum != checksum(id, row.number, row.body):
            break
        facts.append(json.loads(row.body))
    return tuple(facts)


def parts(connection: Connection, id: str) -> dict[str, dict[str, bytes]]:
    """Return the parts of each run."""
    parts: dict[str, dict[str, bytes]] = {}
    for run, name, data in connection.execute(_PARTS, {"one": id}):
        parts.setdefault(run, {})[name] = data
    return parts


def answer(connection: Connection, id: str, key: str) -> Json | None:
    """Return the answer to the command with this key."""
    row = connection.execute(
        select(ANSWER.c.body).where(ANSWER.c.experiment == id, ANSWER.c.key == key)
    ).one_or_none()
    try:
        return None if row is None else unpacked(row.body)
    except (zlib.error, ValueError) as error:
        raise RecordDamaged("the answer to this command cannot be read") from error


def write(connection: Connection, records: Sequence[Record]) -> dict[str, int]:
    """Store all records in the caller's transaction. Raises ValueError.

    Returns by how many bytes each experiment grew.
    """
    facts: dict[str, int] = {}
    grown = Counter[str]()
    try:
        _many(connection, insert(EXPERIMENT), [row for record in records for row in _new(record)])
        for record in records:
            _check_next(connection, record, facts, grown)
            _many(connection, insert(ENTRY), entries := _entries(record))
            grown[record.id] += sum(len(row["body"]) for row in entries)
        _many(connection, insert(ANSWER), answers := [row for record in records for row in _answers(record)])
        last = {each.id: each for each in records}.values()
        _many(connection, _UPDATE, states := [_progress(record, facts[record.id]) for record in last])
        for row in answers:
            grown[row["experiment"]] += len(row["body"])
        for row in states:
            grown[row["one"]] += len(row["progress"])
        for record in records:
            grown[record.id] += _write_parts(connection, record)
    except IntegrityError as error:
        raise ValueError(f"the records do not follow the stored ones: {error.orig}") from error
    return grown


def _many(connection: Connection, statement: Any, rows: Rows) -> None:
    if rows:
        connection.execute(statement, rows)


def _new(record: Record) -> Rows:
    if record.new is None:
        return []
    new, at = record.new, record.at.at
    return [
        {
            "id": record.id,
            "token_hash": new.token_hash,
            "created": at,
            "used": at,
            "seen": record.at.seen,
            "playing": 0,
            "dataset": new.table,
            "owner": new.owner,
            "progress": "{}",
            "made_sum": checksum(record.id, new.token_hash, at, new.table, new.owner),
        }
    ]


def _check_next(connection: Connection, record: Record, facts: dict[str, int], grown: Counter[str]) -> None:
    """Count the record's facts in `facts`, and the progress that it replaces. Raises ValueError if one is missing."""
    if record.id not in facts:
        row = connection.execute(_STANDS, {"one": record.id}).one_or_none()
        if row is None:
            raise ValueError("there is no such experiment")
        facts[record.id] = row.facts
        if record.new is None:
            grown[record.id] -= row.length
    if record.batch.entries and facts[record.id] != record.first:
        raise ValueError(f"entry {facts[record.id]} must come next, not {record.first}")
    facts[record.id] += len(record.batch.entries)


def _entries(record: Record) -> Rows:
    texts = (json.dumps(body, separators=(",", ":")) for body in record.batch.entries)
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
        for each in record.batch.receipts
    ]


def _progress(record: Record, facts: int) -> dict[str, Any]:
    progress, (at, age) = record.batch.progress, record.at
    plays, state = int(progress["playing"]), json.dumps(progress, separators=(",", ":"))
    return {
        "one": record.id,
        "used": at,
        "seen": age,
        "playing": plays,
        "progress": state,
        "facts": facts,
        "stands_sum": checksum(record.id, at, age, plays, state, facts),
    }


def _write_parts(connection: Connection, record: Record) -> int:
    """Write the parts; return by how many bytes they grew."""
    batch, id = record.batch, record.id
    dropped = {*batch.dropped, *((run, name) for run, name, _ in batch.parts)}
    if not (batch.cleared or dropped):
        return 0
    before = connection.execute(_LENGTHS, {"one": id}).all()
    old_bytes: int = sum(
        length for run, name, length in before if run in batch.cleared or (run, name) in dropped
    )
    _many(connection, _CLEAR, [{"one": id, "of": run} for run in batch.cleared])
    _many(connection, _DROP, [{"one": id, "of": run, "called": name} for run, name in sorted(dropped)])
    rows = [{"experiment": id, "run": run, "name": name, "data": data} for run, name, data in batch.parts]
    _many(connection, insert(PART), rows)
    return sum(len(data) for _, _, data in batch.parts) - old_bytes


def touch(connection: Connection, used: Mapping[str, Moment]) -> None:
    """Store the last use of these experiments. A damaged row stays as it is."""
    rows = connection.execute(select(EXPERIMENT).where(EXPERIMENT.c.id.in_(used))).all()
    _many(
        connection,
        _UPDATE,
        [
            {
                "one": row.id,
                "used": (moment := used[row.id]).at,
                "seen": moment.seen,
                "stands_sum": checksum(row.id, moment.at, moment.seen, row.playing, row.progress, row.facts),
            }
            for row in rows
            if row.stands_sum == _stands_sum(row)
        ],
    )


def last_mark(connection: Connection) -> Moment | None:
    """Return the latest mark or use."""
    row = connection.execute(select(CLOCK)).one_or_none()
    if row is None or row.row_sum != checksum(row.at, row.seen):
        return None
    newest = connection.execute(select(func.max(EXPERIMENT.c.seen))).scalar_one() or 0.0
    return latest(Moment(row.at, row.seen), newest)


def mark(connection: Connection, moment: Moment) -> None:
    """Store that a server runs at this moment."""
    connection.execute(delete(CLOCK))
    row = {"one": 1, "at": moment.at, "seen": moment.seen, "row_sum": checksum(*moment)}
    connection.execute(insert(CLOCK), [row])


def was_left_open(connection: Connection) -> bool:
    """Return whether a server opened the file and did not close it."""
    return bool(connection.execute(select(SESSION.c.is_open)).scalar_one_or_none())


def note_session(connection: Connection, *, is_open: bool) -> None:
    """Store that a server opened the file, or is about to close it."""
    connection.execute(delete(SESSION))
    connection.execute(insert(SESSION), [{"one": 1, "is_open": int(is_open)}])


def delete_experiments(connection: Connection, ids: Sequence[str]) -> None:
    """Delete experiments with all their data."""
    connection.execute(delete(EXPERIMENT).where(EXPERIMENT.c.id.in_(ids)))


def tables(connection: Connection) -> list[TableInfo]:
    """Return every uploaded table."""
    c = DATASET.c
    rows = connection.execute(select(c.id, c.size, c.since, c.seen, c.row_sum))
    return [
        TableInfo(id, size, Moment(since, age))
        for id, size, since, age, row_sum in rows
        if row_sum == checksum(id, since, age, size)
    ]


def table(connection: Connection, id: str) -> bytes | None:
    """Return the CSV of a table."""
    row = connection.execute(select(DATASET.c.body).where(DATASET.c.id == id)).one_or_none()
    try:
        return None if row is None else zlib.decompress(row.body)
    except zlib.error as error:
        raise RecordDamaged("the uploaded file cannot be read") from error


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
    connection.execute(delete(DATASET).where(DATASET.c.id.in_(ids)))


# ---------------------------------------------------------------------- for operators


def sizes(connection: Connection) -> dict[str, int]:
    """Return the bytes of each experiment: its row, facts, answers and parts."""
    sizes: dict[str, int] = {}
    lengths = (
        select(EXPERIMENT.c.id, func.length(EXPERIMENT.c.progress)),
        select(ENTRY.c.experiment, func.sum(func.length(ENTRY.c.body))).group_by(ENTRY.c.experiment),
        select(ANSWER.c.experiment, func.sum(func.length(ANSWER.c.body))).group_by(ANSWER.c.experiment),
        select(PART.c.experiment, func.sum(func.length(PART.c.data))).group_by(PART.c.experiment),
    )
    for statement in lengths:
        for id, length in connection.execute(statement):
            sizes[id] = sizes.get(id, 0) + length
    return sizes


def damages(connection: Connection) -> Iterator[str]:
    """Yield a line for each experiment and upload that cannot be read whole."""
    for one in experiments(connection):
        if (damage := _damage_of(connection, one)) is not None:
            yield f"experiment {log_id(one.id)}: {damage}"
    for row in connection.execute(select(DATASET)):
        if row.row_sum != checksum(row.id, row.since, row.seen, row.size) or not _unpacks(row):
            yield f"upload {log_id(row.id)}: it cannot be read"


def _damage_of(connection: Connection, one: ExperimentInfo) -> str | None:
    try:
        load(connection, one.id)
        for (key,) in connection.execute(select(ANSWER.c.key).where(ANSWER.c.experiment == one.id)).all():
            answer(connection, one.id, key)
    except RecordDamaged as error:
        return str(error)
    return "its row cannot be read" if one.is_damaged else None


def _unpacks(row: Any) -> bool:
    try:
        return bool(len(zlib.decompress(row.body)) == row.size)
    except zlib.error:
        return False
