"""The bytes counted along with the writes equal the file's, after any writes and after every restart."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fallline.storage import sql
from fallline.storage.sqlite import SqliteStore
from fallline.vocabulary.journal import JournalBatch, Moment, NewExperiment, Receipt, Record, entry

RUNS, NAMES = ("gd", "sgd"), ("head", "tail")
WHERE = st.tuples(st.sampled_from(RUNS), st.sampled_from(NAMES))
BATCHES = st.fixed_dictionaries(
    {
        "facts": st.integers(0, 3),
        "receipts": st.integers(0, 2),
        "progress": st.integers(0, 400),
        "cleared": st.sets(st.sampled_from(RUNS)),
        "dropped": st.lists(WHERE, max_size=2),
        "parts": st.dictionaries(WHERE, st.binary(max_size=6_000), max_size=3),
    }
)
CHANGES = st.lists(
    st.one_of(
        st.lists(st.tuples(st.sampled_from("xyz"), BATCHES), min_size=1, max_size=3),
        st.lists(st.sampled_from("xyz"), min_size=1, max_size=3),  # deletions, also repeated ones
        st.just("restart"),
    ),
    max_size=12,
)


class Writer:
    """Writes records with the next numbers and keys."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.facts: dict[str, int] = {}
        self._keys = 0

    def write(self, changes: list[tuple[str, dict[str, Any]]]) -> None:
        self.store.write([self._record(id, change) for id, change in changes])

    def _record(self, id: str, change: dict[str, Any]) -> Record:
        new = None if id in self.facts else NewExperiment(b"hash", None, b"owner")
        first = self.facts.setdefault(id, 0)
        self.facts[id] += change["facts"]
        keys = range(self._keys, self._keys + change["receipts"])
        self._keys += change["receipts"]
        batch = JournalBatch(
            tuple(entry("edited", label="∇" * number) for number in range(change["facts"])),
            {"playing": False, "runs": "r" * change["progress"]},
            receipts=tuple(Receipt(str(key), b"asked", {"answer": key}) for key in keys),
            cleared=tuple(sorted(change["cleared"])),
            dropped=tuple(change["dropped"]),
            parts=tuple((run, name, data) for (run, name), data in change["parts"].items()),
        )
        return Record(id, Moment(1.0, 1.0), first, batch, new)

    def delete(self, ids: list[str]) -> None:
        self.store.delete(ids)
        for id in ids:
            self.facts.pop(id, None)


def in_the_file(store: SqliteStore) -> dict[str, int]:
    with store._transaction() as connection:
        return sql.sizes(connection)


@given(changes=CHANGES)
def test_the_counted_bytes_are_those_in_the_file(changes: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder))
        store.open()
        writer = Writer(store)
        store.sizes()
        for change in changes:
            if change == "restart":
                store.close()
                writer.store = store = SqliteStore(Path(folder))
                store.open()
                store.sizes()
            elif isinstance(change[0], tuple):
                writer.write(change)
            else:
                writer.delete(change)
            counted = store.sizes()
            assert counted == in_the_file(store)
            assert store.stored_bytes == sum(counted.values())
            assert [store.size_of(id) for id in "xyz"] == [counted.get(id, 0) for id in "xyz"]
        store.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path)
    store.open()
    yield store
    store.close()


def change(**more: Any) -> dict[str, Any]:
    nothing = {"facts": 0, "receipts": 0, "progress": 0, "cleared": set(), "dropped": [], "parts": {}}
    return {**nothing, **more}


def test_a_write_that_fails_is_not_counted(store: SqliteStore) -> None:
    writer = Writer(store)
    writer.write([("x", change(facts=1, parts={("gd", "head"): b"p" * 100}))])
    before = store.sizes()
    writer.facts["x"] += 1
    with pytest.raises(ValueError):
        writer.write([("x", change(facts=1, parts={("gd", "head"): b"p" * 5_000}))])
    assert store.sizes() == before == in_the_file(store)


def test_nothing_is_counted_before_somebody_needs_it(store: SqliteStore) -> None:
    writer = Writer(store)
    writer.write([("x", change(facts=1))])
    assert (store.stored_bytes, store.size_of("x")) == (0, 0)
    assert store.sizes() == in_the_file(store)
    assert store.stored_bytes == store.size_of("x") > 0
