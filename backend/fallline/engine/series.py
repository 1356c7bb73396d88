"""The recorded series, their order, and the evaluation points (docs/reference/measurements.md)."""

from __future__ import annotations

from fallline.engine.problem import Problem
from fallline.vocabulary.run_settings import RunSettings

MEASURES = ("grad_l1", "grad_l2", "grad_mean", "ratio")
"""Recorded for every parameter, in this order."""

WHOLE = ("learning_rate", "grad_norm", "grad_norm_clipped", "objective")
"""Recorded once a step, in this order: the rate in force, the norm of the whole gradient, and the minimised value.

The norm after clipping is recorded only under a bound, the objective only under a penalty.
"""

EVERY_STEP_BELOW = 1024
"""Every step below is an evaluation point; beyond, 512 in each doubling."""


def series_names(problem: Problem) -> tuple[str, ...]:
    """All series of a run, in the order of `Records`."""
    measures = tuple(f"{measure}/{name}" for name in problem.layout.names for measure in MEASURES)
    return ("batch_loss", *measures, *WHOLE, *evaluated_series(problem))


def evaluated_series(problem: Problem) -> tuple[str, ...]:
    """The series that only evaluation points have, last in `series_names`."""
    return evaluated_names(problem.score.name, has_test=problem.test is not None)


def evaluated_names(score: str, *, has_test: bool) -> tuple[str, ...]:
    """The same, for a problem with that score."""
    if not has_test:
        return ("train_loss", f"train_{score}")
    return ("train_loss", "test_loss", f"train_{score}", f"test_{score}")


def is_evaluation_point(step: int, samples_seen: int, settings: RunSettings, m: int) -> bool:
    """Return whether the state at `step` is evaluated over all m training samples.

    The last state of a pass is one: samples_seen is a multiple of m.
    """
    if step < EVERY_STEP_BELOW or settings.batch_size is None:
        return True
    return step % (1 << (step.bit_length() - 10)) == 0 or samples_seen % m == 0
