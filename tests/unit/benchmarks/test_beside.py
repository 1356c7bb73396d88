"""What training loses by something beside it, told by turns: by a clock and counts that only the fakes move."""

from __future__ import annotations

import pytest

from beside import Pairs, Taker, Threads, Turn, as_percent
from support.clocks import Clock


class Machine:
    """Trains 1,000 steps a second of its processor, in line for it for a part of the time. A doing takes a second."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.steps = 0
        self.in_line = 0.0
        self.had: Threads = {"trains": (100.0, 0.0), "answers": (1.0, 0.0)}
        self.takes = Taker(lambda: self.steps, lambda: dict(self.had), self.clock)

    def passes(self, others: float = 0.0, waits: float = 0.0) -> None:
        """A second, in which other threads have a processor for a part and training waits for them for a part."""
        self.clock.now += 1.0
        trained = 1.0 - self.in_line - waits
        self.steps += round(1000 * trained)
        (trains, line), (answers, _) = self.had["trains"], self.had["answers"]
        self.had = {
            "trains": (trains + trained, line + self.in_line),
            "answers": (answers + others, 0.0),
        }


def test_a_turn_tells_steps_and_what_was_beside_them() -> None:
    machine = Machine()
    machine.in_line = 0.5
    turn = machine.takes.turn(2.0, lambda: machine.passes(others=0.1, waits=0.05))
    assert (turn.steps, turn.seconds, turn.rate) == (900, 2.0, 450.0)
    assert turn.beside == pytest.approx(0.15), "and others who have the processor are none of it"


def test_pairs_are_taken_in_turn_each_first_and_what_is_there_anyway_is_no_loss() -> None:
    machine, order = Machine(), list[str]()

    def with_it() -> None:
        order.append("with")
        machine.passes(others=0.04, waits=0.02)

    def without() -> None:
        order.append("without")
        machine.passes(others=0.01)

    found = machine.takes.pairs(4, 1.0, with_it, without)
    assert order == ["without", "with", "with", "without"] * 2
    assert found.rates == pytest.approx([0.98] * 4)
    assert found.losses == pytest.approx([0.05] * 4)


def test_a_machine_that_counts_nothing_tells_the_speeds_alone() -> None:
    machine = Machine()
    takes = Taker(lambda: machine.steps, lambda: None, machine.clock)
    found = takes.pairs(2, 1.0, machine.passes, machine.passes)
    assert (found.rates, found.losses) == ([1.0, 1.0], [])


def test_a_few_slow_spells_move_the_figure_by_little_and_are_told_by_its_error() -> None:
    calm = [(Turn(97 + place % 2, 1.0), Turn(100, 1.0)) for place in range(20)]
    slow = [(Turn(40, 1.0), Turn(100, 1.0))] * 3
    assert as_percent(Pairs(calm).rates) == "97.5 % ± 0.2"
    assert as_percent(Pairs([*calm, *slow]).rates) == "97.0 % ± 0.2"
