"""The lines of a step give the kernels' change, and can be recomputed from the response."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from contextlib import redirect_stdout
from itertools import cycle, islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from fallline.diagnosis.view import View
from fallline.engine.inspection.script import script_of
from fallline.engine.inspection.sheet import CHANGE_LINES, FUNCTIONS, sheet_of
from fallline.engine.measures.probes import next_gradient
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.losses import LOSSES
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import TrainingState, begin
from fallline.engine.training import advance
from fallline.runs.checks.recipe import check_recipe
from fallline.runs.doctor.view import measured, task_of
from fallline.runs.instruments.inspection import MOST_NUMBERS, change_script, inspection
from fallline.vocabulary.recipe import Recipe
from support.problems import data_for
from support.quoted import line_text


def set_up(body: dict[str, Any], steps: int) -> tuple[Problem, Recipe, TrainingState]:
    recipe = check_recipe(Recipe.model_validate(body))
    problem = build_problem(recipe.data, recipe.network, recipe.loss)
    state = begin(problem)
    advance(problem, state, recipe.runs[0], steps)
    return problem, recipe, state


def every_row() -> list[dict[str, Any]]:
    """Recipes that together contain each row of the tables at least once."""
    optimizers, losses = cycle(OPTIMIZERS), cycle(LOSSES)
    schedules, sizes = cycle(SCHEDULES), cycle([1, 7, None, 3])
    more: Any = cycle([{}, {"l2": 0.1}, {"clip_norm": 0.5}, {"l1": 0.03, "l2": 0.1}, {"clip_value": 0.02}])
    bodies = []
    for activation in islice(cycle(ACTIVATIONS), max(2 * len(ACTIVATIONS), len(OPTIMIZERS))):
        loss = next(losses)
        run = {
            "optimizer": next(optimizers),
            "learning_rate": 0.01,
            "batch_size": next(sizes),
            "schedule": next(schedules),
            **next(more),
        }
        if OPTIMIZERS[run["optimizer"]].tables:
            run["batch_size"] = None
        layers = [{"units": 5, "activation": activation}, {"units": 3, "activation": "tanh"}]
        output = "identity" if LOSSES[loss].logits else activation
        bodies.append(
            {
                "data": {"name": data_for(loss), "samples": 40, "seed": 2},
                "network": {"layers": layers, "output": output, "seed": 4},
                "loss": loss,
                "runs": [run],
            }
        )
    return bodies


BODIES = every_row()
for optimizer in ("adamw", "amsgrad", "lion"):
    own_rates = {
        "optimizer": optimizer,
        "weight_decay": 0.1,
        "bias_decay": 0.5,
        "layer_rates": [0.5, 0.0, 2.0],
    }
    schedule = {"schedule": "cosine"} if optimizer == "lion" else {}
    run = {"batch_size": None, "learning_rate": 0.01, **own_rates, **schedule}
    BODIES.append({**BODIES[0], "runs": [run]})
smooth = {
    "layers": [{"units": 4, "activation": "tanh"}, {"units": 3, "activation": "tanh"}],
    "weights": "xavier",
}
redraws = [{"at_step": step, "redraw": {"layers": [2], "weights": "he"}} for step in (11, 23)]
varieties: list[dict[str, Any]] = [
    {},
    {"layer_rates": [0.5, 0.0, 2.0], "schedule": "cosine", "l2": 0.1, "clip_norm": 5.0},
    {"learning_rate": 0.1, "edits": redraws},
]
for more in varieties:
    run = {"optimizer": "lbfgs", "batch_size": None, "learning_rate": 0.5, **more}
    BODIES.append({**BODIES[0], "network": smooth, "runs": [run]})
for place, layers in enumerate([[1], [2, 3], [3, 1, 2]]):
    redraw = {"layers": layers, "weights": "he" if place else "uniform"}
    BODIES[place]["runs"][0]["edits"] = [{"at_step": step, "redraw": redraw} for step in (11, 23)]


def name_of(body: dict[str, Any]) -> str:
    run = body["runs"][0]
    return (
        f"{body['network']['layers'][0]['activation']}-{body['loss']}-{run['optimizer']}-{run['batch_size']}"
    )


def close(here: Any, there: Any) -> bool:
    scale = float(np.max(np.abs(there))) or 1.0
    return bool(np.allclose(here, there, rtol=0.0, atol=1e-12 * scale))


def test_every_optimizer_has_its_lines() -> None:
    assert set(CHANGE_LINES) == set(OPTIMIZERS)


def evaluated(expression: str, **values: Any) -> Any:
    functions = {name: eval(source, {"np": np, "math": math}) for name, source in FUNCTIONS.items()}
    return eval(expression, {"np": np, **functions}, values)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_lines_of_an_activation_are_its_functions_to_rounding(name: str) -> None:
    row, z = ACTIVATIONS[name], np.linspace(-6.0, 6.0, 101)[:, np.newaxis]
    a = row(z)
    outputs, slope = (line.format(z="z", a="a") for line in row.lines)
    np.testing.assert_allclose(evaluated(outputs, z=z), a, rtol=0, atol=1e-15 * 8)
    slopes = np.broadcast_to(evaluated(slope or "1", z=z, a=a), z.shape)
    kink = z == 0.0
    np.testing.assert_allclose(slopes[~kink], row.derivative(z, a)[~kink], rtol=0, atol=1e-15 * 8)


@pytest.mark.parametrize("name", LOSSES)
def test_the_lines_of_a_loss_are_its_functions_to_rounding(name: str) -> None:
    row, rng = LOSSES[name], np.random.default_rng(5)
    classes = 0 if row.fits(0) else row.most_classes or 4
    y = rng.integers(0, classes, (50, 1)).astype(float) if classes else rng.standard_normal((50, 1))
    values: dict[str, Any] = {"y_pred": 3 * rng.standard_normal((50, row.outputs(classes))), "y": y, "m": 50}
    values |= row.own
    for line, expression in row.lines:
        values[line] = evaluated(expression.format(classes=classes), **values)
    assert values["loss"] == pytest.approx(row(values["y_pred"], y), rel=1e-14)
    np.testing.assert_allclose(values["dy_pred"], row.gradient(values["y_pred"], y), rtol=0, atol=1e-16)


@pytest.mark.parametrize("body", BODIES, ids=name_of)
def test_the_lines_give_the_next_state(body: dict[str, Any]) -> None:
    problem, recipe, state = set_up(body, 23)
    before = state.fingerprint()
    sheet = sheet_of(problem, state, recipe.runs[0])
    assert state.fingerprint() == before
    last = {line.name: line.value for line in sheet.lines}
    gradients, batch = next_gradient(problem, state, recipe.runs[0])
    assert sheet.batch.tolist() == batch.tolist()
    first: dict[str, Any] = {}
    for line in sheet.lines:
        first.setdefault(line.name, line.value)
    for name, gradient in gradients.items():
        assert close(first[f"d{name}"], gradient), name
    records = advance(problem, state, recipe.runs[0], 1)
    response = dict(zip(records.names, records.values[:, 0], strict=True))
    assert last["loss"] == pytest.approx(response["batch_loss"], rel=1e-12)
    if "objective" in last:
        assert last["objective"] == pytest.approx(response["objective"], rel=1e-12)
    for name, value in problem.named(state.parameters).items():
        assert close(last[name], value), name
    for slot, flat in state.slots.items():
        if flat.size == 1:
            assert last[slot] == flat[0]
        elif OPTIMIZERS[state.optimizer].tables:
            assert close(last[slot], flat), slot
        else:
            for name, value in problem.named(flat).items():
                assert close(last[f"{slot}_{name}"], value), slot


@pytest.mark.parametrize("body", BODIES, ids=name_of)
def test_every_line_can_be_recomputed_from_the_response(body: dict[str, Any]) -> None:
    problem, recipe, state = set_up(body, 11)
    response = inspection(problem, state, recipe.runs[0])
    assert state.step == 11
    values: dict[str, Any] = {
        name: eval(source, {"np": np, "math": math}) for name, source in response["functions"].items()
    }
    for each in response["given"]:
        values[each["name"]] = np.array(each["values"]) if each["shape"] else each["values"]
    for line in response["lines"]:
        with np.errstate(all="ignore"):
            values[line["name"]] = eval(line["expression"], {"np": np}, values)
        assert np.array_equal(values[line["name"]], np.array(line["values"])), line["name"]
        assert list(np.shape(line["values"])) == line["shape"]


def test_the_notebooks_change_is_the_notebooks_lines() -> None:
    problem, recipe, state = set_up({}, 0)
    sheet = sheet_of(problem, state, recipe.runs[1])
    assert [f"{line.name} = {line.expression}" for line in sheet.lines] == [
        "z1 = X @ W1 + b1",
        "a1 = np.maximum(z1, 0)",
        "z2 = a1 @ W2 + b2",
        "a2 = np.maximum(z2, 0)",
        "y_pred = a2 @ W3 + b3",
        "loss = np.mean((y - y_pred)**2)",
        "dy_pred = (y_pred - y) / m",
        "dz3 = dy_pred",
        "dW3 = a2.T @ dz3",
        "db3 = dz3.sum(axis=0, keepdims=True)",
        "da2 = dz3 @ W3.T",
        "dz2 = da2 * (z2 > 0)",
        "dW2 = a1.T @ dz2",
        "db2 = dz2.sum(axis=0, keepdims=True)",
        "da1 = dz2 @ W2.T",
        "dz1 = da1 * (z1 > 0)",
        "dW1 = X.T @ dz1",
        "db1 = dz1.sum(axis=0, keepdims=True)",
        *(f"{name} = {name} - lr * d{name}" for name in ("W3", "b3", "W2", "b2", "W1", "b1")),
    ]


def test_a_change_of_optimizer_begins_with_an_empty_memory() -> None:
    edits = [{"at_step": 5, "optimizer": "adam"}]
    problem, recipe, state = set_up({"runs": [{"optimizer": "momentum", "edits": edits}]}, 5)
    values = {each.name: each.value for each in sheet_of(problem, state, recipe.runs[0]).given}
    assert values["count"] == 0.0
    assert not np.any(values["square_W2"])
    assert "velocity_W2" not in values


def test_a_dead_layer_shows_as_zeros_on_the_way_back() -> None:
    problem, recipe, state = set_up({}, 0)
    problem.named(state.parameters)["b2"][:] = -1e3
    values = {line.name: line.value for line in sheet_of(problem, state, recipe.runs[0]).lines}
    assert not np.any(values["a2"])
    assert not np.any(values["dW2"])
    assert np.any(values["db3"])


def test_a_value_that_is_not_finite_is_null_and_counted() -> None:
    problem, recipe, state = set_up({}, 0)
    state.parameters[:] = 1e200
    lines = {line["name"]: line for line in inspection(problem, state, recipe.runs[0])["lines"]}
    assert lines["y_pred"]["not_finite"]["inf"] > 0
    assert None in [row[0] for row in lines["y_pred"]["values"]]
    assert lines["loss"]["values"] is None
    assert lines["loss"]["not_finite_at"] == [[0, 0, "inf"]]
    spelled = np.array(lines["y_pred"]["values"], dtype=float)
    for row, column, kind in lines["y_pred"]["not_finite_at"]:
        assert np.isnan(spelled[row, column])
        spelled[row, column] = float(kind)
    assert np.isnan(spelled).sum() == lines["y_pred"]["not_finite"].get("nan", 0)


def test_a_large_batch_returns_as_many_rows_as_fit_and_the_mean_of_all() -> None:
    body = {"data": {"samples": 5000}, "network": {"layers": [{"units": 60}]}, "runs": [{}]}
    problem, recipe, state = set_up(body, 0)

    def numbers(response: dict[str, Any]) -> int:
        return sum(np.size(each["values"]) for each in (*response["given"], *response["lines"]))

    whole = inspection(problem, state, recipe.runs[0])
    assert 0.9 * MOST_NUMBERS < numbers(whole) <= MOST_NUMBERS
    few = inspection(problem, state, recipe.runs[0], rows=4)
    a1 = next(line for line in few["lines"] if line["name"] == "a1")
    assert (a1["shape"], a1["rows"], np.shape(a1["values"])) == ([5000, 60], 4, (4, 60))
    everything = inspection(problem, state, recipe.runs[0], rows=5000)
    full = next(line for line in everything["lines"] if line["name"] == "a1")
    assert close(a1["mean"], np.mean(full["values"], axis=0))


def test_a_block_of_a_wide_step_has_the_extremes_of_the_whole() -> None:
    layers = [{"units": 40, "activation": "tanh"}] * 2
    body = {
        "network": {"layers": layers},
        "runs": [{"optimizer": "adam", "clip_norm": 0.01, "batch_size": 30}],
    }
    problem, recipe, state = set_up(body, 5)
    whole = inspection(problem, state, recipe.runs[0])
    part = inspection(problem, state, recipe.runs[0], rows=4, first=2, block=12)
    same = ("name", "shape", "zeros", "negative", "largest", "mean")
    before: dict[str, Any] = {}
    counts = {"largest_at": 0, "change": 0}
    for full, response in zip(
        (*whole["given"], *whole["lines"]), (*part["given"], *part["lines"]), strict=True
    ):
        assert {key: full.get(key) for key in same} == {key: response.get(key) for key in same}
        assert full.keys().isdisjoint(counts), "who asks for no block gets what there always was"
        values = np.array(full["values"])
        if not full["shape"]:
            assert response["values"] == full["values"]
            continue
        rows = slice(2, 6) if "rows" in full else slice(12)
        assert np.array_equal(response["values"], values[rows, :12])
        if "rows" in full:
            assert response.keys().isdisjoint(counts)
            continue
        largest = response["largest_at"]
        assert abs(largest["value"]) == np.abs(values).max() == abs(values[largest["row"], largest["column"]])
        counts["largest_at"] += 1
        if full["name"] in before:
            moved, was = response["change"], before[full["name"]]
            place = moved["row"], moved["column"]
            assert (moved["before"], moved["after"]) == (was[place], values[place])
            assert abs(values[place] - was[place]) == np.abs(values - was).max()
            counts["change"] += 1
        before[full["name"]] = values
    # two weights and biases a layer: each with two slots and a clipped gradient
    assert counts == {"largest_at": 6 * (2 * 3 + 2), "change": 6 * 4}


def test_rows_start_at_the_requested_one_and_counts_cover_all() -> None:
    problem, recipe, state = set_up({}, 0)
    whole = inspection(problem, state, recipe.runs[0])
    two = inspection(problem, state, recipe.runs[0], rows=2, first=700)
    beyond = inspection(problem, state, recipe.runs[0], rows=2, first=10_000)
    for full, part, last in zip(whole["lines"], two["lines"], beyond["lines"], strict=True):
        assert {key: full[key] for key in ("zeros", "negative", "largest")} == {
            key: part[key] for key in ("zeros", "negative", "largest")
        }
        if "rows" in full:
            values = np.array(full["values"])
            assert (part["first"], part["rows"]) == (700, 2)
            assert part["values"] == full["values"][700:702]
            assert last["values"] == full["values"][-1:]
            assert full["zeros"] == np.sum(values == 0)
            assert full["negative"] == np.sum(values < 0)
            assert full["largest"] == np.max(np.abs(values))


@pytest.mark.parametrize("body", BODIES, ids=name_of)
def test_the_script_of_a_change_reproduces_the_step_that_is_made(body: dict[str, Any]) -> None:
    problem, recipe, state = set_up(body, 17)
    written = change_script(problem, state, recipe.runs[0])["script"]
    namespace: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()) as output, np.errstate():
        exec(compile(written, "change.py", "exec"), namespace)
    advance(problem, state, recipe.runs[0], 1)
    for name, value in problem.named(state.parameters).items():
        assert close(namespace[name], value), name
        assert f"{name} at step 18:" in output.getvalue()


def test_a_script_with_another_number_fails_and_says_which_parameter_differs(tmp_path: Path) -> None:
    problem, recipe, state = set_up({"runs": [{"batch_size": 1, "learning_rate": 0.1}]}, 3)
    written = script_of(sheet_of(problem, state, recipe.runs[0]), "sgd", 3)
    assert written.startswith('# One step of run "sgd", from step 3 to step 4, with its numbers.')
    assert "lr = 0.1\n" in written

    def run_script(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "change.py").write_text(text)
        return subprocess.run(
            [sys.executable, "change.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    right = run_script(written)
    assert (right.returncode, right.stderr) == (0, "")
    wrong = run_script(written.replace("lr = 0.1\n", "lr = 0.1001\n"))
    assert wrong.returncode != 0
    assert "AssertionError: W3 differs" in wrong.stderr


def test_a_script_with_values_that_are_not_finite_runs_too() -> None:
    problem, recipe, state = set_up({}, 0)
    state.parameters[:] = 1e200
    namespace: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()), np.errstate():
        exec(change_script(problem, state, recipe.runs[0])["script"], namespace)
    assert not np.isfinite(namespace["W1"]).all()


def test_a_script_that_would_be_too_long_is_not_written() -> None:
    body = {"data": {"name": "linear", "samples": 5000, "features": 60}, "runs": [{"batch_size": None}]}
    problem, recipe, state = set_up(body, 0)
    response = change_script(problem, state, recipe.runs[0])
    assert response["script"] is None
    assert response["numbers"] > MOST_NUMBERS


@pytest.mark.parametrize("body", BODIES, ids=name_of)
def test_the_doctor_quotes_lines_of_the_step(body: dict[str, Any]) -> None:
    """It quoted `a_last @ W_out`, and `slope(z1)`, which no step has."""
    problem, recipe, state = set_up(body, 3)
    settings = recipe.runs[0].settings_at(state.step)
    view = View(
        task=task_of(problem), step=state.step, diverged=False, settings=settings, scales=False, rate=0.1,
        settings_before=lambda step: settings, edits=(), now=measured(problem, state), seen=(),
        series=cast("Any", None), best=(), first_slope=1.0,
    )  # fmt: skip
    lines = sheet_of(problem, state, recipe.runs[0]).lines
    written, names = {line_text(each) for each in lines}, {each.name for each in lines}
    depth = len(problem.activations)
    quoted = {name: view.line(name) for name in ("y_pred", "dy_pred")}
    quoted |= {name: view.line(name) for k in range(1, depth + 1) for name in (f"dW{k}", f"W{k}")}
    quoted |= {name: view.line(name) for k in range(1, depth) for name in (f"dz{k}",)}
    for name, line in quoted.items():
        assert line in written or (line == name and line in names), line
    plain = settings.optimizer == "sgd" and not settings.layer_rates
    assert [name for name, line in quoted.items() if line == name] == (
        [] if plain else [f"W{k}" for k in range(1, depth + 1)]
    )
