"""Every store keeps the same promises, and so does the one in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fallline.storage.interface import MARKED_SECONDS, Store
from fallline.storage.memory import MemoryStore
from fallline.storage.sqlite import SqliteStore
from fallline.vocabulary.journal import (
    ExperimentInfo,
    JournalBatch,
    Moment,
    NewExperiment,
    Receipt,
    Record,
    TableInfo,
    entry,
)

STORES: dict[str, Callable[[Path], Store]] = {"memory": lambda folder: MemoryStore(), "sqlite": SqliteStore}
FIRST, SECOND = Moment(1.0, 10.0), Moment(2.0, 20.0)
PROGRESS: dict[str, Any] = {"playing": False, "runs": {"gd": {"step": 3}}}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store = STORES[request.param](tmp_path)
    store.open()
    yield store
    store.close()


def begun(id: str = "x", at: Moment = FIRST, **more: Any) -> Record:
    return Record(
        id,
        at,
        0,
        JournalBatch((entry("began", recipe={"a": 0.1}),), PROGRESS, **more),
        NewExperiment(b"hash", "table", b"owner"),
    )


def later(first: int, *entries: dict[str, Any], id: str = "x", at: Moment = SECOND, **more: Any) -> Record:
    return Record(id, at, first, JournalBatch(entries, more.pop("progress", PROGRESS), **more))


def entries_of(store: Store, id: str = "x") -> list[str]:
    stored = store.load(id)
    assert stored is not None
    return [fact["what"] for fact in stored.entries]


def parts_of(store: Store, id: str = "x") -> dict[str, dict[str, bytes]]:
    stored = store.load(id)
    assert stored is not None
    return {run: dict(parts) for run, parts in stored.parts.items() if parts}


def test_a_write_is_read_back_unchanged(store: Store) -> None:
    facts = entry("edited", run="gd", edit={"at_step": 3, "clip_norm": None, "learning_rate": 0.1 + 0.2})
    receipt = Receipt("key", b"asked", {"run": "gd", "rate": 1e-300, "label": "Größe ∇", "none": None})
    store.write([begun()])
    store.write([later(1, facts, progress={"playing": True, "runs": {}}, receipts=(receipt,))])
    stored = store.load("x")
    assert stored is not None
    assert stored.entries == (entry("began", recipe={"a": 0.1}), facts)
    assert stored.progress == {"playing": True, "runs": {}}
    assert dict(stored.digests) == {"key": b"asked"}
    assert store.answer("x", "key") == receipt.answer
    assert store.answer("x", "other") is None
    assert store.experiments() == [
        ExperimentInfo("x", b"hash", SECOND, is_playing=True, table="table", owner=b"owner")
    ]


def test_an_unknown_experiment_is_read_as_none(store: Store) -> None:
    assert store.experiments() == []
    assert store.load("x") is None
    assert store.answer("x", "key") is None


def test_many_records_are_stored_together_and_in_order(store: Store) -> None:
    store.write([begun("x"), begun("y"), later(1, entry("a")), later(2, entry("b"), entry("c")), later(4)])
    assert entries_of(store, "x") == ["began", "a", "b", "c"]
    assert entries_of(store, "y") == ["began"]


@pytest.mark.parametrize(
    "bad",
    [
        later(2, entry("skips a number")),
        later(0, entry("takes a number that is taken")),
        later(0, entry("of nobody"), id="nobody"),
        later(0, id="nobody"),
        begun("x"),
        later(1, entry("answers again"), receipts=(Receipt("key", b"other"),)),
    ],
)
def test_a_write_is_all_or_nothing(store: Store, bad: Record) -> None:
    store.write([begun(receipts=(Receipt("key", b"asked", {}),), parts=(("gd", "head", b"1"),))])
    good = later(1, entry("good"), id="x" if bad.id == "nobody" else "y", parts=(("gd", "head", b"2"),))
    first = [begun("y")] if good.id == "y" else []
    with pytest.raises(ValueError):
        store.write([*first, good, bad])
    assert entries_of(store) == ["began"]
    assert parts_of(store) == {"gd": {"head": b"1"}}
    assert [each.id for each in store.experiments()] == ["x"]
    store.write([later(1, entry("next"))])
    assert entries_of(store) == ["began", "next"]


def test_parts_are_replaced_dropped_and_cleared(store: Store) -> None:
    blob = bytes(range(256)) * 400
    store.write([begun(parts=(("gd", "a", blob), ("gd", "b", b"b"), ("sgd", "a", b"s")))])
    store.write([later(1, parts=(("gd", "a", b"new"),), dropped=(("gd", "b"), ("gd", "never there")))])
    assert parts_of(store) == {"gd": {"a": b"new"}, "sgd": {"a": b"s"}}
    store.write([later(1, cleared=("gd",), parts=(("gd", "c", blob),)), later(1, cleared=("sgd",))])
    assert parts_of(store) == {"gd": {"c": blob}}


def test_stored_data_do_not_change_with_the_callers_objects(store: Store) -> None:
    fact = entry("edited", edit={"rate": 1})
    progress: dict[str, Any] = {"playing": False, "runs": {}}
    store.write([begun(), later(1, fact, progress=progress)])
    fact["edit"]["rate"] = progress["runs"] = 2
    stored = store.load("x")
    assert stored is not None
    stored.entries[1]["edit"]["rate"] = 3
    again = store.load("x")
    assert again is not None
    assert again.entries[1]["edit"] == {"rate": 1}
    assert again.progress["runs"] == {}


def test_the_bytes_of_each_experiment_are_counted(store: Store) -> None:
    store.write([begun("x"), begun("y", parts=(("gd", "head", b"p" * 5_000),))])
    before = store.sizes()
    assert 0 < before["x"] < 1_000 < 5_000 < before["y"] < 6_000
    receipts = (Receipt("key", b"asked", {"a": 1}),)
    store.write([later(1, receipts=receipts, parts=(("gd", "a", b"q" * 100),))])
    assert store.sizes()["x"] > before["x"] + 100
    store.delete(["y"])
    assert store.sizes().keys() == {"x"}


def test_use_is_recorded(store: Store) -> None:
    store.write([begun("x"), begun("y")])
    store.touch({"y": Moment(9.0, 90.0), "nobody": Moment(9.0, 90.0)})
    assert {each.id: each.used for each in store.experiments()} == {
        "x": Moment(1.0, 10.0),
        "y": Moment(9.0, 90.0),
    }


def test_the_last_moment_is_a_mark_or_a_use_soon_after_it(store: Store) -> None:
    assert store.last_mark() is None
    store.mark(Moment(1000.0, 10.0))
    assert store.last_mark() == Moment(1000.0, 10.0)
    store.write([begun(at=Moment(5.0, 70.0))])
    assert store.last_mark() == Moment(1060.0, 70.0), "a crash lost the mark in between"
    store.touch({"x": Moment(5.0, 1e12)})
    assert store.last_mark() == Moment(1000.0 + MARKED_SECONDS, 10.0 + MARKED_SECONDS)
    store.mark(Moment(3.0, 2e12))
    assert store.last_mark() == Moment(3.0, 2e12)


def test_a_forgotten_experiment_leaves_nothing_behind(store: Store) -> None:
    receipt = Receipt("key", b"asked", {})
    store.write([begun("x", receipts=(receipt,), parts=(("gd", "a", b"a"),)), begun("y")])
    store.delete(["x", "nobody"])
    assert [each.id for each in store.experiments()] == ["y"]
    assert store.load("x") is None
    assert store.answer("x", "key") is None
    store.write([begun("x")])
    assert (entries_of(store), parts_of(store), store.answer("x", "key")) == (["began"], {}, None)


def test_tables_are_stored_unchanged_until_they_are_forgotten(store: Store) -> None:
    body = "länge;art\r\n1,5;α\r\n".encode() * 1000
    store.add_table("t", Moment(3.0, 30.0), body)
    store.add_table("u", Moment(4.0, 40.0), b"1,2")
    assert (store.table("t"), store.table("nothing")) == (body, None)
    assert sorted(each.id for each in store.tables()) == ["t", "u"]
    assert TableInfo("t", len(body), Moment(3.0, 30.0)) in store.tables()
    store.delete_tables(["t", "nothing"])
    assert store.tables() == [TableInfo("u", 3, Moment(4.0, 40.0))]
    assert store.table("t") is None
