"""Evictions, decided over a list of candidates."""

from __future__ import annotations

import pytest

from fallline.services.capacity import FEWEST_SLOTS, Candidate, Limits, Use, choose_evictions
from fallline.vocabulary.errors import Unavailable

SLOTS = Limits(slots=1000)
BYTES = Limits(slots=10**6, bytes=1_000)


def some(share: str, count: int, use: Use = Use.BUSY, since: float = 0.0, bytes: int = 0) -> list[Candidate]:
    return [Candidate(f"{share}-{use}-{at}", share, since + at, use, bytes) for at in range(count)]


def ids(going: list[Candidate]) -> list[str]:
    return [one.id for one in going]


def test_there_is_room_while_there_is_room() -> None:
    assert choose_evictions(some("a", 499), "a", 0, SLOTS) == []
    assert choose_evictions(some("a", 500), "b", 0, SLOTS) == []


def test_a_share_uses_half_of_what_the_others_leave_and_then_evicts_its_own() -> None:
    assert ids(choose_evictions(some("a", 500), "a", 0, SLOTS)) == ["a-1-0"]
    live = some("a", 495) + some("b", 10, Use.IDLE, since=-100)
    assert ids(choose_evictions(live, "a", 0, SLOTS)) == ["a-1-0"]
    assert ids(choose_evictions(some("a", 499) + some("b", 500, Use.IDLE), "a", 0, SLOTS))[0].startswith("a-")


def test_however_many_shares_there_are_the_next_one_finds_room() -> None:
    live: list[Candidate] = []
    for number in range(300):
        share = f"s{number}"
        for at in range(40):
            going = choose_evictions(live, share, 0, SLOTS)
            live = [one for one in live if one not in going]
            live.append(Candidate(f"{share}.{at}", share, number + at / 100, Use.BUSY))
        assert sum(one.share == share for one in live) >= FEWEST_SLOTS // 2
        assert len(live) <= 1000


@pytest.mark.parametrize("asks", ["a", "b"])
def test_idle_ones_are_evicted_first_then_playing_then_unread_ones(asks: str) -> None:
    uses = [Use.UNREAD, Use.BUSY, Use.IDLE, Use.READ]
    live = [Candidate(f"{use.name} {at}", "a", at, use) for use in uses for at in (2, 1)]
    order = []
    for _ in range(6):
        (evicted,) = choose_evictions(live, asks, 0, Limits(len(live)))
        live.remove(evicted)
        order.append(evicted.id)
    assert order == ["IDLE 1", "IDLE 2", "BUSY 1", "BUSY 2", "UNREAD 1", "UNREAD 2"]
    with pytest.raises(Unavailable):
        choose_evictions(live, "a", 0, Limits(len(live)))


def test_on_a_full_server_the_largest_share_is_evicted_for_a_new_one() -> None:
    live = some("a", 60) + some("b", 30, since=-100) + some("c", 10, since=-200)
    limits = Limits(slots=100)
    assert ids(choose_evictions(live, "new", 0, limits)) == ["a-1-0"]
    busy = some("a", 60, Use.READ) + some("b", 30, since=-100) + some("c", 10, since=-200)
    assert ids(choose_evictions(busy, "new", 0, limits)) == ["b-1-0"]


def test_the_idle_ones_of_anybody_make_room_before_others_are_paused() -> None:
    live = some("a", 60) + some("b", 39) + some("c", 1, Use.IDLE)
    assert ids(choose_evictions(live, "new", 0, Limits(slots=100))) == ["c-0-0"]


def test_a_smaller_share_does_not_make_room_for_a_larger_one() -> None:
    live = some("a", 12, Use.READ) + some("b", 5)
    with pytest.raises(Unavailable):
        choose_evictions(live, "a", 0, Limits(slots=17))


def test_bytes_are_shared_out_as_places_are() -> None:
    live = some("a", 4, bytes=100) + some("b", 1, bytes=100)
    assert choose_evictions(live, "a", 50, BYTES) == []
    assert ids(choose_evictions(live, "a", 51, BYTES)) == ["a-1-0"]
    assert choose_evictions(live, "new", 500, BYTES) == []
    assert ids(choose_evictions(live, "new", 501, BYTES)) == ["a-1-0"]
    assert ids(choose_evictions(live, "new", 650, BYTES)) == ["a-1-0", "a-1-1"]


def test_an_experiment_that_is_larger_than_all_there_is_is_refused() -> None:
    with pytest.raises(Unavailable, match="memory"):
        choose_evictions(some("a", 3, Use.IDLE, bytes=10), "b", 1_001, BYTES)


def test_without_a_store_nobody_goes_and_the_text_says_why() -> None:
    for limits in (Limits(8, can_evict=False), Limits(100, 80, can_evict=False)):
        with pytest.raises(Unavailable, match="without a data folder closes none: delete one") as full:
            choose_evictions(some("a", 8, Use.IDLE, bytes=10), "a", 1, limits)
        assert full.value.retry_after > 0


def test_to_find_many_small_ones_takes_a_look_at_each_and_not_at_all_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = 0
    read = Candidate.__getattribute__

    def counted(self: Candidate, name: str) -> object:
        nonlocal looks
        looks += name == "bytes"
        return read(self, name)

    monkeypatch.setattr(Candidate, "__getattribute__", counted)
    live = some("a", 1_000, Use.IDLE, bytes=1)
    assert len(choose_evictions(live, "b", 1_000, BYTES)) == 1_000
    assert looks < 20_000
