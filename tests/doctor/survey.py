"""The survey: compares the findings with the oracle, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from doctor.examined import SLOW_TICKS, STRIDES, WAYS, findings_of
from doctor.numbers import replay
from doctor.oracle import LATER, Fault, faults_of, is_grave, label
from doctor.recipes import Patient
from support.aliases import Json


@dataclass(frozen=True, slots=True)
class Labelled:
    """A patient with the oracle's answer: all faults, the unexplained ones, and whether it came to grave harm."""

    patient: Patient
    faults: list[Fault]
    labels: list[Fault]
    grave: bool
    steps: int

    @property
    def fits(self) -> bool:
        """Return whether it has the fault that it was planted for, or no problem if for none."""
        if self.patient.planted:
            return any(each.rule == self.patient.planted and each.lasts(self.steps) for each in self.labels)
        return not self.grave and all(each.severity == "info" for each in self.labels)


@dataclass(frozen=True, slots=True)
class Examination:
    """A labelled patient with the Doctor's findings for each way of stepping."""

    labelled: Labelled
    findings: dict[str, list[Json]]


def labelled(patient: Patient) -> Labelled:
    """Ask the oracle."""
    run = replay(patient.recipe, patient.steps)
    return Labelled(patient, faults_of(run), label(run), is_grave(run), run.steps)


def examination(one: Labelled) -> Examination:
    """Ask the Doctor, in both ways."""
    return Examination(one, {name: findings_of(one.patient, way) for name, way in WAYS.items()})


# ---------------------------------------------------------------------- one run


@dataclass(frozen=True, slots=True)
class Match:
    """A fault and the Doctor's first finding of it, if any."""

    fault: Fault
    finding: Json | None

    @property
    def in_time(self) -> bool:
        """Return whether it was named within 50 steps of showing."""
        return self.finding is not None and self.finding["found_at"] <= self.fault.shows + LATER

    @property
    def drift(self) -> int | None:
        """Steps from the true onset to the one that was given; None if it was not named."""
        return None if self.finding is None else self.finding["since_step"] - onset(self.fault, self.finding)

    @property
    def misranked(self) -> bool:
        """Return whether a grave fault was named as less than a problem, or a mild one as a problem.

        A finding that is over keeps the severity that it had then, so only open ones are compared.
        """
        if self.finding is None or self.finding["until_step"] is not None:
            return False
        return bool(self.fault.grave != (self.finding["severity"] == "problem"))


def onset(fault: Fault, finding: Json) -> int:
    """Return the true onset of a finding: the earliest of its own units, if it names units."""
    own = [step for unit, step in fault.units if unit in finding["subject"].get("units", ())]
    return min(own, default=fault.since)


def is_of(finding: Json, fault: Fault) -> bool:
    """Return whether a finding names this fault: its rule and layer, while it holds."""
    same = finding["rule"] == fault.rule and finding["subject"].get("layer") == fault.layer
    return same and fault.overlaps(finding["found_at"] - LATER, finding["found_at"] + LATER)


def match(fault: Fault, findings: Iterable[Json]) -> Match:
    """Return the fault with the finding that names it: the one found nearest to the step at which it shows."""
    named = [each for each in findings if is_of(each, fault)]
    return Match(fault, min(named, key=lambda each: abs(int(each["found_at"]) - fault.shows), default=None))


def alarms(findings: Iterable[Json]) -> list[Json]:
    return [each for each in findings if each["severity"] != "info"]


def false_alarms(one: Labelled, findings: Iterable[Json]) -> list[Json]:
    """Return the problems and warnings that the oracle does not know, explained or not."""
    return [each for each in alarms(findings) if not any(is_of(each, fault) for fault in one.faults)]


def misses_grave_harm(one: Labelled, findings: Iterable[Json]) -> bool:
    """Return whether a run with grave harm ends without a true problem or warning."""
    false = false_alarms(one, findings)
    return one.grave and not any(
        each["until_step"] is None and each not in false for each in alarms(findings)
    )


def praises_grave_harm(one: Labelled, findings: Iterable[Json]) -> bool:
    """Return whether a run with grave harm ends as healthy."""
    return one.grave and any(each["rule"] == "healthy" and each["until_step"] is None for each in findings)


# ---------------------------------------------------------------------- many runs


@dataclass(slots=True)
class Row:
    """The planted faults of one rule, in one way of stepping."""

    planted: int = 0
    in_time: int = 0
    late: int = 0
    exact: int = 0
    misranked: int = 0
    drifts: list[int] = field(default_factory=list)
    instead: Counter[str] = field(default_factory=Counter)

    @property
    def missed(self) -> int:
        return self.planted - self.in_time - self.late

    def add(self, one: Labelled, findings: list[Json]) -> None:
        """Count the planted fault of a run, and the rules of the findings instead."""
        fault = next(
            each for each in one.labels if each.rule == one.patient.planted and each.lasts(one.steps)
        )
        result = match(fault, findings)
        self.planted += 1
        self.misranked += result.misranked
        if result.drift is None:
            self.instead.update({each["rule"] for each in findings} or {"nothing"})
            return
        self.in_time += result.in_time
        self.late += not result.in_time
        self.exact += result.drift == 0
        self.drifts.append(result.drift)


def confusion(examinations: Iterable[Examination], way: str) -> dict[str, Row]:
    """Return a row for every planted rule."""
    rows: dict[str, Row] = {}
    for one in examinations:
        rows.setdefault(one.labelled.patient.planted, Row()).add(one.labelled, one.findings[way])
    return rows


@dataclass(frozen=True, slots=True)
class Differences:
    """How answers for one recipe at one step differ between ways of stepping it."""

    name: str
    open_rules: bool
    onsets: bool
    repeats: bool


def differences(patient: Patient) -> Differences:
    """Step by 1, by 7 and at once, and repeat the last on slower machines."""
    ways = [findings_of(patient, way) for way in STRIDES.values()]
    repeats = [ways[-1], *(findings_of(patient, STRIDES["at once"], tick) for tick in SLOW_TICKS)]
    return Differences(
        patient.name,
        open_rules=_differ(_open_rules(each) for each in ways),
        onsets=_differ(_with_onsets(each) for each in ways),
        repeats=_differ(_with_onsets(each) for each in repeats),
    )


def _differ(answers: Iterable[object]) -> bool:
    first, *others = answers
    return any(each != first for each in others)


def _open_rules(findings: Iterable[Json]) -> list[str]:
    return sorted({each["rule"] for each in findings if each["until_step"] is None})


def _with_onsets(findings: Iterable[Json]) -> list[str]:
    return sorted(
        f"{each['rule']} {each['subject']} {each['since_step']} {each['until_step']}" for each in findings
    )
