"""The types of a rule and of its results. Must not know the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fallline.diagnosis.view import View
from fallline.vocabulary.findings import Remedy, Severity, Why


class NotNow(Exception):
    """A measurement is over budget: the rule runs again later."""


Subject = tuple[tuple[str, Any], ...]
"""The layer or units of a finding, as comparable pairs: (("layer", 2), ("units", (0, 3)))."""


@dataclass(frozen=True, slots=True)
class Since:
    """The first step of a condition; one that is not `exact` may be older."""

    step: int
    exact: bool = True

    def __str__(self) -> str:
        return f"step {self.step:,}" if self.exact else f"step {self.step:,} or earlier"


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
class Trace:
    """A condition of a layer that can be checked at past steps.

    `kind` is `dead` (exactly these units, counted from 0), `alike` (these groups of units) or `saturated` (at least
    this share of outputs). It did not hold before the step `earliest`.
    """

    kind: str
    layer: int
    units: tuple[Any, ...]
    earliest: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A symptom in the present step.

    `since` is its first step, or the trace to search for it. `words` returns its text for a first step.
    """

    words: Callable[[Since], Words]
    severity: Severity
    since: int | Trace
    subject: Subject = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: one symptom.

    `check(view, is_open)` yields sightings. `is_open(subject)` says whether a finding is open, so that it may end at
    another threshold than it began. A finding opens after `hold` steps. `help` is a line for a list. While a rule of
    `yields_to` has a sighting, this one is silent.
    """

    name: str
    help: str
    check: Callable[[View, Callable[[Subject], bool]], Iterable[Sighting]]
    hold: int = 0
    yields_to: frozenset[str] = field(default_factory=frozenset)
