"""Which remedy is offered without a trial."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fallline.diagnosis.remedies import first_with
from fallline.diagnosis.view import Trial, View
from fallline.vocabulary.findings import Remedy
from support.examined import Examined

WAYS = [Remedy(f"rate {rate}", "", {"do": "edit", "learning_rate": rate}) for rate in (0.1, 0.01, 0.001)]


def view(*results: Trial | None) -> View:
    """A view whose trials have these results, one after the other."""
    trials: Iterator[Trial | None] = iter(results)
    fields = {"repeats": lambda command: False, "trial": lambda command: next(trials)}
    return cast("View", SimpleNamespace(**fields))


def never(view: View, trial: Trial) -> bool:
    return False


FAILED = Trial(100, 1.0, 2.0)


def test_a_first_remedy_whose_trial_takes_too_long_is_offered_untried() -> None:
    remedy = first_with(never, view(None), WAYS)
    assert remedy is not None
    assert (remedy.label, remedy.loss) == ("rate 0.1", None)
    assert remedy.hint.endswith("not tried: a trial would take too long")
    assert first_with(never, view(None), WAYS, or_untried=False) is None


@pytest.mark.parametrize("failed", [1, 2])
def test_after_a_trial_that_did_not_help_nothing_is_offered_untried(failed: int) -> None:
    """It offered the rate at which the time for trials ran out: a 20,000th of the one in force."""
    assert first_with(never, view(*[FAILED] * failed, None), WAYS) is None


def _digits(units: int, rate: float) -> dict[str, Any]:
    layers = [{"units": units, "activation": "relu"}, {"units": 32, "activation": "relu"}]
    return {
        "data": {"name": "digits", "test_fraction": 0.25, "standardize": "inputs"},
        "network": {"layers": layers, "weights": "he"},
        "loss": "softmax_cross_entropy",
        "runs": [{"name": "gd", "learning_rate": rate}],
    }


@pytest.mark.parametrize(("units", "rate"), [(64, 0.3), (320, 0.1)])
def test_few_dead_units_of_a_run_that_learns_have_no_untried_remedy(units: int, rate: float) -> None:
    """With 320 units not even the first trial is affordable."""
    pytest.importorskip("sklearn")
    one = Examined(_digits(units, rate))
    one.step(30)
    (dead,) = [each for each in one.open() if each["rule"] == "dead_units"]
    assert dead["severity"] == "info"
    assert [each for each in dead["remedies"] if each["loss"] is None] == []
