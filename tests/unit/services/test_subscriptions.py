"""The history that a watcher starts with, and its size."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fallline.execution.in_process import InProcessExecutor
from fallline.realtime.outbox import Outbox
from fallline.services import subscriptions
from fallline.vocabulary.errors import Unavailable
from support.labs import Lasting, created, open_lab


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
        assert weighed[8_000_000] == 2 * 1000 * (len(frames[0].names) * 5 + 4) * 8


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


async def test_watchers_who_are_cut_at_once_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each departure alone would be a command, and the commands of others would wait for all of them."""
    async with open_lab() as lab:
        id, _ = await created(lab)
        boxes = [Outbox(id, fps=10 + number % 20, buckets=10_000) for number in range(41)]
        await asyncio.gather(*(lab.watch(id, None, box, {}, 10_000) for box in boxes))
        ask, request_count = InProcessExecutor.ask, 0

        async def counted(self: InProcessExecutor, *arguments: Any, **options: Any) -> Any:
            nonlocal request_count
            request_count += 1
            return await ask(self, *arguments, **options)

        monkeypatch.setattr(InProcessExecutor, "ask", counted)
        await asyncio.gather(*(lab.unwatch(id, box) for box in boxes[1:]))
        monkeypatch.undo()
        assert request_count <= 2
        assert await lab._executor.ask(id, lambda one, _: one._publisher._rates) == [boxes[0].fps]


@pytest.mark.parametrize("early", ["receives", "leaves"])
async def test_a_watcher_lacks_nothing_if_its_peer_receives_or_leaves_meanwhile(
    early: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that was cut off comes back while its former socket is being closed."""
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 60})
        first, second = Outbox(id, buckets=10_000), Outbox(id, buckets=10_000)
        await lab.watch(id, None, first, {}, 10_000)
        ask, reads = InProcessExecutor.ask, 0

        async def meanwhile(self: InProcessExecutor, *arguments: Any, **options: Any) -> Any:
            nonlocal reads
            reads += "then" in options
            if reads == 1 and early == "receives":
                first.take_frame(now=0)
            elif reads == 1 and "then" in options:
                await lab.unwatch(id, first)
            return await ask(self, *arguments, **options)

        monkeypatch.setattr(InProcessExecutor, "ask", meanwhile)
        joining = asyncio.ensure_future(lab.watch(id, None, second, {}, 10_000))
        assert (await asyncio.wait([joining], timeout=60))[0], "it waits for ever"
        monkeypatch.undo()
        await lab.command(id, token, "step", {"steps": 7})
        assert second.take_frame(now=0).runs["gd"].merged(10_000).last.tolist() == list(range(67))
        watchers = 2 if early == "receives" else 1
        assert await lab._executor.ask(id, lambda one, _: len(one._publisher._rates)) == watchers
        assert reads == 2


async def test_a_watch_is_refused_if_the_experiment_is_closed_between_its_two_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second read would not count the watcher again, and a reopened experiment counts none."""
    async with open_lab(Lasting()) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 60})
        first, second = Outbox(id, buckets=10_000), Outbox(id, buckets=10_000)
        await lab.watch(id, None, first, {}, 10_000)
        ask = InProcessExecutor.ask

        async def closes(self: InProcessExecutor, *arguments: Any, **options: Any) -> Any:
            first.take_frame(now=0)
            result = await ask(self, *arguments, **options)
            lab._loader._evict(id, lab._registry.entries[id])
            return result

        monkeypatch.setattr(InProcessExecutor, "ask", closes)
        with pytest.raises(Unavailable):
            await lab.watch(id, None, second, {}, 10_000)
        monkeypatch.undo()
        await lab.watch(id, None, second, {}, 10_000)
        assert second.take_frame(now=0).runs["gd"].merged(10_000).last.tolist() == list(range(60))


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
