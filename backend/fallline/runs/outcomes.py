"""Outcomes of remedies that were taken, and how bad a run is beside the other runs of its experiment.

Computed for each answer, from recipes and records alone: so it is a function of the recipe and the steps of all runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fallline.diagnosis.examine import Record, Taken
from fallline.diagnosis.view import Level, Losses
from fallline.diagnosis.windows import lowest_of, times_worse
from fallline.diagnosis.words import number
from fallline.runs.case import Case
from fallline.runs.checks.run import follows
from fallline.vocabulary.encoding import finite_or_none
from fallline.vocabulary.findings import Finding, Outcome, shown_name
from fallline.vocabulary.recipe import RunRecipe

CLEAR = 2.0
"""A loss that is so many times another one's is said to be worse."""


@dataclass(frozen=True, eq=False, slots=True)
class Patient:
    """A run as others see it: its recipe, and the record that answers for it.

    Two are equal if both are the same objects, which are never changed. To compare all findings would take longer than
    what depends on them.
    """

    recipe: RunRecipe
    record: Record

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patient) and self.recipe is other.recipe and self.record is other.record

    def __hash__(self) -> int:
        return hash((id(self.recipe), id(self.record)))

    @property
    def name(self) -> str:
        return self.recipe.name

    @property
    def label(self) -> str:
        return shown_name(self.recipe.name, self.recipe.label)


def harm_of(patient: Patient, all_runs: Iterable[Patient], baseline: float) -> float | None:
    """Return how many times its losses are above the lowest known for the recipe.

    The known losses are from all runs and from the trials of remedies. None before it has enough points, and for a
    run that diverged.
    """
    record = patient.record
    if record.level is None or record.verdict == "diverged":
        return None
    levels: list[Level] = []
    for each in all_runs:
        levels += [lowest_of(each.record.best), *_tried(each.record)]
    return finite_or_none(times_worse(record.level, levels, baseline))


def harm_then(case: Case, all_cases: Iterable[Case], step: int, baseline: float) -> float | None:
    """Return the same as of the last examinations up to that step, None if they are not known any more."""
    level = case.levels.level_at(step)
    if level is None:
        return None
    levels: list[Level] = []
    for each in all_cases:
        lowest = each.levels.lowest_at(step)
        levels += [*([] if lowest is None else [lowest]), *_tried(each.record, step)]
    return finite_or_none(times_worse(level, levels, baseline))


def _tried(record: Record, until: float = math.inf) -> list[Level]:
    """Return the losses at the ends of the trials of remedies, of findings found up to step `until`."""
    remedies = (
        remedy for finding in record.findings if finding.found_at <= until for remedy in finding.remedies
    )
    return [(remedy.loss, None) for remedy in remedies if remedy.loss is not None]


def outcomes_of(patient: Patient, others: Iterable[Patient], samples: int) -> dict[str, list[Outcome]]:
    """Return what came of the remedies of each finding (by id) that were taken in this run or in others.

    `samples` is the number of training samples.
    """
    outcomes: dict[str, list[Outcome]] = {}
    findings = {finding.id: finding for finding in patient.record.findings}
    for remedy in patient.record.edited.taken:
        if finding := findings.get(remedy.finding):
            outcomes.setdefault(finding.id, []).append(_here(patient, finding, remedy))
    for other in others:
        for remedy in _taken_elsewhere(patient, other, samples):
            finding = findings[remedy.finding]
            outcomes.setdefault(finding.id, []).append(_there(patient, finding, other, remedy))
    return outcomes


def _taken_elsewhere(patient: Patient, other: Patient, samples: int) -> Iterator[Taken]:
    """Yield the remedies of this run's findings that are what the other run did at its first own step."""
    origin = other.recipe.origin
    step = 0 if origin is None else origin.at_step
    is_of_another = origin is not None and origin.run != patient.name
    if is_of_another or other.record.edited.at(step) is None:
        return
    for finding in patient.record.findings:
        is_found = finding.found_at <= step and finding.holds_at(step)
        for remedy in finding.remedies:
            # an edit may be made as a fork from the step at which the finding was read
            may_be = is_found or remedy.command["do"] == "add_run"
            if may_be and follows(other.recipe, patient.recipe, remedy.command, step, samples):
                yield Taken(finding.id, remedy.label, step)


# ---------------------------------------------------------------------- words


def _here(patient: Patient, finding: Finding, remedy: Taken) -> Outcome:
    """Return what came of a remedy in the run that has the finding."""
    over = "The problem lasts." if finding.is_open else f"The problem ended at step {finding.until_step:,}."
    return _outcome(patient, finding, remedy, "", [over], lasts=finding.is_open)


def _there(patient: Patient, finding: Finding, other: Patient, remedy: Taken) -> Outcome:
    """Return what came of it in another run, beside the one that has the finding."""
    opens = [each for each in other.record.findings if each.is_open]
    lasts = any(_is_same(each, finding) for each in opens)
    worst = next((each for each in opens if each.severity == "problem"), None)
    if lasts:
        state = "It has the same problem."
    elif worst is not None:
        state = f"It has another problem: {worst.mark}."
    else:
        state = "It does not have the problem."
    is_over = _next_edit(other, remedy.step) is not None
    sentences = [] if is_over else [*_compared(patient, finding, other), state]
    return _outcome(other, finding, remedy, f" in {other.label}", sentences, lasts=lasts)


def _outcome(
    where: Patient, finding: Finding, remedy: Taken, place: str, sentences: list[str], *, lasts: bool
) -> Outcome:
    series, step = _series(finding), remedy.step
    start, end = where.record.edited.at(step), _next_edit(where, step)
    then = ", where the settings changed again" if end else ""
    if end is None:
        end, then = where.record.now, ", where it diverged" if where.record.verdict == "diverged" else ""
    assert start is not None
    assert end is not None
    before, now = _loss(start, series), _loss(end, series)
    went = f"went from {number(before)} to {number(now)} at step {end.step:,}{then}."
    what = f"{remedy.label}, taken at step {step:,}{place}: the {series.replace('_', ' ')}"
    text = " ".join([what, went, *sentences])
    return Outcome(remedy.label, where.name, step, end.step, series, before, now, lasts=lasts, text=text)


def _next_edit(patient: Patient, step: int) -> Losses | None:
    """Return the losses at the next edit that changed a number, None if there was none."""
    following = (
        each.at_step
        for each in patient.recipe.edits
        if each.at_step > step and each.changes().keys() != {"stop"}
    )
    return next((losses for at_step in following if (losses := patient.record.edited.at(at_step))), None)


def _compared(patient: Patient, finding: Finding, other: Patient) -> list[str]:
    """Compare the other run with the one that has the finding, unless that one diverged."""
    ours, theirs = patient.record.now, other.record.now
    if ours is None or theirs is None or patient.record.verdict == "diverged":
        return []
    series = _series(finding)
    before, now = _loss(ours, series), _loss(theirs, series)
    text = f"{patient.label} has {number(before)} at step {ours.step:,}"
    for higher, lower, word in ((now, before, "worse"), (before, now, "better")):
        if lower > 0.0 and higher >= CLEAR * lower:
            text += f": {other.label} is {number(higher / lower)} times {word}"
    return [f"{text}."]


def _series(finding: Finding) -> str:
    """Return the loss that a finding is about."""
    return "test_loss" if finding.rule == "overfitting" else "train_loss"


def _loss(losses: Losses, series: str) -> float:
    return losses.train if series == "train_loss" or losses.test is None else losses.test


def _is_same(one: Finding, other: Finding) -> bool:
    """Return whether two findings are of the same rule and layer."""
    return one.rule == other.rule and one.subject.get("layer") == other.subject.get("layer")
