"""The types of a rule and of its results. Must not know the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fallline.diagnosis.view import View
from fallline.vocabulary.findings import Remedy, Severity, Why


class NotNow(Exception):
    """A measurement is over budget: the examination is made later, from its start."""


Subject = tuple[tuple[str, Any], ...]
"""The layer of a finding, as comparable pairs: (("layer", 2),)."""


@dataclass(frozen=True, slots=True)
class Words:
    """The text of a finding, with `{run}` for the run's name.

    `remedies` is called once, when the finding opens, since it may try them.
    """

    title: str
    evidence: str
    mark: str
    why: Why
    remedies: Callable[[], tuple[Remedy, ...]] = field(default=tuple)


@dataclass(frozen=True, slots=True)
class Held:
    """A condition that held since the last examination: its last step so far, and how to find its first.

    `since()` is called only if the condition did not hold before.
    """

    last: int
    since: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A symptom that held since the last examination.

    `words` returns its text for its first step. `dates` has the first step of each unit that has the symptom; with
    `by_dates` the earliest of them is the first step of the finding, and without any there is no finding yet. `did`
    says that one change of the parameters may have caused it.
    """

    words: Callable[[int], Words]
    severity: Severity
    held: Held
    subject: Subject = ()
    dates: Mapping[int, int] = field(default_factory=dict)
    by_dates: bool = False
    did: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: one symptom.

    `check(view)` yields sightings. A finding opens after `hold` steps. An interruption of fewer than `gap`
    points does not end it. `help` is a line for a list. While a rule of `yields_to` has a finding, this one
    is silent.
    """

    name: str
    help: str
    check: Callable[[View], Iterable[Sighting]]
    hold: int = 0
    gap: int = 0
    yields_to: frozenset[str] = field(default_factory=frozenset)
