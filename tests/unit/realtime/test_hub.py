"""Subscribers by experiment."""

from fallline.realtime.hub import Hub
from fallline.realtime.outbox import Outbox
from support.columns import header, piece


def test_all_watchers_of_an_experiment_get_its_messages_and_no_others() -> None:
    hub, one, two, other = Hub(), Outbox("a"), Outbox("a"), Outbox("b")
    for experiment, outbox in (("a", one), ("a", two), ("b", other)):
        hub.join(experiment, outbox)
    hub.frames("a", {"gd": (header(2), piece(0, 2))})
    hub.event("a", {"event": "edit", "run": "gd"})
    assert hub.watchers("a") == 2
    assert [box.frame_due() is not None for box in (one, two, other)] == [True, True, False]
    assert [box.take_event() is not None for box in (one, two, other)] == [True, True, False]


def test_one_reader_taking_a_frame_takes_nothing_from_another() -> None:
    hub, fast, slow = Hub(), Outbox("a"), Outbox("a")
    hub.join("a", fast)
    hub.join("a", slow)
    hub.frames("a", {"gd": (header(2), piece(0, 2))})
    fast.take_frame(now=0)
    hub.frames("a", {"gd": (header(4), piece(2, 4))})
    assert slow.take_frame(now=0).message()["runs"]["gd"]["columns"]["first"] == [0, 1, 2, 3]


def test_a_watcher_that_left_gets_no_messages_and_may_leave_twice() -> None:
    hub, box = Hub(), Outbox("a")
    hub.join("a", box)
    hub.leave("a", box)
    hub.leave("a", box)
    hub.event("a", {"event": "edit"})
    assert hub.watchers("a") == 0
    assert box.take_event() is None


def test_deleting_an_experiment_closes_its_watchers() -> None:
    hub, box = Hub(), Outbox("a")
    hub.join("a", box)
    hub.closed("a")
    assert box.is_closed
    assert hub.watchers("a") == 0
