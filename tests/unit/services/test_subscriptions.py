"""The history that a watcher starts with, and its size."""

from __future__ import annotations

import asyncio

import pytest

from fallline.realtime.outbox import Outbox
from fallline.services import subscriptions
from support.labs import created, open_lab


async def test_the_history_for_a_watcher_stays_within_its_sockets_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscriptions, "LEAST_PAST_BYTES", 1)
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 1000})
        weighed = {}
        for room in (20_000, 100_000, 8_000_000):
            box = Outbox(id, buckets=10_000, past_limit=room)
            await lab.watch(id, None, box, {}, 10_000)
            weighed[room] = box.past_bytes
            frames = []
            while box.frame_due() is not None:
                frames.append(box.take_frame(now=0).runs["gd"].merged(10_000))
            assert (frames[0].first[0], frames[-1].last[-1]) == (0, 999)
        assert all(room / 3 < weighed[room] <= room for room in (20_000, 100_000))
        assert weighed[8_000_000] == 2 * 1000 * (28 * 5 + 4) * 8


async def test_the_histories_for_all_watchers_stay_within_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They come all at once, before any history is read."""
    monkeypatch.setattr(subscriptions, "MOST_PAST_BYTES", 2_000_000)
    monkeypatch.setattr(subscriptions, "LEAST_PAST_BYTES", 4_000)
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 1000})
        boxes = [Outbox(id, buckets=10_000 - number) for number in range(100)]
        await asyncio.gather(
            *(
                lab.watch(id, None, box, {}, 10_000 - number)  # each needs another history
                for number, box in enumerate(boxes)
            )
        )
        assert 1_000_000 < sum(box.past_bytes for box in boxes) <= 2_000_000 + 100 * 4_000
        assert min(box.past_bytes for box in boxes) > 0
        for box in boxes:
            await lab.unwatch(id, box)
        late = Outbox(id, buckets=10_000)
        await lab.watch(id, None, late, {}, 10_000)
        assert late.past_bytes > 120_000, "what the others held is free again"


async def test_watchers_with_the_same_question_share_one_read() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 60})
        boxes = [Outbox(id, buckets=10_000) for _ in range(40)]
        await asyncio.gather(*(lab.watch(id, None, box, {}, 10_000) for box in boxes))
        assert all(box.past is boxes[0].past for box in boxes)
        await lab.command(id, token, "step", {"steps": 7})
        for box in boxes:
            columns = box.take_frame(now=0).runs["gd"].merged(10_000)
            assert columns.last.tolist() == list(range(67))
            await lab.unwatch(id, box)


async def test_a_watcher_gets_the_shared_read_although_another_hangs_up() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        boxes = [Outbox(id) for _ in range(3)]
        joining = [asyncio.ensure_future(lab.watch(id, None, box, {}, 100)) for box in boxes]
        await asyncio.sleep(0)
        joining[0].cancel()
        await asyncio.wait(joining)
        assert joining[0].cancelled()
        assert [done.result()["id"] for done in joining[1:]] == [id] * 2
        await lab.command(id, token, "step", {"steps": 3})
        assert all(box.take_frame(now=0).runs["gd"].merged(9).last.tolist() == [0, 1, 2] for box in boxes[1:])
