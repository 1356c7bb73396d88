"""Messages are delivered in order, and only after they are stored."""

from __future__ import annotations

import pytest

from fallline.execution.in_process import Delivery, DeliveryQueue
from fallline.vocabulary.errors import Failed, ReadOnly


class Log:
    """Delivered messages in order."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def delivery(self, name: str) -> Delivery:
        def fail(error: Exception) -> None:
            assert isinstance(error, ReadOnly)
            self.messages.append(f"no {name}")

        return Delivery(lambda: self.messages.append(name), fail)


def test_a_message_without_a_write_is_delivered_at_once() -> None:
    log, queue = Log(), DeliveryQueue()
    queue.add([log.delivery("a"), log.delivery("b")])
    assert log.messages == ["a", "b"]


def test_no_message_overtakes_one_that_waits_for_its_write() -> None:
    log, queue = Log(), DeliveryQueue()
    queue.add([log.delivery("a")], "first")
    queue.add([log.delivery("b")])
    queue.add([log.delivery("c")], "second")
    queue.add([log.delivery("d")])
    assert log.messages == []
    queue.settle("second", stored=True)
    assert log.messages == []
    queue.settle("first", stored=True)
    assert log.messages == ["a", "b", "c", "d"]


def test_a_failed_write_fails_its_message_and_all_later_ones() -> None:
    log, queue = Log(), DeliveryQueue()
    queue.add([log.delivery("a")], "first")
    queue.add([log.delivery("b")], "second")
    queue.add([log.delivery("c")])
    queue.settle("first", stored=True)
    queue.settle("second", stored=False)
    queue.add([log.delivery("d")])
    queue.add([log.delivery("e")], "third")
    assert log.messages == ["a", "no b", "no c", "no d", "no e"]


def test_a_message_that_raises_fails_and_the_others_are_delivered(caplog: pytest.LogCaptureFixture) -> None:
    log, queue, errors = Log(), DeliveryQueue(), list[Exception]()

    def raises() -> None:
        raise RuntimeError("a fault")

    queue.add([log.delivery("a"), Delivery(raises, errors.append), log.delivery("b")])
    queue.add([log.delivery("c")])
    assert log.messages == ["a", "b", "c"]
    assert [type(error) for error in errors] == [Failed]
    assert "a delivery failed" in caplog.text
