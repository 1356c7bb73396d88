"""Findings open once and close once, and open later after each return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fallline.diagnosis.examine import MOST_FINDINGS, Record, examine
from fallline.diagnosis.rule import NotNow, Rule, Sighting, Since, Subject, Trace, Words
from fallline.diagnosis.view import Task, View
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.findings import Evidence, Finding, Why
from fallline.vocabulary.recipe import RunRecipe

TASK = Task(60, False, 0, 1.0, "predicting the mean", "r2", 2.0, (1.0,), (0.0,))


def view(step: int) -> View:
    nothing = Buckets.empty(("train_loss",))
    return View(
        TASK,
        step,
        False,
        RunRecipe().settings,
        False,
        0.1,
        0.1,
        (),
        1.0,
        0.0,
        (),
        lambda since, most: nothing,
        nothing,
    )


def words(since: Since) -> Words:
    return Words("{run} is odd.", f"Since {since}.", "odd", Why("so", "x = 1"))


def rule(
    *steps: int,
    name: str = "odd",
    hold: int = 0,
    since: int | None = None,
    subject: Subject = (),
    **more: Any,
) -> Rule:
    """Return a rule with a sighting at these steps only."""

    def check(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
        if view.step in steps:
            yield Sighting(words, "warning", view.step if since is None else since, subject)

    return Rule(name, "odd", check, hold, **more)


def no_onset(trace: Trace) -> Since:
    raise AssertionError("nothing to be traced here")


def late(*steps: int, name: str = "late") -> Rule:
    """Return a rule with a sighting at every step, and over budget at these steps."""

    def check(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
        if view.step in steps:
            raise NotNow
        yield Sighting(words, "warning", view.step)

    return Rule(name, "late", check)


def at(record: Record, step: int, *rules: Rule) -> list[Finding]:
    return examine(record, view(step), no_onset, rules)


def test_a_finding_opens_once_and_closes_once() -> None:
    record, odd = Record(), rule(10, 20, 30)
    changes = [at(record, step, odd) for step in (5, 10, 20, 30, 40, 50)]
    assert [[(each.since_step, each.until_step) for each in findings] for findings in changes] == [
        [], [(10, None)], [], [], [(10, 40)], [],
    ]  # fmt: skip
    assert [each.id for each in record.findings] == ["odd@10"]


def test_a_finding_opens_after_its_hold_and_later_after_each_return() -> None:
    record = Record()
    odd = rule(*range(100, 200), *range(300, 400), *range(500, 700), hold=20)
    opened = [
        (step, each.since_step)
        for step in range(0, 800, 10)
        for each in at(record, step, odd)
        if each.is_open
    ]
    assert opened == [(120, 100), (350, 300), (600, 500)]
    assert [each.until_step for each in record.findings] == [200, 400, 700]


def test_a_rule_silences_and_closes_the_rules_that_yield_to_it() -> None:
    record = Record()
    rules = rule(10, 20), rule(20, name="worse")
    lesser = Rule("odd", "odd", rules[0].check, yields_to=frozenset({"worse"}))
    assert [each.rule for each in at(record, 10, lesser, rules[1])] == ["odd"]
    closed, opened = at(record, 20, lesser, rules[1])
    assert (closed.rule, closed.until_step, opened.rule) == ("odd", 20, "worse")


def test_a_deferred_rule_changes_nothing_nor_do_rules_that_yield_to_it() -> None:
    record, better = Record(), late(20, 30)
    lesser = rule(20, 30, name="lesser", yields_to=frozenset({"late"}))
    assert [each.rule for each in at(record, 10, better, lesser)] == ["late"]
    assert at(record, 20, better, lesser) == []
    assert at(record, 30, better, lesser) == []
    assert [(each.rule, each.until_step) for each in record.findings] == [("late", None)]
    alone = Record()
    assert at(alone, 20, better, lesser) == [], "the other rule may be alone"
    assert [each.rule for each in at(alone, 40, late(), lesser)] == ["late"]


def test_a_finding_waits_for_its_first_step_and_holds_back_rules_that_yield() -> None:
    record, trace = Record(), Trace("dead", 1, (0,))
    onsets: list[int] = []

    def check(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
        if view.step >= 20:
            yield Sighting(words, "problem", trace)

    def onset(trace: Trace) -> Since:
        onsets.append(len(onsets))
        if len(onsets) < 3:
            raise NotNow
        return Since(15)

    worse = Rule("worse", "worse", check)
    lesser = Rule("odd", "odd", rule(*range(100)).check, yields_to=frozenset({"worse"}))
    results = [
        [
            (each.rule, each.is_open, each.since_step)
            for each in examine(record, view(step), onset, (worse, lesser))
        ]
        for step in (10, 20, 30, 40, 50)
    ]
    assert results == [[("odd", True, 10)], [], [], [("odd", False, 10), ("worse", True, 15)], []]
    assert len(onsets) == 3


def test_a_finding_with_expensive_text_waits_and_holds_back_rules_that_yield() -> None:
    record, first_steps = Record(), list[Since]()

    def dear(since: Since) -> Words:
        first_steps.append(since)
        if len(first_steps) < 3:
            raise NotNow
        return words(since)

    def check(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
        if view.step >= 20:
            yield Sighting(dear, "problem", view.step)

    worse = Rule("worse", "worse", check)
    lesser = Rule("odd", "odd", rule(*range(100)).check, yields_to=frozenset({"worse"}))
    results = [
        [(each.rule, each.is_open, each.since_step) for each in at(record, step, worse, lesser)]
        for step in (10, 20, 30, 40, 50)
    ]
    assert results == [[("odd", True, 10)], [], [], [("odd", False, 10), ("worse", True, 20)], []]
    assert first_steps == [Since(20)] * 4, "the first step is that of the sighting, not of its text"


def test_evidence_is_updated_and_the_finding_stays() -> None:
    record, maybe = Record(), Since(7, exact=False)

    def words(view: View, since: Since) -> Words:
        if view.step == 40:
            raise NotNow
        return Words("{run} is odd.", f"{view.step} since {since}.", "odd", Why("so", "x = 1"))

    def check(view: View, is_open: Callable[[Subject], bool]) -> Iterator[Sighting]:
        if view.step < 50:
            trace = Trace("dead", 1, (0,))
            yield Sighting(lambda since: words(view, since), "warning", trace, (("layer", 1),))

    def look(step: int) -> int:
        return len(examine(record, view(step), lambda trace: maybe, (Rule("odd", "odd", check),)))

    assert (look(10), record.fresh) == (1, {})
    (finding,) = record.findings
    assert (look(20), list(record.fresh.values())) == (0, [Evidence(20, "20 since step 7 or earlier.")])
    assert record.findings == [finding], "a stored finding and a fork's are the same"
    assert (finding.evidence, record.at(15).fresh) == ("10 since step 7 or earlier.", {})
    assert look(40) == 0
    assert record.fresh[finding.id].step == 20, "newer evidence is deferred"
    assert (look(50), record.fresh) == (1, {})


def test_ids_are_unique_for_findings_at_the_same_step() -> None:
    record, odd = Record(), rule(10, 100, 300, since=7)
    for step in (10, 11, 100, 101, 300):
        at(record, step, odd)
    assert [each.id for each in record.findings] == ["odd@7", "odd@7~2", "odd@7~3"]


def test_a_finding_that_replaces_another_begins_where_it_ends() -> None:
    record = Record()
    one = rule(10, subject=(("layer", 2), ("units", (0,))))
    both = rule(20, name="more", since=15, subject=(("layer", 2),))
    at(record, 10, one, both)
    closed, _ = at(record, 20, one, both)
    assert (closed.subject, closed.until_step) == ({"layer": 2, "units": [0]}, 15)


def test_a_fork_begins_with_the_findings_of_its_step() -> None:
    record = Record()
    for step in range(10, 60, 10):
        at(record, step, rule(10, 20, 30), rule(20, name="other"), rule(40, 50, name="late"))
    fork = record.at(25)
    assert [(each.rule, each.until_step) for each in fork.findings] == [("odd", None), ("other", None)]
    assert [(each.rule, each.until_step) for each in record.at(35).findings] == [("odd", None), ("other", 30)]


def test_old_closed_findings_are_dropped_and_open_ones_are_not() -> None:
    record = Record()
    at(record, 1, rule(*range(1000), name="open"))
    for step in range(2, 2 * MOST_FINDINGS + 20):
        at(record, step, rule(*range(1000), name="open"), rule(step, name=f"n{step}"))
    assert len(record.findings) == MOST_FINDINGS
    assert record.findings[0].rule == "open"
    assert record.findings[0].is_open


@pytest.mark.parametrize("run", ["gd", "a-b"])
def test_a_finding_is_stored_without_loss_and_shows_its_runs_name(run: str) -> None:
    (finding,) = at(Record(), 10, rule(10, subject=(("layer", 1), ("units", (0, 3)))))
    assert Finding.read(finding.stored()) == finding
    payload = finding.as_json(run, "Alpha")
    assert (payload["title"], payload["id"]) == ("Alpha is odd.", "odd-1@10")
    assert np.isfinite(payload["since_step"])
