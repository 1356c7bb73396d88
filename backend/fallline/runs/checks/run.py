"""Bounds on a recipe, its estimated cost, and the checks of a run's settings, edits and forks.

They require known methods with their own parameters, and affordable steps. Owns the defaults, and how edits at one step
merge.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from fallline.engine.data import saved_parameters
from fallline.engine.data.tabular.columns import MOST_CATEGORIES
from fallline.engine.data.tabular.table import MOST_BYTES, MOST_COLUMNS, MOST_ROWS
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.errors import Conflict, InvalidRequest, TooExpensive, invalid
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import MOST_EDITS, MOST_HIDDEN_LAYERS, MOST_RUNS, Origin, Recipe, RunRecipe
from fallline.vocabulary.run_settings import (
    AT_ANY_TIME,
    EDITABLE,
    OWN_SETTINGS,
    SERIES,
    Change,
    Edit,
    RunSettings,
    Stage,
    schedule_of,
)

MOST_PARAMETERS = 100_000
MOST_SAMPLES = 5_000
MOST_FEATURES = 64
LARGEST_MINI_BATCH = 512
MOST_STEP_SECONDS = 0.020
MOST_SLOTS = 3 * MOST_PARAMETERS
"""Numbers of an optimizer's slots: AMSGrad's, with the most parameters."""

BOUNDS: Mapping[str, float] = {
    "parameters": MOST_PARAMETERS,
    "optimizer_numbers": MOST_SLOTS,
    "hidden_layers": MOST_HIDDEN_LAYERS,
    "samples": MOST_SAMPLES,
    "features": MOST_FEATURES,
    "mini_batch": LARGEST_MINI_BATCH,
    "runs": MOST_RUNS,
    "edits_a_run": MOST_EDITS,
    "milliseconds_a_step": MOST_STEP_SECONDS * 1000,
    "classes": MOST_CATEGORIES,
    "csv_bytes": MOST_BYTES,
    "csv_rows": MOST_ROWS,
    "csv_columns": MOST_COLUMNS,
    "npz_bytes": saved_parameters.MOST_BYTES,
}

CALL_SECONDS = 12e-6
"""Fixed cost of a layer of any size: a dozen calls into NumPy."""

UNIT_SECONDS = 4e-9
"""One activation of one sample, forward and back (900 samples of 4-4 units take about 30 microseconds)."""

MULTIPLY_SECONDS = 0.1e-9
"""One multiply-add in a matrix product of one BLAS thread at middling sizes."""


def within(bound: str, amount: float) -> None:
    """Raise TooExpensive if `amount` exceeds the bound of that name."""
    if amount > BOUNDS[bound]:
        raise TooExpensive(bound, BOUNDS[bound], amount)


def named_in(table: Collection[str], name: str, pointer: str, what: str) -> None:
    """Raise InvalidRequest for a name that is not in the table."""
    if name not in table:
        raise invalid(pointer, f"must be the name of a known {what}: {', '.join(table)}")


def check_own(
    method: str, parameters: Iterable[Parameter], settings: Mapping[str, float], pointer: str
) -> None:
    """Raise InvalidRequest for settings that the method lacks, or beyond their range."""
    rows = {parameter.name: parameter for parameter in parameters}
    for name, value in settings.items():
        if name not in rows:
            has = ", ".join(rows) or "no parameters of its own"
            raise invalid(f"{pointer}/{name}", f"must be left out: {method} has {has}")
        if not rows[name].allows(value):
            kind = "whole number" if rows[name].integer else "number"
            raise invalid(f"{pointer}/{name}", f"must be a {kind} {rows[name].range_in_words()}")


def parameter_count(sizes: Sequence[int]) -> int:
    """Return the number of weights and biases of layers of these sizes, inputs first."""
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def step_seconds(sizes: Sequence[int], batch: int, evaluated: int) -> float:
    """Return the seconds of a step: `batch` forward and back, `evaluated` forward."""
    multiplies = parameter_count(sizes) * (3 * batch + evaluated)
    activations = sum(sizes[1:]) * (batch + evaluated)
    return CALL_SECONDS * len(sizes) + MULTIPLY_SECONDS * multiplies + UNIT_SECONDS * activations


_OF_THE_FORK = frozenset({"name", "label", "fork_of", "at_step"})


def check_run(
    run: RunRecipe, pointer: str, shared: Recipe, sizes: Sequence[int], evaluated: Collection[str]
) -> RunRecipe:
    """Return a run of the experiment `shared`, filled in, without settings at their defaults.

    Its layers have these `sizes`, and it evaluates the series `evaluated`. Raises InvalidRequest or TooExpensive.
    """
    samples, train_samples = shared.data.samples, shared.data.train_samples

    def check(settings: Mapping[str, Any], where: str) -> None:
        check_fit(settings, where, sizes, samples, train_samples, evaluated)

    within("edits_a_run", len(run.edits))
    start = run.settings
    start = start.changed(_filled_in(start.as_json(), "", {}, pointer), at_step=0)
    _check_whole(start, start.as_json(), pointer)
    check(start.as_json(), pointer)
    settings = start
    edits: list[Edit] = []
    for place, edit in sorted(enumerate(run.edits), key=lambda item: item[1].at_step):
        changed = check_change(edit, settings, f"{pointer}/edits/{place}")
        check(changed, f"{pointer}/edits/{place}")
        edits = merge_edit(edits, Edit(at_step=edit.at_step, **changed))
        settings = settings.changed(changed, edit.at_step)
    settings_at_start = {
        **dict.fromkeys(("schedule", "stop", *AT_ANY_TIME)),
        **start.as_json(),
        "edits": edits,
    }
    if settings_at_start["schedule"] is not None:
        settings_at_start["schedule"] = start.schedule
    if settings_at_start["stop"] is not None:
        settings_at_start["stop"] = list(start.stop)
    return run.model_copy(update=settings_at_start)


def check_fit(
    settings: Mapping[str, Any],
    pointer: str,
    sizes: Sequence[int],
    samples: int,
    train_samples: int,
    evaluated: Collection[str],
) -> None:
    """Check a run's settings. Raises InvalidRequest or TooExpensive."""
    if "batch_size" in settings:
        _check_batch(settings["batch_size"], sizes, samples, train_samples)
    if "optimizer" in settings:
        within("optimizer_numbers", OPTIMIZERS[settings["optimizer"]].width * parameter_count(sizes))
    _check_redraw(settings, len(sizes) - 1, pointer)
    _check_layer_rates(settings, len(sizes) - 1, pointer)
    _check_stops(settings, evaluated, pointer)


def _check_batch(batch_size: int | None, sizes: Sequence[int], samples: int, train_samples: int) -> None:
    """Check the cost of a batch size. Raises TooExpensive.

    A mini-batch has its own bound; a full batch (null, or its number) only has to fit the time of a step.
    """
    if batch_size is not None and batch_size != train_samples:
        within("mini_batch", batch_size)
    batch = train_samples if batch_size is None else min(batch_size, train_samples)
    # A full batch evaluates the training samples anyway; otherwise every sample needs one more forward pass.
    evaluated = samples - train_samples if batch_size is None else samples
    within("milliseconds_a_step", 1000 * step_seconds(sizes, batch, evaluated))


def check_change(change: Change, settings: RunSettings, pointer: str = "") -> dict[str, Any]:
    """Return the settings of a change, with a new method's defaults.

    Raises InvalidRequest for a setting that the optimizer after the change, or the schedule, lacks.
    """
    changed = change.changes()
    if not changed:
        raise invalid(pointer, "must change at least one setting")
    filled = _filled_in(changed, settings.optimizer, settings.own, pointer)
    _check_whole(settings.changed(filled, at_step=0), filled, pointer)
    return filled


def _check_whole(settings: RunSettings, changed: Mapping[str, Any], pointer: str) -> None:
    """Raise InvalidRequest for batches under an optimizer that needs all samples; `changed` led to these settings."""
    if OPTIMIZERS[settings.optimizer].tables and settings.batch_size is not None:
        field = "batch_size" if "batch_size" in changed else "optimizer"
        needs = f"{settings.optimizer} needs a full batch (batch_size: null)"
        raise invalid(f"{pointer}/{field}", f"{needs}, since it compares the gradients of successive steps")


def _filled_in(
    changed: dict[str, Any], optimizer_now: str, present: Mapping[str, float], pointer: str
) -> dict[str, Any]:
    """Return the settings with the parameters of the methods they name."""
    optimizer = changed.get("optimizer", optimizer_now)
    named_in(OPTIMIZERS, optimizer, f"{pointer}/optimizer", "optimizer")
    own_changes = {name: value for name, value in changed.items() if name in OWN_SETTINGS}
    is_new = optimizer != optimizer_now
    own = _filled(
        optimizer, OPTIMIZERS[optimizer].parameters, own_changes, {} if is_new else present, pointer
    )
    settings = {name: value for name, value in changed.items() if name not in OWN_SETTINGS}
    if "schedule" in settings:
        settings["schedule"] = _filled_schedule(settings["schedule"], f"{pointer}/schedule")
    # A named optimizer adds all its parameters, even the present one: as an edit of the same step it replaces all.
    return {**settings, **(own if "optimizer" in changed else {name: own[name] for name in own_changes})}


def _filled_schedule(named: str | dict[str, Any], pointer: str) -> str | dict[str, Any]:
    first, *later = schedule_of(named).stages
    filled = _filled_stage(first, pointer)
    if later:
        if not SCHEDULES[first.name].ends:
            ending = ", ".join(name for name, row in SCHEDULES.items() if row.ends)
            raise invalid(f"{pointer}/next", f"must be left out: {first.name} has no end, unlike {ending}")
        filled["next"] = _filled_stage(later[0], f"{pointer}/next")
    return schedule_of(filled).as_json()


def _filled_stage(stage: Stage, pointer: str) -> dict[str, Any]:
    named_in(SCHEDULES, stage.name, pointer, "schedule")
    own = _filled(stage.name, SCHEDULES[stage.name].parameters, stage.own, {}, pointer)
    return {"name": stage.name, **own}


def _filled(
    method: str,
    parameters: tuple[Parameter, ...],
    requested: Mapping[str, float],
    present: Mapping[str, float],
    pointer: str,
) -> dict[str, float]:
    """Return all parameters of a method: requested, else present, else default."""
    check_own(method, parameters, requested, pointer)
    return {row.name: requested.get(row.name, present.get(row.name, row.default)) for row in parameters}


def merge_edit(edits: list[Edit], edit: Edit) -> list[Edit]:
    """Return the edits with one more. At one step they merge, and the later wins."""
    place = bisect_left(edits, edit.at_step, key=lambda each: each.at_step)
    before, after = edits[:place], edits[place:]
    if not after or after[0].at_step != edit.at_step:
        within("edits_a_run", len(edits) + 1)
        return [*before, edit, *after]
    earlier = after[0].changes()
    if "optimizer" in edit.changes():
        earlier = {name: value for name, value in earlier.items() if name not in OWN_SETTINGS}
    return [*before, Edit(at_step=edit.at_step, **{**earlier, **edit.changes()}), *after[1:]]


def _check_redraw(changed: Mapping[str, Any], layers: int, pointer: str) -> None:
    """Raise InvalidRequest for unknown layers or an unknown initializer."""
    redraw = changed.get("redraw")
    if redraw is None:
        return
    for place, layer in enumerate(redraw["layers"]):
        if layer > layers:
            pointer = f"{pointer}/redraw/layers/{place}"
            raise invalid(pointer, f"must be a layer from 1 to {layers}; the last one is the output")
    fitting = {name: row for name, row in INITIALIZERS.items() if "weights" in row.draws}
    named_in(fitting, redraw["weights"], f"{pointer}/redraw/weights", "way to draw weights")


def _check_layer_rates(changed: Mapping[str, Any], layers: int, pointer: str) -> None:
    """Raise InvalidRequest for another number of factors than of layers."""
    rates = changed.get("layer_rates")
    if rates and len(rates) != layers:
        raise invalid(
            f"{pointer}/layer_rates",
            f"must have {layers} factors, one per layer, or none; the last layer is the output",
        )


def _check_stops(changed: Mapping[str, Any], evaluated: Collection[str], pointer: str) -> None:
    """Raise InvalidRequest for conditions on series without evaluation."""
    for place, condition in enumerate(changed.get("stop") or ()):
        if condition["when"] in SERIES and condition["when"] not in evaluated:
            names = ", ".join([*evaluated, "layer_dies", "loss_stalls"])
            raise invalid(f"{pointer}/stop/{place}/when", f"must be a condition of this experiment: {names}")


def check_edits_to_come(run: RunRecipe, step: int) -> None:
    """Raise Conflict if an edit after `step` is no longer valid."""
    settings = run.settings_at(step)
    for edit in run.edits:
        if edit.at_step > step:
            try:
                changed = check_change(edit, settings)
            except InvalidRequest as error:
                why = f"the edit at step {edit.at_step} of the recipe would no longer be valid"
                raise Conflict(f"{why}: {error.errors[0].detail}") from error
            settings = settings.changed(changed, edit.at_step)


def forked_recipe(parent: RunRecipe, at_step: int, request: AddRun) -> RunRecipe:
    """Return the parent's recipe before `at_step`, with the fork's changes.

    Raises InvalidRequest for fields that would change the past, and for changes that no edit may make.
    """
    fields = request.model_fields_set - _OF_THE_FORK
    for name in sorted(fields - set(EDITABLE)):
        raise invalid(f"/{name}", "must be left out: a fork has its parent's past")
    before = [edit for edit in parent.edits if edit.at_step < at_step]
    # The parent's edit at the step itself belongs to its future: the fork names its own changes there.
    origin = Origin(run=parent.name, at_step=at_step)
    identity = {"name": request.name, "label": request.label, "origin": origin}
    fork = parent.model_copy(update={**identity, "edits": before})
    if not fields:
        return fork
    # No model_dump: it would drop nulls, and null removes a bound of the gradient.
    change = Change.model_validate({name: getattr(request, name) for name in fields})
    changed = check_change(change, fork.settings_at(at_step))
    return fork.model_copy(update={"edits": merge_edit(before, Edit(at_step=at_step, **changed))})


def follows(run: RunRecipe, of: RunRecipe, command: Mapping[str, Any], step: int, samples: int) -> bool:
    """Return whether `run` is the run `of` up to a step, and does there what the command of a remedy says, no more.

    `samples` is the number of training samples.
    """
    if command.get("at_step", step) != step:
        return False
    fields = {name: value for name, value in command.items() if name not in ("do", "at_step")}
    redraw = run.redraw_at(step)
    own = {**run.settings_at(step).as_json(), "redraw": redraw and redraw.model_dump()}
    if any(own.get(name) != value for name, value in fields.items()):  # most are not: the rest takes longer
        return False
    fork = AddRun.model_validate({"name": of.name, "fork_of": of.name, **fields})
    expected = forked_recipe(of, step, fork)
    is_same_past = step == 0 or (
        run.settings == of.settings
        and [each for each in run.edits if each.at_step < step] == expected.edits[:-1]
    )
    return (
        is_same_past
        and run.seed == of.seed
        and redraw == expected.redraw_at(step)
        and are_same_steps(run.settings_at(step), expected.settings_at(step), samples)
    )


def are_same_steps(one: RunSettings, other: RunSettings, samples: int) -> bool:
    """Return whether two settings make the same steps: a batch of all `samples` is the full one."""
    sizes = {min(each.batch_size or samples, samples) for each in (one, other)}
    return len(sizes) == 1 and replace(one, batch_size=None, stop_since=0) == replace(
        other, batch_size=None, stop_since=0
    )
