"""The same recipe has the same findings at the same step, regardless of anything else that happens."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from fallline.diagnosis.examine import Record, examine
from fallline.diagnosis.storing import record_as_json
from fallline.diagnosis.view import View
from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.kernels.numpy_kernels import NUMPY, Kernels
from fallline.runs.case import MOST_BYTES, ExaminationCache
from fallline.runs.checks.run import step_seconds
from fallline.runs.doctor import doctor
from fallline.runs.doctor.doctor import Allowance, Doctor
from fallline.runs.persistence import journal_writer
from fallline.runs.persistence.journal_writer import PositionPace
from fallline.runs.run import Run
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json
from support.clocks import Clock
from support.examined import Examined, settle, until_answered
from support.lives import CLOCK, KERNELS, Life

NOTEBOOK, TOO_HIGH = (EXHIBITS[name].recipe.as_json() for name in ("notebook", "too-high"))
LINEAR: Json = {
    "name": "linear",
    "samples": 200,
    "features": 2,
    "noise": 0.3,
    "test_fraction": 0.25,
    "seed": 3,
}


def recipe(data: Json, network: Json, *edits: Json, **run: Any) -> Recipe:
    runs = [{"name": "run", "edits": list(edits), **run}]
    return Recipe.model_validate({"data": data, "network": network, "runs": runs})


def tanh(*units: int) -> Json:
    return {"layers": [{"units": each, "activation": "tanh"} for each in units], "seed": 1}


RECIPES: dict[str, tuple[Recipe, int]] = {
    "a layer dies and is drawn anew": (
        recipe(
            NOTEBOOK["data"],
            NOTEBOOK["network"],
            {"at_step": 0, "learning_rate": 0.1},
            {"at_step": 205, "redraw": {"layers": [1, 2], "weights": "he"}},
            {"at_step": 231, "batch_size": 30, "learning_rate": 0.01},
            learning_rate=0.2,
            batch_size=1,
        ),
        300,
    ),
    "a batch that is large from step 0 on": (
        recipe(
            {**LINEAR, "noise": 0.01},
            tanh(4),
            {"at_step": 0, "batch_size": 120},
            {"at_step": 141, "batch_size": 1},
            learning_rate=0.001,
            batch_size=2,
        ),
        260,
    ),
    "a raised rate diverges": (
        recipe(LINEAR, tanh(4, 4), {"at_step": 150, "learning_rate": 1000.0}, learning_rate=0.05), 260
    ),
    "the rate grows too large": (
        recipe(
            TOO_HIGH["data"],
            TOO_HIGH["network"],
            {"at_step": 133, "learning_rate": TOO_HIGH["runs"][-1]["learning_rate"]},
            learning_rate=0.01,
        ),
        260,
    ),
    "a rate that falls at a plateau": (
        recipe(
            LINEAR,
            tanh(4),
            {"at_step": 140, "schedule": {"name": "plateau", "every": 20, "patience": 1}},
            schedule={"name": "plateau", "every": 10, "patience": 1},
            learning_rate=0.5,
            batch_size=5,
        ),
        250,
    ),
    "beyond step 1,024": (
        recipe(LINEAR, tanh(3), {"at_step": 1_037, "learning_rate": 0.5}, learning_rate=0.05, batch_size=3), 1_130
    ),
}  # fmt: skip
*SHORT, LONG = RECIPES


def without_edits(whole: Recipe) -> Recipe:
    return whole.model_copy(update={"runs": [run.model_copy(update={"edits": []}) for run in whole.runs]})


def answer(run: Run) -> str:
    """Return all that the Doctor says and knows of a run, without costs, under the same name."""
    record = run.case.shown(run.state.step)
    assert record.step == run.state.step, "findings are complete"
    findings = [each.as_json("run", "Run", record.fresh.get(each.id)) for each in record.findings]
    records = [record_as_json(each) for each in (record, run.case.record)]
    return json.dumps({"findings": findings, "records": records}, indent=1)


def shown(answered: str) -> str:
    """Return the part of an answer that is shown: without the record of the schedule, which may stand before it."""
    whole = json.loads(answered)
    return json.dumps({**whole, "records": whole["records"][:1]}, indent=1)


def stepped(whole: Recipe, steps: int, slice: int | None = None, tick: float = 1e-6) -> Run:
    """Return the run after so many steps in such slices, on a machine of this speed."""
    one = Examined(whole, KERNELS)
    one.clock = Clock(tick)
    one.step(steps, slice)
    return one.one.runs["run"]


@cache
def expected(name: str, steps: int | None = None) -> str:
    whole, all_steps = RECIPES[name]
    return answer(stepped(whole, all_steps if steps is None else steps))


def same(ours: str, theirs: str) -> None:
    """Compare two answers, and show the lines that differ."""
    differing = [
        pair for pair in zip(ours.splitlines(), theirs.splitlines(), strict=False) if len({*pair}) > 1
    ]
    assert differing[:5] == []
    assert ours == theirs


def test_the_recipes_have_findings_that_open_and_close() -> None:
    """Otherwise equal answers would say little."""
    records = [json.loads(expected(name)) for name in RECIPES]
    findings = [each for record in records for each in record["findings"]]
    rules = {each["rule"] for each in findings}
    assert {"dead_layer", "dead_units", "diverged", "will_diverge", "wasteful_batch", "healthy"} <= rules
    assert any(each["until_step"] is not None for each in findings)
    assert any(each["remedies"] for each in findings)
    assert any(each["did"] for each in findings)


# ---------------------------------------------------------------------- slices, speed


@pytest.mark.parametrize(
    ("name", "slice"), [*((name, 1) for name in SHORT), *((name, 7) for name in RECIPES), (LONG, 100)]
)
def test_they_do_not_depend_on_slices(name: str, slice: int) -> None:
    whole, steps = RECIPES[name]
    same(answer(stepped(whole, steps, slice)), expected(name))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("tick", [1e-4, 1e-3])
def test_they_do_not_depend_on_the_speed_of_the_machine(name: str, tick: float) -> None:
    """On the slowest, examinations are made beside training, late, and in parts."""
    whole, steps = RECIPES[name]
    same(answer(stepped(whole, steps, tick=tick)), expected(name))


@pytest.mark.parametrize("name", SHORT)
def test_they_do_not_depend_on_examinations_that_are_late(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every state is replayed, since none was kept."""
    monkeypatch.setattr("fallline.runs.past.checkpoints.KeptStates.offer", lambda *_: None)
    whole, steps = RECIPES[name]
    one = Examined(whole, KERNELS)
    one.one.runs["run"].advance(steps, CLOCK)
    settle(one.one, one.clock)
    same(answer(one.one.runs["run"]), expected(name))


# ---------------------------------------------------------------------- restarts


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(("keeps", "is_behind"), [("all", True), ("all", False), ("nothing", False)])
def test_they_are_the_same_after_restarts(
    name: str, keeps: str, is_behind: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the stored states or without, and while examinations were missing."""
    monkeypatch.setattr(journal_writer, "SAVE_SECONDS", 0.0)
    if is_behind:
        monkeypatch.setattr(Doctor, "is_cheap", lambda *_: False)
    whole, steps = RECIPES[name]
    life = Life(**whole.as_json())
    for to in (3, 129, 130, 206, steps):
        if (run := life.one.runs["run"]).is_over:
            break
        life.step(to - run.state.step)
        if not is_behind:
            settle(life.one, lambda: CLOCK.now)
            life.store_it(is_final=True)
        stored = life.stored
        life.reopen(stored if keeps == "all" else replace(stored, parts={}))
        if keeps == "all" and not is_behind:
            assert life.one.runs["run"].case.examinations == 0, "what was found is stored"
    settle(life.one, lambda: CLOCK.now)
    same(answer(life.one.runs["run"]), expected(name))


# ---------------------------------------------------------------------- kernels


def onsets(run: Run) -> list[Json]:
    """Return which findings there are, and their steps; the numbers in their texts may differ in the last digit."""
    names = ("rule", "subject", "severity", "since_step", "until_step", "found_at")
    return [{name: each[name] for name in names} for each in run.findings()]


@pytest.mark.parametrize("name", RECIPES)
def test_the_compiled_kernel_leads_to_numpys_while_their_losses_agree(name: str) -> None:
    whole, steps = RECIPES[name]
    runs = []
    for kernel in (NUMPY, COMPILED):
        one = Examined(whole, Kernels(kernel))
        one.step(steps)
        runs.append(one.one.runs["run"])
    assert len({run.kernel.name for run in runs}) == 2
    losses = [run.window(None, None, steps).select(["train_loss"]).final[0] for run in runs]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)
    assert onsets(runs[0]) == onsets(runs[1]) != []


# ---------------------------------------------------------------------- edits and forks


def edited_live(whole: Recipe, steps: int) -> Run:
    """Return the run after so many steps, with the edits made when their steps were reached."""
    one = Examined(without_edits(whole), KERNELS)
    run = one.one.runs["run"]
    for edit in whole.runs[0].edits:
        if edit.at_step > run.state.step:
            one.step(edit.at_step - run.state.step)
        settle(one.one, one.clock)
        one.one.edit("run", EditRun.model_validate(edit.changes()), 0.0)
    one.step(steps - run.state.step)
    return run


@pytest.mark.parametrize("name", RECIPES)
def test_edits_made_live_have_the_findings_of_those_in_the_recipe(name: str) -> None:
    whole, steps = RECIPES[name]
    run = edited_live(whole, steps)
    assert len(run.recipe.edits) == len(whole.runs[0].edits)
    same(answer(run), expected(name))


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("at_step", [None, 131])
def test_a_fork_has_the_findings_of_its_shared_past_and_of_its_own_recipe(
    name: str, at_step: int | None
) -> None:
    """The parent stands at the step of the fork (None), or goes on before it."""
    whole, steps = RECIPES[name]
    one = Examined(whole, KERNELS)
    one.step(207)
    parent = one.one.runs["run"]
    body = AddRun.model_validate(
        {"name": "twin", "fork_of": "run", "learning_rate": 0.02}
        | ({} if at_step is None else {"at_step": at_step})
    )
    until_answered(one.one, one.clock, partial(one.one.fork, body, one.clock.now))
    settle(one.one, one.clock)
    twin = one.one.runs["twin"]
    same(answer(parent), expected(name, 207))
    if not parent.diverged or at_step is not None:
        # the twin's own edit makes this step one of its schedule; for the parent it may be a look
        same(shown(answer(twin)), shown(expected(name, twin.state.step)))
    one.step(steps - 207)
    renamed = twin.recipe.model_copy(update={"name": "run"})
    alone = stepped(whole.model_copy(update={"runs": [renamed]}), twin.state.step)
    same(answer(twin), answer(alone))


# ---------------------------------------------------------------------- shared examinations


class Class:
    """Experiments that share their examinations."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most_bytes: int = MOST_BYTES) -> None:
        self.cache = ExaminationCache(most_bytes)
        self.examined: list[int] = []
        """The steps of the examinations that were made."""
        monkeypatch.setattr(doctor, "examine", self._examine)

    def _examine(self, record: Record, view: View) -> Record:
        self.examined.append(view.step)
        return examine(record, view)

    def joined(self, whole: Recipe, kernels: Kernels = KERNELS) -> Examined:
        """Return a new experiment of this class."""
        one = Examined(whole, kernels)
        one.one.share(Allowance(), self.cache, PositionPace())
        return one

    def stepped(self, whole: Recipe, steps: int, slice: int | None = None) -> Run:
        """Return the run of another experiment after so many steps, and note which examinations it has made."""
        self.examined.clear()
        one = self.joined(whole)
        one.step(steps, slice)
        return one.one.runs["run"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_class_with_one_recipe_is_examined_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    together, (whole, steps) = Class(monkeypatch), RECIPES[name]
    together.stepped(whole, steps)
    run = together.stepped(whole, steps, 7)
    assert set(together.examined) <= {run.state.step, *range(7, steps, 7)}, "only looks at rest"
    same(answer(run), expected(name))


VARIATIONS: dict[str, tuple[Json, Json]] = {
    "other data": ({"data": {**LINEAR, "seed": 4}}, {}),
    "other samples": ({"data": {**LINEAR, "samples": 201}}, {}),
    "another split": ({"data": {**LINEAR, "test_fraction": 0.5}}, {}),
    "another network": ({"network": {**tanh(4), "layers": [{"units": 4, "activation": "relu"}]}}, {}),
    "other first weights": ({"network": {**tanh(4), "seed": 2}}, {}),
    "another loss": ({"loss": "huber"}, {}),
    "another order": ({}, {"seed": 1}),
    "another rate": ({}, {"learning_rate": 0.06}),
    "another optimizer": ({}, {"optimizer": "adam"}),
    "an edit at step 0": ({}, {"edits": [{"at_step": 0, "learning_rate": 0.06}]}),
}


@pytest.mark.parametrize("which", VARIATIONS)
def test_another_recipe_is_examined_by_itself(which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, own = VARIATIONS[which]
    body = recipe(LINEAR, tanh(4), learning_rate=0.05, batch_size=3).as_json()
    (plain,) = body["runs"]
    varied = Recipe.model_validate({**body, **shared, "runs": [{**plain, **own}]})
    together = Class(monkeypatch)
    together.stepped(Recipe.model_validate(body), 40)
    one = together.joined(varied)
    together.examined.clear()
    one.step(40)
    examined = together.examined.copy()
    begins = 1 if "edits" in own else 0  # before the first change nothing differs
    assert examined == list(range(begins, 41))
    alone = Examined(varied, KERNELS)
    alone.step(40)
    (run,), (expected_run,) = one.one.runs.values(), alone.one.runs.values()
    same(answer(run), answer(expected_run))


@pytest.mark.parametrize("name", RECIPES)
def test_an_edit_ends_what_is_shared(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, steps = RECIPES[name]
    together = Class(monkeypatch)
    together.stepped(without_edits(whole), steps)
    run = together.stepped(whole, steps)
    first = whole.runs[0].edits[0].at_step
    assert min(together.examined) in (first, first + 1), "an edit is a step of the schedule"
    same(answer(run), expected(name))


def test_names_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, steps = RECIPES[LONG]
    together, (run,) = Class(monkeypatch), whole.runs
    together.stepped(whole, steps)
    one = together.joined(
        whole.model_copy(update={"runs": [run.model_copy(update={"name": "other", "label": "Ours"})]})
    )
    together.examined.clear()
    one.step(steps)
    assert together.examined == [steps], "only a look at rest"
    same(answer(one.one.runs["other"]), expected(LONG))


def test_a_run_of_the_compiled_kernel_is_examined_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = RECIPES[LONG]
    together = Class(monkeypatch)
    for kernel in (NUMPY, COMPILED):
        one = together.joined(whole, Kernels(kernel))
        together.examined.clear()
        one.step(20)
        assert together.examined == list(range(21))


def test_a_past_of_other_builds_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = RECIPES[LONG]
    together = Class(monkeypatch)
    together.stepped(whole, 20)
    one = together.joined(whole)
    one.one.runs["run"].is_rounded = True
    together.examined.clear()
    one.step(20)
    assert together.examined == list(range(21))


def test_an_examination_that_failed_is_not_shared(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole, steps = RECIPES[LONG]
    together = Class(monkeypatch)
    with monkeypatch.context() as broken:
        broken.setattr(doctor, "view_of", lambda *_, **__: 1 / 0)
        assert together.stepped(whole, steps).case.failed > 0
    caplog.clear()
    assert len(together.cache) == 0
    same(answer(together.stepped(whole, steps)), expected(LONG))


def test_the_examinations_that_were_not_used_for_longest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = RECIPES[LONG]
    together = Class(monkeypatch, most_bytes=100_000)
    together.stepped(whole, 64)
    assert together.cache.nbytes <= 100_000
    assert 0 < len(together.cache) < 64
    together.stepped(whole, 64)
    assert together.examined == list(range(65)), "each was dropped before it was asked for again"


# ---------------------------------------------------------------------- any life


@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])  # to shrink takes minutes
@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from(["nothing", "settle", "store", "crash", "lose"])),
        min_size=4,
        max_size=8,
    ),
    st.sampled_from(SHORT),
)
@example(
    [(40, "nothing"), (40, "crash"), (31, "settle"), (40, "lose"), (1, "nothing"), (23, "store")], SHORT[0]
)
def test_they_are_the_same_after_any_life(events: list[tuple[int, str]], name: str) -> None:
    life = Life(**RECIPES[name][0].as_json())
    for steps, then in events:
        if not life.one.runs["run"].is_over:
            life.step(steps)
        if then == "settle":
            settle(life.one, lambda: CLOCK.now)
        elif then == "store":
            life.store_it(is_final=True)
        elif then != "nothing":
            life.reopen(replace(life.stored, parts={}) if then == "lose" else None)
    settle(life.one, lambda: CLOCK.now)
    run = life.one.runs["run"]
    same(answer(run), answer(stepped(RECIPES[name][0], sum(steps for steps, _ in events))))


# ---------------------------------------------------------------------- planted faults


def test_a_schedule_that_examines_where_slices_end_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled = Run.next_examination

    def at_the_end(self: Run, step: int) -> int:
        return self.state.step if step < self.state.step else scheduled(self, step)

    monkeypatch.setattr(Run, "next_examination", at_the_end)
    with pytest.raises(AssertionError):
        test_they_do_not_depend_on_slices(SHORT[0], 7)


def test_trials_as_long_as_the_machine_is_fast_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, steps = RECIPES[SHORT[0]]
    before = expected(SHORT[0])
    monkeypatch.setattr("fallline.runs.doctor.view.step_seconds", lambda *sizes: 1e3 * step_seconds(*sizes))
    with pytest.raises(AssertionError):
        same(answer(stepped(whole, steps)), before)


def test_a_look_that_leaves_a_trace_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    look = Doctor.look

    def remembers(self: Doctor, run: Run, clock: Any) -> tuple[bool, float]:
        result = look(self, run, clock)
        if run.case.look is not None:
            run.case.record, run.case.examined = run.case.look, run.state.copy()
        return result

    monkeypatch.setattr(Doctor, "look", remembers)
    with pytest.raises(AssertionError):
        test_they_do_not_depend_on_slices(SHORT[0], 7)
