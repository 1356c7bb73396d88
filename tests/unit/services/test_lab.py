"""The lab without a network."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fallline.realtime.outbox import Outbox
from fallline.services.fair_slots import Measurements
from fallline.services.lab import MOST_RUNNING, Lab
from fallline.vocabulary.errors import (
    Conflict,
    InvalidRequest,
    KeyReused,
    NotAuthorized,
    NotFound,
    TooExpensive,
    TooManyRequests,
    Unavailable,
)
from fallline.vocabulary.recipe import Recipe
from support.clocks import work_for
from support.labs import created, open_lab, steps_of
from support.readers import Reader


async def under_way(lab: Lab, id: str) -> None:
    """Wait until each run has made a step."""
    while not all(steps_of(await lab.views.state(id)).values()):
        await asyncio.sleep(0.005)


async def test_a_step_answers_when_it_is_done() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        state = await lab.command(id, token, "step", {"steps": 300})
        assert steps_of(state) == {"gd": 300, "sgd": 300}
        generation, buckets, every_step = await lab.views.history(id, "gd", ["batch_loss"], None, None, 1000)
        assert (generation, len(buckets), buckets.names) == (0, 300, ("batch_loss",))
        assert "batch_loss" in every_step
        assert "train_loss" not in every_step


async def test_only_the_token_changes_and_everybody_with_the_id_reads() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        for wrong in (None, "", token[:-1], token + "x"):
            with pytest.raises(NotAuthorized):
                await lab.command(id, wrong, "step", {})
            with pytest.raises(NotAuthorized):
                await lab.delete(id, wrong)
        assert (await lab.views.state(id))["id"] == id
        await lab.delete(id, token)
        with pytest.raises(NotFound):
            await lab.views.state(id)


async def test_a_repeat_is_answered_again_and_not_done_again() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        first = await lab.command(id, token, "step", {"steps": 5}, key="a")
        again = await lab.command(id, token, "step", {"steps": 5}, key="a")
        assert again == first
        assert steps_of(await lab.views.state(id))["gd"] == 5
        with pytest.raises(KeyReused):
            await lab.command(id, token, "step", {"steps": 6}, key="a")


async def test_two_repeats_at_once_are_done_once() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        same = [lab.command(id, token, "step", {"steps": 500}, key="a") for _ in range(5)]
        answers = await asyncio.gather(*same)
        assert [steps_of(answer)["sgd"] for answer in answers] == [500] * 5


async def test_a_command_continues_when_its_caller_hangs_up() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        task = asyncio.create_task(lab.command(id, token, "step", {"steps": 20_000}, key="a"))
        await asyncio.sleep(0.02)
        task.cancel()
        answer = await lab.command(id, token, "step", {"steps": 20_000}, key="a")
        assert steps_of(answer)["gd"] == 20_000


async def test_a_command_that_failed_leaves_its_key_free() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        with pytest.raises(InvalidRequest):
            await lab.command(id, token, "edit", {"momentum": 0.5}, run="gd", key="a")
        await lab.command(id, token, "edit", {"optimizer": "momentum"}, run="gd", key="b")
        answer = await lab.command(id, token, "edit", {"momentum": 0.5}, run="gd", key="a")
        assert answer == {"run": "gd", "at_step": 0, "momentum": 0.5}


async def test_an_edit_in_mid_play_is_in_the_recipe_and_the_recipe_gives_the_same_numbers() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        await under_way(lab, id)
        edit = await lab.command(id, token, "edit", {"batch_size": 1}, run="gd")
        while steps_of(await lab.views.state(id))["gd"] == edit["at_step"]:
            await asyncio.sleep(0.005)
        state = await lab.command(id, token, "pause", {})
        steps = steps_of(state)
        assert steps["gd"] == steps["sgd"] > edit["at_step"] > 0
        twin, twins_token = await lab.create(Recipe.model_validate((await lab.views.recipe(id))[0]))
        await lab.command(twin["id"], twins_token, "step", {"steps": steps["gd"]})
        assert await lab.views.snapshot(twin["id"], "gd", None) == await lab.views.snapshot(id, "gd", None)
        assert await lab.views.snapshot(twin["id"], "sgd", None) == await lab.views.snapshot(id, "sgd", None)


async def test_a_watcher_misses_nothing_however_it_joins() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        await asyncio.sleep(0.1)
        boxes = [Outbox(id, fps=30, buckets=100) for _ in range(3)]
        readers = [(box, Reader()) for box in boxes]
        for box in boxes:
            await lab.watch(id, None, box)
            await asyncio.sleep(0.05)
            read(*readers)
        steps = steps_of(await lab.command(id, token, "pause", {}))
        async with asyncio.timeout(60):  # the last steps may still be on their way
            while any(
                reader.ends() != {run: step - 1 for run, step in steps.items()} for _, reader in readers
            ):
                await asyncio.sleep(0.01)
                read(*readers)
        for box, reader in readers:
            assert not box.must_resume
            assert [buckets[0]["first"] for buckets in reader.buckets.values()] == [0, 0]
            lab.unwatch(id, box)


def read(*readers: tuple[Outbox, Reader]) -> None:
    """Take the frames that are here, and ask for the next ones."""
    for box, reader in readers:
        if box.frame is not None:
            reader.take(box.take_frame().message(), resumed=True)
        box.ask(time.monotonic())


async def test_a_token_that_is_not_the_experiments_may_not_watch_as_if_it_were() -> None:
    async with open_lab() as lab:
        id, _ = await created(lab)
        _, other = await created(lab)
        for wrong in (other, "bad"):
            with pytest.raises(NotAuthorized, match=r"^the token is not this experiment's: "):
                await lab.watch(id, wrong, Outbox(id))


async def test_without_a_folder_nothing_is_deleted_to_make_room() -> None:
    async with open_lab(most=2) as lab:
        created_ones = [await created(lab), await created(lab)]
        for _ in range(60):
            with pytest.raises(Unavailable, match="without a data folder closes none") as refused:
                await created(lab)
        assert refused.value.retry_after > 0
        for id, token in created_ones:
            assert (await lab.command(id, token, "step", {}))["id"] == id


async def test_a_watched_experiment_is_not_evicted() -> None:
    async with open_lab(most=1) as lab:
        id, _ = await created(lab)
        await lab.watch(id, None, Outbox(id))
        with pytest.raises(Unavailable):
            await created(lab)


async def test_a_watcher_who_joins_during_an_eviction_watches_a_live_experiment() -> None:
    async with open_lab(most=1) as lab:
        id, _ = await created(lab)
        box = Outbox(id)
        creation, watched = await asyncio.gather(
            created(lab), lab.watch(id, None, box), return_exceptions=True
        )
        assert isinstance(creation, Unavailable)
        assert isinstance(watched, dict)
        assert (await lab.views.state(id))["id"] == id


async def test_however_many_come_at_once_no_more_are_open_than_may_be() -> None:
    async with open_lab(most=3) as lab:
        for _ in range(3):
            await created(lab)
        results = await asyncio.gather(*(created(lab) for _ in range(8)), return_exceptions=True)
        assert lab.health()["experiments"] == 3
        assert {type(each) for each in results} <= {tuple, Unavailable}, (
            "who finds no room is told to come again"
        )


async def test_a_playing_experiment_that_nobody_watches_is_paused() -> None:
    async with open_lab(idle_seconds=0.3) as lab:
        (alone, token), (watched, other) = await created(lab), await created(lab)
        await lab.watch(watched, None, Outbox(watched))
        for id, its in ((alone, token), (watched, other)):
            await lab.command(id, its, "play", {"speed": 10})
        await asyncio.sleep(0.8)  # a request is use too
        while (await lab.views.state(alone))["playing"]:
            await asyncio.sleep(0.8)
        assert (await lab.views.state(watched))["playing"] is True


async def test_steps_that_wait_are_bounded_and_a_pause_is_taken() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        steps = partial(lab.command, id, token, "step", {"steps": 1_000_000})
        waiting = [asyncio.create_task(steps()) for _ in range(MOST_RUNNING)]
        await under_way(lab, id)
        with pytest.raises(TooManyRequests):
            await asyncio.wait_for(steps(), 30)
        await lab.command(id, token, "pause", {})
        await asyncio.gather(*waiting)
        assert (await lab.command(id, token, "step", {"steps": 1}))["id"] == id


async def test_deleting_answers_a_waiting_step() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        waiting = asyncio.create_task(lab.command(id, token, "step", {"steps": 1_000_000}))
        await under_way(lab, id)
        await lab.delete(id, token)
        answer = await waiting
        assert 0 < steps_of(answer)["gd"] < 1_000_000


@pytest.mark.parametrize(
    ("recipe", "bound"),
    [
        ({"network": {"layers": [{"units": 400}, {"units": 400}]}}, "parameters"),
        (
            {"network": {"layers": [{"units": 130}, {"units": 100}]}, "runs": [{"optimizer": "lbfgs"}]},
            "optimizer_numbers",
        ),
        ({"network": {"layers": [{"units": 1}] * 9}}, "hidden_layers"),
        ({"data": {"samples": 5001}}, "samples"),
        ({"data": {"features": 65}}, "features"),
        ({"runs": [{"batch_size": 513}]}, "mini_batch"),
        ({"runs": [{}] * 9}, "runs"),
        ({"runs": [{"edits": [{"at_step": n, "batch_size": 1} for n in range(1001)]}]}, "edits_a_run"),
        (
            {"data": {"samples": 5000, "features": 64}, "network": {"layers": [{"units": 250}] * 2}},
            "milliseconds_a_step",
        ),
    ],
)
async def test_a_recipe_that_would_cost_too_much_is_refused_with_its_bound(
    recipe: dict[str, Any], bound: str
) -> None:
    async with open_lab() as lab:
        with pytest.raises(TooExpensive) as refused:
            await lab.create(Recipe.model_validate(recipe))
        assert refused.value.bound == bound
        assert refused.value.asked > refused.value.limit


async def test_playing_when_all_have_diverged_is_a_conflict() -> None:
    async with open_lab() as lab:
        id, token = await created(lab, runs=[{"learning_rate": 1e5}])
        await lab.command(id, token, "step", {"steps": 100})
        with pytest.raises(Conflict):
            await lab.command(id, token, "play", {})


async def test_a_figure_is_filled_with_the_runs() -> None:
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 10})
        figure = await lab.views.figure(id, "loss")
        assert any(trace["x"] for trace in figure["data"] if trace.get("meta", {}).get("run") == "gd")
        with pytest.raises(NotFound):
            await lab.views.figure(id, "nothing")


async def test_a_measurement_is_charged_for_delayed_training_and_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    charges: list[tuple[bool, bool]] = []

    async def take(
        self: Measurements,
        measure: Callable[[], dict[str, Any]],
        *,
        charged: bool,
        before: float = 0.0,
        share: str = "",
    ) -> dict[str, Any]:
        charges.append((charged, before > 0.0))
        return {}

    monkeypatch.setattr(Measurements, "take", take)
    async with open_lab() as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 50})
        await lab.views.instrument(id, "gd", "curvature", None)
        await lab.views.instrument(id, "gd", "slice", None)
        await lab.command(id, token, "play", {"speed": 1})
        await lab.views.instrument(id, "gd", "curvature", None)
        answer = await lab.views.instrument(id, "gd", "slice", None)
        await lab.views.check(id, "gd")
    assert charges == [(False, False), (False, True), (True, False), (True, True), (False, False)]
    assert set(answer) == {"step", "generation"}


async def test_rendering_is_charged_to_the_share_of_its_experiment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    charged: list[tuple[str, float]] = []
    async with open_lab() as lab:
        id, _ = await created(lab)
        share = lab._owners.share(id)
        monkeypatch.setattr(lab._executor, "charge", lambda share, seconds: charged.append((share, seconds)))

        def busy() -> str:
            work_for(0.02)
            return "made"

        assert await lab.views.beside(id, busy) == "made"
        assert [one for one, _ in charged] == [share]
        assert charged[0][1] >= 0.02
        await lab.views.figure(id, "loss")
        await lab.views.export(id, "report.html", None)
        await lab.views.instrument(id, "gd", "curvature", None)
        assert len(charged) == 4


async def test_the_share_in_which_rendering_began_pays_for_it_even_if_its_reader_has_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    charged: list[str] = []
    began, goes_on = threading.Event(), threading.Event()
    async with open_lab() as lab:
        id, _ = await created(lab)
        share = lab._owners.share(id)
        monkeypatch.setattr(lab._executor, "charge", lambda share, seconds: charged.append(share))

        def make() -> None:
            began.set()
            goes_on.wait(60)

        reader = asyncio.ensure_future(lab.views.beside(id, make))
        await asyncio.to_thread(began.wait, 60)
        lab._owners._live[id].share = "another"
        reader.cancel()
        await asyncio.wait([reader])
        goes_on.set()
        async with asyncio.timeout(60):
            while not charged:
                await asyncio.sleep(0.01)
    assert charged == [share]
