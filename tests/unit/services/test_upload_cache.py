"""The upload cache stays within its limits, and used uploads stay in it."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from fallline.engine.data.tabular.table import Table, read_table
from fallline.services.uploads import UploadCache, new_id
from fallline.vocabulary.errors import Unavailable


def table(rows: int = 4) -> Table:
    return read_table("\n".join(f"{k},{k * k}" for k in range(rows)).encode())


def cached(tables: UploadCache, ids: list[str]) -> list[bool]:
    return [tables.find(id) is not None for id in ids]


def add(tables: UploadCache, one: Table, used: Collection[str] = ()) -> str:
    tables.add(id := new_id(), one, used)
    return id


def test_a_table_is_found_by_its_id_until_it_is_dropped() -> None:
    tables, one = UploadCache(), table()
    id = add(tables, one)
    assert tables.find(id) is one
    assert tables.find(id + "x") is None
    tables.drop(id)
    tables.drop(id)
    assert tables.find(id) is None


def test_the_least_recently_used_upload_is_evicted() -> None:
    tables = UploadCache(most=3)
    ids = [add(tables, table(), ()) for _ in range(3)]
    tables.find(ids[0])
    newest = add(tables, table(), ())
    assert cached(tables, [*ids, newest]) == [True, False, True, True]


def test_uploads_of_experiments_stay() -> None:
    tables = UploadCache(most=3)
    ids = [add(tables, table(), ()) for _ in range(3)]
    newest = add(tables, table(), {ids[0], ids[1]})
    assert cached(tables, [*ids, newest]) == [True, True, False, True]
    with pytest.raises(Unavailable) as refused:
        add(tables, table(), {ids[0], ids[1], newest})
    assert refused.value.retry_after > 0
    assert cached(tables, [*ids, newest]) == [True, True, False, True]


def test_as_many_are_evicted_as_a_large_upload_needs() -> None:
    small, large = table(), table(2_000)
    assert large.size >= 2_000 * 8 * 2
    tables = UploadCache(most_bytes=large.size + 2 * small.size)
    ids = [add(tables, small, ()) for _ in range(5)]
    newest = add(tables, large, ())
    assert cached(tables, [*ids, newest]) == [False, False, False, True, True, True]


def test_nothing_is_evicted_if_that_would_not_suffice() -> None:
    small, large = table(), table(2_000)
    tables = UploadCache(most_bytes=large.size + small.size)
    ids = [add(tables, small, ()) for _ in range(4)]
    with pytest.raises(Unavailable):
        add(tables, large, ids[2:])
    assert cached(tables, ids) == [True] * 4
