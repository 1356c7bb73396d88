"""Shares of experiments, with a clock that tests set."""

from __future__ import annotations

import hashlib

import pytest

from fallline.services import registry as module
from fallline.services.registry import LINE_SECONDS, RETURN_SECONDS, Entry, Owners
from support.clocks import Clock

HERE, THERE = "192.0.2.1", "192.0.2.2"
ALICE, BOB = hashlib.sha256(b"alice").digest(), hashlib.sha256(b"bob").digest()


class Shares:
    """All announced shares, and the last one of each experiment."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def __call__(self, id: str, share: str) -> None:
        self.calls.append((id, share))

    @property
    def last(self) -> dict[str, str]:
        return dict(self.calls)


def an_entry(owner: bytes | None = None, address: str | None = HERE) -> Entry:
    return Entry(b"", 0.0, 0.0, 0.0, owner=owner, address=address)


def test_a_key_without_a_connection_gives_no_share() -> None:
    owners, now = Owners(Clock()), 0.0
    shares = {owners.share_of(an_entry(bytes([number]) * 32), now) for number in range(256)}
    assert shares == {f"address:{HERE}"}
    assert owners.share_of(an_entry(), now) == f"address:{HERE}"
    assert owners.share_of(an_entry(ALICE, None), now) == "address:-"


def test_after_a_restart_owners_of_what_played_have_their_shares_until_their_pages_are_back() -> None:
    """Before the first acknowledgement, a whole class behind one address had the share of one person."""
    clock, shares = Clock(), Shares()
    owners = Owners(clock, shares)
    played, paused = an_entry(ALICE), an_entry(BOB)
    owners.expect([played, an_entry()])
    owners.opened("played", played)
    owners.opened("paused", paused)
    assert shares.last == {"played": f"owner:{ALICE.hex()}", "paused": f"address:{HERE}"}
    clock.now += RETURN_SECONDS
    owners.update_shares()
    assert shares.last["played"] == f"owner:{ALICE.hex()}"
    clock.now += 0.1
    owners.update_shares()
    assert shares.last["played"] == f"address:{HERE}"


def test_an_owner_has_a_share_while_a_connection_acknowledges() -> None:
    clock, shares = Clock(), Shares()
    owners = Owners(clock, shares)
    one, other, of_bob = an_entry(ALICE), an_entry(ALICE, THERE), an_entry(BOB)
    for id, entry in (("one", one), ("other", other), ("bob's", of_bob)):
        owners.opened(id, entry)
    assert shares.last == {"one": f"address:{HERE}", "other": f"address:{THERE}", "bob's": f"address:{HERE}"}
    owners.acknowledged(one)
    mine = f"owner:{ALICE.hex()}"
    assert shares.last == {"one": mine, "other": mine, "bob's": f"address:{HERE}"}
    clock.now += LINE_SECONDS
    owners.update_shares()
    assert shares.last["other"] == mine
    clock.now += 0.1
    owners.update_shares()
    assert shares.last == {"one": f"address:{HERE}", "other": f"address:{THERE}", "bob's": f"address:{HERE}"}


def test_a_share_is_announced_only_when_it_changes() -> None:
    clock, shares = Clock(), Shares()
    owners = Owners(clock, shares)
    entry = an_entry(ALICE)
    owners.opened("one", entry)
    for _ in range(100):
        clock.now += 1
        owners.acknowledged(entry)
        owners.update_shares()
    assert shares.calls == [("one", f"address:{HERE}"), ("one", f"owner:{ALICE.hex()}")]


def test_the_share_of_a_closed_experiment_is_not_announced() -> None:
    shares = Shares()
    owners = Owners(Clock(), shares)
    entry = an_entry(ALICE)
    owners.opened("one", entry)
    owners.closed("one")
    owners.acknowledged(entry)
    assert shares.calls == [("one", f"address:{HERE}")]


def test_a_command_brings_an_experiment_to_its_callers_address() -> None:
    shares = Shares()
    owners = Owners(Clock(), shares)
    entry = an_entry(address=None)
    owners.opened("one", entry)
    owners.came_from("one", entry, THERE)
    owners.came_from("one", entry, None)
    assert shares.calls == [("one", "address:-"), ("one", f"address:{THERE}")]


def test_absent_owners_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PRESENT", 10)
    clock = Clock()
    owners = Owners(clock)
    for number in range(200):
        clock.now += 2
        owners.acknowledged(an_entry(number.to_bytes(32)))
    assert len(owners._present) <= 11
