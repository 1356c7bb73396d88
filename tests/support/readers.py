"""A reader of frames, and a comparison of its history with the server's."""

from __future__ import annotations

import pytest

from support.aliases import Json

STATISTICS = ("min", "max", "mean", "last")


class Reader:
    """Plain lists of buckets for each run."""

    def __init__(self) -> None:
        self.buckets: dict[str, list[Json]] = {}
        self.generation: dict[str, int] = {}

    def since(self) -> Json:
        return {
            run: {"generation": self.generation[run], "step": buckets[-1]["last"] + 1 if buckets else 0}
            for run, buckets in self.buckets.items()
        }

    def ends(self) -> dict[str, int]:
        """Return the last received step of each run."""
        return {run: buckets[-1]["last"] for run, buckets in self.buckets.items() if buckets}

    def take(self, frame: Json, *, resumed: bool) -> None:
        for run, update in frame["runs"].items():
            news = as_buckets(update["columns"])
            received = self.buckets.setdefault(run, [])
            if self.generation.get(run) != update["generation"]:
                received.clear()
                self.generation[run] = update["generation"]
            if not news:
                continue
            newest = spans(received[-3:])
            if resumed:
                while received and received[-1]["last"] >= news[0]["first"]:
                    received.pop()
            expected = received[-1]["last"] + 1 if received else 0
            assert news[0]["first"] == expected, (
                f"a gap: {run} of generation {update['generation']} continues with {spans(news[:3])} "
                f"{'after `since`' if resumed else 'live'}, step {expected} must come next: "
                f"the newest so far are {newest}"
            )
            received.extend(news)


def spans(buckets: list[Json]) -> list[tuple[int, int]]:
    """Return the first and last step of each bucket."""
    return [(bucket["first"], bucket["last"]) for bucket in buckets]


def as_buckets(columns: Json) -> list[Json]:
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


def count(bucket: Json, name: str) -> int:
    series = bucket["series"][name]
    return int(series.get("count", bucket["last"] - bucket["first"] + 1))


def merged(buckets: list[Json], name: str) -> Json:
    """Merge neighbouring buckets by the definition of the statistics."""
    parts = [(bucket["series"][name], count(bucket, name)) for bucket in buckets]
    parts = [(series, many) for series, many in parts if series["last"] is not None]
    if not parts:
        return dict.fromkeys(STATISTICS)
    total = sum(many for _, many in parts)
    return {
        "min": min(series["min"] for series, _ in parts),
        "max": max(series["max"] for series, _ in parts),
        "mean": sum(series["mean"] * many for series, many in parts) / total,
        "last": parts[-1][0]["last"],
    }


def assert_equal(received: list[Json], server: list[Json]) -> int:
    """Compare both between common boundaries. Returns the number of comparisons."""
    ends = sorted({bucket["last"] for bucket in received} & {bucket["last"] for bucket in server})
    start, compared = 0, 0
    for end in ends:
        ours = [bucket for bucket in received if start <= bucket["first"] and bucket["last"] <= end]
        theirs = [bucket for bucket in server if start <= bucket["first"] and bucket["last"] <= end]
        for name in ours[0]["series"]:
            mine, yours = merged(ours, name), merged(theirs, name)
            for statistic in ("min", "max", "last"):
                assert mine[statistic] == yours[statistic], (name, statistic, start, end)
            if mine["mean"] is not None:
                assert mine["mean"] == pytest.approx(yours["mean"], rel=1e-12, abs=1e-300)
            compared += 1
        start = end + 1
    assert start == received[-1]["last"] + 1 == server[-1]["last"] + 1
    return compared
