"""Readers that ask for the same share one frame. Others get their own."""

from __future__ import annotations

import gc
import json
from typing import Any
from weakref import ref

import numpy as np
import pytest

from fallline.realtime.frames import Frame
from fallline.vocabulary.frame_requests import Held, RunUpdate
from support.columns import header, piece
from support.pulling import Source, columns


def test_a_hundred_equal_requests_get_one_frame() -> None:
    source = Source()
    options: dict[str, Any] = {"series": ["train_loss"], "buckets": 50, "encoding": "bdata"}
    boxes = [source.watch(**options) for _ in range(100)]
    for steps in (0, 4, 4):
        source.advance(steps)
        one, *others = source.frames(*boxes)
        assert one is not None
        assert all(other is one for other in others)


@pytest.mark.parametrize("other", [{"buckets": 2}, {"encoding": "bdata"}, {"series": ["train_loss"]}])
def test_a_reader_with_other_options_gets_its_own_frame(other: dict[str, Any]) -> None:
    source = Source()
    source.advance(8)
    usual, special = source.frames(source.watch(), source.watch(**other))
    assert usual is not None
    assert special is not None
    assert usual.message() == source.frame(source.watch()).message()
    assert special.message() == source.frame(source.watch(**other)).message()
    assert usual.message() != special.message()


def test_a_slow_reader_gets_all_it_lacks_in_one_frame_and_then_shares_frames_again() -> None:
    source = Source()
    prompt, slow = source.watch(), source.watch()
    for steps in ([0, 1, 2, 3], [4, 5]):
        source.advance(len(steps))
        assert columns(source.frame(prompt))["first"] == steps
    assert columns(source.frame(slow))["first"] == [0, 1, 2, 3, 4, 5]
    source.advance(2)
    one, other = source.frames(prompt, slow)
    assert one is other is not None


@pytest.mark.parametrize("many", [1, 3])
def test_a_frame_is_not_kept_once_all_readers_have_it(many: int) -> None:
    source = Source()
    boxes = [source.watch() for _ in range(many)]
    source.advance(4)
    frame_ref = ref(source.frames(*boxes)[0])
    gc.collect()
    assert frame_ref() is None


@pytest.mark.parametrize("encoding", ["json", "bdata", "packed"])
def test_the_size_of_a_frame_is_estimated(encoding: str) -> None:
    source = Source()
    box = source.watch(encoding=encoding, buckets=1_000)
    source.advance(300)
    frame = source.frame(box)
    texts = [json.dumps(columns(frame, run), separators=(",", ":")) for run in frame.runs]
    assert 0.15 * frame.size < sum(map(len, texts)) <= 1.1 * frame.size
    assert frame.nbytes == sum(update.buckets.nbytes for update in frame.runs.values())


def test_bdata_frames_hold_typed_arrays() -> None:
    source = Source()
    source.advance(3)
    result = columns(source.frame(source.watch(encoding="bdata")))
    assert result["encoding"] == "bdata"
    assert result["series"]["train_loss"]["min"]["dtype"] == "f8"


def test_missing_values_are_null_and_never_nan_in_a_frame() -> None:
    one = piece(0, 3)
    one.minimum[1, 1] = np.nan
    frame = Frame("e", {"gd": RunUpdate(header(3), one, Held("gd", 0, 3))}, "json", 0.0)
    assert "null" in json.dumps(frame.message(), allow_nan=False)
