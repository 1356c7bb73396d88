"""The loss of training speed beside other work, with fake clocks and counters."""

from __future__ import annotations

import pytest

from beside import Pairs, Taker, Threads, Turn, as_percent
from support.clocks import Clock


class Machine:
    """Trains 1,000 steps per processor second, with processor for a part of the time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.steps = 0
        self.in_line = 0.0
        self.had: Threads = {"trains": (100.0, 0.0), "answers": (1.0, 0.0)}
        self.takes = Taker(lambda: self.steps, lambda: dict(self.had), self.clock)

    def passes(self, others: float = 0.0, waits: float = 0.0) -> None:
        """Let a second pass in which training waits for other threads for a part."""
        self.clock.now += 1.0
        trained = 1.0 - self.in_line - waits
        self.steps += round(1000 * trained)
        (trains, line), (answers, _) = self.had["trains"], self.had["answers"]
        self.had = {
            "trains": (trains + trained, line + self.in_line),
            "answers": (answers + others, 0.0),
        }


def test_a_turn_reports_steps_and_the_work_beside_them() -> None:
    machine = Machine()
    machine.in_line = 0.5
    turn = machine.takes.turn(2.0, lambda: machine.passes(others=0.1, waits=0.05))
    assert (turn.steps, turn.seconds, turn.rate) == (900, 2.0, 450.0)
    assert turn.beside == pytest.approx(0.15), "and others who have the processor are none of it"


def test_pairs_alternate_their_order_and_equal_halves_show_no_loss() -> None:
    machine, order = Machine(), list[str]()

    def with_it() -> None:
        order.append("with")
        machine.passes(others=0.04, waits=0.02)

    def without() -> None:
        order.append("without")
        machine.passes(others=0.01)

    pairs = machine.takes.pairs(4, 1.0, with_it, without)
    assert order == ["without", "with", "with", "without"] * 2
    assert pairs.rates == pytest.approx([0.98] * 4)
    assert pairs.losses == pytest.approx([0.05] * 4)


def test_without_counters_only_speeds_are_reported() -> None:
    machine = Machine()
    takes = Taker(lambda: machine.steps, lambda: None, machine.clock)
    pairs = takes.pairs(2, 1.0, machine.passes, machine.passes)
    assert (pairs.rates, pairs.losses) == ([1.0, 1.0], [])


def test_a_few_slow_spells_change_the_figure_little_and_widen_its_error() -> None:
    calm = [(Turn(97 + place % 2, 1.0), Turn(100, 1.0)) for place in range(20)]
    slow = [(Turn(40, 1.0), Turn(100, 1.0))] * 3
    assert as_percent(Pairs(calm).rates) == "97.5 % ± 0.2"
    assert as_percent(Pairs([*calm, *slow]).rates) == "97.0 % ± 0.2"
