"""Routes of experiments and their runs: each calls the lab."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from fallline.vocabulary import answers, catalog_answers, commands, finding_answers
from fallline.vocabulary.recipe import Recipe
from fallline.web.answers import Answer, large, large_with_cost
from fallline.web.bodies import body_of
from fallline.web.dependencies import Address, Key, Owner, TheLab, Token, disconnection
from fallline.web.openapi import OWNER, answers_of, body, command, reference
from fallline.web.queries import AtStep, FigureQuery, Inspect, InstrumentQuery

router = APIRouter(prefix="/api/v1", tags=["experiments"], default_response_class=Answer)
one = "/experiments/{id}"
of_run = "/experiments/{id}/runs/{run}"

STATE = answers_of(401, 404, 409, 413, 422, 429, 503, model=answers.ExperimentState)
RECIPE = answers_of(404, schema=reference(Recipe))
GONE = answers_of(401, 404, 409, 429, 503, ok=204)


@router.get("/catalog", tags=["catalog"], responses=answers_of(model=catalog_answers.Catalog))
async def catalog(lab: TheLab) -> Response:
    """List everything that a recipe may name, and its bounds.

    Each row has its parameters with JSON schema, default, range, unit and a line of help.
    """
    return Answer(lab.catalog())


# ---------------------------------------------------------------------- experiments


@router.post(
    "/experiments",
    status_code=201,
    responses=answers_of(413, 422, 503, ok=201, model=answers.Created),
    openapi_extra={"requestBody": body(Recipe), "parameters": [OWNER]},
)
async def create(
    owner: Owner, address: Address, recipe: Annotated[Recipe, Depends(body_of(Recipe))], lab: TheLab
) -> Response:
    """Create an experiment from a recipe; `{}` is the notebook's.

    Fields left out get their defaults.

    The answer has the `token` that allows changes. It is returned only here.
    """
    state, token = await lab.create(recipe, owner=owner, address=address)
    location = {"Location": f"/api/v1/experiments/{state['id']}"}
    return Answer({**state, "token": token}, 201, headers=location)


@router.get(one, responses=answers_of(404, model=answers.ExperimentState))
async def state(id: str, lab: TheLab) -> Response:
    """Return the present state of the experiment and its runs."""
    return Answer(await lab.views.state(id))


@router.get(one + "/recipe", responses=RECIPE)
async def recipe(id: str, lab: TheLab) -> Response:
    """Return the recipe with all edits so far.

    Posting it again gives the same numbers.
    """
    return Answer(await lab.views.recipe(id))


@router.delete(one, status_code=204, responses=GONE, openapi_extra=command(None, keyed=False))
async def delete(id: str, token: Token, lab: TheLab) -> Response:
    """Delete the experiment permanently."""
    await lab.delete(id, token)
    return Response(status_code=204)


@router.get(one + "/data", responses=answers_of(404, model=answers.Samples))
async def data(id: str, lab: TheLab) -> Response:
    """Return all samples in the network's units, and the rows of both splits."""
    samples = await lab.views.data(id)
    return await large(lambda: samples, partial(lab.views.beside, id))


@router.get(one + "/figures/{name}", tags=["figures"], responses=answers_of(404, 422, model=answers.Figure))
async def figure(id: str, name: str, query: FigureQuery, lab: TheLab) -> Response:
    """Return a Plotly figure as JSON for `plotly.io.from_json`.

    `loss` and `gradients` show all runs. Each other figure shows an instrument's measurement of one `run` (default: the
    first) at a `step` (default: the present one). With `filled=false` it comes without data, and nothing is measured.
    """
    content = await lab.views.figure(id, name, query.run, query.step, query.options, filled=query.filled)
    return await large(lambda: content, partial(lab.views.beside, id))


# ---------------------------------------------------------------------- commands


def _content(model: commands.Command) -> dict[str, Any]:
    """Return only the fields that were sent, so that a repeat can be compared."""
    return model.model_dump(mode="json", exclude_unset=True)


@router.post(one + "/play", responses=STATE, openapi_extra=command(commands.Play))
async def play(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    payload: Annotated[commands.Play, Depends(body_of(commands.Play))],
    lab: TheLab,
) -> Response:
    """Make steps continuously until the experiment is paused."""
    return Answer(await lab.command(id, token, "play", _content(payload), key=key, address=address))


@router.post(one + "/pause", responses=STATE, openapi_extra=command(commands.Pause))
async def pause(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    payload: Annotated[commands.Pause, Depends(body_of(commands.Pause))],
    lab: TheLab,
) -> Response:
    """Stop after the present step."""
    return Answer(await lab.command(id, token, "pause", _content(payload), key=key, address=address))


@router.post(one + "/step", responses=STATE, openapi_extra=command(commands.Step))
async def step(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    payload: Annotated[commands.Step, Depends(body_of(commands.Step))],
    lab: TheLab,
    request: Request,
) -> Response:
    """Make a number of steps or epochs; the answer comes when they are done.

    A playing experiment is paused first.

    If the caller hangs up, the steps are paused after 30 s. A repeat with the same Idempotency-Key continues them to
    their target.
    """
    async with disconnection(request) as disconnected:
        return Answer(
            await lab.command(
                id, token, "step", _content(payload), key=key, address=address, disconnected=disconnected
            )
        )


@router.post(one + "/reset", responses=STATE, openapi_extra=command(commands.Reset))
async def reset(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    payload: Annotated[commands.Reset, Depends(body_of(commands.Reset))],
    lab: TheLab,
) -> Response:
    """Return to step 0.

    The settings in force become the runs' settings, and their edits are removed.
    """
    return Answer(await lab.command(id, token, "reset", _content(payload), key=key, address=address))


# ---------------------------------------------------------------------- runs


@router.post(
    one + "/runs",
    status_code=201,
    tags=["runs"],
    responses=answers_of(401, 404, 409, 413, 422, 429, 503, ok=201, model=answers.RunState),
    openapi_extra=command(commands.AddRun),
)
async def add_run(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    payload: Annotated[commands.AddRun, Depends(body_of(commands.AddRun))],
    lab: TheLab,
) -> Response:
    """Add a run from step 0, or fork another run at any of its steps.

    A new run has the same initial parameters. `fork_of` names the run to fork.
    """
    return Answer(await lab.command(id, token, "add_run", _content(payload), key=key, address=address), 201)


@router.patch(
    of_run,
    tags=["runs"],
    responses=answers_of(401, 404, 409, 413, 422, 429, 503, model=answers.Edited),
    openapi_extra=command(commands.EditRun),
)
async def edit(
    id: str,
    run: str,
    token: Token,
    key: Key,
    address: Address,
    payload: Annotated[commands.EditRun, Depends(body_of(commands.EditRun))],
    lab: TheLab,
) -> Response:
    """Change settings of a run from its next step on.

    `{"batch_size": 1}` turns GD into SGD; null turns it back.
    """
    return Answer(await lab.command(id, token, "edit", _content(payload), run, key, address=address))


@router.delete(of_run, status_code=204, tags=["runs"], responses=GONE, openapi_extra=command(None))
async def remove_run(id: str, run: str, token: Token, key: Key, address: Address, lab: TheLab) -> Response:
    """Remove the run from the experiment."""
    await lab.command(id, token, "remove_run", {}, run, key, address=address)
    return Response(status_code=204)


@router.get(of_run + "/snapshot", tags=["runs"], responses=answers_of(404, 422, model=answers.Snapshot))
async def snapshot(id: str, run: str, query: AtStep, lab: TheLab) -> Response:
    """Return parameters at a step, with gradient and batch of the next change."""
    content = await lab.views.snapshot(id, run, query.step)
    return await large(lambda: content, partial(lab.views.beside, id))


@router.get(of_run + "/inspect", tags=["runs"], responses=answers_of(404, 422, model=answers.Inspection))
async def inspect(id: str, run: str, query: Inspect, lab: TheLab) -> Response:
    """Return the next change line by line: NumPy expression, name, shape, values.

    Arrays with one row per sample have at most `rows` rows, from row `first` on. Without `rows` they have as many as
    fit into 200,000 numbers for the whole answer. `block` limits the columns of all arrays, and the rows of the others.
    In that case `largest_at` and `change` summarize the whole array.
    """
    content = await lab.views.inspect(id, run, query.step, query.rows, query.first, query.block)
    return await large(lambda: content, partial(lab.views.beside, id))


_SCRIPT = answers_of(404, 422)
_SCRIPT[200]["content"] = {"text/x-python": {"schema": {"type": "string"}}}


@router.get(of_run + "/inspect/script", tags=["runs"], responses=_SCRIPT, response_class=Response)
async def change_script(id: str, run: str, query: AtStep, lab: TheLab) -> Response:
    """Return the next change as a program that needs only NumPy.

    It has the inputs, the lines and the resulting parameters.
    """
    return Response(await lab.views.change_script(id, run, query.step), media_type="text/x-python")


@router.get(
    of_run + "/findings",
    tags=["runs"],
    responses=answers_of(404, schema={"type": "array", "items": reference(finding_answers.Finding)}),
)
async def findings(id: str, run: str, lab: TheLab) -> Response:
    """Return the Doctor's findings, the newest last.

    A finding that is over has an `until_step`.

    docs/reference/doctor.md has the rules and their thresholds.
    """
    return Answer(await lab.views.findings(id, run))


@router.get(of_run + "/check", tags=["runs"], responses=answers_of(404, model=answers.SelfCheck))
async def check(id: str, run: str, lab: TheLab) -> Response:
    """Check the run at its present step.

    The checks are gradients, balance of layers, GD against SGD, and replay. docs/reference/doctor.md has the
    comparisons and their tolerances.
    """
    return Answer(await lab.views.check(id, run))


@router.get(
    of_run + "/instruments",
    tags=["runs"],
    responses=answers_of(404, schema={"type": "array", "items": reference(answers.InstrumentRow)}),
)
async def instruments(id: str, run: str, lab: TheLab) -> Response:
    """List the instruments."""
    return Answer(await lab.views.instruments(id, run))


@router.get(
    of_run + "/instruments/{name}", tags=["runs"], responses=answers_of(404, 422, model=answers.Measured)
)
async def instrument(id: str, run: str, name: str, query: InstrumentQuery, lab: TheLab) -> Response:
    """Return an instrument's measurement of the run at a step.

    `plane` and `normalize` apply to `slice`. `predictions` and `weights` apply to `views` and `moment`. With the value
    `pairs`, `predictions` returns only true and predicted values, packed. `weights` limits the cells per layer.
    """
    return await large_with_cost(
        await lab.views.instrument(id, run, name, query.step, query.options), lab.views.add_encoding
    )
