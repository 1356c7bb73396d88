"""The Doctor against the oracle on a few runs; `make doctor` does the same on hundreds."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice

import pytest

from doctor.cases import CASES, Answer
from doctor.examined import WAYS, findings_of
from doctor.oracle import NAMES
from doctor.recipes import healthy, planted
from doctor.survey import Labelled, false_alarms, labelled, match

CANDIDATES = 8


def _first(rule: str) -> Labelled:
    """Return the first run in which the oracle confirms this fault."""
    confirmed = (labelled(each) for each in islice(planted(rule), CANDIDATES))
    return next(one for one in confirmed if one.fits)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_fault_that_was_once_found_in_the_doctor_is_mended(case: Callable[[], Answer]) -> None:
    answer = case()
    assert json.dumps(answer.actual) == json.dumps(answer.expected)


@pytest.mark.parametrize("rule", NAMES)
def test_a_planted_fault_is_named_in_time_at_its_exact_onset_however_one_steps(rule: str) -> None:
    one = _first(rule)
    fault = next(each for each in one.labels if each.rule == rule and each.lasts(one.steps))
    for way in WAYS.values():
        result = match(fault, findings_of(one.patient, way))
        assert (result.in_time, result.drift, result.misranked) == (True, 0, False)


def test_healthy_runs_get_no_problem_and_no_warning() -> None:
    confirmed = [one for one in map(labelled, islice(healthy(), 30)) if one.fits]
    assert len(confirmed) >= 15
    for one in confirmed:
        assert false_alarms(one, findings_of(one.patient, WAYS["at once"])) == [], one.patient.name
