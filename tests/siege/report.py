"""The table of the siege: for each attack the measurement, its value, its goal, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Row:
    """One measured effect of an attack."""

    what: str
    figure: str
    goal: str
    met: bool

    def __str__(self) -> str:
        mark = "met" if self.met else "MISSED"
        return f"  {self.what:<62} {self.figure:>22}   {self.goal:<34} {mark}"


def at_most(what: str, figure: float, most: float, unit: str, *, digits: int = 0) -> Row:
    return Row(what, f"{figure:,.{digits}f} {unit}", f"at most {most:,.{digits}f} {unit}", figure <= most)


def at_least(what: str, figure: float, least: float, unit: str, *, digits: int = 0) -> Row:
    return Row(what, f"{figure:,.{digits}f} {unit}", f"at least {least:,.{digits}f} {unit}", figure >= least)


def all_of(what: str, good: int, many: int, goal: str = "all") -> Row:
    return Row(what, f"{good} of {many}", goal, good == many)


def holds(what: str, met: bool, figure: str, goal: str) -> Row:
    return Row(what, figure, goal, met)


@dataclass
class Report:
    """The rows of the attacks that were run. It prints each at once, or leaves that to others."""

    prints: bool = True
    rows: list[tuple[str, Row]] = field(default_factory=list)

    def note(self, attack: str, row: Row) -> None:
        self.rows.append((attack, row))
        if self.prints:
            print(row, flush=True)

    @property
    def missed(self) -> list[tuple[str, Row]]:
        return [(attack, row) for attack, row in self.rows if not row.met]
