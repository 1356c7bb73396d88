"""The only loop that steps a network, for live training, replay and time travel.

The state after n steps depends only on the recipe, not on the slices or on readers. Between the slices of a kernel
it redraws layers, and looks at the loss for the schedule `plateau`. With it the rate falls when the training loss
has stopped falling.

That schedule has a memory: a slot of the state beside the optimizer's, so that checkpoints, forks and replays have it.
It changes only at steps that the recipe names: every so many steps since the schedule was set. So the rate of a step is
a function of the recipe. Source: PyTorch's ReduceLROnPlateau, mode "min", with its relative threshold and without a
cooldown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fallline.engine.kernels.interface import NO_PATH, Kernel, Slice, series_names
from fallline.engine.kernels.numpy_kernels import NUMPY, Evaluator
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import plateau_memory, sequence_of
from fallline.engine.problem import Problem
from fallline.engine.randomness import rng_for
from fallline.engine.state import TrainingState
from fallline.vocabulary.arrays import Array
from fallline.vocabulary.columns import Records
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import CONSTANT, Redraw, RunSettings


def advance(
    problem: Problem,
    state: TrainingState,
    run: RunRecipe,
    steps: int,
    kernel: Kernel = NUMPY,
    path: Array = NO_PATH,
) -> Records:
    """Make `steps` steps of a run in place; return one record per step.

    There are fewer records if the run diverges: `state.diverged_at` is then set and the state is the last finite one.
    A further call tries again, since an edit at that step may help.

    A `path` of (steps, parameters) gets the parameters that each step begins with.
    """
    names = series_names(problem)
    first, state.diverged_at = state.step, None
    values: Array = np.empty((len(names), steps))
    samples_seen = np.empty(steps, dtype=np.int64)
    done = 0
    for begin, end, settings in _segments(run, first, first + steps):
        columns = slice(begin - first, end - first)
        current = in_force(settings, state) if settings.watches_loss else settings
        request = Slice(
            current, run.seed, end - begin, values[:, columns], samples_seen[columns], path[columns]
        )
        drawn_layers = run.redraw_at(end - 1)
        before = state.parameters.copy() if drawn_layers is not None else state.parameters
        memory = state.slots.pop(SLOT, None)
        done += kernel.run(problem, state, request)
        if done == end - first and drawn_layers is not None:
            redraw(problem, state, run.seed, drawn_layers)
            _record_whole_change(problem, before, state, drawn_layers, values[:, done - 1])
        if memory is not None:
            state.slots[SLOT] = memory
        if done < end - first:
            break
        if settings.watches_loss:
            look(problem, state, settings)
    return Records(
        first=first,
        samples_seen=samples_seen[:done],
        seconds=np.zeros(done),
        names=names,
        values=values[:, :done],
    )


def _segments(run: RunRecipe, first: int, stop: int) -> Iterator[tuple[int, int, RunSettings]]:
    """Split steps where their rates or other settings change: (first, stop, settings)."""
    for segment in run.segments(first, stop):
        yield from cut_at_looks(*segment) if segment[2].watches_loss else (segment,)


def _record_whole_change(
    problem: Problem,
    before: Array,
    state: TrainingState,
    drawn_layers: Redraw,
    record: Array,
) -> None:
    """Record `ratio/P` over the whole change, redraw included."""
    names = series_names(problem)
    old, new = problem.named(before), problem.named(state.parameters)
    for name in (f"{kind}{layer}" for layer in drawn_layers.layers for kind in "Wb"):
        change, size = new[name] - old[name], np.linalg.norm(old[name])
        with np.errstate(all="ignore"):
            record[names.index(f"ratio/{name}")] = np.linalg.norm(change) / size


# ---------------------------------------------------------------------- plateau

SLOT = "plateau"
"""Name of the slot: step of the schedule, least loss, looks since then, factor of the rate."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """A plateau in force from step `since`, with a look at the loss `every` so many steps."""

    since: int
    every: int
    own: list[float]

    def is_look(self, step: int) -> bool:
        """Return whether the loss of this step is looked at."""
        return step > self.since and (step - self.since) % self.every == 0

    def memory(self, state: TrainingState) -> tuple[float, float, float]:
        """Least loss, looks since then, and factor of the rate; fresh if the slot is of an earlier plateau."""
        slot = state.slots.get(SLOT)
        if slot is None or slot[0] != self.since:
            return np.inf, 0.0, 1.0
        return float(slot[1]), float(slot[2]), float(slot[3])


def plateau_of(settings: RunSettings) -> Plateau | None:
    """The plateau among these settings, the last of a sequence; None without."""
    if not settings.watches_loss:
        return None
    begin, _, (every, *own) = sequence_of(settings.schedule)[-1]
    return Plateau(settings.schedule_since + begin, int(every), own)


def in_force(settings: RunSettings, state: TrainingState) -> RunSettings:
    """The settings for the change from this state, with a plateau's rate as a constant one."""
    plateau = plateau_of(settings)
    if plateau is None or state.step < plateau.since:
        return settings
    *_, factor = plateau.memory(state)
    return replace(settings, learning_rate=settings.learning_rate * factor, schedule=CONSTANT)


def cut_at_looks(first: int, stop: int, settings: RunSettings) -> Iterator[tuple[int, int, RunSettings]]:
    """Split a segment (first, stop, settings) where the plateau begins and at its looks."""
    plateau = plateau_of(settings)
    while plateau is not None and first < stop:
        passed = (first - plateau.since) // plateau.every
        following = plateau.since + max((passed + 1) * plateau.every, 0)
        yield first, min(following, stop), settings
        first = following


def look(problem: Problem, state: TrainingState, settings: RunSettings) -> None:
    """Look at the training loss, if the state has just reached a step for it."""
    plateau = plateau_of(settings)
    if plateau is None or not plateau.is_look(state.step):
        return
    with np.errstate(all="ignore"):
        loss, _ = Evaluator(problem, state.parameters).train()
    state.slots[SLOT] = np.array([plateau.since, *plateau_memory(loss, *plateau.memory(state), *plateau.own)])


# ---------------------------------------------------------------------- redraw

MOST_LAYERS = 16
"""Number of draw addresses per step: more than a network has layers."""


def drawn_weights(problem: Problem, seed: int, step: int, layer: int, initializer: str) -> Array:
    """New weights (fan_in, fan_out) of a layer, for a redraw after `step`.

    The address is the run's seed, the step and the layer, so the same recipe draws the same numbers.
    """
    fan_in, fan_out = problem.layout.sizes[layer - 1], problem.layout.sizes[layer]
    rng = rng_for(seed, "redraw", MOST_LAYERS * step + layer)
    return INITIALIZERS[initializer].draw(rng, (fan_in, fan_out), fan_in, fan_out)


def redraw(problem: Problem, state: TrainingState, seed: int, request: Redraw) -> None:
    """Redraw layers of the state in place, at the end of its last change.

    Biases and the optimizer's state of these layers become 0. The slots of an optimizer with tables all do, since they
    are of all layers together.
    """
    row = OPTIMIZERS[state.optimizer]
    if row.tables:
        state.slots |= row.start(problem.layout.count)
    blocks = problem.layout.blocks(state.parameters)
    memories = [
        problem.layout.blocks(slot) for slot in state.slots.values() if slot.shape == state.parameters.shape
    ]
    for layer in request.layers:
        blocks[layer - 1][:-1] = drawn_weights(problem, seed, state.step - 1, layer, request.weights)
        blocks[layer - 1][-1] = 0.0
        for memory in memories:
            memory[layer - 1][:] = 0.0
