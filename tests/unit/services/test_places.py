"""Who makes room for whom, decided over occupants that stand for themselves."""

from __future__ import annotations

import pytest

from fallline.services.places import FEWEST_PLACES, Limits, Occupant, Use, leaving
from fallline.vocabulary.errors import Unavailable

PLACES = Limits(places=1000)
BYTES = Limits(places=10**6, bytes=1_000)


def some(share: str, count: int, use: Use = Use.BUSY, since: float = 0.0, bytes: int = 0) -> list[Occupant]:
    return [Occupant(f"{share}-{use}-{at}", share, since + at, use, bytes) for at in range(count)]


def ids(going: list[Occupant]) -> list[str]:
    return [one.id for one in going]


def test_there_is_room_while_there_is_room() -> None:
    assert leaving(some("a", 499), "a", 0, PLACES) == []
    assert leaving(some("a", 500), "b", 0, PLACES) == []


def test_a_share_holds_half_of_what_the_others_leave_and_then_makes_room_itself() -> None:
    assert ids(leaving(some("a", 500), "a", 0, PLACES)) == ["a-1-0"]
    held = some("a", 495) + some("b", 10, Use.IDLE, since=-100)
    assert ids(leaving(held, "a", 0, PLACES)) == ["a-1-0"]
    assert ids(leaving(some("a", 499) + some("b", 500, Use.IDLE), "a", 0, PLACES))[0].startswith("a-")


def test_however_many_shares_there_are_the_next_one_finds_room() -> None:
    held: list[Occupant] = []
    for number in range(300):
        share = f"s{number}"
        for at in range(40):
            going = leaving(held, share, 0, PLACES)
            held = [one for one in held if one not in going]
            held.append(Occupant(f"{share}.{at}", share, number + at / 100, Use.BUSY))
        assert sum(one.share == share for one in held) >= FEWEST_PLACES // 2
        assert len(held) <= 1000


@pytest.mark.parametrize("asks", ["a", "b"])
def test_idle_ones_go_first_then_those_that_play_then_those_that_nobody_reads(asks: str) -> None:
    uses = [Use.UNREAD, Use.BUSY, Use.IDLE, Use.READ]
    held = [Occupant(f"{use.name} {at}", "a", at, use) for use in uses for at in (2, 1)]
    order = []
    for _ in range(6):
        (gone,) = leaving(held, asks, 0, Limits(len(held)))
        held.remove(gone)
        order.append(gone.id)
    assert order == ["IDLE 1", "IDLE 2", "BUSY 1", "BUSY 2", "UNREAD 1", "UNREAD 2"]
    with pytest.raises(Unavailable):
        leaving(held, "a", 0, Limits(len(held)))


def test_where_all_is_full_the_largest_share_makes_room_for_a_newcomer() -> None:
    held = some("a", 60) + some("b", 30, since=-100) + some("c", 10, since=-200)
    limits = Limits(places=100)
    assert ids(leaving(held, "new", 0, limits)) == ["a-1-0"]
    busy = some("a", 60, Use.READ) + some("b", 30, since=-100) + some("c", 10, since=-200)
    assert ids(leaving(busy, "new", 0, limits)) == ["b-1-0"]


def test_the_idle_ones_of_anybody_make_room_before_others_are_paused() -> None:
    held = some("a", 60) + some("b", 39) + some("c", 1, Use.IDLE)
    assert ids(leaving(held, "new", 0, Limits(places=100))) == ["c-0-0"]


def test_a_smaller_share_does_not_make_room_for_a_larger_one() -> None:
    held = some("a", 12, Use.READ) + some("b", 5)
    with pytest.raises(Unavailable):
        leaving(held, "a", 0, Limits(places=17))


def test_bytes_are_shared_out_as_places_are() -> None:
    held = some("a", 4, bytes=100) + some("b", 1, bytes=100)
    assert leaving(held, "a", 50, BYTES) == []
    assert ids(leaving(held, "a", 51, BYTES)) == ["a-1-0"]
    assert leaving(held, "new", 500, BYTES) == []
    assert ids(leaving(held, "new", 501, BYTES)) == ["a-1-0"]
    assert ids(leaving(held, "new", 650, BYTES)) == ["a-1-0", "a-1-1"]


def test_an_experiment_that_is_larger_than_all_there_is_is_refused() -> None:
    with pytest.raises(Unavailable, match="memory"):
        leaving(some("a", 3, Use.IDLE, bytes=10), "b", 1_001, BYTES)


def test_without_a_store_nobody_goes_and_the_text_says_why() -> None:
    for limits in (Limits(8, puts_away=False), Limits(100, 80, puts_away=False)):
        with pytest.raises(Unavailable, match="without a data folder none is put away: delete one") as full:
            leaving(some("a", 8, Use.IDLE, bytes=10), "a", 1, limits)
        assert full.value.retry_after > 0


def test_to_find_many_small_ones_takes_a_look_at_each_and_not_at_all_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0
    read = Occupant.__getattribute__

    def counted(self: Occupant, name: str) -> object:
        nonlocal looks
        looks += name == "bytes"
        return read(self, name)

    monkeypatch.setattr(Occupant, "__getattribute__", counted)
    held = some("a", 1_000, Use.IDLE, bytes=1)
    assert len(leaving(held, "b", 1_000, BYTES)) == 1_000
    assert looks < 20_000
