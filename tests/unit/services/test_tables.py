"""Tables are kept within bounds, and those in use stay."""

from __future__ import annotations

import pytest

from fallline.engine.tabular import Table, read_table
from fallline.services.tables import Tables
from fallline.vocabulary.errors import NotFound, Unavailable


def table(rows: int = 4) -> Table:
    return read_table("\n".join(f"{k},{k * k}" for k in range(rows)).encode())


def held(tables: Tables, ids: list[str]) -> list[bool]:
    found = []
    for id in ids:
        try:
            tables.read(id)
        except NotFound:
            found.append(False)
        else:
            found.append(True)
    return found


def test_a_table_is_read_by_an_id_that_nobody_guesses() -> None:
    tables, one = Tables(), table()
    id = tables.keep(one, ())
    assert tables.read(id) is one
    assert len(id) >= 22
    assert tables.keep(one, ()) != id
    with pytest.raises(NotFound):
        tables.read(id + "x")


def test_the_one_used_least_recently_makes_room() -> None:
    tables = Tables(most=3)
    ids = [tables.keep(table(), ()) for _ in range(3)]
    tables.read(ids[0])
    newest = tables.keep(table(), ())
    assert held(tables, [*ids, newest]) == [True, False, True, True]


def test_those_of_experiments_stay() -> None:
    tables = Tables(most=3)
    ids = [tables.keep(table(), ()) for _ in range(3)]
    newest = tables.keep(table(), {ids[0], ids[1]})
    assert held(tables, [*ids, newest]) == [True, True, False, True]
    with pytest.raises(Unavailable) as refused:
        tables.keep(table(), {ids[0], ids[1], newest})
    assert refused.value.retry_after > 0
    assert held(tables, [*ids, newest]) == [True, True, False, True]


def test_as_many_go_as_a_large_one_needs() -> None:
    small, large = table(), table(2_000)
    assert large.size >= 2_000 * 8 * 2
    tables = Tables(most_bytes=large.size + 2 * small.size)
    ids = [tables.keep(small, ()) for _ in range(5)]
    newest = tables.keep(large, ())
    assert held(tables, [*ids, newest]) == [False, False, False, True, True, True]


def test_none_goes_where_the_room_would_not_be_enough() -> None:
    small, large = table(), table(2_000)
    tables = Tables(most_bytes=large.size + small.size)
    ids = [tables.keep(small, ()) for _ in range(4)]
    with pytest.raises(Unavailable):
        tables.keep(large, ids[2:])
    assert held(tables, ids) == [True] * 4
