"""Answers to questions by the closed list of rules, from records written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from fallline.questions import RunRecord, answer_to
from fallline.vocabulary.columns import Records, coarsen, from_records
from fallline.vocabulary.commands import Until
from fallline.vocabulary.findings import Verdict
from fallline.vocabulary.questions import RULES, Question, rule_rows

NAN = float("nan")
END = Until(steps=4)


def ran(
    name: str,
    losses: list[float],
    *,
    present: float | None = None,
    batch: int = 1,
    verdict: Verdict = "learning",
    arrived: bool = True,
    at_most: int | None = None,
    more: dict[str, list[float]] | None = None,
) -> RunRecord:
    """A run with these train losses by step, and one for its present step."""
    count = len(losses)
    series = {"train_loss": losses, **(more or {})}
    samples = np.arange(1, count + 1, dtype=np.int64) * batch
    records = Records(0, samples, np.zeros(count), tuple(series), np.array([*series.values()]))
    buckets = from_records(records)
    now = {} if present is None else {"train_loss": present}
    return RunRecord(
        name,
        buckets if at_most is None else coarsen(buckets, at_most),
        count,
        count * batch,
        now,
        verdict,
        arrived,
    )


def asked(answer: dict[str, Any], *ids: str, kind: str = "choice") -> Question:
    choices = [{"id": id, "text": id} for id in ids]
    return Question.model_validate(
        {"id": "q", "prompt": "Which one?", "kind": kind, "choices": choices, "answer": answer}
    )


def number(answer: dict[str, Any], runs: list[RunRecord], end: Until = END) -> float | None:
    result = answer_to(asked(answer, kind="number"), runs, end)
    assert result is not None
    value: float | None = result["number"]
    return value


def choice(answer: dict[str, Any], runs: list[RunRecord], *ids: str, end: Until = END) -> str | None:
    result = answer_to(asked(answer, *ids), runs, end)
    assert result is not None
    value: str | None = result["choice"]
    return value


DOWN = ran("down", [4.0, 3.0, 2.0, 1.0], present=0.5)
LEVEL = ran("level", [4.0, 4.0, 4.0, 4.0], present=4.0, verdict="flat")
UP = ran("up", [4.0, 8.0, 16.0, 32.0], present=64.0, verdict="diverged")


def test_there_is_no_answer_before_every_run_has_come_to_the_end() -> None:
    question = asked({"rule": "lowest", "series": "train_loss"}, "down", "up")
    late = ran("up", [4.0], arrived=False)
    assert answer_to(question, [DOWN, late], END) is None
    assert answer_to(question, [], END) is None
    assert answer_to(question, [DOWN, UP], END) == {"choice": "down"}


def test_a_verdict_names_the_runs_that_have_it_in_their_order_or_none() -> None:
    ids = ("up", "level+up", "none")
    assert choice({"rule": "verdict", "verdicts": ["diverged"]}, [LEVEL, UP], *ids) == "up"
    assert choice({"rule": "verdict", "verdicts": ["flat", "diverged"]}, [LEVEL, UP], *ids) == "level+up"
    assert choice({"rule": "verdict", "verdicts": ["diverged"]}, [LEVEL, DOWN], *ids) == "none"
    # two runs got stuck, and no choice says so
    assert (
        choice({"rule": "verdict", "verdicts": ["flat"]}, [LEVEL, ran("b", [1.0], verdict="flat")], *ids)
        is None
    )


def test_the_lowest_counts_at_the_end_with_the_present_value() -> None:
    rule = {"rule": "lowest", "series": "train_loss"}
    almost = ran("almost", [4.0, 3.0, 2.0, 0.9], present=0.8)
    assert choice(rule, [DOWN, almost], "down", "almost") == "down"
    assert choice(rule, [DOWN, almost], "down", "almost", end=Until(steps=3)) == "almost"
    assert choice(rule, [DOWN, ran("twin", [9.0], present=0.5)], "down", "down+twin") == "down+twin"
    assert choice({"rule": "lowest", "series": "test_loss"}, [DOWN, UP], "down", "none") == "none"


def test_the_first_by_steps_may_be_the_last_by_samples() -> None:
    rule = {"rule": "first", "series": "train_loss", "below": 2.5}
    slow = ran("slow", [4.0, 4.0, 4.0, 2.0], batch=1)
    quick = ran("quick", [4.0, 2.0], batch=900)
    assert choice(rule, [slow, quick], "slow", "quick", "none") == "quick"
    assert choice(rule, [slow, quick], "slow", "quick", "none", end=Until(samples=1800)) == "slow"
    # the state before step 3 of one has seen as many samples as that before step 1 of the other
    even = ran("even", [4.0, 2.0], batch=3)
    assert choice(rule, [slow, even], "slow", "slow+even", end=Until(samples=6)) == "slow+even"
    assert choice({**rule, "below": 0.1}, [slow, quick], "slow", "quick", "none") == "none"
    assert choice({"rule": "first", "series": "train_loss", "above": 9.0}, [DOWN, UP], "down", "up") == "up"


def test_a_step_is_the_first_that_meets_the_bound_also_the_present_one() -> None:
    rule = {"rule": "step", "run": "down", "series": "train_loss", "below": 2.0}
    assert number(rule, [UP, DOWN]) == 3
    assert number({**rule, "below": 0.6}, [DOWN]) == 4
    assert number({**rule, "below": 0.6}, [DOWN], Until(steps=3)) is None
    assert number({**rule, "below": 0.1}, [DOWN]) is None
    assert number({**rule, "run": "gone"}, [DOWN]) is None
    limited = {**rule, "limits": [2.0, 4.0]}
    assert choice(limited, [DOWN], "soon", "later", "last") == "later"


def test_a_wide_bucket_holds_the_crossing_at_its_last_step() -> None:
    rule = {"rule": "step", "run": "long", "series": "train_loss", "below": 2.5}
    losses = [9.0, 8.0, 7.0, 6.0, 5.0, 2.0, 5.0, 5.0]
    assert number(rule, [ran("long", losses)], Until(steps=8)) == 5
    assert number(rule, [ran("long", losses, at_most=2)], Until(steps=8)) == 7


def test_a_value_is_that_of_a_step_or_the_last_over_another_series() -> None:
    run = ran("down", [4.0, 3.0, NAN, 1.0], present=0.5, more={"grad_mean/W1": [2.0, 1.0, 0.0, 0.0]})
    value = {"rule": "value", "run": "down", "series": "train_loss"}
    assert number(value, [run]) == 0.5
    assert number({**value, "step": 1}, [run]) == 3.0
    assert number({**value, "step": 2}, [run]) == 3.0  # not evaluated there
    assert number({**value, "step": 0, "over": "grad_mean/W1"}, [run]) == 2.0
    assert number({**value, "over": "grad_mean/W1"}, [run]) is None  # no number is over 0
    assert number({**value, "series": "test_loss"}, [run]) is None


@pytest.mark.parametrize(("loss", "expected"), [(0.5, "low"), (1.0, "middle"), (3.0, "high"), (9.0, "high")])
def test_limits_stand_between_the_choices_and_belong_to_the_upper_one(loss: float, expected: str) -> None:
    rule = {"rule": "value", "run": "one", "series": "train_loss", "limits": [1.0, 3.0]}
    assert choice(rule, [ran("one", [9.0], present=loss)], "low", "middle", "high") == expected


def test_no_choice_fits_a_missing_value() -> None:
    rule = {"rule": "value", "run": "one", "series": "test_loss", "limits": [1.0]}
    assert choice(rule, [ran("one", [9.0])], "low", "high") is None


@pytest.mark.parametrize(
    "change",
    [
        {"choices": []},
        {"choices": [{"id": "a", "text": "A"}]},
        {"choices": [{"id": "a", "text": "A"}, {"id": "a", "text": "B"}]},
        {"kind": "number"},
        {"answer": {"rule": "guess"}},
        {"answer": {"rule": "first", "series": "train_loss"}},
        {"answer": {"rule": "first", "series": "train_loss", "below": 1.0, "above": 2.0}},
        {"answer": {"rule": "value", "run": "a", "series": "train_loss"}},
        {"answer": {"rule": "value", "run": "a", "series": "train_loss", "limits": [1.0, 2.0]}},
        {"kind": "number", "choices": []},
        {"more": 1},
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(change: dict[str, Any]) -> None:
    body = {
        "id": "q",
        "prompt": "Which one?",
        "choices": [{"id": "a", "text": "A"}, {"id": "b", "text": "B"}],
        "answer": {"rule": "lowest", "series": "train_loss"},
    }
    Question.model_validate(body)
    with pytest.raises(ValidationError):
        Question.model_validate({**body, **change})


def test_the_catalog_tells_every_rule_with_its_help_and_schema() -> None:
    rows = rule_rows()
    assert [row["name"] for row in rows] == ["verdict", "lowest", "first", "step", "value"]
    assert len(rows) == len(RULES)
    for row in rows:
        assert row["help"].endswith(".")
        assert "series" in row["schema"]["properties"] or row["name"] == "verdict"
