"""Runs each command on its experiment and returns the answer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

from fallline.execution.interface import Executor, Later
from fallline.runs.experiment import Experiment
from fallline.services.background import Background
from fallline.services.shared_task import SharedTask
from fallline.vocabulary.commands import AddRun, Command, EditRun, Pause, Play, RemoveRun, Reset, Step
from fallline.vocabulary.errors import FalllineError, FieldError, InvalidRequest
from fallline.vocabulary.journal import Json, Receipt
from fallline.vocabulary.recipe import RunRecipe


class CommandRunner:
    """Runs commands between two slices."""

    def __init__(self, executor: Executor, background: Background) -> None:
        self._executor = executor
        self._background = background

    def do(self, id: str, command: Command, run: str | None, receipt: Receipt | None) -> SharedTask[Json]:
        """Run the command; the result is the REST answer.

        A `receipt` is stored with the command's effects.
        """
        caller = object()
        return SharedTask(
            self._do(id, command, run, receipt, caller),
            left=lambda: self._report(id, lambda one, now: one.caller_left(caller, now)),
            back=lambda: self._report(id, lambda one, _: one.caller_returned(caller)),
        )

    def _report(self, id: str, call: Callable[[Experiment, float], None]) -> None:
        async def report() -> None:
            with contextlib.suppress(FalllineError):  # deleted meanwhile
                await self._executor.ask(id, call)

        self._background.begin(report())

    async def _do(
        self, id: str, command: Command, run: str | None, receipt: Receipt | None, caller: object
    ) -> Json:
        ask = partial(self._executor.ask, receipt=receipt)
        match command:
            case Play(speed=speed, pace=pace):
                limit = None if speed == "max" else float(speed)
                return await ask(id, lambda one, now: one.play(limit, pace, now))
            case Pause():
                return await ask(id, Experiment.pause)
            case Step():
                return await self._step(id, command, receipt, caller)
            case Reset(run=only):
                return await ask(id, lambda one, now: one.reset(only, now))
            case EditRun():
                return await ask(id, lambda one, now: one.edit(_required(run), command, now))
            case RemoveRun():
                return await ask(id, lambda one, now: one.remove_run(_required(run), now))
            case AddRun():
                return await self._add_run(id, command, receipt)

    async def _step(self, id: str, step: Step, receipt: Receipt | None, caller: object) -> Json:
        def begin(experiment: Experiment, now: float, done: Later) -> None:
            experiment.step(
                now, done, steps=step.steps, epochs=step.epochs, run=step.run, receipt=receipt, caller=caller
            )

        return await self._later(id, begin, receipt)

    async def _add_run(self, id: str, command: AddRun, receipt: Receipt | None) -> Json:
        if command.fork_of is not None:
            return await self._later(id, lambda one, now, done: one.fork(command, now, done), receipt)
        has_name = "name" in command.model_fields_set
        recipe = RunRecipe.model_validate(
            command.model_dump(mode="json", include=set(RunRecipe.model_fields))
        )
        return await self._executor.ask(
            id, lambda one, now: one.add_run(recipe, has_name, now), receipt=receipt
        )

    async def _later(
        self, id: str, begin: Callable[[Experiment, float, Later], None], receipt: Receipt | None
    ) -> Json:
        answer: Json = await self._executor.ask_later(id, begin, receipt)
        return answer


def _required(run: str | None) -> str:
    if run is None:
        raise InvalidRequest(FieldError("/run", "is required: the name of the run"))
    return run
