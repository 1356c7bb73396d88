"""The rate of publications follows the watchers who take frames."""

from __future__ import annotations

import math

import pytest

from fallline.realtime.hub import STUCK, Hub
from fallline.realtime.outbox import Outbox
from fallline.runs.publishing import Publisher
from support.columns import header, piece


class Publications:
    """A hub whose watchers may take frames after each publication."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.limits: list[float] = []
        self.hub.limit_rate = lambda experiment, rate: self.limits.append(rate)
        self.step = 0

    def join(self, fps: float) -> Outbox:
        box = Outbox("e", fps=fps)
        self.hub.join("e", box)
        return box

    def publish(self, many: int, *taking: Outbox) -> None:
        for _ in range(many):
            self.step += 1
            self.hub.frames("e", {"a": (header(self.step), piece(self.step - 1, self.step))})
            for box in taking:
                box.take_frame(float(self.step))


def test_a_fast_watcher_who_takes_nothing_sets_no_pace() -> None:
    world = Publications()
    person, stuck = world.join(10.0), world.join(29.0)
    world.publish(STUCK, person)
    assert world.limits == []
    world.publish(2, person)
    assert world.limits == [10.0]
    world.publish(50, person)
    assert world.limits == [10.0], "it is told once"
    world.publish(2, person, stuck)
    assert world.limits == [10.0, math.inf]


def test_watchers_who_are_all_stuck_get_few_publications_and_wake_up() -> None:
    world = Publications()
    stuck = [world.join(29.0) for _ in range(3)]
    world.publish(STUCK + 1)
    assert world.limits == [1.0]
    world.publish(2, *stuck)
    assert world.limits == [1.0, math.inf]


def test_a_limit_that_a_new_watcher_ended_is_told_again() -> None:
    world = Publications()
    world.join(29.0)
    world.publish(STUCK + 1)
    person = world.join(5.0)
    world.publish(1, person)
    assert world.limits == [1.0, 5.0]


@pytest.mark.parametrize(
    ("watched", "limit"), [(100, []), (101, [25.0]), (200, [15.0]), (299, [10.0]), (999, [10.0])]
)
def test_a_class_gets_fewer_frames_so_that_all_get_some(watched: int, limit: list[float]) -> None:
    world = Publications()
    person = world.join(30.0)
    for number in range(1, watched):
        world.hub.join(f"e-{number}", Outbox(f"e-{number}", fps=30.0))
    world.publish(3, person)
    assert world.limits == limit


def test_a_publisher_keeps_the_limit_until_a_watcher_joins() -> None:
    publisher = Publisher("e")
    publisher.join({}, {}, 0, 0.0, playing=True, rates=[10.0, 25.0])
    assert publisher.interval == 1 / 25
    publisher.most_rate = 20.0
    assert publisher.interval == 1 / 20
    publisher.join({}, {}, 0, 0.0, playing=True, rates=[10.0])
    assert publisher.interval == 1 / 25
