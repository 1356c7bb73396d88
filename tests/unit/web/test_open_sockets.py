"""Limits on sockets, with a clock that tests set."""

from __future__ import annotations

from collections import Counter

import pytest

from fallline.vocabulary.errors import Unavailable
from fallline.web.open_sockets import (
    MOMENT_SECONDS,
    MOST_OF_OWNER,
    MOST_WAITING,
    SILENT_SECONDS,
    OpenSocket,
    OpenSockets,
)

MOST = 400
SCHOOL, HOME = "198.51.100.1", "203.0.113.9"


class Server:
    """A server's sockets, and the names of the open ones."""

    def __init__(self, most: int = MOST) -> None:
        self.sockets = OpenSockets(most)
        self.now = 100.0
        self.open: dict[OpenSocket, str] = {}

    def connect(self, address: str, name: str = "") -> OpenSocket:
        def close() -> None:
            del self.open[socket]

        socket = OpenSocket(address, self.now, close)
        self.sockets.enter(socket, self.now)
        self.open[socket] = name
        return socket

    def watch(self, name: str, address: str, experiment: str, owner: str | None = None) -> bool:
        """Return whether a new socket may watch the experiment."""
        try:
            socket = self.connect(address, name)
        except Unavailable:
            return False
        try:
            self.sockets.watch(socket, experiment, owner, self.now)
        except Unavailable:
            self.sockets.leave(socket)
            del self.open[socket]
            return False
        return True

    def acknowledge(self) -> None:
        for socket in self.open:
            socket.acknowledged = self.now

    def count(self) -> Counter[str]:
        assert len(self.open) == len(self.sockets)
        return Counter(self.open.values())


def test_a_class_that_watches_one_experiment_from_one_address_has_all_its_places() -> None:
    server = Server()
    assert all(server.watch("pupil", SCHOOL, "e") for _ in range(MOST))
    assert server.count()["pupil"] == MOST
    assert not server.watch("one more", SCHOOL, "e")


def test_somebody_from_elsewhere_gets_in_though_one_address_has_filled_the_server() -> None:
    server = Server()
    for number in range(MOST):
        assert server.watch("attacker", HOME, f"e{number}", f"minted-{number}")
    assert all(server.watch("pupil", SCHOOL, f"mine-{number}", f"pupil-{number}") for number in range(120))
    assert server.count() == {"attacker": MOST - 120, "pupil": 120}


@pytest.mark.parametrize(
    "attack", ["looks at one", "looks at many", "with tokens of few", "with tokens of many"]
)
def test_a_class_gets_in_behind_the_address_that_filled_the_server(attack: str) -> None:
    server = Server()
    for number in range(MOST):
        owner = {"with tokens of few": f"minted-{number // 8}", "with tokens of many": f"minted-{number}"}
        server.watch("attacker", SCHOOL, "one" if "one" in attack else f"e{number}", owner.get(attack))
    assert server.count()["attacker"] == MOST
    server.now += SILENT_SECONDS
    assert all(server.watch("pupil", SCHOOL, f"mine-{number}", f"pupil-{number}") for number in range(120))
    server.acknowledge()
    for number in range(MOST):
        server.watch("attacker", SCHOOL, f"again-{number}")
    assert server.count() == {"attacker": MOST - 120, "pupil": 120}


def test_a_socket_of_a_large_group_is_replaced_for_an_owner_who_is_alone() -> None:
    server = Server(16)
    for number in range(16):
        assert server.watch("attacker", SCHOOL, f"e{number}", f"minted-{number // 8}")
    assert server.watch("pupil", SCHOOL, "mine", "pupil")
    assert server.count() == {"attacker": 15, "pupil": 1}


def test_a_socket_without_a_token_replaces_none_with_a_token() -> None:
    server = Server(2)
    for number in range(2):
        server.watch("pupil", SCHOOL, f"mine-{number}", f"pupil-{number}")
    server.now += SILENT_SECONDS
    assert not server.watch("onlooker", SCHOOL, "mine-0")


def test_an_owner_has_eight_sockets_and_a_ninth_is_refused() -> None:
    server = Server()
    assert [server.watch("tab", HOME, f"e{number}", "me") for number in range(9)] == [True] * 8 + [False]
    assert MOST_OF_OWNER == 8
    assert server.watch("onlooker", HOME, "e1")
    tab = next(iter(server.open))
    server.sockets.watch(tab, "e0", "me", server.now)  # the same one again
    server.sockets.unwatch(tab, "e0")
    assert server.watch("tab", HOME, "e9", "me")


def test_fifty_of_one_address_may_watch_nothing_and_the_oldest_makes_room() -> None:
    server = Server()
    for number in range(MOST_WAITING):
        server.connect(HOME, str(number))
    with pytest.raises(Unavailable, match="new sockets watch nothing yet: retry") as refused:
        server.connect(HOME)
    assert refused.value.retry_after == 1
    assert server.watch("another", SCHOOL, "e")
    server.now += MOMENT_SECONDS
    assert server.watch("newest", HOME, "e")
    assert "0" not in server.count()
    assert "1" in server.count()


def test_a_class_whose_experiments_are_being_opened_keeps_its_sockets() -> None:
    server = Server()
    for number in range(3 * MOST_WAITING):
        server.connect(SCHOOL, f"pupil {number}").is_joining = True
    server.now += MOMENT_SECONDS
    server.connect(SCHOOL, "another")
    assert len(server.open) == 3 * MOST_WAITING + 1


def test_silent_sockets_of_many_addresses_leave_slots_for_watching_ones() -> None:
    server = Server(8)
    for number in range(10):
        server.connect(f"192.0.2.{number}")
    assert not server.watch("pupil", SCHOOL, "e")
    server.now += MOMENT_SECONDS
    assert all(server.watch("pupil", SCHOOL, "e") for _ in range(8))
    assert len(server.sockets) <= 10


def test_a_socket_that_watches_something_else_keeps_its_place() -> None:
    server = Server(1)
    assert server.watch("pupil", SCHOOL, "e")
    pupil = next(iter(server.open))
    server.sockets.watch(pupil, "f", "owner", server.now)
    server.sockets.unwatch(pupil, "e")
    assert pupil.watches
    assert pupil.groups == {"owner"}


def test_sockets_that_watch_nothing_and_acknowledge_all_the_time_keep_nobody_out() -> None:
    server = Server()
    for _ in range(MOST_WAITING):
        server.connect(SCHOOL, "attacker")
    server.now += 2 * MOMENT_SECONDS
    server.acknowledge()
    assert server.watch("pupil", SCHOOL, "e")
