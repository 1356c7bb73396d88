"""The bytes on the disk, by share: nobody fills what others need, and a class behind one address goes on."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import pytest

from fallline.services.registry import LINE_SECONDS, Entry, Owners, Registry
from fallline.services.room import KEPT_PART, SMALLEST_PART, Room
from fallline.vocabulary.errors import StorageFull
from support.clocks import Clock

HERE, THERE = "192.0.2.1", "192.0.2.2"
MOST = 3_200


def key(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


class Disk:
    """A disk with stored bytes by experiment, and with uploads of some bytes."""

    is_durable = True

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.bytes = 0
        self.free = 1_000

    async def sizes(self) -> dict[str, int]:
        return self.of

    def disk_use(self) -> tuple[int, int]:
        return sum(self.of.values()), self.free

    def size_of(self, id: str) -> int:
        return self.of.get(id, 0)

    @property
    def stored_bytes(self) -> int:
        return sum(self.of.values())


class World:
    """A room whose experiments tests make."""

    def __init__(self, most: float | None = MOST) -> None:
        self.clock, self.disk = Clock(), Disk()
        self.registry = Registry(self.clock, self.clock)
        self.owners = Owners(self.clock)
        disk: Any = self.disk
        self.room = Room(self.registry, self.owners, disk, disk, self.clock, most)
        if most is not None:
            self.room.limit(most)

    def experiment(
        self, bytes: int, owner: bytes | None = None, address: str | None = HERE, *, has_line: bool = False
    ) -> Entry:
        id = f"experiment {len(self.registry.entries)}"
        entry = self.registry.add(id, b"hash", None, owner)
        entry.address = address
        if has_line:
            self.registry.acknowledge(id)
            self.owners.acknowledged(entry)
        self.disk.of[id] = bytes
        self.clock.now += 2  # the sums are counted again
        return entry

    def may_create(self, owner: bytes | None = None, address: str = HERE, need: int = 0) -> bool:
        return self._is_allowed(lambda: self.room.check_new(owner, address, need))

    def may_grow(self, entry: Entry) -> bool:
        return self._is_allowed(lambda: self.room.check_more(entry))

    def _is_allowed(self, check: Any) -> bool:
        try:
            check()
        except StorageFull:
            return False
        return True


def test_up_to_half_of_all_bytes_one_share_may_hold_them() -> None:
    world = World()
    world.experiment(MOST // 2)
    assert world.may_create()
    assert not world.may_create(need=1)
    assert world.may_create(address=THERE, need=1)


def test_a_share_that_holds_more_than_it_leaves_is_refused_and_others_are_not() -> None:
    world = World()
    mine = world.experiment(1_700)
    theirs = world.experiment(100, address=THERE)
    assert (world.may_create(), world.may_create(address=THERE)) == (False, True)
    assert world.may_grow(mine), "its own experiments go on while there is room"
    assert world.may_grow(theirs)
    world.experiment(1_300, address=THERE)
    assert world.disk.stored_bytes > MOST * (1 - KEPT_PART)
    assert [world.may_grow(mine), world.may_grow(theirs)] == [False, False]
    assert world.may_create(address="192.0.2.3", need=int(SMALLEST_PART * MOST) - 1)
    assert not world.may_create(address="192.0.2.3", need=int(SMALLEST_PART * MOST) + 1)


def test_a_full_disk_is_full_for_everybody_and_says_so() -> None:
    world = World()
    mine = world.experiment(MOST)
    assert [world.may_create(address=THERE), world.may_grow(mine)] == [False, False]
    with pytest.raises(StorageFull, match="all experiments and uploads hold") as full:
        world.room.check_new(None, THERE)
    assert full.value.is_whole
    assert full.value.retry_after > 0
    world.disk.of.clear()
    assert world.may_create(address=THERE)


def test_uploads_count() -> None:
    world = World()
    world.disk.bytes = MOST - 100
    assert world.may_create(need=99)
    assert not world.may_create(need=100)


def test_a_class_behind_one_address_goes_on_beside_what_it_has_stored() -> None:
    world = World()
    class_ = [key(str(number)) for number in range(20)]
    entries = [world.experiment(100, owner, has_line=True) for owner in class_]
    world.clock.now += LINE_SECONDS + 1
    world.owners.update_shares()
    assert world.disk.stored_bytes > MOST / 2
    assert world.may_create(key("new"), need=50), "a new person, whose key has had no line yet"
    assert all(world.may_create(owner) for owner in class_)
    assert all(map(world.may_grow, entries))


def test_new_keys_give_no_new_shares() -> None:
    world = World()
    for number in range(17):
        world.experiment(100, key(str(number)))
    assert not world.may_create(key("yet another"))
    assert world.may_create(key("yet another"), THERE)
    person = world.experiment(10, key("person"), has_line=True)
    assert world.may_create(key("person")), "somebody who watches has a share of her own"
    assert world.may_grow(person)


def test_after_a_restart_experiments_count_to_their_owners() -> None:
    world = World()
    world.experiment(1_700, key("heavy"), None)
    assert world.may_create(key("light"))
    world.experiment(1, key("heavy"), has_line=True)
    assert not world.may_create(key("heavy"))


async def test_without_a_setting_half_of_the_free_disk_is_left() -> None:
    world = World(None)
    world.disk.of["before"] = 5_000
    await world.room.begin()
    world.disk.of["after"] = 499
    assert world.room.plenty * 2 == 5_500
    assert world.may_create(address=THERE)
    world.disk.of["after"] = 500
    assert not world.may_create(address=THERE)


@pytest.mark.parametrize("is_durable", [True, False])
async def test_where_nothing_is_stored_or_the_disk_is_unknown_there_is_no_limit(*, is_durable: bool) -> None:
    world = World(None)
    world.disk.is_durable, world.disk.free = is_durable, 0 if is_durable else 1_000
    await world.room.begin()
    world.experiment(1 << 60)
    assert (world.may_create(), world.room.plenty) == (True, math.inf)
