"""A run as the Doctor's rules see it: measured states of its past, by a replay, and trials of remedies on a copy of it.

A trial makes exactly the next steps of a fork or an edit. Its result depends on the recipe, not on the machine. Must
not know rules, the schedule, nor the budget.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np

from fallline.diagnosis.examine import Record, best_since, seen_with
from fallline.diagnosis.view import Ahead, Change, Edge, Layer, Measured, Noise, Rise, Task, Trial, View
from fallline.engine.batches import batch_rows
from fallline.engine.measures.curvature import MOST_PARAMETERS, spectrum
from fallline.engine.measures.edge import edge_of
from fallline.engine.measures.probes import evaluate, examination_of, next_gradient, units
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import rate_of
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance, in_force
from fallline.figures.view import PREDICTING_THE_MAJORITY, PREDICTING_THE_MEAN
from fallline.runs.checks.run import are_same_steps, follows, forked_recipe, merge_edit, step_seconds
from fallline.runs.run import Run
from fallline.vocabulary.columns import Records, in_a_row
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import Edit, RunSettings

MOST_WORK = 1e8
"""Most multiplications for the curvature: about 50 ms."""

MEASURE_SECONDS, MULTIPLY_SECONDS = 1e-3, 5e-10
"""About the fixed cost of the curvature, and the cost of each multiplication."""


def task_of(problem: Problem) -> Task:
    """Return what the runs of a problem share."""
    X = problem.train.X
    return Task(
        samples=problem.train.count,
        has_test=problem.test is not None,
        classes=len(problem.classes),
        baseline=problem.baseline["train"],
        guessing=PREDICTING_THE_MAJORITY if problem.classes else PREDICTING_THE_MEAN,
        score=problem.score.name,
        initial_loss=problem.initial_loss,
        is_quadratic=problem.loss.name == "mse" and problem.activations == ("identity",),
        input_spreads=tuple(X.std(axis=0).tolist()),
        input_means=tuple(X.mean(axis=0).tolist()),
        output=_output_of(problem),
        error=dict(problem.loss.lines)["dy_pred"],
    )


def _output_of(problem: Problem) -> str:
    """Return y_pred as an expression: of the last layer's weights, or of its z."""
    last, name = len(problem.activations), problem.activations[-1]
    if name != "identity":
        return ACTIVATIONS[name].lines[0].format(z=f"z{last}")
    return f"{f'a{last - 1}' if last > 1 else 'X'} @ W{last} + b{last}"


def view_of(
    problem: Problem,
    task: Task,
    run: Run,
    state: TrainingState,
    record: Record,
    take: Take,
    *,
    diverged: bool,
) -> View:
    """Return the run in this state, after the examinations in `record`; `take` makes expensive measurements."""
    step, case = state.step, run.case
    now = take("now", 0.0, lambda: at_once(lambda: measured(problem, state)))
    stop = step + 1 if diverged else step  # the change that diverged belongs to the past
    settings = run.recipe.settings_at(stop - 1)
    series = case.track.before(step, max(record.step, 0))
    check = state_seconds(problem)
    trials, between = Trials(problem, run, step, stop, take), Between(problem, run, step, take)
    return View(
        task=task,
        step=step,
        diverged=diverged,
        settings=settings,
        scales=OPTIMIZERS[settings.optimizer].stability.divisor is not None,
        rate=rate_of(in_force(settings, state))(max(stop - 1, 0)),
        settings_before=trials.settings_before,
        edits=run.recipe.changes_before(stop),
        now=now,
        seen=seen_with(record, now),
        series=series,
        best=best_since(record, series) or (record.best,),
        first_slope=record.first_slope if record.step >= 0 else math.sqrt(now.noise.mean_squared),
        is_open=lambda rule, subject: (rule, subject) in record.stretches,
        examined=None if case.examined is None else case.examined.step,
        between=between.at,
        back=between.back,
        edge=lambda: _edge(problem, settings, state, take),
        ahead=trials.ahead,
        change=lambda at, layer: take(
            f"change {at} {layer}",
            replay_seconds(run, at) + check,
            lambda: change_at(problem, run, at, layer),
        ),
        rise=lambda first, last: take(
            f"rise {first} {last}",
            replay_seconds(run, first) + (last - first) * (check + run.step_seconds),
            lambda: rise_between(problem, run, first, last),
        ),
        trial=trials,
        repeats=trials.repeats,
        follows=trials.follows,
        weights_before=trials.weights_before,
    )


def _edge(problem: Problem, settings: RunSettings, state: TrainingState, take: Take) -> Edge | None:
    """Return the curvature; None for a network that is too large, or if it is not known."""
    count = problem.layout.count
    work = 12.0 * problem.train.count * count**2
    if count > MOST_PARAMETERS or work > MOST_WORK:
        return None
    return take(
        "edge",
        MEASURE_SECONDS + work * MULTIPLY_SECONDS,
        lambda: at_once(lambda: _curvature(problem, settings, state)),
    )


def _curvature(problem: Problem, settings: RunSettings, state: TrainingState) -> Edge | None:
    edge = edge_of(settings, state, problem.layout)
    if not edge.known:
        return None
    try:
        eigenvalues = spectrum(problem, state.parameters, settings.l2, edge.scale).eigenvalues
    except (FloatingPointError, np.linalg.LinAlgError):
        return None
    return Edge(float(eigenvalues[0]), edge.limit, state.step)


# ---------------------------------------------------------------------- trials

T = TypeVar("T")


Parts: TypeAlias = Generator[None, None, T]
"""Work in short parts: it yields between two of them, and returns its result."""

PART_SECONDS = 0.005
"""About the computing time of the steps in one part."""


class Take(Protocol):
    """Does work of this name and expected cost in seconds once an examination, or raises NotNow."""

    def __call__(self, name: str, expected: float, work: Callable[[], Parts[T]], /) -> T: ...


def at_once(call: Callable[[], T]) -> Parts[T]:
    """Do it in one part."""
    yield from ()
    return call()


def advanced(
    problem: Problem, state: TrainingState, recipe: RunRecipe, steps: int, run: Run
) -> Parts[Records]:
    """Make steps of a copy of the run as `advance` does. The parts do not change a number."""
    to = state.step + steps
    pieces: list[Records] = []
    estimate = estimated_seconds(problem, recipe, state.step)
    most = max(int(PART_SECONDS / max(run.step_seconds, estimate)), 1)
    while not pieces or (state.step < to and state.diverged_at is None):
        if pieces:
            yield
        pieces.append(advance(problem, state, recipe, min(to - state.step, most), run.kernel))
    return in_a_row(pieces)


def estimated_seconds(problem: Problem, recipe: RunRecipe, at_step: int) -> float:
    """Return the seconds of a step by the estimate of the recipe's cost."""
    batch = recipe.settings_at(at_step).batch_size or problem.train.count
    return step_seconds(problem.layout.sizes, min(batch, problem.train.count), 0)


LEAST_STATE_SECONDS = 5e-4
"""Python's own time of measuring a state, however small the network is."""


def after_states(problem: Problem, count: int) -> Parts[None]:
    """End a part after the `count`th state if measuring as many as since the last end takes one."""
    each = max(state_seconds(problem), LEAST_STATE_SECONDS)
    if count % max(int(PART_SECONDS / each), 1) == 0:
        yield


def state_seconds(problem: Problem) -> float:
    """Return the estimated seconds of measuring a state over all training samples."""
    return 2.0 * step_seconds(problem.layout.sizes, 0, problem.train.count)


MOST_STEPS, FEWEST_STEPS = 100, 10
"""Steps of a trial. In the most, a rate that is too high usually shows; fewer than the fewest show nothing."""

TRIAL_SECONDS, SEARCH_SECONDS = 0.12, 0.6
"""Most seconds of a trial, and of all trials of one examination, by the estimate of the recipe's cost."""

REPLAY_SECONDS = 10.0
"""Most computing time from the step of a fork to the present one, by the same estimate."""

LOST = 3.0
"""Factor by which a loss has grown so much that the trial has failed."""

MANY = 0.5
"""Share of a layer's units whose death fails the trial."""

CHECKS = 5
"""Number of states of a trial that are checked."""


class Trials:
    """Tries commands on one run in one examination, at step `step`, with the recipe's edits before step `stop`."""

    def __init__(self, problem: Problem, run: Run, step: int, stop: int, take: Take) -> None:
        self._problem, self._run, self._step, self._take = problem, run, step, take
        edits = [edit for edit in run.recipe.edits if edit.at_step < stop]
        self._recipe = run.recipe.model_copy(update={"edits": edits})
        self._starts: dict[int, TrainingState] = {}
        self._results: dict[str, Trial | None] = {}
        self._spent = 0.0

    def __call__(self, command: Mapping[str, Any]) -> Trial | None:
        """Return the result of the trial, or None if it takes too long."""
        name = json.dumps(command, sort_keys=True)
        if name not in self._results:
            self._results[name] = self._try(name, *self._continuation(command))
        return self._results[name]

    def ahead(self) -> Ahead | None:
        """Return the run's own next steps, or None if they take too long."""
        steps = self._affordable(self._recipe, self._step, TRIAL_SECONDS)
        if steps < FEWEST_STEPS:
            return None
        cost = replay_seconds(self._run, self._step) + steps * self._pace(self._recipe, self._step)
        return self._take("ahead", cost, lambda: self._go_on(steps))

    def repeats(self, command: Mapping[str, Any]) -> bool:
        """Return whether it changes nothing, or is what the run itself did at its step."""
        at_step, recipe = self._continuation(command)
        redraw = recipe.redraw_at(at_step)
        if redraw is not None and initializer(redraw.weights) == self.weights_before(at_step):
            return True
        own = self._recipe
        return redraw == own.redraw_at(at_step) and are_same_steps(
            recipe.settings_at(at_step), own.settings_at(at_step), self._problem.train.count
        )

    def follows(self, command: Mapping[str, Any], step: int) -> bool:
        """Return whether it says what the run itself did at that step."""
        return follows(self._recipe, self._recipe, command, step, self._problem.train.count)

    def settings_before(self, step: int) -> RunSettings:
        """Return the settings with which a fork from that step begins."""
        return self._recipe.settings_at(step - 1) if step else self._recipe.settings

    def weights_before(self, step: int) -> str:
        """Return the last initializer that drew all layers before that step."""
        every = set(range(1, len(self._problem.activations) + 1))
        redraws = [edit.redraw for edit in self._recipe.edits if edit.at_step < step]
        names = [each.weights for each in redraws if each is not None and set(each.layers) == every]
        return initializer(names[-1] if names else self._problem.drawn_with)

    def _continuation(self, command: Mapping[str, Any]) -> tuple[int, RunRecipe]:
        """Return the step and the recipe from which the run would continue."""
        run = self._recipe
        fields = {name: value for name, value in command.items() if name != "do"}
        if command["do"] == "add_run":
            fork = AddRun.model_validate({"name": run.name, "fork_of": run.name, **fields})
            return fields["at_step"], forked_recipe(run, fields["at_step"], fork)
        edited = merge_edit(run.edits, Edit.model_validate({"at_step": self._step, **fields}))
        return self._step, run.model_copy(update={"edits": edited})

    def _try(self, name: str, at_step: int, recipe: RunRecipe) -> Trial | None:
        problem, run = self._problem, self._run
        each = estimated_seconds(problem, recipe, at_step)
        steps = self._affordable(recipe, at_step, min(TRIAL_SECONDS, SEARCH_SECONDS - self._spent))
        if steps < FEWEST_STEPS or (at_step < self._step and (self._step - at_step) * each > REPLAY_SECONDS):
            return None
        checks = (CHECKS + 1) * state_seconds(problem)
        replay = 0.0 if at_step in self._starts else replay_seconds(run, at_step)
        pace = self._pace(recipe, at_step)
        trial = self._take(name, replay + steps * pace + checks, lambda: self._steps(at_step, recipe, steps))
        self._spent += each * trial.steps + checks
        return trial

    def _pace(self, recipe: RunRecipe, at_step: int) -> float:
        """Return the seconds of a step as measured, or by the estimate before the first."""
        if self._run.seconds > 0.0:
            return self._run.step_seconds
        return estimated_seconds(self._problem, recipe, at_step)

    def _affordable(self, recipe: RunRecipe, at_step: int, seconds: float) -> int:
        """Return the steps of a trial of so many seconds, by the same estimate."""
        return min(int(seconds / estimated_seconds(self._problem, recipe, at_step)), MOST_STEPS)

    def _go_on(self, steps: int) -> Parts[Ahead]:
        """Make the run's own next steps on a copy."""
        problem, state = self._problem, (yield from self._start(self._step))
        records = yield from advanced(problem, state, self._recipe, steps, self._run)
        losses = np.append(
            records.values[records.names.index("train_loss")][1:],  # the first is the present one
            evaluate(problem, state.parameters)["train_loss"] if state.step > self._step else np.nan,
        )
        losses = losses[np.isfinite(losses)]
        lowest, highest = float(losses.min(initial=np.inf)), float(losses.max(initial=-np.inf))
        return Ahead(steps, state.diverged_at, lowest, highest)

    def _start(self, at_step: int) -> Parts[TrainingState]:
        if at_step not in self._starts:
            state = yield from state_at(self._problem, self._run, at_step)
            state.diverged_at = None  # other settings may not diverge here
            self._starts[at_step] = state
        return self._starts[at_step].copy()

    def _steps(self, at_step: int, recipe: RunRecipe, steps: int) -> Parts[Trial]:
        """Make the steps and check states among them; start after any redraw."""
        problem, state = self._problem, (yield from self._start(at_step))
        if recipe.redraw_at(at_step) is not None:
            yield from advanced(problem, state, recipe, 1, self._run)
        dead_before, losses, tests = self._dead(state), [], []
        before = evaluate(problem, state.parameters)["train_loss"]
        for check in range(1, CHECKS + 1):
            yield from after_states(problem, check)
            if state.diverged_at is None:
                to = at_step + steps * check // CHECKS
                yield from advanced(problem, state, recipe, to - state.step, self._run)
            numbers = evaluate(problem, state.parameters)
            loss = numbers["train_loss"]
            has_grown = loss > LOST * max(before, problem.initial_loss)
            if state.diverged_at is not None or has_grown or _has_died(dead_before, self._dead(state)):
                return Trial(state.step - at_step, before, math.inf, math.inf)
            losses.append(loss)
            tests.append(numbers.get("test_loss", math.nan))
        with np.errstate(over="ignore"):
            after, test_after = np.mean([losses[CHECKS // 2 :], tests[CHECKS // 2 :]], axis=1).tolist()
        return Trial(steps, before, after, test_after, self._saturated(state))

    def _dead(self, state: TrainingState) -> Iterable[tuple[int, int]]:
        """Return the number of dead units, and of all units, for each hidden layer."""
        *hidden, _ = units(self._problem, state.parameters)
        return [(sum(layer.dead), len(layer.dead)) for layer in hidden]

    def _saturated(self, state: TrainingState) -> float:
        """Return the largest share of a hidden layer's outputs with a slope near 0."""
        *hidden, _ = units(self._problem, state.parameters)
        shares = [layer.saturated_share for layer in hidden if layer.saturated_share]
        return max((float(np.mean(share)) for share in shares), default=0.0)


def initializer(name: str) -> str:
    """Return the initializer's first name: he for he_normal."""
    row = INITIALIZERS.get(name)
    return name if row is None else row.same_as or name


def _has_died(before: Iterable[tuple[int, int]], dead: Iterable[tuple[int, int]]) -> bool:
    """True if a layer is dead or lost the share `MANY` of its units."""
    both = zip(before, dead, strict=True)
    return any(now == of or now - then >= MANY * of for (then, of), (now, _) in both)


# ---------------------------------------------------------------------- past states

MOST_ROWS = 10
"""Most rows of a batch that a change names."""


def measured(problem: Problem, state: TrainingState) -> Measured:
    """Measure a state over all samples."""
    examination = examination_of(problem, state.parameters)
    names = zip(problem.activations, examination.layers, strict=False)
    layers = tuple(
        Layer(ACTIVATIONS[name].lines[1], units.dead, units.saturated_share, units.alike)
        for name, units in names
    )
    noise = Noise(
        problem.train.count,
        examination.trace,
        examination.mean_squared,
        examination.sizes,
        examination.bias_sizes,
    )
    return Measured(state.step, examination.loss, examination.test_loss, examination.score, layers, noise)


def state_at(problem: Problem, run: Run, step: int) -> Parts[TrainingState]:
    """Return a copy of the run's state at a past step, by a replay from the nearest known one before."""
    if step == run.state.step:
        return run.state.copy()
    near, examined = run.case.kept.at(step), run.case.examined
    if near is not None:
        return near.copy()
    state = run.checkpoints.before(step)
    if examined is not None and state.step < examined.step <= step:
        state = examined.copy()
    yield from advanced(problem, state, run.recipe, step - state.step, run)
    return state


def replay_seconds(run: Run, step: int) -> float:
    """Return the expected cost of `state_at`."""
    if step == run.state.step or run.case.kept.at(step) is not None:
        return 0.0
    start = run.checkpoints.step_before(step)
    examined = run.case.examined
    if examined is not None and examined.step <= step:
        start = max(start, examined.step)
    return (step - start) * run.step_seconds


class Between:
    """The states between the last examination and step `until`, measured only as far as one looks.

    Most questions look `back` from the end and stop early. They get blocks, each after a replay from the last
    examination. Few and long ones would measure states that nobody reads. Many and short ones would replay more than
    they measure. Questions about points read one state, and `at` measures no other.
    """

    LEAST_STATES, MOST_BLOCKS = 32, 16

    def __init__(self, problem: Problem, run: Run, until: int, take: Take) -> None:
        self._problem, self._run, self._take = problem, run, take
        self._until = until
        self._states: dict[int, Measured] = {}

    def at(self, step: int) -> Measured:
        """Return the state at a step. Raises NotNow."""
        return self._state(step, step, step)

    def back(self, step: int) -> Measured:
        """Return the state at a step of a look back from the end. Raises NotNow."""
        size = max(self.LEAST_STATES, -(-(self._until - self._examined) // self.MOST_BLOCKS))
        last = self._until - 1 - (self._until - 1 - step) // size * size
        return self._state(step, max(last - size, self._examined) + 1, last)

    @property
    def _examined(self) -> int:
        examined = self._run.case.examined
        assert examined is not None
        return examined.step

    def _state(self, step: int, first: int, last: int) -> Measured:
        """Return the state at a step; if it is not known, measure those from the first to the last step."""
        if step not in self._states:
            assert self._examined < step < self._until
            expected = replay_seconds(self._run, first)
            expected += (last - first + 1) * (state_seconds(self._problem) + self._run.step_seconds)
            block = self._take(f"between {first} {last}", expected, lambda: self._measured(first, last))
            self._states.update((each.step, each) for each in block)
        return self._states[step]

    def _measured(self, first: int, last: int) -> Parts[list[Measured]]:
        state, states = (yield from state_at(self._problem, self._run, first)), []
        while True:
            states.append(measured(self._problem, state))
            yield from after_states(self._problem, len(states))
            if state.step == last:
                return states
            yield from advanced(self._problem, state, self._run.recipe, 1, self._run)


def change_at(problem: Problem, run: Run, step: int, layer: int | None) -> Parts[Change | None]:
    """Return the parameter that moved most in the change from that step, up to a layer if one is given.

    None if layers were drawn anew there: what they moved by is no step.
    """
    if run.recipe.redraw_at(step) is not None:
        return None
    state = yield from state_at(problem, run, step)
    settings = run.recipe.settings_at(step)
    gradients, _ = next_gradient(problem, state, run.recipe)
    rows = batch_rows(problem, settings, run.recipe.seed, state.samples_seen)
    rate = rate_of(in_force(settings, state))(step)
    before = state.parameters.copy()
    yield from advanced(problem, state, run.recipe, 1, run)
    count = sum(problem.layout.lengths[: None if layer is None else 2 * layer])
    place = int(np.abs(state.parameters - before)[:count].argmax())
    name, entry = _name_of(problem, place)
    return Change(
        step=step,
        parameter=name,
        entry=entry,
        before=float(before[place]),
        after=float(state.parameters[place]),
        rows=tuple(rows[:MOST_ROWS].tolist()),
        batch=len(rows),
        gradient=float(gradients[name].reshape(-1)[entry]),
        rate=rate,
    )


def rise_between(problem: Problem, run: Run, first: int, last: int) -> Parts[Rise | None]:
    """Return the change between two steps that raised the train loss most, None if there is none between."""
    if first >= last:
        return None
    state = yield from state_at(problem, run, first)
    losses = [evaluate(problem, state.parameters)["train_loss"]]
    while state.step < last:
        yield from advanced(problem, state, run.recipe, 1, run)
        losses.append(evaluate(problem, state.parameters)["train_loss"])
        yield from after_states(problem, len(losses))
    place = int(np.argmax(np.diff(losses)))
    return Rise(first + place, losses[place], losses[place + 1])


def _name_of(problem: Problem, place: int) -> tuple[str, int]:
    """Return the parameter at this place of the flat vector, and the place within it."""
    for name, length in zip(problem.layout.names, problem.layout.lengths, strict=True):
        if place < length:
            return name, place
        place -= length
    raise IndexError("beyond the last parameter")
