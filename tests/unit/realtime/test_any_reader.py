"""Whatever runs and readers do, each reader gets every step of each run, and the values that the history has."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from fallline.realtime.outbox import Outbox
from fallline.vocabulary.columns import Buckets
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.errors import FalllineError
from fallline.vocabulary.frame_requests import Held
from support.pulling import Source, tiny
from support.readers import Reader, as_buckets, assert_equal

STORED_SINGLY = 1_000
"""The newest steps that every history has one by one, and some more."""


class Page:
    """A reader with its options. It has what its frames had, also when it resumes."""

    def __init__(self, source: Source, options: dict[str, Any]) -> None:
        self.source, self.options = source, options
        self.reader, self.is_awake = Reader(), True
        self.box: Outbox = source.watch(**options)

    def take(self) -> bool:
        """Take the frame that is here, if there is one, and ask for the next one."""
        is_here = self.box.frame is not None
        while self.box.take_event() is not None:
            pass
        if is_here:
            had = dict(self.box._held)
            frame = self.box.take_frame()
            for name, update in frame.runs.items():
                assert len(update.buckets) <= self.options["buckets"]
                self._assert_continues(update.buckets, had.get(name), update.held)
            self.reader.take(frame.message(), resumed=True)
        self.box.ask(self.source.now)
        return is_here

    def _assert_continues(self, buckets: Buckets, had: Held | None, has: Held) -> None:
        """A reader that is not far behind goes on where it was, with however few buckets."""
        run = self.source.one.runs.get(has.run)
        if run is None or had is None or had.generation != has.generation or not len(buckets):
            return
        if run.generation == has.generation and run.state.step - had.step <= STORED_SINGLY:
            assert int(buckets.first[0]) == had.step

    def resume(self) -> None:
        self.source.hub.leave("e", self.box)
        self.box = self.source.watch(**self.options, since=self.reader.since())


class Readers(RuleBasedStateMachine):
    pages = Bundle("pages")

    def __init__(self) -> None:
        super().__init__()
        self.source = Source(recipe=tiny("gd"))
        self.all: list[Page] = []

    @rule(
        target=pages,
        fps=st.sampled_from([1.0, 10.0, 30.0]),
        buckets=st.sampled_from([1, 2, 7, 64, 400]),
        series=st.sampled_from([None, ("batch_loss",), ("train_loss", "learning_rate")]),
        most_bytes=st.sampled_from([None, 2_000, 20_000]),
    )
    def joins(self, **options: Any) -> Page:
        self.all.append(Page(self.source, options))
        return self.all[-1]

    @rule(page=pages)
    def falls_asleep_or_wakes_up(self, page: Page) -> None:
        """Asleep, it takes no frame."""
        page.is_awake = not page.is_awake

    @rule(page=pages)
    def resumes(self, page: Page) -> None:
        page.resume()

    @rule(
        steps=st.one_of(st.just(0), st.integers(1, 300), st.integers(1, 2_500)),
        seconds=st.sampled_from([0.04, 0.1, 0.3, 2.0]),
        fast=st.booleans(),
    )
    def trains(self, steps: int, seconds: float, fast: bool) -> None:
        """A frame of fast training ends where the history has an edge for longer."""
        if steps:
            self.source.advance(steps)
        self.source.speed = None if fast else 60.0
        for run in self.source.one.runs.values():
            run.step_seconds = seconds / max(steps, 1)
        self.source.publish(self.source.now + seconds)
        self.source.speed = 0.0
        for page in self.all:
            if page.is_awake:
                page.take()

    @rule(data=st.data())
    def changes(self, data: st.DataObject) -> None:
        one, now = self.source.one, self.source.now
        run = data.draw(st.sampled_from([*one.runs]))
        what = data.draw(st.sampled_from(["edit", "reset", "fork", "add", "remove"]))
        answers: list[Any] = []
        try:
            match what:
                case "edit":
                    one.edit(run, EditRun(learning_rate=data.draw(st.sampled_from([1e-4, 1e-3]))), now)
                case "reset":
                    one.reset(run, now)
                case "fork":
                    one.fork(AddRun.model_validate({"fork_of": run}), now, answers.append)
                case "add":
                    one.add_run(AddRun(), False, now)
                case "remove":
                    one.remove_run(run, now)
        except FalllineError:
            pass  # it is the last run, or there are too many

    @invariant()
    def nobody_must_resume(self) -> None:
        assert not any(page.box.must_resume for page in self.all)

    def teardown(self) -> None:
        one = self.source.one
        for page in self.all:
            is_done = 0
            for _ in range(1_000):
                is_done = 0 if page.take() else is_done + 1
                if is_done > 1:
                    break
                self.source.publish(self.source.now + 2.0)
            assert is_done > 1, "it reads for ever"
            for name, run in one.runs.items():
                received = page.reader.buckets[name]
                assert page.reader.generation[name] == run.generation
                if not run.state.step:
                    assert received == []
                    continue
                names = page.options["series"]
                stored = run.history.range(0, run.state.step - 1, 1 << 20, names)
                assert_equal(received, as_buckets(stored.as_json(run.generation)))


TestReaders = Readers.TestCase
TestReaders.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
