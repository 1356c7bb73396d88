"""What a rule is, and what it answers when it sees something. Must not know which rules there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fallline.diagnosis.view import View
from fallline.vocabulary.findings import Remedy, Severity, Why


class NotNow(Exception):
    """What a rule asks for costs more than may be spent now. It is asked again; until then all stays as it was."""


Subject = tuple[tuple[str, Any], ...]
"""What a finding is about, as pairs that can be compared: (("layer", 2), ("units", (0, 3)))."""


@dataclass(frozen=True, slots=True)
class Since:
    """The first step from which on something has been the case. Where it is not `exact`, it may have been earlier."""

    step: int
    exact: bool = True

    def __str__(self) -> str:
        return f"step {self.step:,}" if self.exact else f"step {self.step:,} or earlier"


@dataclass(frozen=True, slots=True)
class Words:
    """What a finding says. `{run}` stands for what readers call the run. `remedies` are asked for once, where it opens:
    they may have to be tried.
    """

    title: str
    evidence: str
    mark: str
    why: Why
    remedies: Callable[[], tuple[Remedy, ...]] = field(default=tuple)


@dataclass(frozen=True, slots=True)
class Trace:
    """What may be looked for at past steps: units of a layer (counted from 0) that are exactly those that are `dead`,
    the groups of units that are `alike`, or a share of outputs that is at least `saturated`. Before `earliest` it was
    not the case.
    """

    kind: str
    layer: int
    units: tuple[Any, ...]
    earliest: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that a rule sees. `since` is when it began, or the trace by which that may be found.

    `words` says it, once it is known since when.
    """

    words: Callable[[Since], Words]
    severity: Severity
    since: int | Trace
    subject: Subject = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One symptom.

    `check(view, is_open)` tells what is seen; `is_open(subject)` whether that was seen before and is not over, so that
    it may end at another mark than it began. It must have been so for `hold` steps before it is said. `help` is a line
    for readers of a list, `yields_to` names rules that say more of the same: while one of them sees something, this
    one is silent.
    """

    name: str
    help: str
    check: Callable[[View, Callable[[Subject], bool]], Iterable[Sighting]]
    hold: int = 0
    yields_to: frozenset[str] = field(default_factory=frozenset)
