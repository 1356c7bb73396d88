"""Steps without callers pause, and continue when the same command comes again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fallline.runs import stepping
from fallline.services.command_runner import SharedTask
from fallline.services.lab import Lab
from fallline.vocabulary.errors import KeyReused, Unattended
from support.labs import created, open_lab, steps_of

MANY = 1_000_000


class Calls:
    """A shared task, and its reports about callers."""

    def __init__(self) -> None:
        self.noticed: list[str] = []
        self.done = asyncio.get_running_loop().create_future()
        self.work = SharedTask(
            self._do(), lambda: self.noticed.append("left"), lambda: self.noticed.append("back")
        )

    async def _do(self) -> str:
        answer: str = await self.done
        return answer


async def test_the_task_reports_its_last_caller_leaving_and_one_coming_back() -> None:
    calls = Calls()
    one, two = (asyncio.get_running_loop().create_future() for _ in range(2))
    waiting = [asyncio.ensure_future(calls.work.wait(disconnected)) for disconnected in (one, two)]
    await asyncio.sleep(0)
    one.set_result(None)
    await asyncio.sleep(0)
    assert calls.noticed == []
    two.set_result(None)
    await asyncio.sleep(0)
    assert calls.noticed == ["left"]
    waiting.append(asyncio.ensure_future(calls.work.wait()))
    await asyncio.sleep(0)
    assert calls.noticed == ["left", "back"]
    calls.done.set_result("done")
    assert await asyncio.gather(*waiting) == ["done"] * 3
    assert calls.noticed == ["left", "back"]


async def test_a_cancelled_caller_has_left_and_the_task_continues() -> None:
    calls = Calls()
    waiting = asyncio.ensure_future(calls.work.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert calls.noticed == ["left"]
    calls.done.set_result("done")
    assert await calls.work.wait() == "done"


async def test_a_caller_who_leaves_after_the_end_is_not_reported() -> None:
    calls = Calls()
    disconnected = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(calls.work.wait(disconnected))
    await asyncio.sleep(0)
    calls.done.set_result("done")
    await waiting
    disconnected.set_result(None)
    await asyncio.sleep(0)
    assert calls.noticed == []


async def left_alone(lab: Lab, id: str, token: str, key: str | None) -> asyncio.Future[Any]:
    """Start many steps whose caller hangs up; return their future."""
    disconnected = asyncio.get_running_loop().create_future()
    job = asyncio.ensure_future(
        lab.command(id, token, "step", {"steps": MANY}, key=key, disconnected=disconnected)
    )
    while not steps_of(await lab.views.state(id))["gd"]:
        await asyncio.sleep(0.005)
    disconnected.set_result(None)
    return job


@pytest.mark.parametrize("key", ["a", None])
async def test_steps_that_nobody_waits_for_are_paused(
    key: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepping, "PATIENCE_SECONDS", 0.05)
    async with open_lab() as lab:
        id, token = await created(lab)
        with pytest.raises(Unattended):
            await (await left_alone(lab, id, token, key))
        steps = steps_of(await lab.views.state(id))["gd"]
        assert 0 < steps < MANY
        await asyncio.sleep(0.05)
        assert steps_of(await lab.views.state(id))["gd"] == steps


async def test_the_same_key_continues_the_steps_to_their_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "PATIENCE_SECONDS", 0.05)
    async with open_lab() as lab:
        id, token = await created(lab)
        disconnected = asyncio.get_running_loop().create_future()
        body = {"steps": 20_000}
        job = asyncio.ensure_future(lab.command(id, token, "step", body, key="a", disconnected=disconnected))
        while not steps_of(await lab.views.state(id))["gd"]:
            await asyncio.sleep(0.005)
        disconnected.set_result(None)
        with pytest.raises(Unattended):
            await job
        with pytest.raises(KeyReused):
            await lab.command(id, token, "step", {"steps": 1}, key="a")
        assert steps_of(await lab.command(id, token, "step", body, key="a")) == {"gd": 20_000, "sgd": 20_000}
        assert steps_of(await lab.command(id, token, "step", body, key="a")) == {"gd": 20_000, "sgd": 20_000}


async def until_left(lab: Lab, id: str, *, is_left: bool) -> None:
    """Wait until the worker knows whether the caller of the steps has left."""
    while await lab._executor.ask(id, lambda one, _: (one._stepping._jobs[0].left_at is None) == is_left):
        await asyncio.sleep(0.005)


async def test_a_caller_who_is_back_in_time_joins_the_running_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        job = await left_alone(lab, id, token, "a")
        await until_left(lab, id, is_left=True)
        again = asyncio.ensure_future(lab.command(id, token, "step", {"steps": MANY}, key="a"))
        await until_left(lab, id, is_left=False)
        monkeypatch.setattr(stepping, "PATIENCE_SECONDS", 0.0)
        await asyncio.sleep(0.3)
        assert not job.done()
        steps = steps_of(await lab.views.state(id))["gd"]
        while steps_of(await lab.views.state(id))["gd"] == steps:
            await asyncio.sleep(0.005)
        await lab.command(id, token, "pause", {})
        assert await again == await job
