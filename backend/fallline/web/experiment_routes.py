"""Experiments and their runs over HTTP: which call asks what of the lab. Must not know what the lab does about it."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from fallline.vocabulary import answers, catalog_answers, commands, finding_answers
from fallline.vocabulary.recipe import Recipe
from fallline.web.answers import Answer, large, large_with_cost
from fallline.web.bodies import body_of
from fallline.web.openapi import OWNER, answers_of, body, command, reference
from fallline.web.queries import AtStep, FigureQuery, Inspect, InstrumentQuery
from fallline.web.visitors import Address, Key, Owner, TheLab, Token, watched

router = APIRouter(prefix="/api/v1", tags=["experiments"], default_response_class=Answer)
one = "/experiments/{id}"
of_run = "/experiments/{id}/runs/{run}"

STATE = answers_of(401, 404, 409, 413, 422, 429, 503, model=answers.ExperimentState)
RECIPE = answers_of(404, schema=reference(Recipe))
GONE = answers_of(401, 404, 409, 429, 503, ok=204)


@router.get("/catalog", tags=["catalog"], responses=answers_of(model=catalog_answers.Catalog))
async def catalog(lab: TheLab) -> Response:
    """What a recipe may name, with parameters, ranges and help; and the bounds."""
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
    """A new experiment; whatever the recipe leaves out is the notebook's."""
    state, token = await lab.create(recipe, owner=owner, address=address)
    location = {"Location": f"/api/v1/experiments/{state['id']}"}
    return Answer({**state, "token": token}, 201, headers=location)


@router.get(one, responses=answers_of(404, model=answers.ExperimentState))
async def state(id: str, lab: TheLab) -> Response:
    """The experiment now."""
    return Answer(await lab.views.state(id))


@router.get(one + "/recipe", responses=RECIPE)
async def recipe(id: str, lab: TheLab) -> Response:
    """The recipe with all edits so far; posting it again gives the same numbers."""
    return Answer(await lab.views.recipe(id))


@router.delete(one, status_code=204, responses=GONE, openapi_extra=command(None, keyed=False))
async def delete(id: str, token: Token, lab: TheLab) -> Response:
    """Delete the experiment, for good."""
    await lab.delete(id, token)
    return Response(status_code=204)


@router.get(one + "/data", responses=answers_of(404, model=answers.Samples))
async def data(id: str, lab: TheLab) -> Response:
    """All samples in the network's units."""
    samples = await lab.views.data(id)
    return await large(lambda: samples, partial(lab.views.beside, id))


@router.get(one + "/figures/{name}", tags=["figures"], responses=answers_of(404, 422, model=answers.Figure))
async def figure(id: str, name: str, query: FigureQuery, lab: TheLab) -> Response:
    """A Plotly figure of the experiment: `plotly.io.from_json` reads it.

    `loss` and `gradients` show all runs. The others show what an instrument tells of one `run` (the first, if none is
    named) at a `step` (the present one); `filled=false` tells only what they are made of, and measures nothing.
    """
    drawn = await lab.views.figure(id, name, query.run, query.step, query.options, filled=query.filled)
    return await large(lambda: drawn, partial(lab.views.beside, id))


# ---------------------------------------------------------------------- commands


def _asked(model: commands.Command) -> dict[str, Any]:
    """The body as it came: only what was said, so that a repeat is known as one."""
    return model.model_dump(mode="json", exclude_unset=True)


@router.post(one + "/play", responses=STATE, openapi_extra=command(commands.Play))
async def play(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    asked: Annotated[commands.Play, Depends(body_of(commands.Play))],
    lab: TheLab,
) -> Response:
    """Make steps from here on, until paused."""
    return Answer(await lab.command(id, token, "play", _asked(asked), key=key, address=address))


@router.post(one + "/pause", responses=STATE, openapi_extra=command(commands.Pause))
async def pause(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    asked: Annotated[commands.Pause, Depends(body_of(commands.Pause))],
    lab: TheLab,
) -> Response:
    """Stop at the step at hand."""
    return Answer(await lab.command(id, token, "pause", _asked(asked), key=key, address=address))


@router.post(one + "/step", responses=STATE, openapi_extra=command(commands.Step))
async def step(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    asked: Annotated[commands.Step, Depends(body_of(commands.Step))],
    lab: TheLab,
    request: Request,
) -> Response:
    """Make so many steps, or passes; answers when they are made.

    Steps whose caller has hung up are paused after 30 s. The same Idempotency-Key goes on to where they were going.
    """
    async with watched(request) as gone:
        return Answer(
            await lab.command(id, token, "step", _asked(asked), key=key, address=address, gone=gone)
        )


@router.post(one + "/reset", responses=STATE, openapi_extra=command(commands.Reset))
async def reset(
    id: str,
    token: Token,
    key: Key,
    address: Address,
    asked: Annotated[commands.Reset, Depends(body_of(commands.Reset))],
    lab: TheLab,
) -> Response:
    """Back to step 0 with the settings in force."""
    return Answer(await lab.command(id, token, "reset", _asked(asked), key=key, address=address))


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
    asked: Annotated[commands.AddRun, Depends(body_of(commands.AddRun))],
    lab: TheLab,
) -> Response:
    """Another run from step 0, from the same initial parameters."""
    return Answer(await lab.command(id, token, "add_run", _asked(asked), key=key, address=address), 201)


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
    asked: Annotated[commands.EditRun, Depends(body_of(commands.EditRun))],
    lab: TheLab,
) -> Response:
    """A live edit, in force from the next step on: `{"batch_size": 1}` makes GD SGD, null makes it GD again."""
    return Answer(await lab.command(id, token, "edit", _asked(asked), run, key, address=address))


@router.delete(of_run, status_code=204, tags=["runs"], responses=GONE, openapi_extra=command(None))
async def remove_run(id: str, run: str, token: Token, key: Key, address: Address, lab: TheLab) -> Response:
    """Take the run out of the experiment."""
    await lab.command(id, token, "remove_run", {}, run, key, address=address)
    return Response(status_code=204)


@router.get(of_run + "/snapshot", tags=["runs"], responses=answers_of(404, 422, model=answers.Snapshot))
async def snapshot(id: str, run: str, query: AtStep, lab: TheLab) -> Response:
    """Parameters, and the gradient and batch of the next change."""
    told = await lab.views.snapshot(id, run, query.step)
    return await large(lambda: told, partial(lab.views.beside, id))


@router.get(of_run + "/inspect", tags=["runs"], responses=answers_of(404, 422, model=answers.Inspection))
async def inspect(id: str, run: str, query: Inspect, lab: TheLab) -> Response:
    """The next change line by line: NumPy expression, name, shape, values.

    Arrays with a row for each sample of the batch tell at most `rows` of them, from row `first` on; without `rows`, all
    while the whole answer stays within 200,000 numbers, else as many as fit. With `block` no array tells more than its
    first so many columns, and none of the others more than its first so many rows; `largest_at` and `change` then tell
    what a reader would look for in the whole.
    """
    told = await lab.views.inspect(id, run, query.step, query.rows, query.first, query.block)
    return await large(lambda: told, partial(lab.views.beside, id))


_SCRIPT = answers_of(404, 422)
_SCRIPT[200]["content"] = {"text/x-python": {"schema": {"type": "string"}}}


@router.get(of_run + "/inspect/script", tags=["runs"], responses=_SCRIPT, response_class=Response)
async def change_script(id: str, run: str, query: AtStep, lab: TheLab) -> Response:
    """The next change as a program that needs NumPy only: what is given, the lines, the parameters that come of it."""
    return Response(await lab.views.change_script(id, run, query.step), media_type="text/x-python")


@router.get(
    of_run + "/findings",
    tags=["runs"],
    responses=answers_of(404, schema={"type": "array", "items": reference(finding_answers.Finding)}),
)
async def findings(id: str, run: str, lab: TheLab) -> Response:
    """What the Doctor has found, the newest last; what is over has an `until_step`.

    The rules with their thresholds are in docs/reference/doctor.md.
    """
    return Answer(await lab.views.findings(id, run))


@router.get(of_run + "/check", tags=["runs"], responses=answers_of(404, model=answers.SelfCheck))
async def check(id: str, run: str, lab: TheLab) -> Response:
    """Let the run check itself where it stands: gradient beside differences, balance of layers, GD beside SGD, replay.

    What is compared, and how closely, is in docs/reference/doctor.md.
    """
    return Answer(await lab.views.check(id, run))


@router.get(
    of_run + "/instruments",
    tags=["runs"],
    responses=answers_of(404, schema={"type": "array", "items": reference(answers.InstrumentRow)}),
)
async def instruments(id: str, run: str, lab: TheLab) -> Response:
    """The instruments there are."""
    return Answer(await lab.views.instruments(id, run))


@router.get(
    of_run + "/instruments/{name}", tags=["runs"], responses=answers_of(404, 422, model=answers.Measured)
)
async def instrument(id: str, run: str, name: str, query: InstrumentQuery, lab: TheLab) -> Response:
    """What the instrument tells of the run. `plane` and `normalize` are for `slice`; `predictions` (`pairs`: true and
    predicted values only, packed) and `weights` (in at most so many cells a layer) for `views` and `moment`.
    """
    return await large_with_cost(
        await lab.views.instrument(id, run, name, query.step, query.options), lab.views.wrote
    )
