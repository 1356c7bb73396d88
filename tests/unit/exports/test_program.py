"""Exported programs give the NumPy kernel's numbers to the bit."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import warnings
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.own import CSV
from fallline.engine.data.datasets.row import Dataset
from fallline.engine.data.saved_parameters import SavedParameters
from fallline.engine.data.tabular.table import read_table
from fallline.engine.kernels.compiled import COMPILED
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.losses import LOSSES
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from fallline.engine.problem import Problem, build_problem
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.exports.program.notebook import notebook, script
from fallline.exports.program.pieces import MODULES, names_in, pieces
from fallline.exports.program.sections import program
from fallline.runs.checks.recipe import check_recipe, dataset_of
from fallline.vocabulary.recipe import Recipe

STEPS = 60


def set_up(body: dict[str, Any], dataset: Dataset | None = None) -> tuple[Recipe, Problem]:
    recipe = check_recipe(Recipe.model_validate(body), dataset)
    return recipe, build_problem(recipe.data, recipe.network, recipe.loss, dataset)


def text_of(recipe: Recipe, problem: Problem, steps: int = STEPS) -> str:
    return script(program(recipe, problem, recipe.runs[0]), "A run.", steps)


def losses_of(text: str, steps: int = STEPS) -> list[float]:
    """Run the program in this process and return its losses."""
    namespace: dict[str, Any] = {"__name__": "program"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, "script.py", "exec"), namespace)
        return [loss for _, loss in namespace["train"](steps)]


def numpy_losses(recipe: Recipe, problem: Problem, steps: int = STEPS) -> list[float]:
    records = advance(problem, begin(problem), recipe.runs[0], steps)
    assert len(records.samples_seen) == steps
    losses: list[float] = records.values[0].tolist()
    return losses


def cells_of(recipe: Recipe, problem: Problem) -> list[str]:
    """Return the code of the notebook without its last cell, which makes the steps."""
    result = program(recipe, problem, recipe.runs[0])
    cells = json.loads(notebook(result, "A run.", "Its recipe.", {}, STEPS))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"][:-1]


def check(body: dict[str, Any], dataset: Dataset | None = None) -> str:
    """Check that the script and the notebook give the kernel's numbers."""
    recipe, problem = set_up(body, dataset)
    text = text_of(recipe, problem)
    expected = numpy_losses(recipe, problem)
    assert losses_of(text) == expected
    assert losses_of("\n".join(cells_of(recipe, problem))) == expected
    return text


def every_row() -> list[dict[str, Any]]:
    """Return recipes that together contain each row of nine tables."""
    activations = cycle(ACTIVATIONS)
    weights = cycle(row.name for row in INITIALIZERS.values() if "weights" in row.draws)
    biases = cycle(row.name for row in INITIALIZERS.values() if "biases" in row.draws)
    optimizers, schedules = cycle(OPTIMIZERS), cycle(SCHEDULES)
    standards = cycle(["none", "inputs", "targets", "both"])
    sizes: Any = cycle([None, 1, 7, 31])
    bodies = []
    for dataset in DATASETS.values():
        if dataset.missing:
            continue
        losses = [loss for loss in LOSSES.values() if loss.fits(len(dataset.classes))]
        for loss in losses:
            layers = [{"units": units, "activation": next(activations)} for units in (5, 3)]
            first, second = next(optimizers), next(optimizers)
            run = {
                "optimizer": first,
                "learning_rate": 0.01,
                "batch_size": None if OPTIMIZERS[first].tables else next(sizes),
                "schedule": next(schedules),
                "seed": 3,
                "edits": [
                    {
                        "at_step": 20,
                        "optimizer": second,
                        "batch_size": None if OPTIMIZERS[second].tables else next(sizes),
                    },
                    {"at_step": 41, "schedule": next(schedules), "l2": 0.01},
                ],
            }
            bodies.append(
                {
                    "data": {
                        "name": dataset.name,
                        "samples": 70,
                        "seed": 2,
                        "noise": 0.1,
                        "test_fraction": 0.2,
                        "standardize": next(standards),
                        **({"label_noise": 0.1} if dataset.classes else {}),
                    },
                    "network": {
                        "layers": layers,
                        "output": "identity" if loss.logits else next(activations),
                        "weights": next(weights),
                        "biases": next(biases),
                        "seed": 4,
                    },
                    "loss": loss.name,
                    "runs": [run],
                }
            )
    return bodies


BODIES = every_row()


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body['data']['name']}-{body['loss']}")
def test_the_program_makes_the_kernels_numbers_to_the_bit(body: dict[str, Any]) -> None:
    check(body)


def test_these_recipes_name_every_row_of_every_table() -> None:
    text = repr(BODIES)
    tables = (ACTIVATIONS, INITIALIZERS, OPTIMIZERS, SCHEDULES, LOSSES)
    rows = [name for table in tables for name in table] + [
        row.name for row in DATASETS.values() if not row.missing
    ]
    assert [name for name in rows if f"'{name}'" not in text] == []


@pytest.mark.parametrize(
    "run",
    [
        {"batch_size": 16, "order": "sequential"},
        {"batch_size": 16, "order": "replacement"},
        {"batch_size": 53, "order": "sequential", "edits": [{"at_step": 9, "order": "replacement"},
                                                            {"at_step": 20, "order": "shuffle", "batch_size": 5}]},
        {"batch_size": 500},
        {"batch_size": 13, "order": "shuffle", "edits": [{"at_step": 5, "order": "sequential"}]},
        {"batch_size": 8, "l1": 0.01, "clip_norm": 0.5, "clip_value": 0.1},
        {"edits": [{"at_step": 30, "clip_value": 0.02}, {"at_step": 40, "clip_value": None, "l1": 0.1}]},
        {"edits": [{"at_step": 0, "learning_rate": 0.02}, {"at_step": 7, "batch_size": 3}]},
        {"optimizer": "momentum", "edits": [{"at_step": 9, "momentum": 0.5}, {"at_step": 20, "optimizer": "adam"},
                                            {"at_step": 40, "optimizer": "momentum"}]},
        {"schedule": {"name": "step", "every": 7},
         "edits": [{"at_step": 25, "schedule": {"name": "step", "every": 7}}]},
        {"schedule": {"name": "warmup", "steps": 9, "next": {"name": "cosine", "steps": 20}},
         "edits": [{"at_step": 25, "schedule": {"name": "one_cycle", "steps": 20, "next": "constant"}}]},
        {"schedule": {"name": "plateau", "every": 10, "patience": 0}, "learning_rate": 0.3, "batch_size": 1,
         "edits": [{"at_step": 45, "optimizer": "adam"}]},
        {"schedule": {"name": "warmup", "steps": 7, "next": {"name": "plateau", "every": 10, "patience": 0}},
         "batch_size": 9, "learning_rate": 0.3,
         "edits": [{"at_step": 33, "schedule": {"name": "plateau", "every": 11, "patience": 0, "factor": 0.1}},
                   {"at_step": 50, "schedule": "constant"}]},
        {"batch_size": 1, "edits": [{"at_step": 30, "batch_size": 4}, {"at_step": 41, "batch_size": None}]},
        {"optimizer": "adam", "seed": 5, "edits": [{"at_step": 11, "redraw": {"layers": [3, 1]}},
                                                   {"at_step": 12, "redraw": {"layers": [2], "weights": "uniform"}}]},
        {"edits": [{"at_step": 20, "redraw": {"layers": [1], "weights": "orthogonal"}, "optimizer": "momentum"}]},
        {"layer_rates": [0.5, 0, 2], "edits": [{"at_step": 9, "layer_rates": [1, 0.1, 1]},
                                               {"at_step": 20, "layer_rates": []}]},
        {"optimizer": "adamw", "bias_decay": 0, "weight_decay": 0.2, "batch_size": 4,
         "edits": [{"at_step": 9, "bias_decay": 0.5}, {"at_step": 20, "optimizer": "lion", "schedule": "cosine"}]},
        {"optimizer": "lbfgs", "learning_rate": 0.02, "layer_rates": [1, 0.5, 0.1], "clip_norm": 1,
         "edits": [{"at_step": 11, "redraw": {"layers": [2]}, "history_size": 3}, {"at_step": 40, "optimizer": "adam"},
                   {"at_step": 45, "redraw": {"layers": [1]}}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("data", ["log_linear", "moons"])
def test_edits_orders_penalties_and_bounds_are_made_at_their_steps(data: str, run: dict[str, Any]) -> None:
    check({"data": {"name": data, "samples": 53}, "runs": [run]})


@pytest.mark.parametrize("layers", [0, 1, 8])
def test_networks_of_any_depth(layers: int) -> None:
    check({"network": {"layers": [{"units": 3, "activation": "tanh"}] * layers, "weights": "xavier"}})


RATES = {"rmsprop_momentum": 0.001, "lbfgs": 0.1}
"""Steps of the first are ten times as long as those of the others, so that rounding would grow."""


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    "run",
    [
        {"batch_size": None, "l2": 0.001},
        {"batch_size": 32, "schedule": {"name": "cosine", "steps": 250}},
        {
            "batch_size": 1,
            "clip_norm": 0.5,
            "edits": [{"at_step": 100, "batch_size": 16, "clip_value": 0.05}],
        },
    ],
    ids=["full", "batches", "one by one"],
)
def test_the_compiled_kernels_numbers_are_the_programs_to_rounding(
    optimizer: str, run: dict[str, Any]
) -> None:
    network = {
        "layers": [{"units": 6, "activation": "tanh"}, {"units": 4, "activation": "tanh"}],
        "weights": "xavier",
    }
    data, steps = {}, 300
    if OPTIMIZERS[optimizer].tables:  # it divides by small differences, so that rounding grows
        run = {**run, "batch_size": None, "edits": [], "clip_norm": None}
        data, steps = {"standardize": "both"}, 30
    recipe, problem = set_up(
        {
            "data": data,
            "network": network,
            "runs": [{"optimizer": optimizer, "learning_rate": RATES.get(optimizer, 0.01), **run}],
        }
    )
    expected = advance(problem, begin(problem), recipe.runs[0], steps, COMPILED).values[0]
    np.testing.assert_allclose(losses_of(text_of(recipe, problem), steps), expected, rtol=1e-12, atol=1e-16)


def test_ones_own_table_comes_with_the_program() -> None:
    table = read_table(b"a,b,c\n" + b"".join(b"%d,%d.5,%d\n" % (n, n * n % 7, n % 3) for n in range(30)))
    body = {
        "data": {"name": CSV, "dataset": "x", "target": "c", "test_fraction": 0.2},
        "runs": [{"batch_size": 4}],
    }
    dataset = dataset_of(Recipe.model_validate(body).data, table)
    assert "written_out" in check(body, dataset)


def test_a_large_table_is_packed_and_the_same_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    lines = [",".join(map(repr, row)) for row in rng.standard_normal((900, 6)).tolist()]
    table = read_table(("a,b,c,d,e,y\n" + "\n".join(lines)).encode())
    body = {"data": {"name": CSV, "dataset": "x", "target": "y"}, "runs": [{}]}
    text = check(body, dataset_of(Recipe.model_validate(body).data, table))
    assert "unpacked" in text
    assert len(text) < 80_000


@pytest.mark.parametrize("units", [3, 500])
def test_parameters_that_somebody_brought_come_with_the_program(units: int) -> None:
    rng = np.random.default_rng(1)
    shapes = {"W1": (5, units), "b1": (1, units), "W2": (units, 4), "b2": (1, 4), "W3": (4, 1), "b3": (1, 1)}
    start = SavedParameters({name: rng.standard_normal(shape) for name, shape in shapes.items()})
    layers = [{"units": units, "activation": "tanh"}, {"units": 4, "activation": "relu"}]
    body = {"network": {"layers": layers, "start": "x"}, "runs": [{"batch_size": 4, "learning_rate": 1e-4}]}
    recipe = check_recipe(Recipe.model_validate(body), None, start)
    problem = build_problem(recipe.data, recipe.network, recipe.loss, None, start)
    text = text_of(recipe, problem)
    assert losses_of(text) == numpy_losses(recipe, problem)
    assert ("unpacked" in text) == (units == 500)
    assert "standard_normal" in text  # of the samples
    assert '"weights"' not in text


def test_the_notebooks_run_fits_on_two_pages_and_holds_nothing_it_does_not_need() -> None:
    text = text_of(*set_up({}))
    lines = text.splitlines()
    assert len(lines) < 120
    assert max(map(len, lines)) <= 110
    for name in ("adam", "tanh", "lru_cache", "training_rows", "EDITS", "clip", "split", "math"):
        assert name not in text, name


def test_it_imports_numpy_and_the_standard_library_only() -> None:
    for body in BODIES:
        tree = ast.parse(text_of(*set_up(body)))
        names = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
        }
        assert names - {"numpy"} <= sys.stdlib_module_names


def test_run_by_a_python_of_its_own_it_prints_step_and_loss(tmp_path: Path) -> None:
    recipe, problem = set_up(BODIES[0])
    path = tmp_path / "script.py"
    path.write_text(text_of(recipe, problem, steps=40))
    for arguments, steps in (([], 40), (["55"], 55)):
        result = subprocess.run(
            [sys.executable, "-I", path, *arguments], capture_output=True, text=True, timeout=60, check=True
        )
        lines = [line.split(" ") for line in result.stdout.splitlines()]
        assert [int(step) for step, _ in lines] == list(range(steps))
        assert [float(loss) for _, loss in lines] == numpy_losses(recipe, problem, steps)


def test_functions_have_names_of_their_own_and_those_of_their_rows() -> None:
    nodes = [node for module in MODULES for node in ast.parse(Path(str(module.__file__)).read_text()).body]
    names = [node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
    assert sorted(names) == sorted(name for name in pieces() if not name.isupper())
    rows = [row.name for row in DATASETS.values() if row.formula]
    rows += [row.name for row in INITIALIZERS.values() if row.same_as is None]
    rows += [f"{name}{end}" for name in ACTIVATIONS if name != "identity" for end in ("", "_slope")]
    rows += [*LOSSES, *(f"{name}_one" for name, row in LOSSES.items() if row.measure_one), *OPTIMIZERS]
    assert set(rows) <= set(names)


@pytest.mark.parametrize("name", pieces())
def test_a_function_of_a_program_has_no_buffer_and_no_types(name: str) -> None:
    (node,) = ast.parse(pieces()[name].text).body
    arguments = [each for each in ast.walk(node) if isinstance(each, ast.arg)]
    assert "out" not in names_in(node) | {each.arg for each in arguments}
    assert not any(each.annotation for each in arguments)
