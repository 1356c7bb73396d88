"""A record is stored as JSON and read again without loss."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest

from fallline.diagnosis.examine import Edited, Record, Stretch, Taken
from fallline.diagnosis.storing import read_record, record_as_json
from fallline.diagnosis.view import Best, Losses
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.findings import MOST_STAGES, Did, Evidence, Finding, Remedy, Severity, Stage, Why
from support.examined import Examined

REMEDY = Remedy("Rewind", "to before", {"do": "add_run", "at_step": 5, "learning_rate": 0.01}, 0.3)
DID = Did(9, "W1", 5, 0.25, -3.5, [4, 7], "The step from 9 to 10.")
FINDING = Finding(
    "odd-1@10", "odd", "problem", {"layer": 1, "units": [0, 3], "since": [10, 10]}, 10, 12, "{run} is odd.",
    "All 3.", "odd", Why("so", "x = 1"), (REMEDY,), None, DID,
    (Stage(12, "warning", "{run} is.", "2", "All 2."), Stage(20, "problem", "{run} is odd.", "odd", "All 3.")),
)  # fmt: skip

FULL = Record(
    step=300,
    first_slope=0.1 + 0.2,
    seen=((288, 0.5), (300, 1e-300)),
    now=Losses(300, 1e-300, 0.1 + 0.2),
    level=(0.5, None),
    best=Best(0.1, 3, 0.2, 4, 0.3, 0.4, 5, 0.6, 7),
    dates={("dead", 1): {0: 10, 3: 10}, ("alike", 2): {}},
    stretches={("odd", (("layer", 1),)): Stretch(10, 300, "odd-1@10"), ("even", ()): Stretch(290, 295)},
    findings=(replace(FINDING, id="odd-1@2", did=None).closed(7), FINDING),
    fresh={"odd-1@10": Evidence(300, "All 3 still.")},
    verdict="overfitting",
    verdicts=((0, "waiting"), (5, "learning"), (290, "overfitting")),
    edited=Edited((Losses(0, 0.5, None), Losses(12, 0.1 + 0.2, 0.6)), (Taken("odd-1@10", "Rewind", 12),)),
)


def there_and_back(record: Record) -> Record:
    return read_record(json.loads(json.dumps(record_as_json(record))))


@pytest.mark.parametrize("record", [Record(), FULL])
def test_a_record_is_stored_without_loss(record: Record) -> None:
    assert there_and_back(record) == record


def test_a_record_of_an_earlier_version_knows_its_last_verdict_only() -> None:
    stored = record_as_json(FULL)
    del stored["verdicts"]
    record = read_record(stored)
    assert [record.verdict_at(step) for step in (290, 299, 300, 400)] == [None, None, *["overfitting"] * 2]


def test_a_finding_of_an_earlier_version_has_one_stage() -> None:
    stored = FINDING.stored()
    del stored["stages"]
    (stage,) = Finding.read(stored).stages
    assert stage == Stage(12, "problem", "{run} is odd.", "odd", "All 3.")


def test_of_many_stages_the_first_and_the_latest_stay() -> None:
    one = replace(FINDING, stages=FINDING.stages[:1])
    for step in range(13, 100):
        severity: Severity = "problem" if step % 2 else "warning"
        stage = Stage(step, severity, f"{{run}} at {step}.", "odd", f"At {step}.")
        one = one.at_stage(stage, one.subject)
        assert (one.severity, one.title) == (severity, stage.title)
        assert one.at_stage(replace(stage, evidence="again"), one.subject) == one
    assert len(one.stages) == MOST_STAGES
    assert [each.step for each in one.stages] == [12, *range(101 - MOST_STAGES, 100)]


def test_the_verdict_at_a_step_is_that_of_the_last_change_before() -> None:
    verdicts = [FULL.verdict_at(step) for step in (0, 4, 5, 289, 290, 1_000)]
    assert verdicts == ["waiting", "waiting", "learning", "learning", "overfitting", "overfitting"]


def test_every_field_of_a_record_is_stored() -> None:
    """A field with its default after the round trip may have been forgotten: here none has."""
    default = Record()
    assert [
        each.name for each in fields(Record) if getattr(FULL, each.name) == getattr(default, each.name)
    ] == []
    assert set(record_as_json(FULL)) == {each.name for each in fields(Record)}


@pytest.mark.parametrize(
    ("exhibit", "steps"), [("notebook", 300), ("too-high", 90), ("spirals", 60), ("vanishing", 60)]
)
def test_the_records_of_runs_are_stored_without_loss(exhibit: str, steps: int) -> None:
    one = Examined(EXHIBITS[exhibit].recipe)
    one.step(steps)
    records = [run.case.record for run in one.one.runs.values()]
    assert all(record.step > 0 for record in records)
    assert any(record.findings for record in records)
    for record in records:
        assert there_and_back(record) == record
