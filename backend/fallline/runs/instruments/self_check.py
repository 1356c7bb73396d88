"""The self-check of a run.

Works on copies of one moment. Must not know who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.engine.kernels.interface import Kernel
from fallline.engine.measures.trust import Comparison, balance, batches_agree, differences, kernels_gradient
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.encoding import finite_or_none
from fallline.vocabulary.recipe import RunRecipe

CHECK_SECONDS = 1.0
"""Most computing time of the replay, which starts as far back as that allows."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Copies of a run's present state and of an earlier one, `since`.

    `is_rounded`: other builds made part of its past, equal to rounding only.
    """

    problem: Problem
    recipe: RunRecipe
    kernel: Kernel
    state: TrainingState
    since: TrainingState
    is_rounded: bool = False


def self_check(subject: Subject) -> dict[str, Any]:
    """Run all checks; `passed` is null for a check that does not apply."""
    return {
        "kernel": subject.kernel.name,
        "checks": [{"name": name, "title": TITLES[name], **result} for name, result in _checks(subject)],
    }


TITLES = {
    "gradient": "The gradient is the slope of the loss",
    "balance": "Weights before and after each unit gain the same",
    "batches": "SGD with all samples is GD",
    "replay": "Replay matches the recorded run",
}


def _checks(subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
    problem, parameters = subject.problem, subject.state.parameters
    with np.errstate(all="ignore"):
        gradient = kernels_gradient(problem, parameters, subject.kernel)
        if gradient is None:
            lost = _not_applicable("the smallest step from here is not finite")
            yield "gradient", lost
            yield "balance", lost
        else:
            yield "gradient", _of_gradient(differences(problem, parameters, gradient))
            yield "balance", _of_balance(balance(problem, parameters, gradient))
        yield "batches", _of_batches(batches_agree(problem, parameters, subject.kernel), problem)
    yield "replay", _of_replay(subject)


def _of_gradient(result: Comparison) -> dict[str, Any]:
    if not result.compared:
        return _not_applicable("at every entry a unit is at its kink")
    skipped = f"; {result.skipped} at a kink of relu are left out" if result.skipped else ""
    says = f"Backward and central differences of the loss agree in {result.compared} entries{skipped}."
    return _result(
        result, says, f"Backward and central differences of the loss disagree, most at {result.where}."
    )


def _of_balance(result: Comparison | None) -> dict[str, Any]:
    if result is None:
        return _not_applicable("no hidden layer is relu, leaky relu or linear")
    says = f"At each of {result.compared} hidden units, incoming and outgoing weights gain the same."
    return _result(result, says, f"At {result.where}, incoming and outgoing weights do not gain the same.")


def _of_batches(result: Comparison | None, problem: Problem) -> dict[str, Any]:
    if result is None:
        return _not_applicable("20 small steps from here are not finite")
    says = f"20 steps of each on all {problem.train.count:,} samples end at the same parameters."
    return _result(
        result, says, f"After 20 steps of each on all {problem.train.count:,} samples, parameters differ."
    )


def _of_replay(subject: Subject) -> dict[str, Any]:
    state, again = subject.state, subject.since.copy()
    if again.step == state.step:
        return _not_applicable("there is no step yet")
    if subject.is_rounded:
        return _not_applicable("other builds made part of its past, which this one repeats to rounding only")
    advance(subject.problem, again, subject.recipe, state.step - again.step, subject.kernel)
    again.diverged_at = state.diverged_at
    actual, expected = again.fingerprint()[:8], state.fingerprint()[:8]
    apart = float(np.abs(again.parameters - state.parameters).max())
    span = f"A replay of steps {subject.since.step:,} to {state.step:,}"
    if actual == expected:
        return {
            "passed": True,
            "says": f"{span} matches to the bit ({actual}).",
            "error": 0.0,
            "tolerance": 0.0,
        }
    says = f"{span} differs: {actual}, not {expected}."
    return {"passed": False, "says": says, "error": apart, "tolerance": 0.0}


def _result(result: Comparison, agrees: str, differs: str) -> dict[str, Any]:
    error, tolerance = float(result.error), float(result.tolerance)
    numbers = {"error": finite_or_none(error), "tolerance": tolerance}
    return {"passed": result.passed, "says": agrees if result.passed else differs, **numbers}


def _not_applicable(why: str) -> dict[str, Any]:
    return {"passed": None, "says": f"Not checked: {why}.", "error": None, "tolerance": None}
