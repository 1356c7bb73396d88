"""Slots of a lab: evictions, reading without a slot, and restarts."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from fallline.realtime.outbox import Outbox
from fallline.runs.experiment import Experiment
from fallline.services import experiment_loader
from fallline.services.lab import Lab
from fallline.services.uploads import load_stored_uploads
from fallline.vocabulary.errors import Failed, NotFound, Unavailable
from fallline.vocabulary.recipe import Recipe
from support.clocks import work_for
from support.labs import Lasting, in_slots, open_lab, steps_of, temporary

TINY: dict[str, Any] = {"data": {"samples": 8}, "network": {"layers": []}, "runs": [{"name": "gd"}]}
CLASSROOM, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def key_of(number: int) -> str:
    return f"{number:032x}"


async def create(lab: Lab, **who: Any) -> tuple[str, str]:
    state, token = await lab.create(Recipe.model_validate(TINY), **who)
    return state["id"], token


async def plays(lab: Lab, id: str, token: str, address: str | None = None) -> None:
    await lab.command(id, token, "play", {"speed": 1}, address=address)


async def reads(lab: Lab, id: str, token: str, address: str | None = None) -> Outbox:
    """Watch, and acknowledge a frame."""
    box = Outbox(id)
    await lab.watch(id, token, box, address=address)
    lab.acknowledged(id)
    return box


async def test_one_client_with_many_keys_leaves_slots_for_others_behind_its_address() -> None:
    """It uses a tenth of the numbers of the siege."""
    async with open_lab(Lasting(), most=100) as lab:
        honest = []
        for number in range(300):
            attacker, token = await create(lab, owner=key_of(number), address=CLASSROOM)
            await plays(lab, attacker, token, CLASSROOM)
            if number % 10 == 0:
                mine, token = await create(lab, owner=key_of(10_000 + number), address=CLASSROOM)
                await reads(lab, mine, token, CLASSROOM)
                honest.append((mine, token))
        live = in_slots(lab)
        assert {id for id, _ in honest} <= set(live)
        assert len(live) <= 100
        other, token = await create(lab, address=ELSEWHERE)
        await plays(lab, other, token, ELSEWHERE)
        assert {other, *(id for id, _ in honest)} <= set(in_slots(lab))


async def test_a_new_experiment_displaces_the_oldest_of_its_own_share_stored_as_paused() -> None:
    async with open_lab(Lasting(), most=16) as lab:
        other = await create(lab, address=ELSEWHERE)
        mine = [await create(lab, address=CLASSROOM) for _ in range(8)]
        for id, token in mine:
            await plays(lab, id, token, CLASSROOM)
        await create(lab, address=CLASSROOM)
        assert mine[0][0] not in in_slots(lab)
        assert {other[0], *(id for id, _ in mine[1:])} <= set(in_slots(lab))
        assert (await lab.views.state(mine[0][0]))["playing"] is False


async def test_a_watched_and_acknowledged_experiment_keeps_its_slot() -> None:
    async with open_lab(Lasting(), most=8) as lab:
        watched = [await create(lab, address=CLASSROOM) for _ in range(8)]
        for id, token in watched:
            await plays(lab, id, token)
            await reads(lab, id, token)
        with pytest.raises(Unavailable, match="experiments is in use") as refused:
            await create(lab, address=CLASSROOM)
        assert refused.value.retry_after > 0
        assert in_slots(lab) == [id for id, _ in watched]


async def test_a_watcher_without_acknowledgements_keeps_no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_lab(Lasting(), most=2) as lab:
        first = [await create(lab), await create(lab)]
        for id, _ in first:
            await lab.watch(id, None, Outbox(id))
        with pytest.raises(Unavailable):
            await create(lab)
        for id, _ in first:
            live = lab._registry.entries[id].live
            assert live is not None
            live.watched_at -= 16
        await create(lab)
        assert first[0][0] not in in_slots(lab)


async def test_a_stored_experiment_can_be_read_while_others_use_all_slots() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        mine, token = await create(lab, address=ELSEWHERE)
        await lab.command(mine, token, "step", {"steps": 30})
    async with open_lab(store, most=4) as lab:
        for _ in range(4):
            id, its = await create(lab, address=CLASSROOM)
            await plays(lab, id, its)
            await reads(lab, id, its)
        live = in_slots(lab)
        state = await lab.views.state(mine)
        assert steps_of(state) == {"gd": 30}
        assert (await lab.views.recipe(mine))[0]["runs"][0]["name"] == "gd"
        _, history, _ = await lab.views.history(mine, "gd", None, None, None, 1000)
        assert len(history) == 30
        assert (await lab.views.snapshot(mine, "gd", 7))["step"] == 7
        recipe = (await lab.views.export(mine, "recipe.json", None)).content
        assert isinstance(recipe, bytes)
        assert b"gd" in recipe
        assert (temporary(lab), in_slots(lab)) == ([mine], live)
        with pytest.raises(Unavailable):
            await plays(lab, mine, token, ELSEWHERE)


async def test_playing_a_temporary_experiment_needs_a_slot_and_gets_it() -> None:
    async with open_lab(Lasting(), most=1) as lab:
        mine, token = await create(lab)
        other, its = await create(lab)
        await plays(lab, other, its)
        assert (await lab.views.state(mine))["playing"] is False
        assert (in_slots(lab), temporary(lab)) == ([other], [mine])
        await plays(lab, mine, token)
        assert (in_slots(lab), temporary(lab)) == ([mine], [])
        assert (await lab.views.state(mine))["playing"] is True
        assert (await lab.views.state(other))["playing"] is False


async def test_few_visits_are_open_at_a_time_and_each_comes_to_its_turn() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        stored = [await create(lab) for _ in range(20)]
    most = 0
    async with open_lab(store, most=1) as lab:
        holder, its = await create(lab)
        await plays(lab, holder, its)
        reads = [asyncio.ensure_future(lab.views.state(id)) for id, _ in stored]
        while not all(each.done() for each in reads):
            most = max(most, len(temporary(lab)))
            await asyncio.sleep(0)
        assert [each.result()["id"] for each in reads] == [id for id, _ in stored]
        assert in_slots(lab) == [holder]
    assert 0 < most <= experiment_loader.MOST_TEMPORARY


async def test_a_visit_ends_when_nobody_reads_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experiment_loader, "TEMPORARY_SECONDS", 0.05)
    async with open_lab(Lasting(), most=1) as lab:
        mine, _ = await create(lab)
        other, its = await create(lab)
        await plays(lab, other, its)
        await lab.views.state(mine)
        assert temporary(lab) == [mine]
        async with asyncio.timeout(60):
            while temporary(lab) or lab._loader._turns.free < experiment_loader.MOST_TEMPORARY:
                await asyncio.sleep(0.01)


async def test_turns_come_back_however_a_visit_ends() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        stored = [await create(lab) for _ in range(3 * experiment_loader.MOST_TEMPORARY)]
    async with open_lab(store, most=1) as lab:
        holder, its = await create(lab)
        await plays(lab, holder, its)
        for id, token in stored:
            await lab.views.state(id)
            await lab.delete(id, token)
        assert lab._loader._turns.free == experiment_loader.MOST_TEMPORARY
        assert temporary(lab) == []


async def test_a_restart_opens_playing_experiments_into_free_slots_and_evicts_none() -> None:
    store = Lasting()
    async with open_lab(store) as lab:
        stored = [await create(lab) for _ in range(6)]
        for id, token in stored:
            await plays(lab, id, token)
    async with open_lab(store, most=4) as lab:
        async with asyncio.timeout(60):
            while len(in_slots(lab)) < 4:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        first = in_slots(lab)
        assert len(first) == 4
        for id in first:
            assert (await lab.views.state(id))["playing"] is True
        left, token = next((id, token) for id, token in stored if id not in first)
        await reads(lab, left, token)
        assert (await lab.views.state(left))["playing"] is True, "its owner came back in time"


async def with_one_that_plays(lab: Lab) -> None:
    other, its = await create(lab)
    await plays(lab, other, its)


@pytest.mark.parametrize("slow", ["load", "open"])
async def test_opening_one_that_is_read_without_a_place_holds_up_nobody_else(
    slow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, goes_on = Lasting(), asyncio.Event()
    async with open_lab(store) as lab:
        mine, token = await create(lab)
    async with open_lab(store, most=1) as lab:
        await with_one_that_plays(lab)
        of = lab._store if slow == "load" else lab._executor
        sound = getattr(of, slow)

        async def waits(id: str, *arguments: Any, **options: Any) -> Any:
            if id == mine:
                await goes_on.wait()
            return await sound(id, *arguments, **options)

        monkeypatch.setattr(of, slow, waits)
        readers = [asyncio.ensure_future(lab.views.state(mine))]
        async with asyncio.timeout(60):
            while slow == "open" and not temporary(lab):
                await asyncio.sleep(0.01)
        readers.append(asyncio.ensure_future(lab.watch(mine, token, Outbox(mine))))
        await asyncio.sleep(0.1)
        async with asyncio.timeout(60):
            await create(lab)
        goes_on.set()
        assert [state["id"] for state in await asyncio.gather(*readers)] == [mine, mine]


async def test_a_turn_comes_back_when_its_reader_leaves_before_the_visit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_lab(Lasting(), most=1) as lab:
        mine, _ = await create(lab)
        await with_one_that_plays(lab)
        loader, take_turn = lab._loader, lab._loader._take_turn

        async def take_turn_and_find_admission_locked(share: str) -> None:
            await take_turn(share)
            await loader._admission.acquire()

        monkeypatch.setattr(loader, "_take_turn", take_turn_and_find_admission_locked)
        reader = asyncio.ensure_future(lab.views.state(mine))
        while not loader._admission.locked() or loader._turns.free == experiment_loader.MOST_TEMPORARY:
            await asyncio.sleep(0.01)
        reader.cancel()
        await asyncio.wait([reader])
        loader._admission.release()
        assert loader._turns.free == experiment_loader.MOST_TEMPORARY


async def test_one_that_opens_again_before_it_is_closed_keeps_its_share() -> None:
    async with open_lab(Lasting()) as lab:
        mine, _ = await create(lab, address=CLASSROOM)
        lab._loader._evict(mine, lab._registry.entries[mine])
        await lab.views.state(mine)
        (pump,) = lab._executor._threads  # type: ignore[attr-defined]
        assert pump.worker._share_of == {mine: f"address:{CLASSROOM}"}


async def test_one_that_is_deleted_while_it_opens_is_not_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    has_begun, goes_on = asyncio.Event(), asyncio.Event()

    async def waits(*arguments: Any) -> Any:
        has_begun.set()
        await goes_on.wait()
        return await load_stored_uploads(*arguments)

    async with open_lab(Lasting()) as lab:
        mine, token = await create(lab)
        lab._loader._evict(mine, lab._registry.entries[mine])
        monkeypatch.setattr(experiment_loader, "load_stored_uploads", waits)
        reader = asyncio.ensure_future(lab.views.state(mine))
        await asyncio.wait_for(has_begun.wait(), 60)
        await lab.delete(mine, token)
        goes_on.set()
        with pytest.raises(NotFound):
            await reader
        await lab._executor.answers()
        (pump,) = lab._executor._threads  # type: ignore[attr-defined]
        assert pump.worker.find(mine) is None


async def test_an_opening_that_fails_late_does_not_end_the_one_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_lab(Lasting()) as lab:
        mine, _ = await create(lab)
        entry, sound = lab._registry.entries[mine], lab._executor.open
        has_begun, fails = asyncio.Event(), asyncio.Event()
        lab._loader._evict(mine, entry)

        async def fails_late(*arguments: Any, **options: Any) -> Any:
            monkeypatch.setattr(lab._executor, "open", sound)
            has_begun.set()
            await fails.wait()
            raise Failed

        monkeypatch.setattr(lab._executor, "open", fails_late)
        reader = asyncio.ensure_future(lab.views.state(mine))
        await asyncio.wait_for(has_begun.wait(), 60)
        assert entry.live is not None
        lab._loader._failed(mine, entry.live)
        assert (await lab.views.state(mine))["id"] == mine
        second = entry.live
        fails.set()
        with pytest.raises(Failed):
            await reader
        assert entry.live is second


async def test_one_that_waits_for_room_for_its_command_is_not_put_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_lab(Lasting(), most=1) as lab:
        mine, token = await create(lab)

        async def others_come(*arguments: Any, **options: Any) -> None:
            with pytest.raises(Unavailable):
                await create(lab, address=ELSEWHERE)

        monkeypatch.setattr(lab._loader, "grow", others_come)
        assert steps_of(await lab.command(mine, token, "step", {"steps": 3})) == {"gd": 3}


async def test_a_command_to_an_experiment_that_was_just_closed_is_not_404() -> None:
    async with open_lab(Lasting()) as lab:
        mine, token = await create(lab)
        await lab._executor.close(mine)
        with pytest.raises(Unavailable, match="just been closed"):
            await lab.command(mine, token, "step", {})


async def test_one_that_cannot_be_opened_keeps_no_other_from_playing_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, reopened = Lasting(), Experiment.reopened
    async with open_lab(store) as lab:
        bad, good = [await create(lab) for _ in range(2)]
        for id, token in (bad, good):
            await plays(lab, id, token)

    def fails(id: str, *arguments: Any, **options: Any) -> Experiment:
        if id == bad[0]:
            raise RuntimeError("a fault")
        return reopened(id, *arguments, **options)

    monkeypatch.setattr(Experiment, "reopened", fails)
    async with open_lab(store) as lab, asyncio.timeout(60):
        while in_slots(lab) != [good[0]]:
            await asyncio.sleep(0.01)
    assert "could not be opened again" in caplog.text


async def test_files_for_a_crowd_behind_one_address_hold_up_no_answer_for_another() -> None:
    starts, ends, goes_on = list[str](), list[str](), threading.Event()

    def make(name: str) -> None:
        starts.append(name)
        goes_on.wait(60)
        work_for(0.005)
        ends.append(name)

    async with open_lab() as lab:
        mine, _ = await create(lab, address=ELSEWHERE)
        theirs = [(await create(lab, address=CLASSROOM))[0] for _ in range(4)]
        rendering = lab.views._rendering
        crowd = [
            asyncio.ensure_future(lab.views.beside(id, lambda: make("crowd")))
            for id in theirs
            for _ in range(15)
        ]
        while lab._owners.share(theirs[0]) not in rendering._waiting:
            await asyncio.sleep(0.001)
        person = asyncio.ensure_future(lab.views.beside(mine, lambda: make("person")))
        while "person" not in starts and lab._owners.share(mine) not in rendering._waiting:
            await asyncio.sleep(0.001)
        goes_on.set()
        await asyncio.gather(person, *crowd)
    assert ends.index("person") <= 8


async def test_reading_many_without_a_place_keeps_no_other_share_from_reading_one() -> None:
    async with open_lab(Lasting(), most=1) as lab:
        mine, _ = await create(lab, address=ELSEWHERE)
        theirs = [(await create(lab, address=CLASSROOM))[0] for _ in range(80)]
        await with_one_that_plays(lab)
        crowd = [asyncio.ensure_future(lab.views.state(id)) for id in theirs]
        while len(temporary(lab)) < experiment_loader.MOST_TEMPORARY / 2:
            await asyncio.sleep(0)
        assert (await lab.views.state(mine))["id"] == mine
        assert sum(one.done() for one in crowd) <= 40
        await asyncio.gather(*crowd)


async def test_one_share_reads_one_after_the_other_without_waiting_for_a_visit_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(experiment_loader, "TEMPORARY_SECONDS", 1_000.0)
    async with open_lab(Lasting(), most=1) as lab:
        stored = [(await create(lab, address=CLASSROOM))[0] for _ in range(6)]
        await with_one_that_plays(lab)
        async with asyncio.timeout(60):
            for id in stored:
                assert (await lab.views.state(id))["id"] == id
