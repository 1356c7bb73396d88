"""Frames as text: encoded once, numbered for each reader."""

from __future__ import annotations

import asyncio
import json

import pytest

from fallline.realtime.frames import Frame, RunUpdate
from fallline.realtime.session import NumberedFrame
from fallline.web import answers
from fallline.web.answers import parts_of_frame
from support.columns import NAMES, header, piece


@pytest.fixture(params=["at once", "in a thread"])
def encoded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """Record each encoding of a frame."""
    frames: list[Frame] = []
    say = Frame.message

    def message(frame: Frame) -> dict[str, object]:
        frames.append(frame)
        return say(frame)

    monkeypatch.setattr(Frame, "message", message)
    monkeypatch.setattr(answers, "LONG", 1e9 if request.param == "at once" else 0.0)
    return frames


async def text_of_frame(numbered: NumberedFrame) -> str:
    return "".join(await parts_of_frame(numbered))


def frame() -> Frame:
    return Frame("e", {"gd": RunUpdate(header(3), NAMES, (piece(0, 3),))}, 100, "json")


async def test_one_frame_is_encoded_once_and_has_the_number_of_each_socket(encoded: list[Frame]) -> None:
    one = frame()
    texts = await asyncio.gather(*(text_of_frame(NumberedFrame(number, one)) for number in (1, 20, 300)))
    assert encoded == [one]
    for number, text in zip((1, 20, 300), texts, strict=True):
        assert json.loads(text) == {"type": "frame", "frame": number, **one.message()}
        assert text.startswith(f'{{"type":"frame","frame":{number},"experiment":"e","runs":{{')


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
