"""Routes of experiments and their runs: each calls the lab."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from starlette.responses import Response

from fallline.services.lab import Lab
from fallline.vocabulary import answers, commands
from fallline.vocabulary.catalog_answers import Catalog
from fallline.vocabulary.errors import TooManyRequests
from fallline.vocabulary.finding_answers import Finding
from fallline.vocabulary.recipe import Recipe
from fallline.web.answers import large, large_with_cost
from fallline.web.base_path import here, named_here
from fallline.web.openapi import (
    COMPLETE_TO,
    COMPLETE_TO_HEADER,
    DAMAGED,
    DAMAGED_HEADER,
    LOCATION_HEADER,
    MOST_BASES,
    UNDO,
    UNDO_HEADER,
    content,
)
from fallline.web.pages import File, response_of
from fallline.web.queries import (
    AtStep,
    FigureQuery,
    HistoryQuery,
    Inspect,
    InstrumentQuery,
    MomentQuery,
    SharedInstrumentQuery,
    StoryQuery,
    Wait,
)
from fallline.web.requests import (
    Address,
    CommandRoute,
    Owner,
    StrictRoute,
    TheCaller,
    TheLab,
    TheUndoer,
    Token,
    disconnection,
    undo_of,
)

router = APIRouter(prefix="/api/v1", tags=["experiments"], route_class=StrictRoute)
changes = APIRouter(prefix="/api/v1", tags=["experiments"], route_class=CommandRoute)
one = "/experiments/{id}"
of_run = "/experiments/{id}/runs/{run}"


def catalog_files(lab: Lab) -> Callable[[str], File]:
    """Return a function from a base path to the catalog under it.

    The catalog does not change, and making it takes 11 ms of the event loop. Compressed, it is a fifth as large.
    """

    @cache
    def text() -> str:
        return Catalog.model_validate(lab.catalog()).model_dump_json(by_alias=True, exclude_unset=True)

    # `named_here` knows the base path of the request; the argument is the key of the cache
    @lru_cache(MOST_BASES)
    def under(_: str) -> File:
        body = named_here(text()).encode()
        return File(body, "application/json", {"gzip": gzip.compress(body)})

    return under


@router.get("/catalog", tags=["catalog"], response_model=Catalog)
async def catalog(request: Request) -> Response:
    """List everything that a recipe may name, and its bounds.

    Each row has its parameters with JSON schema, default, range, unit and a line of help.
    """
    return response_of(request.app.state.catalog(here("")), request, {})


@router.get("/exhibits/{name}/story", tags=["catalog"], response_model=answers.Story)
async def story(name: str, query: StoryQuery, lab: TheLab) -> dict[str, Any]:
    """Return what happens in an exhibit, and the rule that answers its question.

    With an `experiment` also the answer computed from its runs.
    """
    return await lab.views.story(name, query.experiment)


# ---------------------------------------------------------------------- experiments


@router.post(
    "/experiments", status_code=201, response_model=answers.Created, responses={201: LOCATION_HEADER}
)
async def create(
    owner: Owner,
    address: Address,
    recipe: Annotated[Recipe, Body(default_factory=Recipe)],
    lab: TheLab,
    response: Response,
) -> dict[str, Any]:
    """Create an experiment from a recipe; `{}` is the notebook's.

    Fields left out get their defaults.

    The answer has the `token` that allows changes. It is returned only here.
    """
    state, token = await lab.create(recipe, owner=owner, address=address)
    response.headers["Location"] = here(f"/api/v1/experiments/{state['id']}")
    return {**state, "token": token}


@router.get(one, response_model=answers.ExperimentState)
async def state(id: str, query: Wait, lab: TheLab) -> dict[str, Any]:
    """Return the present state of the experiment and its runs.

    It may wait `wait` seconds until the findings are complete up to the present step.
    """
    return await lab.views.state(id, query.wait)


@router.get(one + "/recipe", response_model=answers.RenderedRecipe, responses={200: DAMAGED_HEADER})
async def recipe(id: str, lab: TheLab, response: Response) -> dict[str, Any]:
    """Return the recipe with all edits so far.

    Posting it again gives the same numbers. A damaged experiment gives the readable part of its recipe, with the header
    `Fallline-Damaged`.
    """
    recipe, damage = await lab.views.recipe(id)
    if damage is not None:
        response.headers[DAMAGED] = damage
    return recipe


@changes.delete(one, status_code=204, responses={204: UNDO_HEADER})
async def delete(id: str, token: Token, lab: TheLab) -> Response:
    """Delete the experiment. The header `Fallline-Undo` takes it back within 10 minutes.

    Without the header it is gone for good: nothing can be stored at the moment.
    """
    undo = await lab.delete(id, token.credentials)
    return Response(status_code=204, headers={} if undo is None else {UNDO: undo})


@router.get(one + "/data", response_model=answers.Samples)
async def data(id: str, lab: TheLab) -> Response:
    """Return all samples in the network's units, and the rows of both splits."""
    samples = await lab.views.data(id)
    return await large(lab.views, id, lambda: samples)


@router.get(one + "/figures/{name}", tags=["figures"], response_model=answers.Figure)
async def figure(id: str, name: str, query: FigureQuery, lab: TheLab) -> Response:
    """Return a Plotly figure as JSON for `plotly.io.from_json`.

    `loss` and `gradients` show all runs. Each other figure shows an instrument's measurement of one `run` (default: the
    first) at a `step` (default: the present one). With `filled=false` it comes without data, and nothing is measured.
    """
    content = await lab.views.figure(id, name, query.run, query.step, query.options, filled=query.filled)
    return await large(lab.views, id, lambda: content)


# ---------------------------------------------------------------------- commands


@changes.post(one + "/play", response_model=answers.ExperimentState)
async def play(
    payload: Annotated[commands.Play, Body(default_factory=commands.Play)], caller: TheCaller
) -> dict[str, Any]:
    """Make steps continuously until the experiment is paused."""
    return await caller.command("play", payload)


@changes.post(one + "/pause", response_model=answers.ExperimentState)
async def pause(
    payload: Annotated[commands.Pause, Body(default_factory=commands.Pause)], caller: TheCaller
) -> dict[str, Any]:
    """Stop after the present step."""
    return await caller.command("pause", payload)


@changes.post(one + "/step", response_model=answers.ExperimentState)
async def step(
    payload: Annotated[commands.Step, Body(default_factory=commands.Step)],
    query: Wait,
    caller: TheCaller,
    request: Request,
) -> dict[str, Any]:
    """Make a number of steps or epochs; the answer comes when they are done.

    A playing experiment is paused first. A pause, a reset or a deletion meanwhile ends the steps, and the answer has
    those that were made. With `wait`, the answer is the state at most so many seconds later, when the findings are
    complete up to the present step.

    If the caller hangs up, the steps are paused after 30 s. A repeat with the same Idempotency-Key continues them to
    their target.
    """
    async with disconnection(request) as disconnected:
        answer = await caller.command("step", payload, disconnected=disconnected)
        if query.wait:
            with suppress(TooManyRequests):  # the steps are made
                answer = await caller.lab.views.state(caller.id, query.wait)
        return answer


@changes.post(one + "/reset", response_model=answers.ExperimentState)
async def reset(
    payload: Annotated[commands.Reset, Body(default_factory=commands.Reset)], caller: TheCaller
) -> dict[str, Any]:
    """Return to step 0.

    The settings in force become the runs' settings, and their edits are removed. The answer's `undo` takes it back.
    """
    return await caller.command("reset", payload)


@changes.post("/undo/{undo}", response_model=answers.ExperimentState)
async def undo(undo: str, caller: TheUndoer) -> dict[str, Any]:
    """Take back a reset, the removal of a run, or the deletion of the experiment, within 10 minutes.

    The runs return with their steps, edits and names, as the next generation.
    """
    return await caller.command("undo", commands.Undo(undo=undo_of(undo)[1]))


# ---------------------------------------------------------------------- runs


@changes.post(one + "/runs", status_code=201, tags=["runs"], response_model=answers.RunState)
async def add_run(
    payload: Annotated[commands.AddRun, Body(default_factory=commands.AddRun)], caller: TheCaller
) -> dict[str, Any]:
    """Add a run from step 0, or fork another run at any of its steps.

    A new run has the same initial parameters. `fork_of` names the run to fork.
    """
    return await caller.command("add_run", payload)


@changes.patch(of_run, tags=["runs"], response_model=answers.Edited)
async def edit(run: str, payload: commands.EditRun, caller: TheCaller) -> dict[str, Any]:
    """Change settings of a run from its next step on.

    `{"batch_size": 1}` turns GD into SGD; null turns it back.
    """
    return await caller.command("edit", payload, run)


@changes.delete(of_run, status_code=204, tags=["runs"], responses={204: UNDO_HEADER})
async def remove_run(run: str, caller: TheCaller) -> Response:
    """Remove the run from the experiment. The header `Fallline-Undo` takes it back."""
    answer = await caller.command("remove_run", commands.RemoveRun(), run)
    return Response(status_code=204, headers={UNDO: answer["undo"]})


@router.get(of_run + "/snapshot", tags=["runs"], response_model=answers.Snapshot)
async def snapshot(id: str, run: str, query: AtStep, lab: TheLab) -> Response:
    """Return parameters at a step, with gradient and batch of the next change."""
    content = await lab.views.snapshot(id, run, query.step)
    return await large(lab.views, id, lambda: content)


@router.get(of_run + "/inspect", tags=["runs"], response_model=answers.Inspection)
async def inspect(id: str, run: str, query: Inspect, lab: TheLab) -> Response:
    """Return the next change line by line: NumPy expression, name, shape, values.

    Arrays with one row per sample have at most `rows` rows, from row `first` on. Without `rows` they have as many
    as fit into 200,000 numbers for the whole answer. With `block`, the columns of all arrays are limited, and the
    rows of the others. In that case `largest_at` and `change` summarize the whole array.
    """
    content = await lab.views.inspect(id, run, query.step, query.rows, query.first, query.block)
    return await large(lab.views, id, lambda: content)


class Script(Response):
    """A program."""

    media_type = "text/x-python"


@router.get(of_run + "/inspect/script", tags=["runs"], response_class=Script)
async def change_script(id: str, run: str, query: AtStep, lab: TheLab) -> str:
    """Return the next change as a program that needs only NumPy.

    It has the inputs, the lines and the resulting parameters.
    """
    return await lab.views.change_script(id, run, query.step)


@router.get(
    of_run + "/findings",
    tags=["runs"],
    response_model=list[Finding],
    responses={200: COMPLETE_TO_HEADER},
)
async def findings(id: str, run: str, query: Wait, lab: TheLab, response: Response) -> list[dict[str, Any]]:
    """Return the Doctor's findings, the newest last.

    A finding that is over has an `until_step`. The header `Fallline-Complete-To` has the step up to which they are
    complete. The request may wait `wait` seconds until that is the present step.

    docs/reference/doctor.md has the rules and their thresholds.
    """
    complete_to, findings = await lab.views.findings(id, run, query.wait)
    response.headers[COMPLETE_TO] = str(complete_to)
    return findings


@router.get(of_run + "/check", tags=["runs"], response_model=answers.SelfCheck)
async def check(id: str, run: str, lab: TheLab) -> dict[str, Any]:
    """Check the run at its present step.

    The checks are gradients, balance of layers, GD against SGD, and replay. docs/reference/doctor.md has the
    comparisons and their tolerances.
    """
    return await lab.views.check(id, run)


@router.get(one + "/instruments", tags=["runs"], response_model=list[answers.InstrumentRow])
async def shared_instruments(id: str, lab: TheLab) -> list[dict[str, str]]:
    """List the instruments that measure several runs."""
    return await lab.views.shared_instruments(id)


@router.get(one + "/instruments/{name}", tags=["runs"], response_model=answers.FallLine)
async def shared_instrument(id: str, name: str, query: SharedInstrumentQuery, lab: TheLab) -> Response:
    """Return what an instrument of several runs measures: the `fall_line`.

    It is the loss over the plane of the paths of `runs` (default: all), up to a `step` (default: the present one).
    With `terrain=false` there are only the points, on the plane of the last terrain. The `aspect` is the width over
    the height, and the `region` must be in view. The `lens` is the side of a closer view, as a share of the width.
    The `encoding` `bdata` packs columns and heights. See docs/reference/instruments.md.
    """
    measured = await lab.views.shared_instrument(id, name, query.runs, query.step, query.options)
    return await large_with_cost(measured, lab.views.add_encoding)


@router.get(one + "/moment", tags=["runs"], response_model=answers.Moment)
async def moment(id: str, query: MomentQuery, lab: TheLab) -> Response:
    """Return what a page shows of all runs, all of one moment.

    - The instrument `views` measures `predictions` and `weights`; `drawn` names the run that gets weights (default:
      all).
    - `map` adds a map over the inputs `x` and `y`, for the runs `mapped` (default: all).
    - `curve` adds the prediction over the only input.
    - `inspect` names the run whose next change comes line by line; `first`, `rows` and `block` limit it as for one
      run.
    """
    measured = await lab.views.moment(id, query.model_dump())
    return await large_with_cost(measured, lab.views.add_encoding)


@router.get(of_run + "/instruments", tags=["runs"], response_model=list[answers.InstrumentRow])
async def instruments(id: str, run: str, lab: TheLab) -> list[dict[str, str]]:
    """List the instruments."""
    return await lab.views.instruments(id, run)


@router.get(of_run + "/instruments/{name}", tags=["runs"], response_model=answers.Measured)
async def instrument(id: str, run: str, name: str, query: InstrumentQuery, lab: TheLab) -> Response:
    """Return an instrument's measurement of the run at a step.

    `plane` and `normalize` apply to `slice`. `predictions` and `weights` apply to `views` and `moment`. With the value
    `pairs`, `predictions` returns only true and predicted values, packed; with `predicted` only the latter. `weights`
    limits the cells per layer.
    """
    return await large_with_cost(
        await lab.views.instrument(id, run, name, query.step, query.options), lab.views.add_encoding
    )


# ---------------------------------------------------------------------- history


@router.get(of_run + "/history", tags=["runs"], response_model=answers.Columns, responses=content("text/csv"))
async def history(id: str, run: str, request: Request, query: HistoryQuery, lab: TheLab) -> Response:
    """Return the run's measurements in at most `buckets` buckets.

    They cover the steps from `since` to `until` (inclusive). With `Accept: text/csv` the answer is a table.
    """
    generation, buckets, every_step = await lab.views.history(
        id, run, query.series, query.since, query.until, query.buckets
    )
    if _prefers_csv(request.headers.get("accept", "")):
        text = await lab.views.beside(id, lambda: "".join(buckets.csv_pieces(every_step)))
        answer = Response(text, media_type="text/csv")
    else:
        encode = buckets.as_bdata if query.encoding == "bdata" else buckets.as_json
        answer = await large(lab.views, id, lambda: encode(generation, every_step))
    answer.headers["Vary"] = "Accept"
    return answer


def _prefers_csv(accept: str) -> bool:
    return _quality(accept, "text/csv") > _quality(accept, "application/json")


def _quality(accept: str, media_type: str) -> float:
    """Return the quality of a media type that is listed by name (RFC 9110, 12.5.1).

    Wildcards count as 0.
    """
    for choice in accept.lower().split(","):
        name, *parameters = (part.strip() for part in choice.split(";"))
        if name == media_type:
            quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
            return float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
    return 0.0
