"""Findings open once and close once, and open later after each return."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fallline.diagnosis.examine import MOST_FINDINGS, SEEN, Record, changed, examine
from fallline.diagnosis.track import Series, distance
from fallline.diagnosis.view import (
    Change,
    Held,
    Layer,
    Measured,
    Noise,
    NotNow,
    Rule,
    Sighting,
    Subject,
    Task,
    View,
    Words,
    change_before,
    no_change,
)
from fallline.vocabulary.findings import Evidence, Finding, Remedy, Severity, Why
from fallline.vocabulary.recipe import RunRecipe

TASK = Task(60, False, 0, 1.0, "predicting the mean", "r2", 2.0, False, (1.0,), (0.0,))
CHANGE = Change(9, "W1", 5, 0.25, -3.5, (4, 7), 2, 37.5, 0.1)
LAYER_2 = (("layer", 2),)


def measured(step: int, *layers: Layer, loss: float = 1.0) -> Measured:
    return Measured(step, loss, np.nan, 0.0, layers, Noise(60, 0.0, 0.0, ()))


def view(step: int, **more: Any) -> View:
    series = Series(step, 0, 0, np.empty((6, 0)))
    now = more.pop("now", measured(step))
    settings, losses = RunRecipe().settings, ((step, now.loss),)
    fields = {"diverged": False, "best": (), "change": lambda step, layer: CHANGE, **more}
    return View(TASK, step, settings=settings, scales=False, rate=0.1, settings_before=lambda step: settings,
                edits=(), now=now, seen=losses, series=series, first_slope=0.0, **fields)  # fmt: skip


def words(since: int) -> Words:
    return Words("{run} is odd.", f"Since {since}.", "odd", Why("so", "x = 1"))


def rule(
    *steps: int,
    name: str = "odd",
    since: int | None = None,
    subject: Subject = (),
    severity: Severity = "warning",
    words: Callable[[int], Words] = words,
    dates: Mapping[int, Mapping[int, int]] | None = None,
    did: bool = False,
    **more: Any,
) -> Rule:
    """Return a rule with a sighting at these steps only; `dates` has the dates of units at each."""

    def check(view: View) -> Iterator[Sighting]:
        if view.step in steps:
            begins = Held(view.step, lambda: view.step if since is None else since)
            of_units = (dates or {}).get(view.step, {})
            change = change_before if did else no_change
            yield Sighting(words, severity, begins, subject, of_units, dates is not None, change)

    return Rule(name, "odd", check, **more)


def through(steps: Iterator[int] | range | tuple[int, ...], *rules: Rule) -> list[Record]:
    """Return the records of examinations at these steps."""
    records = [Record()]
    for step in steps:
        records.append(examine(records[-1], view(step), rules))
    return records


def news(records: list[Record]) -> list[list[Finding]]:
    return [changed(before, after) for before, after in itertools.pairwise(records)]


def stretches(record: Record) -> list[tuple[str, int, int | None]]:
    return [(each.rule, each.since_step, each.until_step) for each in record.findings]


# ---------------------------------------------------------------------- opening and closing


def test_a_finding_opens_once_and_closes_once() -> None:
    records = through((5, 10, 20, 30, 40, 50), rule(10, 20, 30))
    assert [[(each.since_step, each.until_step) for each in findings] for findings in news(records)] == [
        [], [(10, None)], [], [], [(10, 40)], [],
    ]  # fmt: skip
    assert [each.id for each in records[-1].findings] == ["odd@10"]
    assert [len(record.open) for record in records] == [0, 0, 1, 1, 1, 0, 0]


def test_a_finding_opens_after_its_hold_and_later_after_each_return() -> None:
    odd = rule(*range(100, 200), *range(300, 400), *range(500, 515), hold=20)
    records = through(range(0, 800, 5), odd)
    opened = [(each.found_at, each.since_step) for each in records[-1].findings]
    assert opened == [(120, 100), (320, 300)]
    assert stretches(records[-1]) == [("odd", 100, 200), ("odd", 300, 400)]


def test_the_hold_counts_from_the_first_step_that_the_rule_finds() -> None:
    records = through((50, 100, 110), rule(100, 110, since=83, hold=20))
    assert [len(record.open) for record in records] == [0, 0, 0, 1]
    assert (records[-1].findings[0].since_step, records[-1].findings[0].found_at) == (83, 110)


def test_the_first_step_is_looked_for_once() -> None:
    looks: list[int] = []

    def check(view: View) -> Iterator[Sighting]:
        def since() -> int:
            looks.append(view.step)
            return 7

        yield Sighting(words, "warning", Held(view.step, since))

    (*_, last) = through((10, 20, 30), Rule("odd", "odd", check, hold=20))
    assert (looks, stretches(last)) == ([10], [("odd", 7, None)])


def test_before_its_first_step_a_run_has_no_findings_unless_it_diverged() -> None:
    odd = rule(0, 1)
    first, second = through((0, 1), odd)[1:]
    assert (stretches(first), stretches(second)) == ([], [("odd", 0, None)])
    assert stretches(examine(Record(), view(0, diverged=True), [odd])) == [("odd", 0, None)]


@pytest.mark.parametrize(("step", "gap"), [(100, 5), (2_048, 20), (8_192, 80)])
def test_an_interruption_of_fewer_points_than_the_gap_does_not_end_a_finding(step: int, gap: int) -> None:
    """Points are farther apart later in a run, and so are interruptions."""
    assert gap == 5 * distance(step)
    odd = rule(step, step + gap - 1, gap=5)
    *_, last = through((step, step + gap // 2, step + gap - 1, step + 2 * gap - 2), odd)
    assert stretches(last) == [("odd", step, None)]
    *_, last = through((step, step + gap, step + 2 * gap), odd)
    assert stretches(last) == [("odd", step, step + 1)], "it ended at its last step, not where that showed"


def test_without_a_gap_every_interruption_ends_a_finding() -> None:
    *_, last = through((10, 11, 12), rule(10, 12))
    assert stretches(last) == [("odd", 10, 11), ("odd", 12, None)]


def test_a_condition_that_held_between_two_examinations_ends_at_its_last_step() -> None:
    def check(view: View) -> Iterator[Sighting]:
        if view.step == 100:
            yield Sighting(words, "warning", Held(93, lambda: 91))

    *_, last = through((90, 100, 105, 110), Rule("odd", "odd", check, gap=10))
    assert stretches(last) == [("odd", 91, 94)]


def test_an_interrupted_finding_keeps_its_evidence_and_its_first_step() -> None:
    odd = rule(10, 20, 30, gap=100)
    *_, at_20, between, at_30 = through((10, 20, 25, 30), odd)
    assert [list(record.fresh.values()) for record in (at_20, between, at_30)] == [
        [Evidence(20, "Since 10.")],
        [Evidence(20, "Since 10.")],
        [Evidence(30, "Since 10.")],
    ]


def test_nothing_opens_in_an_interruption() -> None:
    records = through((10, 15, 20), rule(10, 20, gap=100, hold=3))
    assert [len(record.findings) for record in records] == [0, 0, 0, 1]


def test_a_rule_silences_and_closes_the_rules_that_yield_to_it() -> None:
    lesser = rule(10, 20, 30, yields_to=frozenset({"worse"}))
    records = through((10, 20, 30), lesser, rule(20, name="worse"))
    opened, (closed, worse), (ended, again) = news(records)
    assert [each.rule for each in opened] == ["odd"]
    assert (closed.rule, closed.until_step, worse.rule) == ("odd", 20, "worse")
    assert (ended.rule, ended.until_step) == ("worse", 30)
    assert (again.id, again.since_step) == ("odd@10~2", 10), "its stretch went on unseen"


def test_a_rule_whose_hold_is_not_over_silences_none() -> None:
    lesser = rule(10, 20, 30, yields_to=frozenset({"worse"}))
    records = through((10, 20, 30), lesser, rule(20, 30, name="worse", hold=10))
    assert [[each.rule for each in record.open] for record in records] == [[], ["odd"], ["odd"], ["worse"]]


def test_a_rule_has_one_finding_for_each_layer() -> None:
    one, two = rule(10, 20, subject=(("layer", 1),)), rule(20, 30, subject=LAYER_2)
    records = through((10, 20, 30), Rule("odd", "odd", lambda view: [*one.check(view), *two.check(view)]))
    assert [[each.id for each in record.open] for record in records] == [
        [], ["odd-1@10"], ["odd-1@10", "odd-2@20"], ["odd-2@20"],
    ]  # fmt: skip


# ---------------------------------------------------------------------- what an open finding says


def test_evidence_is_updated_and_the_finding_stays() -> None:
    steps: list[int] = []

    def now(since: int) -> Words:
        return replace(words(since), evidence=f"{len(steps)} examinations since {since}.")

    odd, records = rule(10, 20, 30, words=now, since=7), [Record()]
    for step in (10, 20, 30, 40):
        steps.append(step)
        records.append(examine(records[-1], view(step), [odd]))
    opened, second, third, closed = records[1:]
    (finding,) = opened.findings
    assert (finding.evidence, dict(opened.fresh)) == ("1 examinations since 7.", {})
    assert second.fresh == {finding.id: Evidence(20, "2 examinations since 7.")}
    assert third.fresh == {finding.id: Evidence(30, "3 examinations since 7.")}
    assert second.findings == third.findings == (finding,), "a stored finding and a fork's are the same"
    assert (closed.fresh, closed.findings[0].evidence) == ({}, finding.evidence)


def test_remedies_are_tried_once() -> None:
    tried: list[int] = []

    def remedies() -> tuple[Remedy, ...]:
        tried.append(1)
        return (Remedy("Rewind", "before it", {"do": "add_run"}),)

    odd = rule(10, 20, words=lambda since: replace(words(since), remedies=remedies))
    *_, last = through((10, 20), odd)
    assert (len(tried), last.findings[0].remedies[0].label) == (1, "Rewind")


def test_the_units_of_an_open_finding_are_updated() -> None:
    dates = {10: {3: 8}, 20: {0: 4, 3: 8}, 30: {3: 8}}
    records = through((10, 20, 30, 40), rule(10, 20, 30, 40, subject=LAYER_2, dates=dates))
    opened, more, fewer, none = news(records)
    assert [(each[0].subject, each[0].since_step) for each in (opened, more, fewer)] == [
        ({"layer": 2, "units": [3], "since": [8]}, 8),
        ({"layer": 2, "units": [0, 3], "since": [4, 8]}, 4),
        ({"layer": 2, "units": [3], "since": [8]}, 8),
    ]
    assert [(each.id, each.until_step) for each in none] == [("odd-2@8", 40)], "no unit is left"
    assert {each.id for each in (*opened, *more, *fewer)} == {"odd-2@8"}


def test_without_a_date_there_is_no_finding_yet() -> None:
    records = through((10, 20), rule(10, 20, subject=LAYER_2, dates={20: {1: 15}}))
    assert [stretches(record) for record in records[1:]] == [[], [("odd", 15, None)]]


def test_the_severity_of_an_open_finding_is_updated() -> None:
    """In a run that came to grave harm a warning is a problem, and a note stays a note.

    A run that is stuck is always in grave harm.
    """
    rules = rule(10, 20), rule(10, 20, name="note", severity="info"), rule(10, 20, name="stuck")
    before = examine(Record(), view(10), rules)
    after = examine(before, view(20, diverged=True), rules)
    assert {each.rule: each.severity for each in before.findings} == {
        "odd": "warning", "note": "info", "stuck": "problem",
    }  # fmt: skip
    assert {each.rule: each.severity for each in after.findings} == {
        "odd": "problem", "note": "info", "stuck": "problem",
    }  # fmt: skip
    assert [(each.rule, each.is_open) for each in changed(before, after)] == [("odd", True)]


def test_a_rule_may_change_its_own_severity() -> None:
    lesser, worse = rule(10), rule(20, since=10, severity="problem")
    rules = [Rule("odd", "odd", lambda view: [*lesser.check(view), *worse.check(view)])]
    *_, last = through((10, 20), *rules)
    assert [(each.id, each.severity) for each in last.findings] == [("odd@10", "problem")]


def test_the_change_that_did_it_is_named_if_one_can_have() -> None:
    requests: list[tuple[int, int | None]] = []

    def change(step: int, layer: int | None) -> Change:
        requests.append((step, layer))
        return CHANGE

    (finding,) = examine(Record(), view(10, change=change), [rule(10, did=True)]).findings
    assert finding.did is not None
    assert (requests, finding.did.parameter, finding.did.rows) == ([(9, None)], "W1", [4, 7])
    assert finding.did.text.startswith("The step from 9 to 10 took an entry of W1 from 0.250 to −3.50: ")
    assert finding.did.as_json() == {
        "step": 9, "parameter": "W1", "entry": 5, "from": 0.25, "to": -3.5, "rows": [4, 7],
        "text": finding.did.text,
    }  # fmt: skip
    for odd in (rule(10), rule(10, did=True, since=0)):
        (finding,) = examine(Record(), view(10, change=change), [odd]).findings
        assert finding.did is None
    assert requests == [(9, None)], "step 0 has no change before it"
    examine(Record(), view(10, change=change), [rule(10, did=True, subject=LAYER_2)])
    assert requests[-1] == (9, 2), "what is behind the layer cannot do it"


def test_ids_are_unique_for_findings_at_the_same_step() -> None:
    *_, last = through((10, 11, 100, 101, 300), rule(10, 100, 300, since=7))
    assert [each.id for each in last.findings] == ["odd@7", "odd@7~2", "odd@7~3"]


def test_a_finding_that_replaces_another_begins_where_it_ends() -> None:
    one, both = rule(10, subject=LAYER_2), rule(20, name="more", since=15, subject=LAYER_2)
    *_, last = through((10, 20), one, both)
    assert stretches(last) == [("odd", 10, 15), ("more", 15, None)]
    other = rule(20, name="more", since=15, subject=(("layer", 1),))
    *_, last = through((10, 20), one, other)
    assert stretches(last) == [("odd", 10, 20), ("more", 15, None)]


def test_old_closed_findings_are_dropped_and_open_ones_are_not() -> None:
    rules = [rule(*range(1000), name="open"), *(rule(n, name=f"n{n}") for n in range(2, 2 * MOST_FINDINGS))]
    *_, last = through(range(1, 2 * MOST_FINDINGS + 20), *rules)
    assert len(last.findings) == MOST_FINDINGS
    assert (last.findings[0].rule, last.findings[0].is_open) == ("open", True)
    assert [each.rule for each in last.findings[1:]] == [
        f"n{n}" for n in range(MOST_FINDINGS + 1, 2 * MOST_FINDINGS)
    ]


# ---------------------------------------------------------------------- a function of the record before


def test_an_examination_over_budget_leaves_the_record_and_is_made_later() -> None:
    afford: list[int] = []

    def dear(since: int) -> Words:
        if not afford:
            raise NotNow
        return words(since)

    rules = (
        rule(10, 20, yields_to=frozenset({"worse"})),
        rule(20, name="worse", words=dear),
        rule(20, name="other"),
    )
    *_, before = through((10,), *rules)
    stored = replace(before)
    with pytest.raises(NotNow):
        examine(before, view(20), rules)
    assert before == stored
    assert stretches(before) == [("odd", 10, None)]
    afford.append(1)
    assert stretches(examine(before, view(20), rules)) == [
        ("odd", 10, 20), ("worse", 20, None), ("other", 20, None),
    ]  # fmt: skip


def test_a_look_between_two_examinations_leaves_no_trace() -> None:
    rules = (
        rule(*range(30), gap=5),
        rule(15, name="once"),
        rule(10, 15, 20, subject=LAYER_2, name="units", dates={10: {1: 3}, 15: {2: 14}, 20: {1: 3}}),
    )
    *_, before = through((10,), *rules)
    without = examine(before, view(20), rules)
    look = examine(before, view(15), rules)
    assert [each.id for each in look.findings] == ["odd@10", "units-2@3", "once@15"]
    assert look.step == 15
    assert examine(before, view(20), rules) == without
    assert [each.id for each in without.findings] == ["odd@10", "units-2@3"]


def test_changed_are_the_findings_that_opened_closed_or_differ() -> None:
    rules = rule(10, 20, name="open"), rule(10, name="closes"), rule(20, name="opens")
    _, before, after = through((10, 20), *rules)
    assert [each.rule for each in changed(Record(), before)] == ["open", "closes"]
    assert [(each.rule, each.is_open) for each in changed(before, after)] == [
        ("closes", False), ("opens", True),
    ]  # fmt: skip
    assert changed(after, after) == []
    assert changed(before, examine(before, view(15), rules)) == [each.closed(15) for each in before.findings]
    assert changed(after, before) == [before.findings[1]], "as after a look that found more"


def test_the_record_has_the_step_and_what_the_view_brings() -> None:
    record = examine(Record(), replace(view(16), first_slope=2.5, seen=((15, 1.0), (16, 0.5))), [])
    assert (record.step, record.first_slope, record.seen) == (16, 2.5, ((15, 1.0), (16, 0.5)))
    assert record.verdict == "flat"
    assert examine(Record(), view(15), []).verdict == "on_the_way", "so few steps do not say that it is flat"
    assert SEEN == 16


def test_a_finding_of_a_rule_that_is_no_more_ends() -> None:
    """A newer version may have renamed the rule of a stored record."""
    *_, before = through((10,), rule(10, name="renamed", gap=50), rule(10))
    assert stretches(examine(before, view(20), [rule(20)])) == [
        ("renamed", 10, 20), ("odd", 10, None),
    ]  # fmt: skip


# ---------------------------------------------------------------------- dates of units


def relu(
    *dead: bool, alike: tuple[tuple[int, ...], ...] = (), saturated: tuple[float, ...] | None = None
) -> Layer:
    return Layer("1", dead, saturated, alike)


def test_each_unit_has_the_first_step_of_its_unbroken_stretch() -> None:
    """Found among the states since the last examination."""
    dead = {11: (True, False, True), 12: (False, False, True), 13: (True, False, True)}
    between = {step: measured(step, relu(*units)) for step, units in dead.items()}
    record = examine(
        replace(Record(), step=10),
        view(14, now=measured(14, relu(True, True, True)), examined=10, back=between.__getitem__),
        [],
    )
    assert record.dates["dead", 1] == {0: 13, 1: 14, 2: 11}


def test_a_unit_keeps_its_date_while_it_stays_so_and_loses_it_when_it_returns() -> None:
    record = Record()
    dates = []
    for step, dead in ((1, (True, False)), (2, (True, True)), (3, (False, True)), (4, (True, True))):
        record = examine(record, view(step, now=measured(step, relu(*dead))), [])
        dates.append(record.dates["dead", 1])
    assert dates == [{0: 1}, {0: 1, 1: 2}, {1: 2}, {0: 4, 1: 2}]


def test_equal_and_saturated_units_have_dates_by_layer() -> None:
    layers = relu(False, False, False, alike=((0, 2),)), relu(False, False, saturated=(0.79, 0.8))
    dates = examine(Record(), view(5, now=measured(5, *layers)), []).dates
    assert {key: units for key, units in dates.items() if units} == {
        ("alike", 1): {0: 5, 2: 5},
        ("saturated", 2): {1: 5},
    }


def test_rules_see_the_dates_of_their_own_examination() -> None:
    dates: list[Mapping[int, int]] = []

    def check(view: View) -> Iterator[Sighting]:
        dates.append(view.dates["dead", 1])
        yield from ()

    examine(Record(), view(5, now=measured(5, relu(True, False))), [Rule("odd", "odd", check)])
    assert dates == [{0: 5}]


def test_without_a_new_unit_the_states_between_are_not_measured() -> None:
    def never(step: int) -> Measured:
        raise AssertionError("too expensive")

    record = examine(Record(), view(5, now=measured(5, relu(True, False))), [])
    later = view(9, now=measured(9, relu(True, False)), examined=5, back=never)
    assert examine(record, later, []).dates["dead", 1] == {0: 5}


# ---------------------------------------------------------------------- stored


@pytest.mark.parametrize("run", ["gd", "a-b"])
def test_a_finding_is_stored_without_loss_and_shows_its_runs_name(run: str) -> None:
    odd = rule(10, subject=(("layer", 1),), dates={10: {0: 10, 3: 10}}, did=True)
    *_, record = through((10,), odd)
    (finding,) = record.findings
    assert Finding.read(finding.stored()) == finding
    payload = finding.as_json(run, "Alpha")
    assert (payload["title"], payload["id"]) == ("Alpha is odd.", "odd-1@10")
    assert np.isfinite(payload["since_step"])
