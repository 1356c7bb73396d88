"""Frames as text, or as text and bytes: encoded once, numbered for each reader."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from fallline.realtime.frames import Frame
from fallline.realtime.session import NumberedFrame
from fallline.vocabulary.binary import opening
from fallline.vocabulary.frame_requests import Held, RunUpdate
from fallline.web import answers
from fallline.web.answers import Encoded, parts_of_frame
from support.columns import header, piece
from support.watching import read_binary


@pytest.fixture(params=["at once", "in a thread"])
def encoded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """Record each encoding of a frame."""
    frames: list[Frame] = []
    encode = answers.encode_frame

    def noting(frame: Frame, by: Callable[[Any], str] = answers.text_of) -> Encoded:
        frames.append(frame)
        return encode(frame, by)

    monkeypatch.setattr(answers, "encode_frame", noting)
    monkeypatch.setattr(answers, "LONG", 1e9 if request.param == "at once" else 0.0)
    return frames


async def text_of_frame(numbered: NumberedFrame) -> str:
    head, rest, data = await parts_of_frame(numbered)
    assert data is None
    return head + rest


def frame(encoding: str = "json") -> Frame:
    runs = {run: RunUpdate(header(3), piece(0, 3), Held(run, 0, 3)) for run in ("gd", "sgd")}
    return Frame("e", runs, encoding, 0.0)


async def test_one_frame_is_encoded_once_and_has_the_number_of_each_socket(encoded: list[Frame]) -> None:
    one = frame()
    texts = await asyncio.gather(*(text_of_frame(NumberedFrame(number, one)) for number in (1, 20, 300)))
    assert encoded == [one]
    for number, text in zip((1, 20, 300), texts, strict=True):
        assert json.loads(text) == {"type": "frame", "frame": number, **one.message()}
        assert text.startswith(f'{{"type":"frame","frame":{number},"experiment":"e","runs":{{')


async def test_a_binary_frame_has_the_numbers_of_json_and_readers_share_its_bytes(
    encoded: list[Frame],
) -> None:
    one = frame("binary")
    parts = await asyncio.gather(*(parts_of_frame(NumberedFrame(number, one)) for number in (1, 20)))
    assert encoded == [one]
    assert parts[0][1:] == parts[1][1:]
    assert parts[0][2] is parts[1][2]
    for number, (head, rest, data) in zip((1, 20), parts, strict=True):
        assert data is not None
        message = read_binary(opening(head + rest) + data)
        runs = message.pop("runs")
        assert message == {"type": "frame", "frame": number, "experiment": "e"}
        for run, update in frame().message()["runs"].items():
            mine, columns = runs[run].pop("columns"), update.pop("columns")
            assert runs[run] == update
            assert mine["last"].tolist() == columns["last"]
            for name, statistics in columns["series"].items():
                assert mine["series"][name]["mean"].tolist() == statistics["mean"]


async def test_frames_that_are_two_are_encoded_twice(encoded: list[Frame]) -> None:
    one, other = frame(), frame()
    await text_of_frame(NumberedFrame(1, one))
    await text_of_frame(NumberedFrame(1, other))
    assert encoded == [one, other]


async def test_a_reader_who_hangs_up_does_not_cancel_the_encoding_for_others(encoded: list[Frame]) -> None:
    one = frame()
    first = asyncio.ensure_future(text_of_frame(NumberedFrame(1, one)))
    await asyncio.sleep(0)
    first.cancel()
    assert json.loads(await text_of_frame(NumberedFrame(2, one)))["frame"] == 2
    assert encoded == [one]
