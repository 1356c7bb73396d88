"""An experiment that raises is closed, and all others continue."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from fallline.execution import in_process
from fallline.runs.experiment import Experiment
from fallline.vocabulary.commands import SLOWEST
from fallline.vocabulary.errors import Failed
from support.labs import created, open_lab, steps_of


def fail_in(monkeypatch: pytest.MonkeyPatch, what: str, bad: str) -> None:
    """Let the method `what` of the experiment `bad` raise."""
    sound = getattr(Experiment, what)

    def method(self: Experiment, *arguments: Any, **options: Any) -> Any:
        if self.id == bad and self.moving:
            raise RuntimeError("a fault")
        return sound(self, *arguments, **options)

    monkeypatch.setattr(Experiment, what, method)


@pytest.mark.parametrize("where", ["work", "wake_at", "take_write", "take_outgoing"])
async def test_an_experiment_that_raises_is_closed_and_the_others_train_on(
    where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab() as lab:
        (bad, token), (good, other) = await created(lab), await created(lab)
        fail_in(monkeypatch, where, bad)
        with pytest.raises(Failed):
            await lab.command(bad, token, "step", {"steps": 100_000})
        assert steps_of(await lab.command(good, other, "step", {"steps": 50}))["gd"] == 50
        assert lab.health()["faults"] == 1
        assert "an experiment failed and was closed" in caplog.text
        assert bad not in caplog.text, "whoever has an id may read"
        # It opens again, paused.
        state = await lab.views.state(bad)
        assert not state["playing"]
        monkeypatch.undo()
        assert steps_of(await lab.command(bad, token, "step", {"steps": 5}))["gd"] >= 5


async def test_a_failed_experiment_that_played_opens_paused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        assert not caplog.records
        fail_in(monkeypatch, "work", id)
        while not lab.health()["faults"]:
            await asyncio.sleep(0.01)
        assert not (await lab.views.state(id))["playing"]
        assert lab.health()["faults"] == 1


async def test_a_fault_that_belongs_to_no_experiment_does_not_end_the_worker(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        idle_for, failures = (
            in_process._WorkerThread._idle_for,
            iter([RuntimeError("a fault"), OverflowError("too long")]),
        )

        def fails(self: in_process._WorkerThread) -> float | None:
            if (error := next(failures, None)) is not None:
                raise error
            return idle_for(self)

        monkeypatch.setattr(in_process._WorkerThread, "_idle_for", fails)
        assert steps_of(await lab.command(id, token, "step", {"steps": 50}))["gd"] == 50
        assert steps_of(await lab.command(id, token, "step", {"steps": 50}))["gd"] == 100
        assert (
            caplog.record_tuples.count(("fallline.execution.in_process", logging.ERROR, "the worker failed"))
            == 2
        )


async def test_the_slowest_pace_and_slower_ones_that_were_stored_keep_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_lab() as lab:
        (slow, token), (other, key) = await created(lab), await created(lab)
        await lab.command(slow, token, "play", {"speed": SLOWEST})
        await lab._executor.ask(slow, lambda one, now: one.play(1e-300, "steps", now))
        assert steps_of(await lab.command(other, key, "step", {"steps": 50}))["gd"] == 50
        assert not (await lab.command(slow, token, "pause", {}))["playing"]


async def test_one_that_cannot_be_paused_keeps_no_other_from_being_paused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(idle_seconds=0.2) as lab:
        (bad, token), (good, other) = await created(lab), await created(lab)
        await lab.command(bad, token, "play", {"speed": 1})
        await lab.command(good, other, "play", {"speed": 1})
        fail_in(monkeypatch, "pause", bad)
        async with asyncio.timeout(60):
            while await lab._executor.ask(good, lambda one, _: one.playing):
                await asyncio.sleep(0.05)
        assert "a background task failed" in caplog.text
