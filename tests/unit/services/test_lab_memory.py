"""The memory limit of a lab: evictions, pauses and refusals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fallline.realtime.outbox import Outbox
from fallline.runs.usage import expected_bytes
from fallline.services.lab import Lab
from fallline.vocabulary.errors import Unavailable
from fallline.vocabulary.recipe import Recipe
from support.labs import Lasting, in_slots, open_lab, steps_of

RECIPE: dict[str, Any] = {"data": {"samples": 60}}
ONE = expected_bytes(Recipe.model_validate(RECIPE))
"""What one of them may come to."""


async def create(lab: Lab, address: str | None = None, **more: Any) -> tuple[str, str]:
    state, token = await lab.create(Recipe.model_validate({**RECIPE, **more}), address=address)
    return state["id"], token


async def plays(lab: Lab, id: str, token: str) -> None:
    await lab.command(id, token, "play", {"speed": 1})


def playing(lab: Lab) -> list[str]:
    return [one.id for one in lab._capacity.candidates() if one.bytes >= ONE // 2]


async def test_an_experiment_that_makes_steps_counts_for_its_maximum() -> None:
    async with open_lab(Lasting(), most_bytes=100 * ONE) as lab:
        id, token = await create(lab)
        idle = lab._capacity.used_bytes
        await plays(lab, id, token)
        busy = lab._capacity.used_bytes
        await lab.command(id, token, "pause", {})
        assert idle < ONE / 10
        assert 0.8 * ONE < busy < 1.2 * ONE
        assert lab._capacity.used_bytes < ONE / 10


async def test_the_ceiling_is_not_passed_however_long_a_run_is() -> None:
    async with open_lab(Lasting(), most_bytes=100 * ONE) as lab:
        id, token = await create(lab)
        await lab.command(id, token, "step", {"steps": 30_000})
        live = lab._registry.entries[id].live
        assert live is not None
        assert ONE / 3 < live.usage.bytes < live.usage.ceiling


async def test_a_burst_of_creations_and_plays_stays_below_the_limit_at_every_moment() -> None:
    async with open_lab(Lasting(), most_bytes=10.5 * ONE) as lab:
        for at in range(60):
            id, token = await create(lab, address=f"192.0.2.{at}")
            await plays(lab, id, token)
            assert lab._capacity.used_bytes <= 10.5 * ONE
        assert len(playing(lab)) >= 8


async def test_the_least_recently_used_is_put_away_and_opens_again_paused() -> None:
    async with open_lab(Lasting(), most_bytes=4.5 * ONE) as lab:
        one = [await create(lab, address=str(at)) for at in range(6)]
        for id, token in one[:4]:
            await plays(lab, id, token)
        await plays(lab, *one[4])
        assert one[0][0] not in in_slots(lab)
        assert (await lab.views.state(one[0][0]))["playing"] is False


async def test_without_a_store_play_and_creation_are_refused_and_nothing_is_lost() -> None:
    async with open_lab(most_bytes=4.2 * ONE) as lab:
        one = [await create(lab, address=str(at)) for at in range(5)]
        for id, token in one[:4]:
            await plays(lab, id, token)
        with pytest.raises(
            Unavailable, match="memory of this server is in use, and a server without a data"
        ) as full:
            await plays(lab, *one[4])
        assert full.value.retry_after > 0
        with pytest.raises(Unavailable, match="memory"):
            await create(lab, address="new")
        await lab.command(*one[4], "edit", {"batch_size": 1}, run="gd")
        await lab.command(*one[4], "reset", {})
        for id, token in one:
            assert (await lab.command(id, token, "pause", {}))["id"] == id
        assert lab._capacity.used_bytes <= 4.2 * ONE


async def test_a_refused_play_can_be_repeated_with_its_key_when_there_is_room() -> None:
    async with open_lab(most_bytes=2.2 * ONE) as lab:
        (first, its), (second, token) = await create(lab, "a"), await create(lab, "b")
        await plays(lab, first, its)
        for name in ("more", "most"):
            await lab.command(first, its, "add_run", {"name": name})
        with pytest.raises(Unavailable):
            await lab.command(second, token, "step", {"steps": 3}, key="once")
        await lab.command(first, its, "pause", {})
        state = await lab.command(second, token, "step", {"steps": 3}, key="once")
        assert steps_of(state)["gd"] == 3


async def test_if_all_playing_experiments_are_read_the_largest_share_is_paused_with_a_reason() -> None:
    async with open_lab(Lasting(), most_bytes=20 * ONE) as lab:
        small, its = await create(lab, "small")
        await plays(lab, small, its)
        boxes = {}
        for id, token in [(small, its), *[await create(lab, "large") for _ in range(6)]]:
            await plays(lab, id, token)
            boxes[id] = Outbox(id)
            await lab.watch(id, token, boxes[id])
            lab.acknowledged(id)
        lab._capacity.limits = type(lab._capacity.limits)(1000, 4.5 * ONE)
        await lab._loader.relieve()
        assert lab._capacity.used_bytes <= 4.5 * ONE
        assert (await lab.views.state(small))["playing"] is True
        paused = [id for id in boxes if not (await lab.views.state(id))["playing"]]
        assert 2 <= len(paused) < 6
        for id, box in boxes.items():
            events = []
            while (event := box.take_event()) is not None:
                events.append(event.get("event"))
            assert ("memory" in events) == (id in paused)


async def test_a_restart_opens_playing_experiments_within_the_limit() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        for _ in range(12):
            await plays(lab, *await create(lab))
    async with open_lab(store, most_bytes=5.5 * ONE) as lab:
        most = 0
        async with asyncio.timeout(60):
            while len(in_slots(lab)) < 4:
                most = max(most, lab._capacity.used_bytes)
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)
        assert max(most, lab._capacity.used_bytes) <= 5.5 * ONE
        assert 4 <= len(in_slots(lab)) < 12


async def test_keys_of_commands_count() -> None:
    async with open_lab(Lasting(), most_bytes=100 * ONE) as lab:
        id, token = await create(lab)
        before = lab._capacity.used_bytes
        for at in range(50):
            await lab.command(id, token, "pause", {}, key=f"k{at}")
        assert lab._capacity.used_bytes - before >= 50 * 200


async def test_data_that_readers_have_not_received_counts() -> None:
    async with open_lab(Lasting(), most_bytes=100 * ONE) as lab:
        id, token = await create(lab)
        await lab.command(id, token, "step", {"steps": 2_000})
        before = lab._capacity.used_bytes
        box = Outbox(id, buckets=5_000)
        await lab.watch(id, token, box)
        box.ask(0.0)
        async with asyncio.timeout(60):
            while box.frame is None:
                await asyncio.sleep(0.005)
        assert lab._capacity.used_bytes - before >= box.frame.nbytes > 100_000
