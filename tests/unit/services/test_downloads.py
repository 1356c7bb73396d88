"""Exported files on their way: bounded, in fair turns, and no place is lost."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from fallline.services import downloads as module
from fallline.services.downloads import SLOW_SECONDS, Download, Downloads
from fallline.vocabulary.errors import TooManyRequests, Unavailable
from support.clocks import Clock


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)


async def entered(downloads: Downloads, share: str, many: int) -> list[Download]:
    """Ask for `many` places; return the downloads that got one."""
    results = await asyncio.gather(*(downloads.enter(share) for _ in range(many)), return_exceptions=True)
    assert {type(each) for each in results} <= {Download, Unavailable}
    return [each for each in results if isinstance(each, Download)]


async def test_a_share_leaves_places_for_others() -> None:
    downloads = Downloads(8, Clock())
    assert len(await entered(downloads, "crowd", 20)) == 4
    assert len(await entered(downloads, "person", 20)) == 2
    assert len(await entered(downloads, "another", 20)) == 1


async def test_a_place_that_is_left_goes_to_who_waits_and_leaving_twice_frees_one_place_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    downloads = Downloads(2, Clock())
    (first,) = await entered(downloads, "a", 1)
    (second,) = await entered(downloads, "b", 1)
    with monkeypatch.context() as patience:
        patience.setattr(module, "WAIT_SECONDS", 60)
        waiting = asyncio.ensure_future(downloads.enter("c"))
        await asyncio.sleep(0)
        first.leave()
        first.leave()
        third = await waiting
    assert await entered(downloads, "d", 1) == []
    for one in (second, third):
        one.leave()
    assert (len(downloads), downloads._slots.free, len(downloads._waiting)) == (0, 2, 0)


async def test_who_leaves_while_waiting_takes_no_place() -> None:
    downloads = Downloads(2, Clock())
    places = [*await entered(downloads, "a", 1), *await entered(downloads, "b", 1)]
    waiting = asyncio.ensure_future(downloads.enter("c"))
    await asyncio.sleep(0)
    waiting.cancel()
    for one in places:
        one.leave()
    assert (await entered(downloads, "d", 1)) != []
    assert not downloads._waiting


async def test_a_slow_download_of_the_largest_share_is_cut_when_others_wait_in_vain() -> None:
    clock, cut = Clock(), list[str]()
    downloads = Downloads(4, clock)

    def cut_it(name: str, one: Download) -> None:
        cut.append(name)
        one.leave()

    for share, many in (("slow", 2), ("other", 1), ("third", 1)):
        for number, one in enumerate(await entered(downloads, share, many)):
            one.cut = partial(cut_it, f"{share} {number}", one)
    assert len(downloads) == 4
    assert await entered(downloads, "person", 1) == []
    assert cut == [], "all of them are new"
    clock.now += SLOW_SECONDS
    assert await entered(downloads, "person", 1) == []
    assert cut == ["slow 0"]
    assert len(await entered(downloads, "person", 1)) == 1


async def test_nobody_is_cut_for_a_share_that_holds_its_part() -> None:
    clock, cut = Clock(), list[Download]()
    downloads = Downloads(4, clock)
    for one in await entered(downloads, "slow", 2):
        one.cut = partial(cut.append, one)
    clock.now += SLOW_SECONDS
    assert await entered(downloads, "slow", 1) == []
    assert cut == []


async def test_the_requests_that_wait_are_bounded_by_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 60)
    downloads = Downloads(2, Clock())
    downloads._waiting.most, downloads._waiting.fewest = 8, 2
    places = [await downloads.enter("crowd"), await downloads.enter("person")]
    crowd = [asyncio.ensure_future(downloads.enter("crowd")) for _ in range(10)]
    for _ in range(20):
        await asyncio.sleep(0)
    refused = [one for one in crowd if one.done()]
    assert len(refused) == 6
    assert all(isinstance(one.exception(), TooManyRequests) for one in refused)
    person = asyncio.ensure_future(downloads.enter("person"))
    for _ in range(20):
        await asyncio.sleep(0)
    places[1].leave()
    await asyncio.wait_for(person, 60)
    for one in crowd:
        one.cancel()
