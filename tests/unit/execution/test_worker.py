"""Turns of a worker, on a clock that moves only when work is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from fallline.execution.worker import (
    BESIDE_PRICE,
    CALL_PRICE,
    CLASS,
    LONGEST_OUTSIDE,
    MOST_BESIDE,
    QUANTUM,
    RESTORE_QUANTUM,
    WHILE_BESIDE,
    TurnFailed,
    Worker,
)
from fallline.runs.case import ExaminationCache
from fallline.runs.doctor.doctor import Allowance
from fallline.runs.experiment import Experiment
from fallline.runs.persistence.journal_writer import PositionPace
from support.clocks import Clock


class Costly:
    """A fake experiment: each of its steps takes `cost` seconds of the clock."""

    def __init__(self, id: str, cost: float, wake: float | None = 0.0) -> None:
        self.id, self.cost, self.wake = id, cost, wake
        self.spent = 0.0
        self.fails = False
        self.moving = True
        self.only_replays = self.only_examines = self.comes_back = False
        self.left_of_round = 0

    @property
    def in_round(self) -> bool:
        return self.left_of_round > 0

    def share(self, allowance: Allowance, cache: ExaminationCache, pace: PositionPace) -> None:
        self.allowance, self.cache, self.pace = allowance, cache, pace

    def wake_at(self, now: float) -> float | None:
        return None if self.wake is None else max(now, self.wake)

    def work(self, budget: float, now: float, clock: Clock) -> None:
        if self.fails:
            raise RuntimeError("a fault")
        seconds = max(int(budget / self.cost), 1) * self.cost
        clock.now += seconds
        self.spent += seconds
        self.left_of_round = max(self.left_of_round - 1, 0)


def opened(*experiments: Costly, clock: Clock) -> Worker:
    worker = Worker()
    for one in experiments:
        worker.open(cast(Experiment, one))
        worker.reconsider(one.id, clock.now)
    return worker


def test_experiments_of_a_worker_share_their_examinations() -> None:
    one, another = Costly("x", 0.001), Costly("y", 0.001)
    opened(one, another, clock=Clock())
    assert one.cache is another.cache


def test_positions_are_stored_less_often_the_more_experiments_move() -> None:
    clock = Clock()
    experiments = [Costly(f"x{number}", 0.001) for number in range(1_000)]
    worker = opened(*experiments[:60], clock=clock)
    pace = experiments[0].pace
    assert pace.seconds == 1.0
    for one in experiments[60:300]:
        worker.open(cast(Experiment, one))
        worker.reconsider(one.id, clock.now)
    assert pace.seconds == 5.0
    experiments[0].moving = False
    for one in experiments[:60]:
        worker.reconsider(one.id, clock.now)
    for one in experiments[1:60]:
        worker.close(one.id)
    assert (pace.moving, pace.seconds) == (240, 4.0)
    assert experiments[0].allowance.moving == 240
    for one in experiments[300:]:
        worker.open(cast(Experiment, one))
        worker.reconsider(one.id, clock.now)
    assert pace.seconds == 10.0


def test_experiments_of_unequal_cost_get_equal_time() -> None:
    clock = Clock()
    experiments = [Costly(f"x{number}", 1e-6 * 3**number) for number in range(9)]
    worker = opened(*experiments, clock=clock)
    end = clock.now + 50
    while clock.now < end:
        worker.turn(clock)
    spent = [one.spent for one in experiments]
    assert min(spent) > 0.95 * max(spent)


def test_a_stall_of_the_machine_is_nobodys_debt() -> None:
    """Another program, or a garbage collection, may hold up a turn: its share pays for its own work only."""
    clock, stalled = Clock(), [0.0]
    names = [f"x{number}" for number in range(10)]
    worker = opened(*(Costly(name, 1e-4) for name in names), clock=clock)
    for name in names:
        worker.share(name, name)

    def hold_up() -> None:
        clock.now += 0.2
        stalled[0] += 0.2

    worker.read("x3", hold_up)
    turns = [worker.turn(clock, lambda: clock.now - stalled[0]) for _ in range(60)]
    assert stalled == [0.2]
    assert turns[20:].count("x3") >= 3


def test_a_turn_is_short_and_of_one_experiment() -> None:
    clock = Clock()
    worker = opened(Costly("a", 1e-5), Costly("b", 1e-5), clock=clock)
    ids = [worker.turn(clock) for _ in range(4)]
    assert ids == ["a", "b", "a", "b"]
    assert clock.now - 1000.0 <= 4 * 2 * QUANTUM


def test_a_sleeping_experiment_wakes_in_time_and_costs_nothing_before() -> None:
    clock = Clock()
    late, never = Costly("late", 1e-3, wake=1000.5), Costly("never", 1e-3, wake=None)
    worker = opened(late, never, clock=clock)
    assert worker.wake_at(clock.now) == pytest.approx(1000.5)
    assert worker.turn(clock) is None
    clock.now = 1000.6
    worker.turn(clock)
    assert (late.spent > 0, never.spent) == (True, 0)


def test_a_postponed_wake_up_is_dropped() -> None:
    clock = Clock()
    one = Costly("a", 1e-3, wake=1001.0)
    worker = opened(one, clock=clock)
    one.wake = 1005.0
    worker.reconsider("a", clock.now)
    assert worker.wake_at(clock.now) == pytest.approx(1005.0)
    worker.close("a")
    assert worker.wake_at(clock.now) is None


def test_a_failed_experiment_is_named_and_the_others_continue() -> None:
    clock = Clock()
    bad, good = Costly("bad", 1e-3), Costly("good", 1e-3)
    bad.fails = True
    worker = opened(bad, good, clock=clock)
    with pytest.raises(TurnFailed) as failed:
        worker.turn(clock)
    assert failed.value.id == "bad"
    worker.close("bad")
    for _ in range(5):
        worker.turn(clock)
    assert worker.find("bad") is None
    assert good.spent > 0


CALLING = 10 / (1 + CALL_PRICE)
"""Seconds of ten that reads or commands get beside training."""


def reads_of(worker: Worker, clock: Clock, id: str, cost: float) -> list[float]:
    """Repeat a read as soon as it is done. Returns the list of costs."""
    spent: list[float] = []

    def read() -> None:
        clock.now += cost
        spent.append(cost)
        worker.read(id, read)

    worker.read(id, read)
    return spent


@pytest.mark.parametrize("cost", [1e-4, 0.003, 0.05])
@pytest.mark.parametrize("connections", [1, 6])
def test_reads_get_less_than_half_of_the_time_beside_training(cost: float, connections: int) -> None:
    clock = Clock()
    trains, read = Costly("trains", 1e-4), Costly("read", 1e-4, wake=None)
    worker = opened(trains, read, clock=clock)
    spent = [reads_of(worker, clock, "read", cost) for _ in range(connections)]
    end = clock.now + 10
    while clock.now < end:
        worker.turn(clock)
    assert trains.spent == pytest.approx(10 - CALLING, rel=0.05)
    assert sum(map(sum, spent)) == pytest.approx(CALLING, rel=0.05)


def test_a_reader_with_pauses_pays_its_debt_too() -> None:
    clock = Clock()
    trains = Costly("trains", 1e-4)
    worker = opened(trains, clock=clock)
    spent = 0.0

    def read() -> None:
        nonlocal spent
        clock.now += 0.05
        spent += 0.05

    end = clock.now + 10
    while clock.now < end:
        worker.read("trains", read)  # the queue is empty in between: the debt must not lapse
        before = spent
        while spent == before:
            worker.turn(clock)
    assert trains.spent > 4.6


SHARE = ""
"""The share of experiments without another one."""


def works_beside(worker: Worker, clock: Clock, share: str, cost: float) -> list[float]:
    """Begin work of this cost in another thread, again and again. Returns the times at which it began."""
    began: list[float] = []

    def begin() -> None:
        began.append(clock.now)
        worker.charge(share, cost)
        worker.beside(share, begin)

    worker.beside(share, begin)
    return began


def test_work_in_other_threads_is_limited_beside_training() -> None:
    clock = Clock()
    worker = opened(Costly("trains", 1e-4), clock=clock)
    began = works_beside(worker, clock, SHARE, 0.1)
    end = clock.now + 10
    while clock.now < end:
        worker.turn(clock)
    assert len(began) * 0.1 * BESIDE_PRICE == pytest.approx(10, rel=0.1)


def test_a_debt_for_such_work_is_paid_off_while_nobody_asks_for_more() -> None:
    clock = Clock()
    worker = opened(Costly("trains", 1e-4), clock=clock)
    worker.charge(SHARE, 1.0)
    end = clock.now + BESIDE_PRICE + 0.1
    while clock.now < end:
        worker.turn(clock)
    began: list[float] = []
    worker.beside(SHARE, lambda: began.append(clock.now))
    worker.turn(clock)
    assert began


def test_a_debt_for_such_work_is_paid_off_while_nobody_trains() -> None:
    """A page has figures made and waits for its reader, who then presses play."""
    clock, one = Clock(), Costly("trains", 1e-4, wake=None)
    worker = opened(one, clock=clock)
    worker.charge(SHARE, 0.5)
    for _ in range(3):
        worker.turn(clock)
        clock.now += 0.25 * BESIDE_PRICE
    one.wake = 0.0
    worker.reconsider(one.id, clock.now)
    worker.turn(clock)
    began: list[float] = []
    worker.beside(SHARE, lambda: began.append(clock.now))
    worker.turn(clock)
    assert began


def test_after_very_long_work_the_next_one_waits_a_limited_time() -> None:
    clock = Clock()
    worker = opened(Costly("trains", 1e-4), clock=clock)
    worker.charge(SHARE, 60.0)
    began: list[float] = []
    worker.beside(SHARE, lambda: began.append(clock.now))
    start = clock.now
    while not began:
        worker.turn(clock)
    assert began[0] - start == pytest.approx(MOST_BESIDE, rel=0.01)


def test_a_share_begins_no_more_work_while_the_cost_of_the_last_is_unknown() -> None:
    clock = Clock()
    worker = opened(Costly("trains", 1e-4), clock=clock)
    began: list[str] = []
    for name in ("first", "second"):
        worker.beside(SHARE, lambda name=name: began.append(name))  # type: ignore[misc]
    for _ in range(100):
        worker.turn(clock)
    assert began == ["first"]
    worker.charge(SHARE, 0.0)
    worker.turn(clock)
    assert began == ["first", "second"]


def test_while_such_work_runs_the_turns_of_its_share_cost_twice_as_much() -> None:
    clock = Clock()
    one, other = Costly("one", 1e-4), Costly("other", 1e-4)
    worker = opened(one, other, clock=clock)
    for each in (one, other):
        worker.share(each.id, each.id)
    worker.beside("other", lambda: None)

    def spent_in_seconds() -> tuple[float, float]:
        before, end = (one.spent, other.spent), clock.now + 10
        while clock.now < end:
            worker.turn(clock)
        return one.spent - before[0], other.spent - before[1]

    mine, others = spent_in_seconds()
    assert mine / others == pytest.approx(WHILE_BESIDE, rel=0.02)
    worker.charge("other", 0.0)
    mine, others = spent_in_seconds()
    assert mine == pytest.approx(others, rel=0.02)


def test_where_nobody_trains_such_work_waits_for_nothing() -> None:
    clock = Clock()
    worker = opened(Costly("rests", 1e-4, None), clock=clock)
    began: list[str] = []
    for name in ("first", "second"):
        worker.beside(SHARE, lambda name=name: began.append(name))  # type: ignore[misc]
        worker.turn(clock)
    assert began == ["first", "second"]


def test_a_share_without_experiments_owes_for_its_work_and_no_other_waits_for_that() -> None:
    clock = Clock()
    worker = opened(Costly("trains", 1e-4), clock=clock)
    worker.share("trains", "owner")
    began: list[str] = []
    worker.beside("address", lambda: began.append("of the address"))
    worker.turn(clock)
    worker.charge("address", 1.0)
    worker.beside("address", lambda: began.append("of the address again"))
    worker.beside("owner", lambda: began.append("of the owner"))
    for _ in range(3):
        worker.turn(clock)
    assert began == ["of the address", "of the owner"]
    owed_since = clock.now
    while len(began) < 3:
        worker.turn(clock)
    assert clock.now - owed_since == pytest.approx(BESIDE_PRICE, rel=0.05)


def test_long_work_in_other_threads_delays_no_other_share() -> None:
    clock = Clock()
    trains, costly, other = (Costly(id, 1e-4, wake) for id, wake in (("t", 0.0), ("c", None), ("o", None)))
    worker = opened(trains, costly, other, clock=clock)
    for one in (trains, costly, other):
        worker.share(one.id, one.id)
    began = works_beside(worker, clock, "c", 5.0)
    waits: list[float] = []
    for _ in range(100):
        start, answers = clock.now, list[float]()

        def answer(answers: list[float] = answers) -> None:
            answers.append(clock.now)

        def begin(answer: Callable[[], None] = answer) -> None:
            answer()
            worker.charge("o", 0.0)

        worker.read("o", answer)
        worker.beside("o", begin)
        while len(answers) < 2:
            worker.turn(clock)
        waits.append(answers[-1] - start)
    assert max(waits) < 4 * QUANTUM
    assert len(began) == 1, "it has not paid yet"


def test_nobody_pays_on_an_idle_machine() -> None:
    clock = Clock()
    worker = opened(Costly("costly", 1e-4, wake=None), clock=clock)
    began = works_beside(worker, clock, SHARE, 5.0)
    for _ in range(10):
        worker.turn(clock)
    assert len(began) == 10


def test_a_share_that_does_everything_gets_no_more_than_one_that_trains() -> None:
    clock = Clock()
    person, hostile = Costly("person", 1e-4), [Costly(f"hostile-{number}", 0.08) for number in range(3)]
    worker = opened(person, *hostile, clock=clock)
    worker.share("person", "owner:person")
    for one in hostile:
        worker.share(one.id, "owner:hostile")
        reads_of(worker, clock, one.id, 0.03)
        commands_of(worker, clock, one.id, 0.03)
        works_beside(worker, clock, "owner:hostile", 1.0)
    end = clock.now + 20
    while clock.now < end:
        worker.turn(clock)
    assert 10 < person.spent < 11.5


def test_an_experiment_that_only_replays_uses_the_time_of_reads() -> None:
    clock = Clock()
    looking = [Costly(f"looks-{number}", 1e-4) for number in range(9)]
    for one in looking:
        one.only_replays = True
    trains = Costly("trains", 1e-4)
    worker = opened(trains, *looking, clock=clock)
    end = clock.now + 10
    while clock.now < end:
        worker.turn(clock)
    assert trains.spent == pytest.approx(10 - CALLING, rel=0.05)


def a_class(clock: Clock) -> tuple[Worker, list[Costly]]:
    """A hundred people who train, each in a share of their own."""
    people = [Costly(f"trains-{number}", 1e-3) for number in range(100)]
    worker = opened(*people, clock=clock)
    for one in people:
        worker.share(one.id, one.id)
    return worker, people


def test_a_page_that_leaves_and_joins_again_does_not_wait_for_turns_of_its_class() -> None:
    clock = Clock()
    worker, (one, *_) = a_class(clock)
    for _ in range(500):
        worker.turn(clock)
    began, answered = clock.now, list[float]()

    def command() -> None:
        clock.now += 0.008
        answered.append(clock.now - began)

    worker.command(one.id, command)
    worker.command(one.id, command)
    while len(answered) < 2:
        worker.turn(clock)
    assert answered[1] < 0.03, "a round of the class takes half a second"


def test_time_of_the_event_loop_holds_up_one_of_a_class_for_seconds_only() -> None:
    clock = Clock()
    worker, (one, *_) = a_class(clock)
    worker.charge_share(one.id, 10.0)
    end = clock.now + LONGEST_OUTSIDE + 1.0
    while clock.now < end:
        worker.turn(clock)
    assert one.spent > 0.0


def test_experiments_that_come_back_follow_commands_one_after_the_other() -> None:
    """Beside pages that train again they took turns with all of them: the last came back after more than 40 s."""
    clock = Clock()
    training = [Costly(f"trains-{number}", 1e-3) for number in range(50)]
    coming = [Costly(f"comes-{number}", 1e-3) for number in range(50)]
    for one in coming:
        one.comes_back = True
    worker = opened(*training, *coming, clock=clock)
    for one in (*training, *coming):
        worker.share(one.id, one.id)
    answers: list[float] = []
    came, started = [], clock.now
    for one in coming:
        began = clock.now
        worker.command("trains-0", lambda began=began: answers.append(clock.now - began))  # type: ignore[misc]
        while one.spent < 0.0599:
            worker.turn(clock)
        one.wake = None
        worker.reconsider(one.id, clock.now)
        came.append(clock.now)
    assert clock.now - started < 1.01 * 50 * 0.06
    assert came == sorted(came)
    assert max(answers) < 1.01 * RESTORE_QUANTUM
    assert not any(one.spent for one in training)


def test_a_share_owes_nothing_for_an_experiment_that_came_back() -> None:
    clock = Clock()
    training, coming = Costly("trains", 1e-3), Costly("comes", 1e-3)
    coming.comes_back = True
    worker = opened(training, coming, clock=clock)
    for one in (training, coming):
        worker.share(one.id, one.id)
    while coming.spent < 1.0:
        worker.turn(clock)
    coming.comes_back, coming.spent = False, 0.0
    worker.reconsider("comes", clock.now)
    end = clock.now + 2.0
    while clock.now < end:
        worker.turn(clock)
    assert coming.spent == pytest.approx(1.0, rel=0.05)


def test_examinations_that_nobody_waits_for_leave_nearly_all_time_to_training() -> None:
    clock = Clock()
    training = Costly("t", 1e-5)
    at_rest = [Costly(f"r{number}", 0.02) for number in range(20)]
    for one in at_rest:
        one.only_examines = True
    worker = opened(training, *at_rest, clock=clock)
    for one in at_rest:
        worker.share(one.id, one.id)
    end = clock.now + 100
    while clock.now < end:
        worker.turn(clock)
    assert 94 < training.spent < 96.5
    spent = [one.spent for one in at_rest]
    assert min(spent) > 0.8 * max(spent) > 0.0


def test_examinations_take_all_of_the_time_that_nobody_else_needs() -> None:
    clock = Clock()
    one = Costly("r", 0.02)
    one.only_examines = True
    worker = opened(one, clock=clock)
    for _ in range(50):
        assert worker.turn(clock) == "r"


def test_a_share_of_many_experiments_gets_no_more_than_a_share_of_one() -> None:
    clock = Clock()
    many = [Costly(f"many-{number}", 1e-4) for number in range(99)]
    one = Costly("one", 1e-4)
    worker = opened(*many, one, clock=clock)
    for each in many:
        worker.share(each.id, "address:attacker")
    worker.share("one", "owner:person")
    end = clock.now + 20
    while clock.now < end:
        worker.turn(clock)
    assert one.spent == pytest.approx(10, rel=0.05)


def test_reads_of_many_connections_get_no_more_than_those_of_another_share() -> None:
    clock = Clock()
    attacked, person = Costly("attacked", 1e-4, wake=None), Costly("person", 1e-4, wake=None)
    worker = opened(attacked, person, clock=clock)
    worker.share("attacked", "address:attacker")
    worker.share("person", "owner:person")
    for _ in range(20):
        reads_of(worker, clock, "attacked", 0.01)
    spent = reads_of(worker, clock, "person", 0.01)
    end = clock.now + 10
    while clock.now < end:
        worker.turn(clock)
    assert sum(spent) == pytest.approx(5, rel=0.05)


def test_reads_of_a_closed_experiment_still_run() -> None:
    clock = Clock()
    worker = opened(Costly("one", 1e-4), clock=clock)
    done: list[str] = []
    worker.read("one", lambda: done.append("read"))
    worker.close("one")
    while worker.turn(clock) is not None:
        pass
    assert done == ["read"]
    assert worker.wake_at(clock.now) is None


def test_a_command_comes_before_reads_and_training() -> None:
    clock = Clock()
    trains, read = Costly("trains", 1e-4), Costly("read", 1e-4, wake=None)
    worker = opened(trains, read, clock=clock)
    reads_of(worker, clock, "read", 0.01)
    for _ in range(50):
        worker.turn(clock)
    done: list[float] = []
    worker.command("trains", lambda: done.append(clock.now))
    start = clock.now
    worker.turn(clock)
    assert done == [start]


@pytest.mark.parametrize("kind", ["command", "read"])
def test_a_call_waits_until_all_runs_are_at_the_same_step(kind: str) -> None:
    clock = Clock()
    trains = Costly("trains", 0.02, wake=None)
    worker = opened(trains, clock=clock)
    trains.left_of_round = 3
    done: list[float] = []
    getattr(worker, kind)("trains", lambda: done.append(clock.now))
    start = clock.now
    turns = [(worker.turn(clock), clock.now) for _ in range(4)]
    assert [id for id, _ in turns] == ["trains"] * 4
    assert done == [pytest.approx(start + 3 * 0.02)]
    assert trains.spent == pytest.approx(3 * 0.02)


def commands_of(worker: Worker, clock: Clock, id: str, cost: float) -> list[float]:
    """Repeat a command as soon as it is done. Returns the list of costs."""
    spent: list[float] = []

    def command() -> None:
        clock.now += cost
        spent.append(cost)
        worker.command(id, command)

    worker.command(id, command)
    return spent


@pytest.mark.parametrize("cost", [1e-4, 0.004, 0.02])
def test_many_commands_leave_half_of_the_time_to_training(cost: float) -> None:
    clock = Clock()
    trains, flooded = Costly("trains", 1e-4), Costly("flooded", 1e-4, wake=None)
    worker = opened(trains, flooded, clock=clock)
    spent = [commands_of(worker, clock, "flooded", cost) for _ in range(5)]
    end = clock.now + 10
    while clock.now < end:
        worker.turn(clock)
    assert trains.spent == pytest.approx(10 - CALLING, rel=0.05)
    assert sum(map(sum, spent)) == pytest.approx(CALLING, rel=0.05)


def test_many_commands_of_one_share_do_not_delay_those_of_another() -> None:
    clock = Clock()
    flooded = [Costly(f"flooded-{number}", 1e-4, wake=None) for number in range(50)]
    person, trains = Costly("person", 1e-4, wake=None), Costly("trains", 1e-4)
    worker = opened(*flooded, person, trains, clock=clock)
    for one in flooded:
        worker.share(one.id, "address:attacker")
        commands_of(worker, clock, one.id, 0.004)
    worker.share("person", "owner:person")
    for _ in range(500):
        worker.turn(clock)
    done: list[float] = []
    start = clock.now
    worker.command("person", lambda: done.append(clock.now))
    while not done:
        worker.turn(clock)
    assert done[0] - start < 0.03


def test_work_of_the_event_loop_is_taken_from_the_share_that_caused_it() -> None:
    clock = Clock()
    one, other = Costly("one", 1e-4), Costly("other", 1e-4)
    worker = opened(one, other, clock=clock)
    for each in (one, other):
        worker.share(each.id, each.id)
    end = clock.now + 10
    while clock.now < end:
        worker.turn(clock)
        clock.now += 0.002  # the loop works too
        worker.charge_share("other", 0.002)
    looped = 10 - one.spent - other.spent
    assert looped > 2
    assert one.spent == pytest.approx(other.spent + looped, rel=0.05)


def test_examinations_at_rest_are_taken_from_the_share_that_has_them() -> None:
    clock = Clock()
    one, other, rests = Costly("one", 1e-4), Costly("other", 1e-4), Costly("rests", 1e-4)
    rests.only_examines = True
    worker = opened(one, other, rests, clock=clock)
    for each, share in ((one, "one"), (other, "other"), (rests, "other")):
        worker.share(each.id, share)
    end = clock.now + 20
    while clock.now < end:
        worker.turn(clock)
    assert rests.spent == pytest.approx(1.0, rel=0.1)
    assert one.spent == pytest.approx(other.spent + rests.spent, rel=0.02)


class Examined(Costly):
    """Each turn of it makes an examination too."""

    def work(self, budget: float, now: float, clock: Clock) -> None:
        super().work(budget, now, clock)
        clock.now += 0.004
        self.allowance.spend(self, 0.004)


@pytest.mark.parametrize(("people", "share"), [(CLASS, 1.0), (CLASS - 1, 0.005 / 0.009)])
def test_examinations_beside_the_play_of_a_class_are_paid_by_all(people: int, share: float) -> None:
    clock = Clock()
    others = [Costly(f"x{number}", 1e-4) for number in range(people - 1)]
    examined = Examined("examined", 1e-4)
    worker = opened(examined, *others, clock=clock)
    for one in (examined, *others):
        worker.share(one.id, one.id)
    end = clock.now + 30
    while clock.now < end:
        worker.turn(clock)
    assert examined.spent == pytest.approx(share * others[0].spent, rel=0.03)


def test_a_flood_of_requests_delays_no_command_of_its_share() -> None:
    clock = Clock()
    worker = opened(Costly("trains", 1e-4), Costly("flooded", 1e-4), clock=clock)
    for id in ("trains", "flooded"):
        worker.share(id, id)
    done: list[str] = []
    for _ in range(100):
        worker.charge_share("flooded", 0.05)
        worker.command("flooded", lambda: done.append("flooded"))
        worker.turn(clock)
    assert len(done) == 100
