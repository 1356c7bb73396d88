"""The survey's counting, on findings written by hand, and its recipes."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from doctor.oracle import NAMES, Fault
from doctor.recipes import DATA, FAMILIES, OPTIMIZERS, drawn, healthy, planted
from doctor.survey import (
    Labelled,
    Row,
    false_alarms,
    match,
    misses_grave_harm,
    praises_grave_harm,
)
from fallline.engine.data.datasets import DATASETS
from fallline.engine.methods.optimizers import OPTIMIZERS as ENGINE_OPTIMIZERS
from support.aliases import Json

PATIENT = next(planted("dead_units"))
DEAD = Fault("dead_units", 5, 30, None, "warning", 2, ((1, 5), (3, 40)), grave=True)


def _finding(rule: str = "dead_units", **fields: Any) -> Json:
    subject = {"layer": 2, "units": [1, 3]} if rule == "dead_units" else {}
    return {
        "rule": rule,
        "severity": "warning",
        "subject": subject,
        "since_step": 5,
        "found_at": 40,
        "until_step": None,
        **fields,
    }


def _labelled(*faults: Fault, grave: bool = False) -> Labelled:
    return Labelled(PATIENT, list(faults), list(faults), grave, 600)


@pytest.mark.parametrize(
    ("fields", "in_time", "drift"),
    [
        ({}, True, 0),
        ({"found_at": 80}, True, 0),
        ({"found_at": 81}, False, 0),
        ({"since_step": 60}, True, 55),
        ({"subject": {"layer": 2, "units": [3]}, "since_step": 40}, True, 0),
        ({"subject": {"layer": 1, "units": [3]}}, False, None),
        ({"rule": "dead_layer"}, False, None),
    ],
)
def test_a_fault_is_named_in_time_and_from_its_units_onset(
    fields: Json, in_time: bool, drift: int | None
) -> None:
    result = match(DEAD, [{**_finding(), **fields}])
    assert (result.in_time, result.drift) == (in_time, drift)


def test_the_first_finding_counts() -> None:
    result = match(DEAD, [_finding(found_at=90), _finding(found_at=35)])
    assert result.finding is not None
    assert result.finding["found_at"] == 35


def test_a_grave_fault_must_be_a_problem_and_a_mild_one_must_not() -> None:
    assert match(DEAD, [_finding()]).misranked
    assert not match(DEAD, [_finding(severity="problem")]).misranked
    mild = Fault("spike", 10, 10)
    assert match(mild, [_finding("spike", severity="problem", found_at=12)]).misranked


def test_an_alarm_is_false_where_the_oracle_has_no_such_fault() -> None:
    over = Fault("overfitting", 10, 200, 300)
    one = _labelled(over)
    assert false_alarms(one, [_finding("overfitting", found_at=250)]) == []
    late, other = _finding("overfitting", found_at=351), _finding("plateau", found_at=250)
    assert false_alarms(one, [late, other, _finding("plateau", severity="info")]) == [late, other]


def test_grave_harm_needs_a_true_open_alarm() -> None:
    one = _labelled(DEAD, grave=True)
    assert not misses_grave_harm(one, [_finding()])
    assert misses_grave_harm(one, [_finding(until_step=90)])
    assert misses_grave_harm(one, [_finding("plateau"), _finding("healthy", severity="info")])
    assert praises_grave_harm(one, [_finding("healthy", severity="info")])
    assert not misses_grave_harm(_labelled(), [])


def test_a_row_counts_what_was_said_instead() -> None:
    row, one = Row(), _labelled(DEAD)
    for findings in ([_finding()], [_finding(found_at=500, since_step=400)], [_finding("healthy")], []):
        row.add(one, findings)
    assert (row.planted, row.in_time, row.late, row.missed, row.exact) == (4, 1, 1, 2, 1)
    assert row.instead == {"healthy": 1, "nothing": 1}


def test_every_rule_has_a_family_of_runs() -> None:
    assert set(FAMILIES) == set(NAMES)


def test_the_recipes_have_data_sets_of_every_kind_and_every_optimizer() -> None:
    tables = {"digits"}  # in the family of unscaled inputs
    assert {each["name"] for each in DATA} | tables == set(DATASETS)
    assert {name for name, _ in OPTIMIZERS} == set(ENGINE_OPTIMIZERS), (
        "add it with a rate that serves to OPTIMIZERS in tests/doctor/recipes.py"
    )
    some = list(islice(healthy(), 84))
    assert {each.recipe.data.name for each in some} == {each["name"] for each in DATA}
    assert {each.recipe.runs[0].optimizer for each in some} == {name for name, _ in OPTIMIZERS}


def test_a_seed_draws_the_same_recipes_again() -> None:
    one, other, third = ([each.recipe for each in drawn(seed, 5)] for seed in (1, 1, 2))
    assert one == other
    assert one != third
