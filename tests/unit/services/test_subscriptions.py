"""Watchers of experiments: how they join and leave."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from fallline.execution.in_process import InProcessExecutor
from fallline.realtime.outbox import Outbox
from fallline.services.lab import Lab
from support.labs import created, open_lab


async def steps(box: Outbox) -> list[int]:
    """Ask for a frame, wait for it, and return the steps of its first run."""
    box.ask(time.monotonic())
    async with asyncio.timeout(60):
        while box.frame is None:
            await asyncio.sleep(0.002)
    lasts: list[int] = box.take_frame().runs["gd"].buckets.last.tolist()
    return lasts


async def requests(lab: Lab, id: str) -> set[int]:
    """Return the readers whose requests wait at the experiment."""
    return set(await lab._executor.ask(id, lambda one, _: one._publisher._requests))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record each question to an experiment."""
    ask, ids = InProcessExecutor.ask, list[str]()

    async def noted(self: InProcessExecutor, id: str, *arguments: Any, **options: Any) -> Any:
        ids.append(id)
        return await ask(self, id, *arguments, **options)

    monkeypatch.setattr(InProcessExecutor, "ask", noted)
    return ids


async def test_watchers_who_join_together_share_one_read_and_one_frame(asked: list[str]) -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 60})
        boxes = [Outbox(id, buckets=10_000) for _ in range(40)]
        before = len(asked)
        states = await asyncio.gather(*(lab.watch(id, None, box) for box in boxes))
        assert len(asked) - before == 1
        assert all(state == states[0] for state in states)
        assert lab._subscriptions._joining == {}
        for box in boxes:
            box.ask(0.0)
        assert await steps(boxes[0]) == list(range(60))
        assert len({id_of(box) for box in boxes[1:]}) == 1
        await lab.command(id, token, "step", {"steps": 7})
        assert await steps(boxes[0]) == list(range(60, 67))


def id_of(box: Outbox) -> int:
    assert box.frame is not None
    return id(box.frame)


async def test_a_watcher_who_leaves_withdraws_its_request_without_a_read(asked: list[str]) -> None:
    """Commands of others would wait for a class that closes its pages."""
    async with open_lab() as lab:
        id, _ = await created(lab)
        boxes = [Outbox(id) for _ in range(41)]
        await asyncio.gather(*(lab.watch(id, None, box) for box in boxes))
        for box in boxes:
            await steps(box)
            box.ask(time.monotonic())
        assert len(await requests(lab, id)) == 41
        before = len(asked)
        for box in boxes[1:]:
            lab.unwatch(id, box)
            lab.unwatch(id, box)
        assert len(asked) == before
        assert len(await requests(lab, id)) == 1
        assert lab._subscriptions._subscribers.watchers(id) == 1


async def test_a_watcher_who_comes_during_a_read_gets_its_own(asked: list[str]) -> None:
    """Its events must follow the state that it gets."""
    async with open_lab() as lab:
        id, token = await created(lab)
        first, second = Outbox(id), Outbox(id)
        before = len(asked)
        one = asyncio.ensure_future(lab.watch(id, None, first))
        while not first._ask:
            await asyncio.sleep(0)
        await asyncio.gather(one, lab.watch(id, None, second))
        assert len(asked) - before == 2
        await lab.command(id, token, "step", {"steps": 3})
        assert await steps(first) == await steps(second) == [0, 1, 2]


async def test_a_watcher_gets_the_shared_read_although_another_hangs_up() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        boxes = [Outbox(id) for _ in range(3)]
        joining = [asyncio.ensure_future(lab.watch(id, None, box)) for box in boxes]
        await asyncio.sleep(0)
        joining[0].cancel()
        await asyncio.wait(joining)
        assert joining[0].cancelled()
        assert [done.result()["id"] for done in joining[1:]] == [id] * 2
        await lab.command(id, token, "step", {"steps": 3})
        for box in boxes[1:]:
            assert await steps(box) == [0, 1, 2]
        assert lab._subscriptions._subscribers.watchers(id) == 2
