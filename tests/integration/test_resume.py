"""A line that is cut in mid-training: the reader comes back and holds what the server holds, without a gap."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from support.serving import open_server

JSON = dict[str, Any]
STATISTICS = ("min", "max", "mean", "last")
CUT_SECONDS = 20


class Reader:
    """A reader that follows CONTRACT's rules and nothing else: plain lists of buckets for each run."""

    def __init__(self) -> None:
        self.held: dict[str, list[JSON]] = {}
        self.generation: dict[str, int] = {}

    def since(self) -> JSON:
        return {
            run: {"generation": self.generation[run], "step": buckets[-1]["last"] + 1 if buckets else 0}
            for run, buckets in self.held.items()
        }

    def take(self, frame: JSON, *, resumed: bool) -> None:
        for run, told in frame["runs"].items():
            news = as_buckets(told["columns"])
            held = self.held.setdefault(run, [])
            if self.generation.get(run) != told["generation"]:
                held.clear()
                self.generation[run] = told["generation"]
            if not news:
                continue
            if resumed:
                while held and held[-1]["last"] >= news[0]["first"]:
                    held.pop()
            assert news[0]["first"] == (held[-1]["last"] + 1 if held else 0), "a gap"
            held.extend(news)


def as_buckets(columns: JSON) -> list[JSON]:
    return [
        {
            "first": first,
            "last": last,
            "series": {
                name: {statistic: column[place] for statistic, column in series.items()}
                for name, series in columns["series"].items()
            },
        }
        for place, (first, last) in enumerate(zip(columns["first"], columns["last"], strict=True))
    ]


def count(bucket: JSON, name: str) -> int:
    series = bucket["series"][name]
    return int(series.get("count", bucket["last"] - bucket["first"] + 1))


def merged(buckets: list[JSON], name: str) -> JSON:
    """Several neighbours as one, by the plain definition."""
    told = [(bucket["series"][name], count(bucket, name)) for bucket in buckets]
    told = [(series, many) for series, many in told if series["last"] is not None]
    if not told:
        return dict.fromkeys(STATISTICS)
    total = sum(many for _, many in told)
    return {
        "min": min(series["min"] for series, _ in told),
        "max": max(series["max"] for series, _ in told),
        "mean": sum(series["mean"] * many for series, many in told) / total,
        "last": told[-1][0]["last"],
    }


def assert_equal(held: list[JSON], server: list[JSON]) -> int:
    """Where both have a boundary, what lies between is the same; returns between how many."""
    ends = sorted({bucket["last"] for bucket in held} & {bucket["last"] for bucket in server})
    start, compared = 0, 0
    for end in ends:
        ours = [bucket for bucket in held if start <= bucket["first"] and bucket["last"] <= end]
        theirs = [bucket for bucket in server if start <= bucket["first"] and bucket["last"] <= end]
        for name in ours[0]["series"]:
            mine, yours = merged(ours, name), merged(theirs, name)
            for statistic in ("min", "max", "last"):
                assert mine[statistic] == yours[statistic], (name, statistic, start, end)
            if mine["mean"] is not None:
                assert mine["mean"] == pytest.approx(yours["mean"], rel=1e-12, abs=1e-300)
            compared += 1
        start = end + 1
    assert start == held[-1]["last"] + 1 == server[-1]["last"] + 1
    return compared


async def watch(line: ClientConnection, id: str, reader: Reader) -> None:
    asked = {"type": "watch", "experiment": id, "fps": 20, "buckets": 60, "since": reader.since()}
    await line.send(json.dumps(asked))


async def follow(line: ClientConnection, reader: Reader, seconds: float) -> None:
    """Apply and acknowledge frames for so long."""
    resumed, end = True, asyncio.get_running_loop().time() + seconds
    while (left := end - asyncio.get_running_loop().time()) > 0:
        try:
            message = json.loads(await asyncio.wait_for(line.recv(), left))
        except TimeoutError:
            return
        if message["type"] == "frame":
            reader.take(message, resumed=resumed)
            resumed = False
            await line.send(json.dumps({"type": "got", "frame": message["frame"]}))


async def history(http: httpx.AsyncClient, here: str, run: str) -> list[JSON]:
    answer = await http.get(f"{here}/runs/{run}/history", params={"buckets": 10_000})
    return as_buckets(answer.json())


@pytest.mark.parametrize("speed", [200, "max"])
async def test_a_socket_cut_in_mid_training_resumes_without_a_gap(speed: float | str) -> None:
    with open_server() as server:
        async with httpx.AsyncClient(base_url=f"{server.url.rstrip(chr(47))}/api/v1", timeout=30) as http:
            made = (await http.post("/experiments", json={"data": {"test_fraction": 0.25}})).json()
            here = f"/experiments/{made['id']}"
            auth = {"Authorization": f"Bearer {made['token']}"}
            await http.post(f"{here}/play", json={"speed": speed}, headers=auth)
            reader, stream = Reader(), server.socket_url
            async with connect(stream, max_size=None) as line:
                await watch(line, made["id"], reader)
                await follow(line, reader, 3)
                line.transport.abort()
            before = {run: buckets[-1]["last"] for run, buckets in reader.held.items()}
            await asyncio.sleep(CUT_SECONDS)
            async with connect(stream, max_size=None) as line:
                await watch(line, made["id"], reader)
                await follow(line, reader, 3)
                await http.post(f"{here}/pause", headers=auth)
                await follow(line, reader, 1)
            for run in ("gd", "sgd"):
                assert reader.held[run][-1]["last"] > before[run] + 100
                assert assert_equal(reader.held[run], await history(http, here, run)) > 20
