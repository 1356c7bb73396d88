"""Scheduler of many experiments, by deficit round robin. Pure: the caller passes the time and a clock.

Each share gets equal time, no matter what its experiments do. The caller defines the shares: an owner's, an
address's. Within a share, three kinds of work alternate by measured cost, and within a kind the experiments:

- commands, which come next unless they are above their part of the time,
- reads: calls that change nothing, and work on the past that a reader waits for,
- training.

After a restart, experiments that played come back one after the other, before all but commands. No share pays for that.

Commands and reads are charged a little more than their time, so either gets less than half of it beside training.
Examinations of experiments at rest, for which nobody waits, get a twentieth of the time beside all other work.

Files and measurements are made in other threads, and uploads are parsed there. They report their time when it is over.
It may be seconds, so only the share that caused it waits for that, before it begins the next one.

The event loop reports the time of requests. Python threads take turns, so that time was taken from all shares.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeAlias, TypeVar

from fallline.runs.case import ExaminationCache
from fallline.runs.doctor.doctor import Allowance
from fallline.runs.experiment import Experiment
from fallline.runs.persistence.journal_writer import PositionPace

REST = 0.2
"""Part of a quantum that is too small to continue a turn."""

MOST_DEBTORS = 1_024
"""Absent keys with stored debts. Above it, paid and small debts are dropped."""

QUANTUM = 0.005
"""Seconds of a slice of work: short enough for calls to wait little, long enough for low overhead."""

RESTORE_QUANTUM = 0.02
"""The same where an experiment comes back after a restart. Its runs make steps only until they are where they were, and
in short slices the history of these steps takes as long as the steps.
"""

Clock = Callable[[], float]

Call = Callable[[], None]

Work: TypeAlias = tuple[str, str]
"""A kind of work and an experiment that has some."""

COMMANDS, RESTORES, READS, TRAINING = "commands", "restores", "reads", "training"
WORK, EXAMINATIONS = "work", "examinations"

CALL_PRICE = 1.2
"""Cost of a second of reads and commands, in seconds. The rest is work outside this thread that slows training too:
parsing the request, storing, sending the response. Without it, one reader took 55 % of the speed of training.
"""

BESIDE_PRICE = 4.0
"""Cost of a second in another thread: a share alone with its training makes files with a quarter of a processor."""

MOST_BESIDE = 5.0
"""Most seconds that a share owes for work in other threads: after a measurement of seconds, an export need not wait a
minute.
"""

WHILE_BESIDE = 2.0
"""Factor of the cost of a share's turns while its work runs in another thread. That slows the turns of all: training to
two thirds, while another person measured the most expensive network.
"""

EXAMINATION_PRICE = 19.0
"""Cost of a second of examinations that nobody waits for, in seconds: beside training they get a twentieth of the time.
With an equal part, a hundred abandoned experiments took half of another person's speed.
"""

CLASS = 10
"""Experiments that play, from which on no share pays for its own examinations beside play: they have a limit together.
With 200 people, one whose layer died had its remedies tried, and made two thirds of the others' steps.
"""

PRICES = {COMMANDS: CALL_PRICE, READS: CALL_PRICE, EXAMINATIONS: EXAMINATION_PRICE}

OVERDRAFT = 0.25
"""Debt of a share in seconds above which its commands wait for its turn too."""


COMMAND_OVERDRAFT = 0.05
"""Debt of the commands of a share, in seconds, above which they wait for its turn though the share owes less. A page
that comes back after a cut leaves and joins again: in a class of 300 the second waited for three rounds of all.
"""

MOST_OUTSIDE = OVERDRAFT / 2
"""Most seconds that a share owes for work outside its turns, so that its commands still come first."""

LONGEST_OUTSIDE = 3.0
"""Longest time, in seconds, that a share waits for its turn because of such work. In a class of 300, `MOST_OUTSIDE`
would be 40.
"""


Key = TypeVar("Key", bound=Hashable)


class DeficitRoundRobin(Generic[Key]):
    """A queue of keys with equal shares of time (Shreedhar and Varghese, 1996).

    Every key gets the same number of seconds a round, `quantum`, and spends them in slices of measured cost. A slice
    may be longer than the rest: a key in debt pays it back before its next turn, even if it leaves and returns.
    """

    def __init__(self, quantum: float) -> None:
        self._quantum = quantum
        self._queue: deque[Key] = deque()
        self._current: Key | None = None
        self._credit: dict[Key, float] = {}
        self._served = 0.0
        self._debts: dict[Key, tuple[float, float]] = {}
        """For absent keys: the negative credit when they left, and the seconds served by then."""

    def __contains__(self, key: Key) -> bool:
        return key in self._credit

    def __len__(self) -> int:
        return len(self._queue)

    def join(self, key: Key) -> None:
        """Add a key. Its debt shrinks by the turns that the others had meanwhile."""
        if key not in self._credit:
            self._credit[key] = self._rest_of(key)
            self._debts.pop(key, None)
            self._queue.append(key)

    def leave(self, key: Key) -> None:
        """Remove a key. Its credit lapses; a debt stays."""
        credit = self._credit.pop(key, None)
        if credit is None:
            return
        self._queue.remove(key)
        if key == self._current:
            self._current = None
        if credit < 0:
            self._owe(key, credit)

    def forget(self, key: Key) -> None:
        """Remove a key that will not return."""
        self.leave(key)
        self._debts.pop(key, None)

    def next(self) -> Key:
        """Return the key whose turn it is. The queue must not be empty.

        A turn lasts until less than a slice of it is left; the rest is added to the next turn.
        """
        looked_at = 0
        while self._current is None or self._credit[self._current] <= REST * self._quantum:
            if looked_at == len(self._queue):
                self._skip_rounds()
            looked_at += 1
            self._current = self._queue[0]
            self._queue.rotate(-1)
            self._credit[self._current] += self._quantum
        return self._current

    def _skip_rounds(self) -> None:
        """If all keys are in debt, skip the rounds in which none could have a turn."""
        rounds = (REST * self._quantum - max(self._credit.values())) // self._quantum
        if rounds > 0:
            for key in self._credit:
                self._credit[key] += rounds * self._quantum

    def credit_of(self, key: Key) -> float:
        """Return the credit of a key in the queue, in seconds."""
        return self._credit[key]

    def charge(self, key: Key, cost: float) -> None:
        """Charge the key `cost` seconds, in its turn or outside."""
        if key in self._credit:
            self._credit[key] -= cost
            self._served += cost
        else:
            self._owe(key, self._rest_of(key) - cost)

    def _owe(self, key: Key, credit: float) -> None:
        self._debts[key] = credit, self._served
        if len(self._debts) > MOST_DEBTORS:
            # Keep half, so that this happens rarely: each new address or owner may come with a debt.
            largest = heapq.nsmallest(MOST_DEBTORS // 2, self._debts, key=self._rest_of)
            self._debts = {each: self._debts[each] for each in largest if self._rest_of(each) < 0}

    def _rest_of(self, key: Key) -> float:
        """Return the rest of an absent key's debt, as a credit of at most 0."""
        credit, then = self._debts.get(key, (0.0, 0.0))
        return min(credit + (self._served - then) / max(len(self._queue), 1), 0.0)


class Shares(Generic[Key]):
    """Equal time for groups, and within each group for its members."""

    def __init__(self, quantum: float) -> None:
        self._quantum = quantum
        self._groups: DeficitRoundRobin[str] = DeficitRoundRobin(quantum)
        self._members: dict[str, DeficitRoundRobin[Key]] = {}
        self._group_of: dict[Key, str] = {}

    def __contains__(self, member: Key) -> bool:
        return member in self._group_of

    def __len__(self) -> int:
        return len(self._group_of)

    def join(self, member: Key, group: str) -> None:
        """Add a member to this group, or move it there."""
        if self._group_of.get(member) == group:
            return
        self.leave(member)
        self._group_of[member] = group
        if group not in self._members:
            self._members[group] = DeficitRoundRobin(self._quantum)
            self._groups.join(group)
        self._members[group].join(member)

    def leave(self, member: Key) -> None:
        group = self._group_of.pop(member, None)
        if group is None:
            return
        members = self._members[group]
        members.leave(member)
        if not len(members):
            # The debts of members go with the group's queue: the group's own debt protects the others.
            del self._members[group]
            self._groups.leave(group)

    def next(self) -> Key:
        """Return the member whose turn it is. There must be a member."""
        return self._members[self._groups.next()].next()

    def has(self, group: str) -> bool:
        return group in self._members

    def debt_of(self, group: str) -> float:
        """Return what a group with members owes, in seconds; below 0 it has a credit."""
        return -self._groups.credit_of(group)

    def next_of(self, group: str) -> Key:
        """Return the member of this group whose turn it is."""
        return self._members[group].next()

    def charge(self, member: Key, group: str, cost: float) -> None:
        """Charge a member of this group, which may have left, `cost` seconds."""
        self._groups.charge(group, cost)
        if self._group_of.get(member) == group:
            self._members[group].charge(member, cost)


class _Debts:
    """The debts of shares for work outside their turns. The time of all turns pays them off, for all shares alike."""

    def __init__(self, most: float, longest: float = math.inf) -> None:
        """A share owes at most `most` seconds, and no more than it pays in `longest` seconds."""
        self._most, self._longest = most, longest
        self.served = 0.0
        """Seconds so far that pay debts."""
        self._debts: dict[str, tuple[float, float]] = {}
        """For each share what it owed, and `served` then."""

    def charge(self, share: str, seconds: float, shares: int) -> float:
        """Charge a share, one of so many with work. Return the seconds by which its debt grew."""
        debt = self.debt_of(share, shares)
        most = min(self._most, self._longest / max(shares, 1))
        grown = min(seconds, max(most - debt, 0.0))
        self._debts[share] = debt + grown, self.served
        if len(self._debts) > MOST_DEBTORS:
            largest = heapq.nlargest(
                MOST_DEBTORS // 2, self._debts, key=lambda one: self.debt_of(one, shares)
            )
            self._debts = {each: self._debts[each] for each in largest if self.debt_of(each, shares) > 0}
        return grown

    def debt_of(self, share: str, shares: int) -> float:
        debt, then = self._debts.get(share, (0.0, 0.0))
        return max(debt - (self.served - then) / max(shares, 1), 0.0)


class _Beside(_Debts):
    """Work in other threads: who owes for it, and who waits until the debt is paid."""

    def __init__(self) -> None:
        super().__init__(MOST_BESIDE)
        self.waiting: dict[str, deque[Call]] = {}
        """Calls that begin work, by share. Shares take turns."""
        self.running = Counter[str]()
        """The amount of work that has begun and is not charged yet, by share."""

    def next_call(self, shares: int) -> Call | None:
        """Return the next call to begin, if no share has other work, or its own owes nothing and has none running."""
        share, calls = next(iter(self.waiting.items()))
        del self.waiting[share]
        call = None
        if not shares or not (self.running[share] or self.debt_of(share, shares)):
            call = calls.popleft()
            self.running[share] += 1
        if calls:
            self.waiting[share] = calls
        return call

    def end(self, share: str) -> None:
        """Record the end of one piece of the share's work."""
        self.running[share] -= 1
        if self.running[share] <= 0:
            del self.running[share]


class TurnFailed(Exception):
    """The turn of the experiment `id` raised."""

    def __init__(self, id: str) -> None:
        super().__init__("a turn failed")  # logged, so without the id, which grants access
        self.id = id


class Worker:
    """Schedules turns of experiments that have work, and wakes sleeping ones."""

    def __init__(self) -> None:
        self._experiments: dict[str, Experiment] = {}
        self._share_of: dict[str, str] = {}
        self._calls: dict[str, dict[str, deque[Call]]] = {COMMANDS: {}, RESTORES: {}, READS: {}}
        self._whole: DeficitRoundRobin[str] = DeficitRoundRobin(QUANTUM)
        """Whether work or an examination is next."""
        self._turns: DeficitRoundRobin[str] = DeficitRoundRobin(QUANTUM)
        """Which share is next."""
        self._shares: dict[str, Shares[Work]] = {}
        """The work of each share: kinds have equal time, and within a kind the experiments."""
        self._placed: dict[Work, str] = {}
        """The share in which an experiment waits, for each kind of its work."""
        self._commanding: dict[str, None] = {}
        """Shares with commands, in the order of their turns."""
        self._restoring: dict[str, None] = {}
        """Experiments that come back after a restart, in the order of their arrival."""
        self._examined: Shares[str] = Shares(QUANTUM)
        self._beside = _Beside()
        self._outside = _Debts(MOST_OUTSIDE, LONGEST_OUTSIDE)
        """What shares owe for work of the event loop and examinations. It is part of their debts in `_turns`."""
        self._sleeping: list[tuple[float, str]] = []
        self._wakes: dict[str, float] = {}
        self._idle_since: float | None = None
        """The time since which no experiment has work; None if one has."""
        self._moving: set[str] = set()
        """The experiments that play or have step jobs."""
        self._allowance, self._cache, self._positions = Allowance(), ExaminationCache(), PositionPace()

    def open(self, experiment: Experiment) -> None:
        experiment.share(self._allowance, self._cache, self._positions)
        self._experiments[experiment.id] = experiment

    def close(self, id: str) -> None:
        """Remove an experiment. Its waiting calls still run, and fail to find it."""
        self._experiments.pop(id, None)
        self._wakes.pop(id, None)
        self.reconsider(id, 0.0)

    def find(self, id: str) -> Experiment | None:
        return self._experiments.get(id)

    def share(self, id: str, share: str) -> None:
        """Put the experiment into this share."""
        if self._share_of.get(id) == share:
            return
        self._share_of[id] = share
        for kind in (COMMANDS, RESTORES, READS, TRAINING):
            self._place(id, kind, here=(kind, id) in self._placed)
        self._place_examined(id, here=id in self._examined)

    # ------------------------------------------------------------------ what waits

    def command(self, id: str, call: Call) -> None:
        """Queue a command, for the next turn of commands and of the experiment's share."""
        self._queue(id, COMMANDS, call)

    def read(self, id: str, call: Call) -> None:
        """Queue a read, for the turn of the experiment's reads."""
        self._queue(id, READS, call)

    def restore(self, id: str, call: Call) -> None:
        """Queue a call that opens an experiment which played when the server stopped."""
        self._queue(id, RESTORES, call)

    def _queue(self, id: str, kind: str, call: Call) -> None:
        self._calls[kind].setdefault(id, deque()).append(call)
        self._place(id, kind, here=True)

    def beside(self, share: str, begin: Call) -> None:
        """Run a short call that begins work in another thread, once the share owes nothing for such.

        `charge` must follow.
        """
        self._beside.waiting.setdefault(share, deque()).append(begin)

    def charge(self, share: str, seconds: float) -> None:
        """Charge a share for seconds of work in another thread, which is over."""
        self._beside.end(share)
        self._beside.charge(share, seconds * BESIDE_PRICE, len(self._turns))

    def charge_share(self, share: str, seconds: float) -> None:
        """Charge a share for seconds outside its turns, such as the event loop's for its requests."""
        self._turns.charge(share, self._outside.charge(share, seconds, len(self._turns)))

    def charge_report(self, id: str, seconds: float) -> None:
        """Charge the experiment's share for storing and sending its changes after a turn."""
        self._turns.charge(self._share(id), seconds)

    def _share(self, id: str) -> str:
        return self._share_of.get(id, "")

    def reconsider(self, id: str, now: float) -> None:
        """Update when the experiment has work, after it changed."""
        experiment = self._experiments.get(id)
        wake = experiment.wake_at(now) if experiment is not None else None
        self._count_moving(id, is_moving=experiment is not None and experiment.moving)
        self._wakes.pop(id, None)
        has_commands, has_restores, has_reads = (id in calls for calls in self._calls.values())
        if experiment is None and not (has_commands or has_restores or has_reads):
            self._share_of.pop(id, None)
        is_awake = wake is not None and wake <= now
        work = self._kind_of_work(experiment) if experiment is not None and is_awake else None
        self._place(id, TRAINING, here=work == TRAINING)
        self._place(id, READS, here=has_reads or work == READS)
        self._place(id, COMMANDS, here=has_commands)
        self._place(id, RESTORES, here=has_restores or work == RESTORES)
        self._place_examined(id, here=work == EXAMINATIONS)
        if wake is not None and not is_awake:
            self._wakes[id] = wake
            heapq.heappush(self._sleeping, (wake, id))

    def _count_moving(self, id: str, *, is_moving: bool) -> None:
        (self._moving.add if is_moving else self._moving.discard)(id)
        self._allowance.moving = self._positions.moving = len(self._moving)

    def _kind_of_work(self, experiment: Experiment) -> str:
        if experiment.comes_back:
            return RESTORES
        if experiment.only_replays:
            return READS
        return EXAMINATIONS if experiment.only_examines else TRAINING

    def wake_at(self, now: float) -> float | None:
        """Return when `turn` has work: now, a later time, or None for never."""
        if len(self._whole) or self._beside.waiting:
            return now
        self._drop_stale()
        return self._sleeping[0][0] if self._sleeping else None

    def waiting(self) -> tuple[int, int, int, int]:
        """Return the waiting commands and reads, and the experiments with steps or examinations to make.

        Other threads may call it.
        """
        commands, reads = (sum(map(len, list(self._calls[kind].values()))) for kind in (COMMANDS, READS))
        beside = sum(map(len, list(self._beside.waiting.values())))
        training = sum(kind == TRAINING for kind, _ in list(self._placed))
        return commands, reads + beside, training, len(self._examined)

    def _place(self, id: str, kind: str, *, here: bool) -> None:
        share, before = self._share(id), self._placed.get((kind, id))
        if here and before == share:
            return
        if before is not None:
            self._remove(id, kind, before)
        if here:
            self._placed[kind, id] = share
            if share not in self._shares:
                self._shares[share] = Shares(QUANTUM)
                self._turns.join(share)
            self._shares[share].join((kind, id), kind)
            if kind == COMMANDS:
                self._commanding[share] = None
            if kind == RESTORES:
                self._restoring[id] = None
            self._whole.join(WORK)

    def _remove(self, id: str, kind: str, share: str) -> None:
        del self._placed[kind, id]
        one = self._shares[share]
        one.leave((kind, id))
        if kind == COMMANDS and not one.has(COMMANDS):
            del self._commanding[share]
        if kind == RESTORES:
            del self._restoring[id]
        if not len(one):
            # The debts of its kinds go with it: its own debt protects the others.
            del self._shares[share]
            self._turns.leave(share)
            if not self._shares:
                self._whole.leave(WORK)

    def _place_examined(self, id: str, *, here: bool) -> None:
        if here:
            self._examined.join(id, self._share(id))
        else:
            self._examined.leave(id)
        if len(self._examined):
            self._whole.join(EXAMINATIONS)
        else:
            self._whole.leave(EXAMINATIONS)

    def _drop_stale(self) -> None:
        while self._sleeping and self._wakes.get(self._sleeping[0][1]) != self._sleeping[0][0]:
            heapq.heappop(self._sleeping)

    def _wake_sleepers(self, now: float) -> None:
        self._drop_stale()
        while self._sleeping and self._sleeping[0][0] <= now:
            _, id = heapq.heappop(self._sleeping)
            try:
                self.reconsider(id, now)
            except Exception as error:
                raise TurnFailed(id) from error
            self._drop_stale()

    # ------------------------------------------------------------------ turns

    def turn(self, clock: Clock, own: Clock | None = None) -> str | None:
        """Run one slice or one call of an experiment. Returns its id, None without work.

        `own` measures what it costs; by default `clock` does. Raises TurnFailed. The caller then stores and sends the
        changes of the experiment.
        """
        own = own or clock
        now = clock()
        self._wake_sleepers(now)
        self._count_idle(now)
        if self._beside.waiting and (begin := self._beside.next_call(len(self._turns))) is not None:
            begin()
        if not len(self._whole):
            return None
        kind, id = self._next()
        try:
            experiment = self._experiments.get(id)
            if experiment is not None and experiment.in_round:
                # A call waits until the runs are at one moment. These slices are no cost of calls.
                kind = TRAINING
            call = self._next_call(id, kind)
            start, began, examined = clock(), own(), self._allowance.spent
            if call is not None:
                call()
            else:
                budget = RESTORE_QUANTUM if kind == RESTORES else QUANTUM
                self._experiments[id].work(budget, now, clock)
            took, common = own() - began, self._common_part(self._allowance.spent - examined, clock() - start)
            self._spend(id, kind, took, common)
            self.reconsider(id, clock())
        except Exception as error:
            raise TurnFailed(id) from error
        return id

    def _count_idle(self, now: float) -> None:
        """Let time without work pay debts too. Else play began with what its page had cost before."""
        if self._idle_since is not None:
            self._beside.served += now - self._idle_since
        self._idle_since = None if len(self._whole) else now

    def _next(self) -> Work:
        """Return the kind of work whose turn it is, and the experiment."""
        for share in self._commanding:
            # Of somebody whose experiment is back, only the first ones come before those that are not.
            most = 0.0 if self._restoring else COMMAND_OVERDRAFT
            if self._turns.credit_of(share) > -OVERDRAFT and self._shares[share].debt_of(COMMANDS) <= most:
                del self._commanding[share]
                self._commanding[share] = None  # the last one next time
                return self._shares[share].next_of(COMMANDS)
        if self._restoring:
            # In turns with the experiments that train again, the last of a class of 60 came back after 40 s. If the
            # shares paid, each would wait for its first frame as long as all others together.
            return RESTORES, next(iter(self._restoring))
        if self._whole.next() == EXAMINATIONS:
            return EXAMINATIONS, self._examined.next()
        return self._shares[self._turns.next()].next()

    def _common_part(self, examining: float, took: float) -> float:
        """Return the part of a turn that a class pays together: the examinations beside play."""
        return min(examining / took, 1.0) if took and self._allowance.moving >= CLASS else 0.0

    def _spend(self, id: str, kind: str, seconds: float, common: float) -> None:
        """Charge a turn, but not the part of it that is common to all."""
        share, cost = self._share(id), (1.0 - common) * seconds * PRICES.get(kind, 1.0)
        if share in self._beside.running:
            cost *= WHILE_BESIDE
        self._beside.served += seconds
        self._outside.served += seconds
        if kind == EXAMINATIONS:
            self._whole.charge(EXAMINATIONS, cost)
            self._examined.charge(id, share, seconds)
            self.charge_share(share, seconds)  # all shares waited for them
            return
        self._whole.charge(WORK, cost)
        if kind == RESTORES:
            return
        self._turns.charge(share, cost)
        if share in self._shares:
            self._shares[share].charge((kind, id), kind, cost)

    def _next_call(self, id: str, kind: str) -> Call | None:
        calls = self._calls.get(kind, {})
        if id not in calls:
            return None
        call = calls[id].popleft()
        if not calls[id]:
            del calls[id]
        return call
