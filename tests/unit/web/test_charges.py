"""The event loop's time of a request, and floods of refusals."""

from __future__ import annotations

import asyncio

import pytest

from fallline.realtime.limits import BURST, HELD_SECONDS, Refusals
from fallline.web.middleware import CHARGED_SECONDS, timed
from support.clocks import work_for


async def test_work_counts_and_waiting_does_not() -> None:
    spent: list[float] = []

    async def answer() -> str:
        work_for(0.02)
        await asyncio.sleep(0)
        other = asyncio.ensure_future(of_others())
        await other
        work_for(0.02)
        return "the answer"

    async def of_others() -> None:
        work_for(0.5)

    assert await timed(answer(), spent.append) == "the answer"
    assert 0.04 <= sum(spent) < 0.3
    assert len(spent) >= 2  # the first part at once: a stream may never end


async def test_short_work_is_charged_once_at_its_end() -> None:
    spent: list[float] = []

    async def answer() -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    await timed(answer(), spent.append)
    assert len(spent) == 1
    assert spent[0] < CHARGED_SECONDS


async def test_exceptions_pass_and_the_work_until_then_is_charged() -> None:
    spent: list[float] = []

    async def answer() -> None:
        work_for(0.01)
        raise LookupError

    with pytest.raises(LookupError):
        await timed(answer(), spent.append)
    assert sum(spent) >= 0.01


async def test_a_cancellation_reaches_the_work() -> None:
    events: list[str] = []

    async def answer() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    task = asyncio.ensure_future(timed(answer(), lambda seconds: events.append("charged")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert events == ["cancelled", "charged"]


def test_only_a_flood_of_refusals_is_held() -> None:
    refusals, now = Refusals(20.0), 1000.0
    assert {refusals.count("flood", now) for _ in range(20 * BURST)} == {0.0}
    assert refusals.count("flood", now) == HELD_SECONDS
    assert refusals.count("other", now) == 0.0
    assert {refusals.count("flood", now + 1.0) for _ in range(20)} == {0.0}
    assert refusals.count("flood", now + 1.0) == HELD_SECONDS
