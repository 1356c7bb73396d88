"""UploadCache are kept within bounds, and those in use stay."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from fallline.engine.data.tabular import Table, read_table
from fallline.services.tokens import new_id
from fallline.services.upload_cache import UploadCache
from fallline.vocabulary.errors import Unavailable


def table(rows: int = 4) -> Table:
    return read_table("\n".join(f"{k},{k * k}" for k in range(rows)).encode())


def held(tables: UploadCache, ids: list[str]) -> list[bool]:
    return [tables.find(id) is not None for id in ids]


def keep(tables: UploadCache, one: Table, used: Collection[str] = ()) -> str:
    tables.add(id := new_id(), one, used)
    return id


def test_a_table_is_found_by_its_id_until_it_is_dropped() -> None:
    tables, one = UploadCache(), table()
    id = keep(tables, one)
    assert tables.find(id) is one
    assert tables.find(id + "x") is None
    tables.drop(id)
    tables.drop(id)
    assert tables.find(id) is None


def test_the_one_used_least_recently_makes_room() -> None:
    tables = UploadCache(most=3)
    ids = [keep(tables, table(), ()) for _ in range(3)]
    tables.find(ids[0])
    newest = keep(tables, table(), ())
    assert held(tables, [*ids, newest]) == [True, False, True, True]


def test_those_of_experiments_stay() -> None:
    tables = UploadCache(most=3)
    ids = [keep(tables, table(), ()) for _ in range(3)]
    newest = keep(tables, table(), {ids[0], ids[1]})
    assert held(tables, [*ids, newest]) == [True, True, False, True]
    with pytest.raises(Unavailable) as refused:
        keep(tables, table(), {ids[0], ids[1], newest})
    assert refused.value.retry_after > 0
    assert held(tables, [*ids, newest]) == [True, True, False, True]


def test_as_many_go_as_a_large_one_needs() -> None:
    small, large = table(), table(2_000)
    assert large.size >= 2_000 * 8 * 2
    tables = UploadCache(most_bytes=large.size + 2 * small.size)
    ids = [keep(tables, small, ()) for _ in range(5)]
    newest = keep(tables, large, ())
    assert held(tables, [*ids, newest]) == [False, False, False, True, True, True]


def test_none_goes_where_the_room_would_not_be_enough() -> None:
    small, large = table(), table(2_000)
    tables = UploadCache(most_bytes=large.size + small.size)
    ids = [keep(tables, small, ()) for _ in range(4)]
    with pytest.raises(Unavailable):
        keep(tables, large, ids[2:])
    assert held(tables, ids) == [True] * 4
