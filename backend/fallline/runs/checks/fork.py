"""The recipe of a fork, which shares another run's past up to a step."""

from __future__ import annotations

from fallline.runs.checks.run import check_change, merge_edit
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.recipe import Origin, RunRecipe
from fallline.vocabulary.run_settings import EDITABLE, Change, Edit

_OF_THE_FORK = frozenset({"name", "label", "fork_of", "at_step"})


def forked_recipe(parent: RunRecipe, at_step: int, request: AddRun) -> RunRecipe:
    """Return the parent's recipe before `at_step`, with the fork's changes.

    Raises InvalidRequest for fields that would change the past, and for changes that no edit may make.
    """
    fields = request.model_fields_set - _OF_THE_FORK
    for name in sorted(fields - set(EDITABLE)):
        raise InvalidRequest(FieldError(f"/{name}", "no such field: a fork has its parent's past"))
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
