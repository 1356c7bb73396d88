"""Random sequences of commands: stored, replayed and live experiments are equal to the bit.

`make lives` tries many more sequences.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fallline.engine.kernels.numpy_kernels import NUMPY
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.exports.export_data import export_data
from fallline.exports.table import EXPORTS
from fallline.history import pyramid
from fallline.runs.experiment import Experiment
from fallline.runs.past import checkpoints
from fallline.runs.persistence import journal_writer
from fallline.runs.run import Run
from fallline.storage.sqlite import SqliteStore
from fallline.vocabulary.columns import Buckets, Records
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.recipe import Recipe, RunRecipe
from fallline.vocabulary.run_settings import OWN_SETTINGS
from support.aliases import Json
from support.examined import settle
from support.lives import CLOCK, KERNELS, Life, costless, edit
from support.measurements import assert_same

MOST_STEPS = 1000
"""A run is not taken further: all of it is made again many times."""

SOONER = (
    (journal_writer, "SAVE_SECONDS", 0.05),
    (checkpoints, "SECONDS_APART", 0.02),
    (checkpoints, "MOST_BYTES", 12_000),
    (checkpoints, "REPLAY_SECONDS", 0.04),
    (checkpoints, "ENOUGH", 100),
    (pyramid, "STEPS", 128),
    (pyramid, "_OCTAVE", 128 // pyramid.SUMMARY),
    (pyramid, "CHUNK", 64),
    (pyramid, "_APPEND", pyramid._APPEND[:1]),  # compiled code has the long run's numbers in it
)
"""What a long run meets, met by a short one: states that are stored, checkpoints that go, merged steps."""

# A failing sequence is reported as it is: shrinking it takes minutes.
LIVES = settings(
    max_examples=settings().max_examples * 2 // 5, stateful_step_count=15, phases=(Phase.generate,)
)

# A few important values: by default, Hypothesis tries 0 and 1 most of the time.
STEPS = st.sampled_from((150, 60, 7, 1, 400))
SHARES = st.sampled_from((0.5, 0.2, 0.8, 0.95))
PLACES = st.sampled_from((None, 0.5, 0.2, 0.8, 1.0))
NAMES = st.sampled_from(("gd", "sgd", "a", "b", "c"))
CHANGES = st.one_of(
    st.fixed_dictionaries(
        {"learning_rate": st.sampled_from((0.3, 0.01, 0.001))},
        optional={
            "batch_size": st.sampled_from((None, 1, 7)),
            "order": st.sampled_from(("shuffle", "sequential", "replacement")),
        },
    ),
    st.fixed_dictionaries(
        {"optimizer": st.sampled_from(("sgd", "momentum", "adam")), "learning_rate": st.just(0.01)}
    ),
    st.fixed_dictionaries(
        {}, optional={"l2": st.sampled_from((0.0, 0.1)), "clip_norm": st.sampled_from((None, 1.0))}
    ),
    st.builds(lambda steps: {"schedule": {"name": "cosine", "steps": steps}}, st.integers(1, 50)),
    st.just({"schedule": {"name": "plateau", "every": 10, "patience": 0}}),
).filter(bool)
RECIPES = st.fixed_dictionaries(
    {
        "data": st.sampled_from(
            (
                {"samples": 30, "test_fraction": 0.2},
                {"name": "moons", "samples": 40, "test_fraction": 0.25, "noise": 0.1},
            )
        ),
        "network": st.sampled_from(({}, {"layers": [{"units": 3, "activation": "tanh"}]})),
    }
)


class AnyLife(RuleBasedStateMachine):
    """An experiment in a file, its expected state, and twins from its recipe."""

    def __init__(self) -> None:
        super().__init__()
        CLOCK.now = 1000.0
        self._sooner = contextlib.ExitStack()
        for module, name, value in SOONER:
            self._sooner.enter_context(patch.object(module, name, value))
        self._folder = tempfile.TemporaryDirectory()
        self._store = self._opened()

    def _opened(self) -> SqliteStore:
        store = SqliteStore(Path(self._folder.name))
        store.open()
        return store

    @initialize(recipe=RECIPES, steps=STEPS)
    def create(self, recipe: Json, steps: int) -> None:
        self.life = Life(self._store, **recipe)
        self.steps = dict.fromkeys(self.life.one.runs, 0)
        self.edits: dict[str, list[Json]] = {name: [] for name in self.steps}
        self.step("gd", steps, alone=False)
        self.edit("gd", [{"learning_rate": 0.05}])
        self.step("gd", 40, alone=False)

    def teardown(self) -> None:
        try:
            if hasattr(self, "life"):
                self._check_numbers()
        finally:
            self._store.close()
            self._folder.cleanup()
            self._sooner.close()

    # ------------------------------------------------------------------ what one does

    @rule(name=NAMES, steps=STEPS, alone=st.booleans())
    def step(self, name: str, steps: int, alone: bool) -> None:
        name = self._there(name)
        if not self._able(name if alone else None):
            return
        steps = min(steps, MOST_STEPS - max(self.steps.values()))
        if steps > 0:
            self.life.step(steps, name if alone else None)
            self._stand(steps, [name] if alone else list(self.steps))

    @rule(turns=st.sampled_from((10, 1, 30)), is_paused=st.booleans())
    def play(self, turns: int, is_paused: bool) -> None:
        if self._able(None) and max(self.steps.values()) < MOST_STEPS:
            self.life.play(turns)
            if is_paused:
                self.life.do(lambda one: one.pause(CLOCK.now))
                self._stand_where_they_are()

    @rule(name=NAMES, changes=st.lists(CHANGES, min_size=1, max_size=2))
    def edit(self, name: str, changes: list[Json]) -> None:
        name = self._there(name)
        self._come_to_rest()
        for change in changes:
            answer = self.life.do(edit(name, **change))
            self._edited(name, {key: value for key, value in answer.items() if key != "run"})

    @rule(name=NAMES, only=st.booleans())
    def reset(self, name: str, only: bool) -> None:
        name = self._there(name)
        self.life.do(lambda one: one.reset(name if only else None, CLOCK.now))
        for each in [name] if only else list(self.steps):
            self.steps[each], self.edits[each] = 0, []
        self._stand_where_they_are()

    @rule(parent=NAMES, name=NAMES, share=PLACES, change=CHANGES | st.just({}))
    def fork(self, parent: str, name: str, share: float | None, change: Json) -> None:
        parent = self._there(parent)
        self._come_to_rest()
        name = next((free for free in (name, "a", "b", "c", "d") if free not in self.steps), "")
        if not name:
            return
        at_step = self._place(parent, share)
        command = AddRun.model_validate({"name": name, "fork_of": parent, "at_step": at_step, **change})
        answers: list[Any] = []
        self.life.do(lambda one: one.fork(command, CLOCK.now, answers.append))
        self._wait_for(answers)
        self.steps[name] = at_step
        self.edits[name] = [each for each in self.edits[parent] if each["at_step"] < at_step]
        if change:
            edit = self.life.one.runs[name].recipe.edits[-1].model_dump(mode="json")
            assert {"at_step", *change} == edit.keys() - (set(OWN_SETTINGS) - change.keys())
            self.edits[name].append(edit)

    @rule(name=NAMES)
    def add(self, name: str) -> None:
        if name not in self.steps:
            self.life.do(lambda one: one.add_run(RunRecipe(name=name, batch_size=5), True, CLOCK.now))
            self.steps[name], self.edits[name] = 0, []

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if name in self.steps and len(self.steps) > 1:
            self.life.do(lambda one: one.remove_run(name, CLOCK.now))
            del self.steps[name], self.edits[name]

    # ------------------------------------------------------------------ what one looks at

    @rule(name=NAMES, share=PLACES)
    def look_back(self, name: str, share: float | None) -> None:
        name = self._there(name)
        run, answers = self.life.one.runs[name], list[Any]()
        step = self._place(name, share)
        self.life.one.state_at(
            name, step, lambda problem, state, recipe: {"is": state.fingerprint()}, answers.append
        )
        self._wait_for(answers)
        twin = self._made_again(run, step)
        assert answers[0]["is"] == twin.state.fingerprint()

    @rule(name=NAMES, share=SHARES, length=st.sampled_from((20, 1, 64)))
    def look_at_a_stretch(self, name: str, share: float, length: int) -> None:
        """Read a range of few steps, each in a bucket of its own."""
        name = self._there(name)
        self._come_to_rest()
        run, answers = self.life.one.runs[name], list[Any]()
        if run.state.step:
            since = round(share * (run.state.step - 1))
            until = min(since + length, run.state.step) - 1
            self.life.one.history_of(name, since, until, length, answers.append)
            self._wait_for(answers)
            columns: Buckets = answers[0][1]
            records = self._records(run.recipe, run.state.step).part(since, until + 1)
            assert columns.first.tolist() == columns.last.tolist() == list(range(since, until + 1))
            np.testing.assert_array_equal(columns.select(records.names).final, records.values)

    @rule(name=NAMES)
    def take_away(self, name: str) -> None:
        name = self._there(name)
        self._come_to_rest()
        data = export_data(self.life.one, name)
        files = {which: EXPORTS[which].make(data) for which in ("recipe.json", "script.py", "parameters.npz")}
        recipe = Recipe.model_validate(json.loads(_bytes(files["recipe.json"])))
        run = self.life.one.runs[name]
        again = self._made_again(run, run.state.step, recipe)
        assert again.state.fingerprint() == run.state.fingerprint()
        with np.load(io.BytesIO(_bytes(files["parameters.npz"]))) as arrays:
            flat = np.concatenate([arrays[layer].ravel() for layer in self.life.one.problem.layout.names])
        np.testing.assert_array_equal(flat, again.state.parameters)
        if self.steps[name]:
            records = self._records(again.recipe, self.steps[name])
            losses = records.values[records.names.index("batch_loss")]
            assert _printed(_bytes(files["script.py"])) == losses.tolist()

    # ------------------------------------------------------------------ what happens to it

    @rule(is_final=st.booleans(), saves_all=st.booleans())
    def restart(self, is_final: bool, saves_all: bool) -> None:
        """Restart after a clean stop or a crash."""
        if is_final:
            self.life.store_it(is_final=True, saves_all=saves_all)
        self._reopen(ended_well=is_final)

    @precondition(lambda self: any(self.life.stored.parts.values()))
    @rule(data=st.data())
    def lose_a_piece(self, data: st.DataObject) -> None:
        """Restart after a stored state was removed or changed."""
        parts = {run: dict(pieces) for run, pieces in self.life.stored.parts.items()}
        run = data.draw(st.sampled_from(sorted(run for run in parts if parts[run])))
        name = data.draw(st.sampled_from(sorted(parts[run])))
        if data.draw(st.booleans()):
            parts[run][name] = parts[run][name][:-3] + b"\x00\xff\x01"
        else:
            del parts[run][name]
        self._reopen(parts)

    def _reopen(self, parts: Any = None, *, ended_well: bool = False) -> None:
        playing = self.life.one.playing
        before = self._settled()
        stored = self.life.stored if parts is None else replace(self.life.stored, parts=parts)
        self._store.close()
        self._store = self.life.store = self._opened()
        self.life.reopen(stored)
        if not playing or (ended_well and parts is None):
            assert self._settled() == before
        if playing:
            assert self.life.one.playing or all(run.diverged for run in self.life.one.runs.values())
        self._check_numbers()

    def _settled(self) -> Json:
        """Return the state with all findings; while it plays, without them, since they may be behind."""
        if not self.life.one.playing:
            settle(self.life.one, CLOCK)
            return costless(self.life.one.state())
        state = costless(self.life.one.state())
        behind = ("findings", "findings_complete_to", "verdict")
        runs = [{name: each for name, each in run.items() if name not in behind} for run in state["runs"]]
        return {**state, "runs": runs}

    # ------------------------------------------------------------------ what must be true

    @invariant()
    def everything_stands_where_the_commands_say(self) -> None:
        if not hasattr(self, "life"):
            return
        runs = self.life.one.runs
        assert runs.keys() == self.steps.keys()
        for name, run in runs.items():
            if self.life.one.playing:
                assert run.state.step >= self.steps[name]
            else:
                assert run.diverged or run.state.step == self.steps[name]
            assert [each.model_dump(mode="json") for each in run.recipe.edits] == self.edits[name]

    def _check_numbers(self) -> None:
        """Check that each run equals a single replay of its recipe."""
        for run in self.life.one.runs.values():
            again = self._made_again(run, run.state.step)
            assert run.state.fingerprint() == again.state.fingerprint(), run.name
            if run.state.step:
                columns, twin = run.window(0, None, 300), again.window(0, None, 300)
                assert_same(replace(columns, seconds=twin.seconds), twin)

    def _made_again(self, run: Run, step: int, recipe: Recipe | None = None) -> Run:
        recipe = recipe or self.life.one.recipe.model_copy(update={"runs": [run.recipe]})
        again = Experiment("y", recipe, KERNELS).runs[run.name]
        stays = run.diverged and step == run.state.step  # shown by the step after it
        again.advance(step + stays, CLOCK)
        return again

    def _records(self, recipe: RunRecipe, steps: int) -> Records:
        problem = self.life.one.problem
        return advance(problem, begin(problem), recipe, steps, NUMPY)

    # ------------------------------------------------------------------ words

    def _there(self, name: str) -> str:
        return name if name in self.steps else next(iter(self.steps))

    def _place(self, name: str, share: float | None) -> int:
        """Return a step of the run; None is the step of its last edit."""
        if share is None and self.edits[name]:
            return int(self.edits[name][-1]["at_step"])
        return round((share or 0.0) * self.life.one.runs[name].state.step)

    def _able(self, name: str | None) -> bool:
        runs = self.life.one.runs
        return any(not run.diverged for run in ([runs[name]] if name else runs.values()))

    def _stand(self, steps: int, names: list[str]) -> None:
        for name in names:
            self.steps[name] += steps
        self._stand_where_they_are()

    def _edited(self, name: str, edit: Json) -> None:
        """Merge edits of one step; a new optimizer drops the settings of the old one."""
        before: Json = {}
        if self.edits[name] and self.edits[name][-1]["at_step"] == edit["at_step"]:
            before = self.edits[name].pop()
        obsolete = OWN_SETTINGS if edit.get("optimizer") not in (None, before.get("optimizer")) else ()
        unchanged = {key: value for key, value in before.items() if key not in obsolete}
        self.edits[name].append({**unchanged, **edit})

    def _come_to_rest(self) -> None:
        if self.life.one.playing:
            self.life.do(lambda one: one.pause(CLOCK.now))
            self._stand_where_they_are()

    def _stand_where_they_are(self) -> None:
        if self.life.one.playing:
            return
        for name, run in self.life.one.runs.items():
            assert run.diverged or run.state.step >= self.steps[name]
            self.steps[name] = run.state.step

    def _wait_for(self, answers: list[Any]) -> None:
        while not answers:
            self.life.one.work(0.02, CLOCK.now, CLOCK)
            self.life.store_it()
        assert not isinstance(answers[0], Exception), answers[0]


def _bytes(content: Any) -> bytes:
    return content if isinstance(content, bytes) else b"".join(content)


def _printed(program: bytes) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()) as printed, patch.object(sys, "argv", ["script.py"]):
        exec(compile(program, "script.py", "exec"), {"__name__": "__main__"})
    return [float(line.split()[1]) for line in printed.getvalue().splitlines()]


TestAnyLife = pytest.mark.timeout(6 * settings().max_examples)(AnyLife.TestCase)
TestAnyLife.settings = LIVES
