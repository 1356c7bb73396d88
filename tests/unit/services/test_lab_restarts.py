"""A lab reopened on the same store, and one with more experiments than slots."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from functools import partial
from typing import Any

import pytest

from fallline.execution.worker import Worker
from fallline.realtime.outbox import Outbox
from fallline.runs.experiment import Experiment
from fallline.services import idle_sweep, store_thread, uploads
from fallline.storage.interface import StoreUnwritable
from fallline.vocabulary.commands import SLOWEST
from fallline.vocabulary.errors import KeyReused, NotFound, ReadOnly
from fallline.vocabulary.journal import Moment
from fallline.vocabulary.recipe import Recipe
from support.labs import Lasting, created, examined, in_slots, open_lab, steps_of
from support.lives import costless
from support.serving import SMALL
from support.spies import noting

LONG_AGO = Moment(0.0, -1e6)


async def test_changes_and_tokens_survive_a_restart() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "edit", {"batch_size": 1}, run="gd")
        await lab.command(id, token, "step", {"steps": 300})
        state = costless(await lab.views.state(id, 100.0))
        before = state, await lab.views.snapshot(id, "gd", None), await lab.views.snapshot(id, "gd", 100)
    async with open_lab(store) as lab:
        assert (
            costless(await lab.views.state(id, 100.0)),
            await lab.views.snapshot(id, "gd", None),
            await lab.views.snapshot(id, "gd", 100),
        ) == before
        state = await lab.command(id, token, "step", {"steps": 10})
        assert steps_of(state) == {"gd": 310, "sgd": 310}
        await lab.delete(id, token)
    async with open_lab(store) as lab:
        with pytest.raises(NotFound):
            await lab.views.state(id)


async def test_a_repeat_is_answered_again_after_a_restart() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
        first = await lab.command(id, token, "step", {"steps": 5}, key="a")
        await lab.command(id, token, "step", {"steps": 5}, key="b")
    async with open_lab(store) as lab:
        assert await lab.command(id, token, "step", {"steps": 5}, key="a") == first
        assert steps_of(await lab.views.state(id))["gd"] == 10
        with pytest.raises(KeyReused):
            await lab.command(id, token, "step", {"steps": 6}, key="a")


async def test_a_playing_experiment_plays_on_without_a_request() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        await asyncio.sleep(0.05)
        before = steps_of(await lab.views.state(id))
    async with open_lab(store) as lab:
        while not lab.health()["experiments"]:
            await asyncio.sleep(0.005)
        assert (stored := store.load(id)) is not None
        assert stored.progress["playing"]
        state = await lab.views.state(id)
        assert state["playing"]
        while not all(steps_of(state)[run] > before[run] for run in before):
            state = await lab.views.state(id)
        assert {run["generation"] for run in state["runs"]} == {0}, "nothing was seen that was not stored"


async def test_what_played_is_opened_before_other_work_and_its_watchers_join_like_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else it waits for turns with those that train again: for a class of 60, more than 40 s."""
    store, owner = Lasting(), secrets.token_urlsafe(32)
    async with open_lab(store) as lab:
        state, token = await lab.create(Recipe.model_validate(SMALL), owner=owner)
        played, (paused, _) = state["id"], await created(lab)
        await lab.command(played, token, "play", {"speed": "max"})
    calls: list[tuple[str, str]] = []
    for kind in ("restore", "command", "read"):
        real = getattr(Worker, kind)
        note = partial(lambda kind, worker, id, call: calls.append((kind, id)), kind)
        monkeypatch.setattr(Worker, kind, noting(note, real))
    async with open_lab(store) as lab:
        for id in (played, paused):
            await lab.watch(id, None, Outbox(id))
        assert lab._owners.share(played).startswith("owner:")
        assert lab._owners.share(paused).startswith("address:")
    assert [kind for kind, id in calls if id == played][:2] == ["restore", "command"]
    assert [kind for kind, id in calls if id == paused][:2] == ["read", "command"]


async def stored_plays(count: int) -> tuple[Lasting, dict[str, str]]:
    """A store with experiments that played when the server stopped, and their tokens."""
    store = Lasting()
    async with open_lab(store) as lab:
        tokens = dict([await created(lab) for _ in range(count)])
        for id, token in tokens.items():
            await lab.command(id, token, "step", {"steps": 300})
            await lab.command(id, token, "play", {"speed": 60})
    return store, tokens


async def test_of_a_class_that_comes_back_every_few_replay_in_a_thread_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one thread 300 people took 46 s, on two processors."""
    store, tokens = await stored_plays(8)
    replayed: list[tuple[str, str]] = []
    real = Experiment.replay_to_stored
    note = lambda one, *_: replayed.append((one.id, threading.current_thread().name))  # noqa: E731
    monkeypatch.setattr(Experiment, "replay_to_stored", noting(note, real))
    async with open_lab(store) as lab:
        states = [await lab.views.state(id) for id in tokens]
        assert all(state["playing"] and min(steps_of(state).values()) >= 300 for state in states)
        then = [await lab.views.snapshot(id, "sgd", 300) for id in tokens]
        assert all(one["parameters"] == then[0]["parameters"] for one in then), (
            "in any thread the same numbers"
        )
    assert 1 <= len(replayed) < 8
    assert {id for id, _ in replayed} < set(tokens)
    assert not any(thread.startswith("worker") for _, thread in replayed)


async def test_one_that_is_closed_while_it_comes_back_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    store, tokens = await stored_plays(3)
    waits, goes_on, real = list[str](), threading.Event(), Experiment.replay_to_stored

    def replay(one: Experiment, *arguments: Any) -> None:
        waits.append(one.id)
        goes_on.wait(60)
        real(one, *arguments)

    monkeypatch.setattr(Experiment, "replay_to_stored", replay)
    async with open_lab(store) as lab:
        while not waits:
            await asyncio.sleep(0.005)
        closing = asyncio.ensure_future(lab._executor.close(waits[0]))
        await asyncio.sleep(0.05)
        goes_on.set()
        await closing
        while lab._executor._coming:  # type: ignore[attr-defined]
            await asyncio.sleep(0.005)
        for id in (others := tokens.keys() - {waits[0]}):
            await lab.views.state(id)
        assert lab._executor._threads[0]._open.keys() == others  # type: ignore[attr-defined]


async def test_a_fault_in_that_thread_is_left_to_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("a fault")

    store, tokens = await stored_plays(3)
    monkeypatch.setattr(Experiment, "replay_to_stored", fails)
    async with open_lab(store) as lab:
        for id in tokens:
            assert (await lab.views.state(id))["playing"]


async def test_a_stored_play_that_was_too_slow_plays_on_raised_and_holds_up_nobody() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        (id, token), (other, key) = await created(lab), await created(lab)
        # As versions without the bound accepted it.
        await lab._executor.ask(id, lambda one, now: one.play(1e-12, "steps", now))
    async with open_lab(store) as lab:
        state = await lab.views.state(id)
        assert (state["playing"], state["speed"]) == (True, SLOWEST)
        assert steps_of(await lab.command(other, key, "step", {"steps": 3})) == {"gd": 3, "sgd": 3}
        assert not (await lab.command(id, token, "pause", {}))["playing"]


async def test_an_unwatched_experiment_is_paused_after_a_restart() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": 10})
    store.touch({id: LONG_AGO})
    async with open_lab(store) as lab:
        assert (await lab.views.state(id))["playing"] is False


async def test_more_can_be_stored_than_are_open() -> None:
    store = Lasting()
    async with open_lab(store, most=2) as lab:
        ids = [await created(lab) for _ in range(5)]
        for number, (id, token) in enumerate(ids, start=1):
            await lab.command(id, token, "step", {"steps": number})
        for number, (id, _) in enumerate(ids, start=1):
            assert steps_of(await lab.views.state(id)) == {"gd": number, "sgd": number}
            assert len(in_slots(lab)) <= 2


async def test_however_many_are_asked_for_at_once_no_more_are_open_than_may_be() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        ids = [await created(lab) for _ in range(8)]
    async with open_lab(store, most=2) as lab:
        for id, _ in ids[:2]:
            await lab.views.state(id)
        reads = [lab.views.state(id) for id, _ in ids[2:] for _ in range(2)]
        states = await asyncio.gather(*reads)
        assert len(in_slots(lab)) == 2
        assert [state["id"] for state in states] == [id for id, _ in ids[2:] for _ in range(2)]


async def test_many_simultaneous_requests_open_it_once() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
    async with open_lab(store) as lab:
        commands = [lab.command(id, token, "step", {"steps": 3}, key="a") for _ in range(20)]
        reads = [lab.views.state(id) for _ in range(20)]
        await asyncio.gather(*commands, *reads)
        assert steps_of(await lab.views.state(id)) == {"gd": 3, "sgd": 3}


async def test_experiments_unused_for_long_are_deleted_in_small_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Lasting()
    batches: list[int] = []
    async with open_lab(store, keep_seconds=1000.0) as lab:
        ids = [await created(lab) for _ in range(25)]
    store.touch({id: LONG_AGO for id, _ in ids[:23]})
    monkeypatch.setattr(store, "delete", noting(lambda ids: batches.append(len(ids)), store.delete))
    async with open_lab(store, keep_seconds=1000.0) as lab:
        await lab.views.state(ids[0][0])
        await lab.idle_sweep.delete_unused()
        assert batches == [10, 10, 2]
        assert {each.id for each in store.experiments()} == {id for id, _ in (ids[0], *ids[23:])}
        with pytest.raises(NotFound):
            await lab.views.state(ids[1][0])


async def test_looking_counts_as_use_and_is_noted_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_sweep, "STORED_USE_SECONDS", 0.0)
    store = Lasting()
    async with open_lab(store, idle_seconds=0.2) as lab:
        id, _ = await created(lab)
        store.touch({id: LONG_AGO})
        await lab.views.state(id)
        while store.experiments()[0].used == LONG_AGO:
            await asyncio.sleep(0.005)


CSV = "\n".join(f"{k},{k % 3},{k * k % 17}" for k in range(50)).encode()


async def test_a_table_and_its_experiment_survive_a_restart() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        table = await lab.add_table(CSV)
        id, token = await created(lab, data={"name": "csv", "dataset": table["id"]})
        await lab.command(id, token, "step", {"steps": 20})
        await examined(lab, id)
        before = costless(await lab.views.state(id)), await lab.views.data(id)
    async with open_lab(store, keep_seconds=1000.0) as lab:
        await lab.views.state(id)  # opens it
        await examined(lab, id)
        assert (costless(await lab.views.state(id)), await lab.views.data(id)) == before
        assert await lab.table(table["id"]) == table
        unused = await lab.add_table(CSV)
        lab._store.age.resume(Moment(time.time(), 2000.0))
        await lab.views.state(id)
        await lab.idle_sweep.delete_unused()
        assert await lab.table(table["id"]) == table, "an experiment is made of it"
        with pytest.raises(NotFound):
            await lab.table(unused["id"])
        await lab.delete(id, token)
        await lab.idle_sweep.sweep()
        assert await lab.table(table["id"]) == table, "the experiment may come back"
        lab._store.age.resume(Moment(time.time(), 2000.0))
        await lab.idle_sweep.sweep()
        with pytest.raises(NotFound):
            await lab.table(table["id"])


async def test_a_table_makes_room_for_another_and_one_that_is_in_use_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(uploads, "MOST_STORED", 2)
    store = Lasting()
    async with open_lab(store) as lab:
        used, unused = [(await lab.add_table(CSV))["id"] for _ in range(2)]
        await created(lab, data={"name": "csv", "dataset": used})
    async with open_lab(store) as lab:
        newest = (await lab.add_table(CSV))["id"]
        assert {each.id for each in store.tables()} == {used, newest}
        with pytest.raises(NotFound):
            await lab.table(unused)


async def test_nothing_is_acknowledged_that_could_not_be_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_thread, "RETRY_SECONDS", 0.01)
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "step", {"steps": 5}, key="a")
        box, other = Outbox(id), Outbox((await created(lab))[0])
        await lab.watch(id, token, box)
        await lab.watch(other.experiment, None, other)
        before = await lab.views.state(id, 100.0)
        assert before["read_only"] is False
        store.is_full = True
        with pytest.raises(ReadOnly):
            await lab.command(id, token, "edit", {"batch_size": 1}, run="gd", key="b")
        assert box.must_resume, "whoever watches has to come back"
        names = [event["event"] for event in iter(box.take_event, None)]
        assert "edit" not in names, "and was not told of an edit that is not stored"
        assert lab.is_read_only
        for refused in (
            lambda: lab.command(id, token, "step", {"steps": 1}),
            lambda: lab.delete(id, token),
            lambda: created(lab),
            lambda: lab.add_table(CSV),
        ):
            with pytest.raises(ReadOnly):
                await refused()
        assert costless(await lab.views.state(id, 100.0)) == costless({**before, "read_only": True}), (
            "what is stored can be read"
        )
        lab.unwatch(id, box)
        store.is_full = False
        events: list[dict[str, Any]] = []

        def is_told() -> bool:
            return not lab.is_read_only and (other.must_resume or len(events) >= 2)

        while not is_told():
            events += iter(other.take_event, None)
            await asyncio.sleep(0.005)
        events += iter(other.take_event, None)
        storage = [event["read_only"] for event in events if event["event"] == "storage"]
        assert storage == [True, False], "who watches something else is told too"
        answer = await lab.command(id, token, "edit", {"batch_size": 1}, run="gd", key="b")
        assert answer["at_step"] == 5
        state = await lab.command(id, token, "step", {"steps": 5})
        assert steps_of(state) == {"gd": 10, "sgd": 10}


async def test_a_playing_experiment_plays_on_while_nothing_can_be_stored() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
        await lab.command(id, token, "play", {"speed": "max"})
        store.is_full = True
        while not lab.is_read_only:
            await asyncio.sleep(0.005)
        before = steps_of(await lab.views.state(id))
        while steps_of(state := await lab.views.state(id))["gd"] == before["gd"]:
            await asyncio.sleep(0.005)
        assert state["playing"]
        store.is_full = False


async def test_an_unreadable_store_is_not_treated_as_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store_thread, "RETRY_SECONDS", 0.05)
    store = Lasting()
    async with open_lab(store) as lab:
        id, token = await created(lab)
    experiments = store.experiments

    def unreadable() -> Any:
        raise StoreUnwritable("not there yet")

    monkeypatch.setattr(store, "experiments", unreadable)
    async with open_lab(store) as lab:
        with pytest.raises(ReadOnly):
            await lab.views.state(id)
        monkeypatch.setattr(store, "experiments", experiments)
        while lab.is_read_only or not lab._registry.is_complete:
            await asyncio.sleep(0.005)
        assert steps_of(await lab.command(id, token, "step", {"steps": 1})) == {"gd": 1, "sgd": 1}
