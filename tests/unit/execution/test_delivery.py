"""What an experiment says is said in order, and not before what it says is stored."""

from __future__ import annotations

from fallline.execution.delivery import Delivery, DeliveryQueue
from fallline.vocabulary.errors import ReadOnly


class Said:
    """What has been said so far."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def delivery(self, word: str) -> Delivery:
        def fail(error: Exception) -> None:
            assert isinstance(error, ReadOnly)
            self.words.append(f"no {word}")

        return Delivery(lambda: self.words.append(word), fail)


def test_what_needs_no_storing_is_said_at_once() -> None:
    said, lane = Said(), DeliveryQueue()
    lane.take([said.delivery("a"), said.delivery("b")])
    assert said.words == ["a", "b"]


def test_nothing_overtakes_what_waits_to_be_stored() -> None:
    said, lane = Said(), DeliveryQueue()
    lane.take([said.delivery("a")], "first")
    lane.take([said.delivery("b")])
    lane.take([said.delivery("c")], "second")
    lane.take([said.delivery("d")])
    assert said.words == []
    lane.settle("second", stored=True)
    assert said.words == []
    lane.settle("first", stored=True)
    assert said.words == ["a", "b", "c", "d"]


def test_what_could_not_be_stored_is_not_said_nor_what_comes_after() -> None:
    said, lane = Said(), DeliveryQueue()
    lane.take([said.delivery("a")], "first")
    lane.take([said.delivery("b")], "second")
    lane.take([said.delivery("c")])
    lane.settle("first", stored=True)
    lane.settle("second", stored=False)
    lane.take([said.delivery("d")])
    lane.take([said.delivery("e")], "third")
    assert said.words == ["a", "no b", "no c", "no d", "no e"]
