"""A run checks itself in front of its user: gradient, balance of layers, GD beside SGD, and its own replay.

Everything is done on copies of what stood at one moment. Must not know who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fallline.engine.kernels.table import Kernel
from fallline.engine.measures.trust import Comparison, balance, batches_agree, differences, kernels_gradient
from fallline.engine.problem import Problem
from fallline.engine.state import TrainingState
from fallline.engine.training import advance
from fallline.vocabulary.recipe import RunRecipe

CHECK_SECONDS = 1.0
"""Computing time that the replay may take: it begins as far back as that allows."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A run at one moment, to be checked: copies of its state, and of one that it came by, `since`. `is_rounded`: some
    of its past was made by other builds, to rounding only.
    """

    problem: Problem
    recipe: RunRecipe
    kernel: Kernel
    state: TrainingState
    since: TrainingState
    is_rounded: bool = False


def self_check(subject: Subject) -> dict[str, Any]:
    """Every check, in the order in which one would doubt; `passed` is null for one that does not apply."""
    return {
        "kernel": subject.kernel.name,
        "checks": [{"name": name, "title": TITLES[name], **told} for name, told in _checks(subject)],
    }


TITLES = {
    "gradient": "The gradient is the slope of the loss",
    "balance": "What layers gain they lose",
    "batches": "SGD with all samples is GD",
    "replay": "The past, made again, is the past",
}


def _checks(subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
    problem, parameters = subject.problem, subject.state.parameters
    with np.errstate(all="ignore"):
        gradient = kernels_gradient(problem, parameters, subject.kernel)
        if gradient is None:
            lost = _not_applicable("from here the smallest step is not finite")
            yield "gradient", lost
            yield "balance", lost
        else:
            yield "gradient", _of_gradient(differences(problem, parameters, gradient))
            yield "balance", _of_balance(balance(problem, parameters, gradient))
        yield "batches", _of_batches(batches_agree(problem, parameters, subject.kernel), problem)
    yield "replay", _of_replay(subject)


def _of_gradient(found: Comparison) -> dict[str, Any]:
    if not found.compared:
        return _not_applicable("at every entry a unit stands on its kink")
    skipped = f"; {found.skipped} stand on a kink of relu and are left out" if found.skipped else ""
    says = f"Central differences of the loss and backward agree in {found.compared} entries{skipped}."
    return _told(
        found, says, f"Backward and central differences of the loss disagree, most at {found.where}."
    )


def _of_balance(found: Comparison | None) -> dict[str, Any]:
    if found is None:
        return _not_applicable("no hidden layer is relu, leaky relu or linear")
    says = (
        f"At each of {found.compared} hidden units weights in front and behind gain the same, as they must."
    )
    return _told(found, says, f"At {found.where} weights in front and behind do not gain the same.")


def _of_batches(found: Comparison | None, problem: Problem) -> dict[str, Any]:
    if found is None:
        return _not_applicable("20 small steps from here are not finite")
    says = f"20 steps of either, on all {problem.train.count:,} samples, end at the same parameters."
    return _told(
        found, says, f"After 20 steps on all {problem.train.count:,} samples their parameters differ."
    )


def _of_replay(subject: Subject) -> dict[str, Any]:
    state, again = subject.state, subject.since.copy()
    if again.step == state.step:
        return _not_applicable("no step has been made")
    if subject.is_rounded:
        return _not_applicable("other builds made some of its past, which this one repeats to rounding only")
    advance(subject.problem, again, subject.recipe, state.step - again.step, subject.kernel)
    again.diverged_at = state.diverged_at
    told, expected = again.fingerprint()[:8], state.fingerprint()[:8]
    apart = float(np.abs(again.parameters - state.parameters).max())
    span = f"Steps {subject.since.step:,} to {state.step:,}, made again"
    if told == expected:
        return {
            "passed": True,
            "says": f"{span}, end at the same bits ({told}).",
            "error": 0.0,
            "tolerance": 0.0,
        }
    says = f"{span}, end elsewhere: {told}, not {expected}."
    return {"passed": False, "says": says, "error": apart, "tolerance": 0.0}


def _told(found: Comparison, agrees: str, differs: str) -> dict[str, Any]:
    error, tolerance = float(found.error), float(found.tolerance)
    numbers = {"error": error if np.isfinite(error) else None, "tolerance": tolerance}
    return {"passed": found.passed, "says": agrees if found.passed else differs, **numbers}


def _not_applicable(why: str) -> dict[str, Any]:
    return {"passed": None, "says": f"Not to be told: {why}.", "error": None, "tolerance": None}
