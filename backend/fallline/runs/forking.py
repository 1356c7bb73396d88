"""Forks: a run that shares another's past up to a step and goes on by itself from there.

Owns the fork's recipe and the making of its past. Must not know how the new run joins its experiment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fallline.runs.lookback import Clock
from fallline.runs.run import Run
from fallline.runs.run_check import check_change, merge_edit
from fallline.vocabulary.commands import AddRun
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.recipe import Origin, RunRecipe
from fallline.vocabulary.run_settings import EDITABLE, Change, Edit

_OF_THE_FORK = frozenset({"name", "label", "fork_of", "at_step"})


def forked_recipe(parent: RunRecipe, at_step: int, asked: AddRun) -> RunRecipe:
    """The parent's recipe with its edits before `at_step`, and one more for what the fork changes there.

    Raises InvalidRequest for fields that would change the past, and for changes that no edit may make.
    """
    fields = asked.model_fields_set - _OF_THE_FORK
    for name in sorted(fields - set(EDITABLE)):
        raise InvalidRequest(FieldError(f"/{name}", "no such field: a fork has its parent's past"))
    before = [edit for edit in parent.edits if edit.at_step < at_step]
    # What stood in force at the step itself is the parent's future: the fork names what it wants there.
    origin = Origin(run=parent.name, at_step=at_step)
    told = {"name": asked.name, "label": asked.label, "origin": origin}
    fork = parent.model_copy(update={**told, "edits": before})
    if not fields:
        return fork
    # Not dumped, since a dump leaves out what is null, and null takes a bound of the gradient away.
    change = Change.model_validate({name: getattr(asked, name) for name in fields})
    given = check_change(change, fork.settings_at(at_step))
    return fork.model_copy(update={"edits": merge_edit(before, Edit(at_step=at_step, **given))})


class Forking:
    """Somebody waits for a fork whose past is being made again, from its first step on."""

    def __init__(
        self, run: Run, to: int, arrived: Callable[[Run], dict[str, Any]], done: Callable[[Any], None]
    ) -> None:
        self._run, self._to, self._arrived, self.done = run, to, arrived, done

    def work(self, budget: float, clock: Clock) -> bool:
        """Go on for about `budget` seconds; True when the answer has been given."""
        run = self._run
        left = self._to - run.state.step
        if left > 0 and not run.diverged:
            run.advance(min(left, max(int(budget / run.step_seconds), 1)), clock, told=False, stops=False)
        if run.state.step < self._to and not run.diverged:
            return False
        try:
            self.done(self._arrived(run))
        except InvalidRequest as error:
            self.done(error)
        return True
