"""A deleted experiment can be brought back for ten minutes, also after a restart."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from fallline.realtime.outbox import Outbox
from fallline.runs.undoing import UNDO_SECONDS
from fallline.services import deletions
from fallline.services.lab import Lab
from fallline.storage.interface import StoreUnwritable
from fallline.vocabulary.commands import Undo
from fallline.vocabulary.errors import Gone, NotAuthorized, NotFound, ReadOnly
from fallline.vocabulary.journal import Moment
from support.labs import Lasting, created, examined, open_lab, steps_of
from support.lives import costless


async def lived(lab: Lab) -> tuple[str, str]:
    id, token = await created(lab)
    await lab.command(id, token, "step", {"steps": 30})
    await lab.command(id, token, "edit", {"learning_rate": 0.03, "label": "Slow"}, run="gd")
    await lab.command(id, token, "step", {"steps": 25})
    return id, token


async def shown(lab: Lab, id: str) -> tuple[Any, ...]:
    """Return the experiment's state, two moments of it and its recipe, without generations."""
    state = costless(await lab.views.state(id, 20.0))
    state["runs"] = [{**run, "generation": None} for run in state["runs"]]
    moments = [await lab.views.snapshot(id, "gd", step) for step in (None, 31)]
    recipe, _ = await lab.views.recipe(id)
    return state, [{**each, "generation": None} for each in moments], recipe


async def deleted(lab: Lab, id: str, token: str) -> str:
    """Delete the experiment; return the id that takes it back, without the experiment's id."""
    undo = await lab.delete(id, token)
    assert undo is not None
    experiment, _, change = undo.partition(".")
    assert experiment == id
    return change


def pass_time(lab: Lab, seconds: float) -> None:
    lab._store.age.resume(Moment(time.time(), seconds))


@pytest.mark.parametrize("restarts", [False, True])
async def test_undo_brings_back_steps_edits_and_names(restarts: bool) -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await lived(lab)
        before = await shown(lab, id)
        undo = await deleted(lab, id, token)
        with pytest.raises(NotFound):
            await lab.views.state(id)
        assert lab.health()["experiments"] == 0
        if not restarts:
            await lab.command(id, token, "undo", Undo(undo=undo))
            assert await shown(lab, id) == before
    if restarts:
        async with open_lab(store) as lab:
            with pytest.raises(NotFound):
                await lab.views.state(id)
            state = await lab.command(id, token, "undo", Undo(undo=undo))
            assert steps_of(state) == {"gd": 55, "sgd": 55}
            assert await shown(lab, id) == before
    async with open_lab(store) as lab:
        assert {run["generation"] for run in (await lab.views.state(id))["runs"]} == {1}
        assert await shown(lab, id) == before


async def test_a_playing_experiment_returns_paused_with_every_step_that_was_shown() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        while not all((before := steps_of(await lab.views.state(id))).values()):
            await asyncio.sleep(0.01)
        undo = await deleted(lab, id, token)
    async with open_lab(store) as lab:
        assert lab.health()["experiments"] == 0
        state = await lab.command(id, token, "undo", Undo(undo=undo))
        assert state["playing"] is False
        assert all(steps >= before[name] > 0 for name, steps in steps_of(state).items())
        assert {run["generation"] for run in state["runs"]} == {1}


async def test_only_the_token_brings_it_back_once_and_in_time() -> None:
    async with open_lab(Lasting()) as lab:
        id, token = await lived(lab)
        undo = await deleted(lab, id, token)
        for wrong in (None, token + "x"):
            with pytest.raises(NotAuthorized):
                await lab.command(id, wrong, "undo", Undo(undo=undo))
        with pytest.raises(Gone):
            await lab.command(id, token, "undo", Undo(undo="1" * 16))
        pass_time(lab, UNDO_SECONDS - 60.0)
        await lab.idle_sweep.sweep()
        await lab.command(id, token, "undo", Undo(undo=undo))
        with pytest.raises(Gone):
            await lab.command(id, token, "undo", Undo(undo=undo))
        assert steps_of(await lab.views.state(id)) == {"gd": 55, "sgd": 55}


@pytest.mark.parametrize("sweeps", [False, True])
async def test_after_ten_minutes_it_is_gone_for_good(sweeps: bool) -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await lived(lab)
        undo = await deleted(lab, id, token)
        pass_time(lab, UNDO_SECONDS + 1.0)
        if sweeps:
            await lab.idle_sweep.sweep()
            assert store.load(id) is None
        with pytest.raises(Gone):
            await lab.command(id, token, "undo", Undo(undo=undo))
        with pytest.raises(NotFound):
            await lab.views.state(id)


async def test_two_requests_at_once_and_a_repeated_one() -> None:
    async with open_lab(Lasting()) as lab:
        id, token = await lived(lab)
        undo = Undo(undo=await deleted(lab, id, token))
        both = await asyncio.gather(
            *(lab.command(id, token, "undo", undo, key=key) for key in "ab"), return_exceptions=True
        )
        assert [isinstance(each, Exception) for each in both].count(True) == 1
        key = "ba"[isinstance(both[1], Exception)]
        assert steps_of(await lab.command(id, token, "undo", undo, key=key)) == {"gd": 55, "sgd": 55}
        assert {run["generation"] for run in (await lab.views.state(id))["runs"]} == {1}


async def test_its_table_stays_as_long_as_it_can_come_back() -> None:
    async with open_lab(Lasting()) as lab:
        table = (await lab.add_table(b"a,b\n" + b"".join(b"%d,%d\n" % (k, 2 * k) for k in range(9))))["id"]
        id, token = await created(lab, data={"name": "csv", "dataset": table, "target": "b"})
        undo = await deleted(lab, id, token)
        pass_time(lab, UNDO_SECONDS - 60.0)
        lab.idle_sweep.keep_seconds = 1.0
        await lab.idle_sweep.sweep()
        await lab.command(id, token, "undo", Undo(undo=undo))
        assert len((await lab.views.data(id))["X"]) == 9


async def test_watchers_are_closed_and_only_the_newest_deletions_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deletions, "MOST_KEPT", 2)
    store = Lasting()
    async with open_lab(store) as lab:
        experiments = [await created(lab) for _ in range(3)]
        box = Outbox(experiments[0][0])
        await lab.watch(box.experiment, None, box)
        undos = [await deleted(lab, id, token) for id, token in experiments]
        assert box.is_closed
        await lab.idle_sweep.sweep()
        assert [store.load(id) is None for id, _ in experiments] == [True, False, False]
        for (id, token), undo in list(zip(experiments, undos, strict=True))[1:]:
            await lab.command(id, token, "undo", Undo(undo=undo))
        with pytest.raises(Gone):
            await lab.command(*experiments[0], "undo", Undo(undo=undos[0]))


async def test_on_a_full_disk_a_deletion_frees_space_and_is_final() -> None:
    class Full(Lasting):
        """A store that can only delete."""

        def delete(self, ids: Any) -> None:
            super(Lasting, self).delete(ids)

    store = Full()
    async with open_lab(store) as lab:
        id, token = await created(lab)
        store.is_full = True
        assert await lab.delete(id, token) is None
        assert store.load(id) is None
        with pytest.raises(NotFound):
            await lab.views.state(id)


async def test_a_deletion_that_fails_leaves_the_experiment() -> None:
    class Refuses(Lasting):
        def delete(self, ids: Any) -> None:
            raise StoreUnwritable("no room")

    store = Refuses()
    async with open_lab(store) as lab:
        id, token = await lived(lab)
        store.is_full = True
        with pytest.raises(ReadOnly):
            await lab.delete(id, token)
        assert steps_of(await lab.views.state(id)) == {"gd": 55, "sgd": 55}


async def test_a_deleted_experiment_replays_in_memory_too() -> None:
    async with open_lab() as lab:
        id, token = await lived(lab)
        await examined(lab, id)
        before = await shown(lab, id)
        await lab.command(id, token, "undo", Undo(undo=await deleted(lab, id, token)))
        assert await shown(lab, id) == before
