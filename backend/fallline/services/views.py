"""What is looked at and never changed: state, history, any step of the past, instruments, findings, figures, files.

Owns how each is asked of an open experiment, and what is made of it beside the event loop. Must not know HTTP, or who
asks: whoever has the id may read.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.execution.interface import Executor, Later
from fallline.exports.recipe_file import as_file
from fallline.exports.table import EXPORTS, RECIPE
from fallline.exports.taken import taken
from fallline.figures import FIGURES, MEASURED, figure_json, measured_json
from fallline.runs.asked_past import See
from fallline.runs.experiment import Experiment
from fallline.runs.inspection import MOST_NUMBERS, change_script, inspection
from fallline.runs.instruments import INSTRUMENTS, instrument_of
from fallline.runs.run import Run
from fallline.runs.self_check import self_check
from fallline.runs.snapshot import snapshot
from fallline.runs.standing import standing_of
from fallline.services.fair_slots import FairSlots
from fallline.services.keeping import Keeper
from fallline.services.measuring import Measuring
from fallline.services.openings import Openings
from fallline.services.owners import Owners
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.errors import Damaged, FieldError, InvalidRequest, NotFound
from fallline.vocabulary.journal import Json
from fallline.vocabulary.recipe import Recipe, RunRecipe

T = TypeVar("T")

MADE_AT_ONCE = 2
"""Answers and files that are made of what was read at the same time."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to take away; what is large comes in pieces, each of which takes a moment to make."""

    name: str
    media_type: str
    content: bytes | Iterator[bytes]


class Views:
    """What there is to see of experiments, by their ids: one that is only stored is opened for it. Raises NotFound."""

    def __init__(self, openings: Openings, executor: Executor, keeper: Keeper, owners: Owners) -> None:
        self._openings = openings
        self._executor = executor
        self._keeper = keeper
        self._owners = owners
        self._making = FairSlots(MADE_AT_ONCE)
        self._measuring = Measuring()

    async def _look(self, id: str, view: Callable[[Experiment], T]) -> T:
        async with self._openings.looked_at(id):
            return await self._executor.ask(id, lambda experiment, _: view(experiment), reads=True)

    async def _later(self, id: str, begin: Callable[[Experiment, float, Later], None]) -> Any:
        async with self._openings.looked_at(id):
            return await self._executor.ask_later(id, begin, reads=True)

    async def beside(self, id: str, make: Callable[[], T]) -> T:
        """Make an answer or a file of what was read of an experiment, in a thread.

        It waits for the turn of that experiment's reads, then for that of its share. Both pay what it costs.
        """
        await self._executor.turn(id)
        return await self._making.run(self._owners.share(id), partial(self._charged, id, make))

    def _charged(self, id: str, make: Callable[[], T]) -> T:
        """Make it, and charge what it cost: here in the thread, whether or not somebody still waits for it.

        By the clock that turns of training are measured by: where the processor is short, both take longer.
        """
        began = time.perf_counter()
        try:
            return make()
        finally:
            self._executor.charge(id, time.perf_counter() - began)

    async def pieces(self, id: str, content: Iterator[bytes]) -> AsyncIterator[bytes]:
        """The pieces of a large file, each made in its turn."""
        while (piece := await self.beside(id, partial(next, content, None))) is not None:
            yield piece

    # ------------------------------------------------------------------ now

    async def state(self, id: str) -> dict[str, Any]:
        return self.told(await self._look(id, Experiment.state))

    def told(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state with what the experiment itself does not know."""
        return {**state, "read_only": self._keeper.is_read_only}

    async def recipe(self, id: str) -> dict[str, Any]:
        try:
            return await self._look(id, lambda experiment: experiment.recipe.as_json())
        except Damaged as error:
            return (await self._readable_recipe(id, error)).as_json()

    async def _readable_recipe(self, id: str, error: Damaged) -> Recipe:
        """Of a damaged experiment, with the edits before the damage. Raises that error where nothing can be read."""
        if not (facts := await self._keeper.readable(id)):
            raise error
        return standing_of(facts).with_edits()

    async def data(self, id: str) -> dict[str, Any]:
        return await self._look(id, Experiment.data)

    async def findings(self, id: str, run: str) -> list[dict[str, Any]]:
        """What the Doctor has found in a run."""
        return await self._look(id, lambda one: one.run(run).findings())

    # ------------------------------------------------------------------ any step, past or present

    async def history(
        self, id: str, run: str, series: list[str] | None, since: int | None, until: int | None, buckets: int
    ) -> tuple[int, Buckets, frozenset[str]]:
        """The run's generation, its history from step `since` to `until` (inclusive), and the series of every step."""

        every_step, names = await self._look(id, lambda one: _names_of(one.run(run)))
        if series is not None:
            _check_series(series, names)
        generation, found = await self._later(
            id, lambda one, _, done: one.stretch(run, since, until, buckets, done)
        )
        return generation, found if series is None else found.select(series), every_step

    async def snapshot(self, id: str, run: str, step: int | None) -> dict[str, Any]:
        """Parameters, next gradient and next batch of a run at any step, exactly."""
        return await self._look_at(id, run, step, snapshot)

    async def inspect(
        self, id: str, run: str, step: int | None, rows: int | None, first: int = 0, block: int | None = None
    ) -> dict[str, Any]:
        """The next change of a run at any step, line by line."""
        return await self._look_at(id, run, step, partial(inspection, rows=rows, first=first, block=block))

    async def change_script(self, id: str, run: str, step: int | None) -> str:
        """The same change as a program. Raises InvalidRequest where it would be too long."""
        told = await self._look_at(id, run, step, change_script)
        if told["script"] is None:
            few = f"a run whose change fits into a script of {MOST_NUMBERS:,} numbers; this one has {told['numbers']:,}"
            raise InvalidRequest(FieldError("/run", few))
        script: str = told["script"]
        return script

    async def _look_at(self, id: str, run: str, step: int | None, see: See) -> dict[str, Any]:
        told: dict[str, Any] = await self._later(id, lambda one, _, done: one.look(run, step, see, done))
        return told

    # ------------------------------------------------------------------ measured

    async def instruments(self, id: str, run: str) -> list[dict[str, str]]:
        await self._look(id, lambda one: one.run(run).name)
        return [{"name": row.name, "help": row.help} for row in INSTRUMENTS.values()]

    async def instrument(
        self, id: str, run: str, name: str, step: int | None, options: Json | None = None
    ) -> dict[str, Any]:
        """What an instrument tells of a run at a step; `options` are what some may be asked besides."""
        row = instrument_of(name)
        options = options or {}
        for option in options.keys() - row.options:
            raise InvalidRequest(FieldError(f"/{option}", f"left out: {name} has no {option} to choose"))
        if not row.costly:
            return await self._look_at(id, run, step, partial(row.measure, **options))
        goes = row.measure_way is not None

        def begin(one: Experiment, _: float, done: Later) -> None:
            if goes:
                one.way(run, step, partial(_kept_way, one), done)
            else:
                one.look(run, step, partial(_kept, one), done)

        found = await self._later(id, begin)
        seen, moves, made = found.pop("seen"), found.pop("moves"), found.pop("made_seconds", 0.0)
        measure = partial(row.measure_way or row.measure, *seen, **options)
        return {**found, **await self._measure(id, measure, charged=moves, before=made)}

    async def _measure(
        self, id: str, measure: Callable[[], Json], *, charged: bool, before: float = 0.0
    ) -> Json:
        await self._executor.turn(id)
        timed, share = partial(self._charged, id, measure), self._owners.share(id)
        return await self._measuring.take(timed, share=share, charged=charged, before=before)

    def wrote(self, seconds: float) -> None:
        """To write down what an instrument told took so long."""
        self._measuring.wrote(seconds)

    async def check(self, id: str, run: str) -> dict[str, Any]:
        """What the run finds when it checks itself: of a copy, beside the training, and once: no gauge waits for it."""
        subject = await self._look(id, lambda one: one.run(run).to_check())
        found = await self._measure(id, partial(self_check, subject), charged=False)
        return {"step": subject.state.step, **found}

    # ------------------------------------------------------------------ made of it

    async def figure(
        self,
        id: str,
        name: str,
        run: str | None = None,
        step: int | None = None,
        options: Json | None = None,
        *,
        filled: bool = True,
    ) -> dict[str, Any]:
        """A Plotly figure as plain JSON, filled with the runs' histories; or that of an instrument, filled with what it
        tells of a run (None: the first) at a step, unless it is only asked what it is made of.
        """
        if name in FIGURES:
            view = await self._look(id, Experiment.figure_view)
            return await self.beside(id, partial(figure_json, name, view))
        if name not in MEASURED:
            raise NotFound(f"no figure of that name; there are {', '.join([*FIGURES, *MEASURED])}")
        bare = await self._look(id, lambda one: one.figure_view(at_most=1))
        of = await self._look(id, lambda one: one.run(next(iter(one.runs)) if run is None else run).name)
        told = [await self.instrument(id, of, MEASURED[name].instrument, step, options)] if filled else []
        return await self.beside(id, partial(measured_json, name, bare, of, told))

    async def export(self, id: str, name: str, run: str | None) -> File:
        """A file to take away, of one run or of all."""
        if name not in EXPORTS:
            raise NotFound(f"no export of that name; there are {', '.join(EXPORTS)}")
        row = EXPORTS[name]
        try:
            found = await self._look(id, lambda one: taken(one, run))
        except Damaged as error:
            if name != RECIPE:
                raise
            return File(name, row.media_type, as_file(await self._readable_recipe(id, error)))
        content = await self.beside(id, partial(row.make, found))
        return File(row.name_for(run), row.media_type, content)


def _kept(one: Experiment, problem: Problem, state: TrainingState, recipe: RunRecipe) -> dict[str, Any]:
    """What a measurement needs, to be taken later: the run's own state goes on, if the experiment moves."""
    return {"seen": (problem, state.copy(), recipe), "moves": one.moving}


def _kept_way(
    one: Experiment, problem: Problem, states: list[TrainingState], recipe: RunRecipe
) -> dict[str, Any]:
    """The same of a way; its states are copies already."""
    return {"seen": (problem, states, recipe), "moves": one.moving}


def _names_of(run: Run) -> tuple[frozenset[str], tuple[str, ...]]:
    return run.every_step, run.history.names


def _check_series(series: list[str], names: tuple[str, ...]) -> None:
    if any(name not in names for name in series):
        raise InvalidRequest(FieldError("/series", f"series that exist: {', '.join(names)}"))
