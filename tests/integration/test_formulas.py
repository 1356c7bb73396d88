"""Formulas on the page compute what the server computes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fallline.diagnosis.windows import FALLING, FEWEST, OVERFITS, UNLEARNT
from fallline.engine.kernels.interface import DIVERGED
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.losses import LOSSES
from integration.test_page_logic import node

FORMULAS = (Path(__file__).parents[2] / "frontend/core/formulas.ts").as_uri()


@pytest.fixture(scope="module")
def formulas() -> dict[str, Any]:
    program = f"import * as all from {json.dumps(FORMULAS)}; console.log(JSON.stringify(all));"
    shown = subprocess.run(
        [node(), "--input-type=module", "-e", program], capture_output=True, text=True, check=True
    )
    result: dict[str, Any] = json.loads(shown.stdout)
    return result


def last_value(formula: str, names: dict[str, Any]) -> Any:
    """Run the formula's lines, and return the value of the last one."""
    *lines, last = formula.split("\n")
    exec("\n".join(lines), names)
    return eval(last, names)


@pytest.mark.parametrize("shape", [(6, 4), (3, 5)])
def test_every_first_weights_formula_draws_what_the_server_draws(
    formulas: dict[str, Any], shape: tuple[int, int]
) -> None:
    rows = {name: row for name, row in INITIALIZERS.items() if "weights" in row.draws}
    assert set(formulas["FIRST_WEIGHTS"]) == set(rows)
    for name, row in rows.items():
        own: dict[str, Any] = row.filled({})
        names: dict[str, Any] = {
            "np": np,
            "rng": np.random.default_rng(7),
            "n": shape[0],
            "k": shape[1],
            **own,
        }
        exec(formulas["FIRST_WEIGHTS"][name], names)
        expected = row.draw(np.random.default_rng(7), shape, *shape, **own)
        np.testing.assert_allclose(names["W"], expected, atol=1e-14, err_msg=name)


def test_every_constant_guess_formula_is_the_baseline(formulas: dict[str, Any]) -> None:
    assert set(formulas["CONSTANT_GUESS"]) == set(LOSSES)
    for name, loss in LOSSES.items():
        y = np.array([0, 1, 1, 0, 1, 1, 1]) if loss.task == "classification" else np.linspace(-3, 4, 7) ** 2
        classes = 2 if loss.task == "classification" else 0
        constant = loss.constant(y[:, np.newaxis].astype(np.float64), classes)
        expected, _ = loss.measure(np.tile(constant, len(y)), y[np.newaxis].astype(np.float64))
        shown = last_value(formulas["CONSTANT_GUESS"][name], {"np": np, "y": y, "delta": 1.0})
        assert shown == pytest.approx(expected), name


def test_formulas_of_states_have_the_doctors_numbers(formulas: dict[str, Any]) -> None:
    shown = formulas["VERDICTS"]
    assert shown["learning"] == f"loss < {UNLEARNT} * baseline"
    assert f"max({OVERFITS} * best_test, loss)" in shown["overfitting"]
    for verdict in ("on_the_way", "flat"):
        assert f"loss >= {UNLEARNT} * baseline" in shown[verdict]
    assert f"ratio < {FALLING} or step < {2 * FEWEST}" in shown["on_the_way"]
    assert f"ratio >= {FALLING} and step >= {2 * FEWEST}" in shown["flat"]
    assert f"loss > {DIVERGED:.0e} * initial_loss".replace("e+06", "e6") in shown["diverged"]
