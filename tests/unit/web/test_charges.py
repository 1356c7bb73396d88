"""The event loop's time of a request."""

from __future__ import annotations

import asyncio
import time

import pytest

from fallline.web.charges import CHARGED_SECONDS, timed


def work_for(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def test_work_counts_and_waiting_does_not() -> None:
    charges: list[float] = []

    async def answer() -> str:
        work_for(0.02)
        await asyncio.sleep(0)
        other = asyncio.ensure_future(of_others())
        await other
        work_for(0.02)
        return "the answer"

    async def of_others() -> None:
        work_for(0.5)

    assert await timed(answer(), charges.append) == "the answer"
    assert 0.04 <= sum(charges) < 0.3
    assert len(charges) >= 2  # the first part at once: a stream may never end


async def test_short_work_is_charged_once_at_its_end() -> None:
    charges: list[float] = []

    async def answer() -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    await timed(answer(), charges.append)
    assert len(charges) == 1
    assert charges[0] < CHARGED_SECONDS


async def test_exceptions_pass_and_the_work_until_then_is_charged() -> None:
    charges: list[float] = []

    async def answer() -> None:
        work_for(0.01)
        raise LookupError

    with pytest.raises(LookupError):
        await timed(answer(), charges.append)
    assert sum(charges) >= 0.01


async def test_a_cancellation_reaches_the_work() -> None:
    seen: list[str] = []

    async def answer() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    task = asyncio.ensure_future(timed(answer(), lambda seconds: seen.append("charged")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled", "charged"]
