"""A reader of frames that follows CONTRACT's rules and nothing else, and what it holds beside what the server holds."""

from __future__ import annotations

from typing import Any

import pytest

JSON = dict[str, Any]
STATISTICS = ("min", "max", "mean", "last")


class Reader:
    """Plain lists of buckets for each run."""

    def __init__(self) -> None:
        self.held: dict[str, list[JSON]] = {}
        self.generation: dict[str, int] = {}

    def since(self) -> JSON:
        return {
            run: {"generation": self.generation[run], "step": buckets[-1]["last"] + 1 if buckets else 0}
            for run, buckets in self.held.items()
        }

    def ends(self) -> dict[str, int]:
        """The last step held of each run of which any is."""
        return {run: buckets[-1]["last"] for run, buckets in self.held.items() if buckets}

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
