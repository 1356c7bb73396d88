"""What a recipe or an edit may say of a run: known methods, with parameters that are theirs.

Owns how what is left out is filled in, and how edits at one step become one. Must not know data, networks, or what a
step costs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping
from typing import Any

from fallline.engine.initializers import INITIALIZERS
from fallline.engine.optimizers import OPTIMIZERS
from fallline.engine.schedules import SCHEDULES
from fallline.runs.bounds import LARGEST_MINI_BATCH, within
from fallline.vocabulary.errors import Conflict, FieldError, InvalidRequest
from fallline.vocabulary.parameters import Parameter
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import AT_ANY_TIME, OWN_SETTINGS, Change, Edit, RunSettings, schedule_of
from fallline.vocabulary.stop_conditions import SERIES

PASCANU = "Pascanu, Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks"

RUN_SETTINGS = (
    Parameter("learning_rate", 0.1, 0.0, 1e6, open_minimum=True, help="what the gradient is multiplied by"),
    Parameter(
        "batch_size",
        1,
        1,
        LARGEST_MINI_BATCH,
        integer=True,
        unit="samples",
        help="of how many samples the gradient of one step is",
    ),
    Parameter(
        "l1",
        0.0,
        0.0,
        1e6,
        help="adds l1 * sum |W| over all weights to what is descended, and pulls small weights to 0",
        source="Tibshirani 1996, Regression shrinkage and selection via the lasso",
    ),
    Parameter(
        "l2",
        0.0,
        0.0,
        1e6,
        help="adds l2 / 2 * sum W**2 over all weights to what is descended, and keeps weights small",
        source="Hoerl and Kennard 1970, Ridge regression; Krogh and Hertz 1991, A simple weight decay",
    ),
    Parameter(
        "clip_norm",
        1.0,
        0.0,
        1e6,
        open_minimum=True,
        off=True,
        help="a longer gradient is shortened to this norm, over all parameters",
        source=PASCANU,
    ),
    Parameter(
        "clip_value",
        1.0,
        0.0,
        1e6,
        open_minimum=True,
        off=True,
        help="entries of the gradient are cut at plus and minus this, after its norm",
        source="PyTorch's clip_grad_value_",
    ),
)
"""What every run takes, whatever its method."""


def named_in(table: Mapping[str, Any], name: str, pointer: str, what: str) -> None:
    """Raises InvalidRequest for a name that is not in the table."""
    if name not in table:
        raise InvalidRequest(FieldError(pointer, f"the name of a known {what}: {', '.join(table)}"))


def filled_run(run: RunRecipe, pointer: str, check: Callable[[Mapping[str, Any], str], None]) -> RunRecipe:
    """The run with its methods' parameters and its edits filled in, and without what stands at its default.

    Raises InvalidRequest for what cannot be, and what `check` raises for settings, under a pointer, that do not fit the
    run's experiment.
    """
    within("edits_a_run", len(run.edits))
    start = run.settings
    start = start.changed(_filled_in(start.as_json(), "", {}, pointer), at_step=0)
    check(start.as_json(), pointer)
    settings = start
    edits: list[Edit] = []
    for place, edit in sorted(enumerate(run.edits), key=lambda item: item[1].at_step):
        given = check_change(edit, settings, f"{pointer}/edits/{place}")
        check(given, f"{pointer}/edits/{place}")
        edits = merge_edit(edits, Edit(at_step=edit.at_step, **given))
        settings = settings.changed(given, edit.at_step)
    told = {**dict.fromkeys(("schedule", "stop", *AT_ANY_TIME)), **start.as_json(), "edits": edits}
    if told["schedule"] is not None:
        told["schedule"] = start.schedule
    if told["stop"] is not None:
        told["stop"] = list(start.stop)
    return run.model_copy(update=told)


def check_change(change: Change, settings: RunSettings, pointer: str = "") -> dict[str, Any]:
    """The settings that a change names, filled in, as plain JSON: a new optimizer brings the defaults of its own
    parameters, and so does a schedule.

    Raises InvalidRequest for a setting that the optimizer in force after the change, or the schedule, lacks.
    """
    given = change.changes()
    if not given:
        raise InvalidRequest(FieldError(pointer, "should change at least one setting"))
    return _filled_in(given, settings.optimizer, settings.own, pointer)


def _filled_in(
    given: dict[str, Any], in_force: str, kept: Mapping[str, float], pointer: str
) -> dict[str, Any]:
    """What is given, and the parameters of the methods that it names; `kept` are those of the optimizer in force."""
    optimizer = given.get("optimizer", in_force)
    named_in(OPTIMIZERS, optimizer, f"{pointer}/optimizer", "optimizer")
    asked = {name: value for name, value in given.items() if name in OWN_SETTINGS}
    is_new = optimizer != in_force
    own = _filled(optimizer, OPTIMIZERS[optimizer].parameters, asked, {} if is_new else kept, pointer)
    told = {name: value for name, value in given.items() if name not in OWN_SETTINGS}
    if "schedule" in told:
        told["schedule"] = _filled_schedule(told["schedule"], f"{pointer}/schedule")
    # One that is named brings all it has, also the one in force: as an edit of the same step it replaces all of that.
    return {**told, **(own if "optimizer" in given else {name: own[name] for name in asked})}


def _filled_schedule(asked: str | dict[str, Any], pointer: str) -> str | dict[str, Any]:
    schedule = schedule_of(asked)
    named_in(SCHEDULES, schedule.name, pointer, "schedule")
    own = _filled(schedule.name, SCHEDULES[schedule.name].parameters, schedule.own, {}, pointer)
    return schedule_of({"name": schedule.name, **own}).as_json()


def _filled(
    method: str,
    parameters: tuple[Parameter, ...],
    asked: Mapping[str, float],
    kept: Mapping[str, float],
    pointer: str,
) -> dict[str, float]:
    """All own parameters of a method: asked for, else kept, else the row's default."""
    rows = {parameter.name: parameter for parameter in parameters}
    for name, value in asked.items():
        if name not in rows:
            has = ", ".join(rows) or "no parameters of its own"
            raise InvalidRequest(FieldError(f"{pointer}/{name}", f"no such setting: {method} has {has}"))
        if not rows[name].allows(value):
            kind = "whole number" if rows[name].integer else "number"
            raise InvalidRequest(FieldError(f"{pointer}/{name}", f"a {kind} {rows[name].range_in_words()}"))
    return {name: asked.get(name, kept.get(name, row.default)) for name, row in rows.items()}


def merge_edit(edits: list[Edit], edit: Edit) -> list[Edit]:
    """The edits with one more in its place; edits at one step become one, in which the later wins.

    Raises TooExpensive beyond the bound on edits.
    """
    place = bisect_left(edits, edit.at_step, key=lambda each: each.at_step)
    before, after = edits[:place], edits[place:]
    if not after or after[0].at_step != edit.at_step:
        within("edits_a_run", len(edits) + 1)
        return [*before, edit, *after]
    earlier = after[0].changes()
    if "optimizer" in edit.changes():
        earlier = {name: value for name, value in earlier.items() if name not in OWN_SETTINGS}
    return [*before, Edit(at_step=edit.at_step, **{**earlier, **edit.changes()}), *after[1:]]


def check_redraw(given: Mapping[str, Any], layers: int, pointer: str = "") -> None:
    """Raises InvalidRequest for layers that a network of so many does not have, and for a way to draw that is none."""
    asked = given.get("redraw")
    if asked is None:
        return
    for place, layer in enumerate(asked["layers"]):
        if layer > layers:
            pointer = f"{pointer}/redraw/layers/{place}"
            raise InvalidRequest(
                FieldError(pointer, f"a layer from 1 to {layers}, of which the last is the output's")
            )
    fitting = {name: row for name, row in INITIALIZERS.items() if "weights" in row.draws}
    named_in(fitting, asked["weights"], f"{pointer}/redraw/weights", "way to draw weights")


def check_stops(given: Mapping[str, Any], evaluated: Collection[str], pointer: str = "") -> None:
    """Raises InvalidRequest for conditions on series that the experiment does not evaluate."""
    for place, condition in enumerate(given.get("stop") or ()):
        if condition["when"] in SERIES and condition["when"] not in evaluated:
            told = ", ".join([*evaluated, "layer_dies", "loss_stalls"])
            raise InvalidRequest(
                FieldError(f"{pointer}/stop/{place}/when", f"what this experiment has: {told}")
            )


def check_edits_to_come(run: RunRecipe, step: int) -> None:
    """Raises Conflict where an edit that the recipe has for after `step` could not follow the settings now in force."""
    settings = run.settings_at(step)
    for edit in run.edits:
        if edit.at_step > step:
            try:
                given = check_change(edit, settings)
            except InvalidRequest as error:
                why = f"the recipe has an edit at step {edit.at_step} that could not be made any more"
                raise Conflict(f"{why}: {error.errors[0].detail}") from error
            settings = settings.changed(given, edit.at_step)
