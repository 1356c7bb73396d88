"""Metrics for Prometheus, on a port of their own: off unless `FALLLINE_METRICS_PORT` is set.

`METRICS` is the table of all. They hold no ids, no names of experiments or people, and no contents.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from fallline import __version__
from fallline.services.lab import Lab
from fallline.services.meters import Histogram, Present
from fallline.web.open_sockets import OpenSockets

ANSWER_SECONDS = 5.0
"""How long a scrape waits for the event loop."""

log = logging.getLogger("fallline.web")


@dataclass(frozen=True, slots=True)
class Reading:
    """The server at one moment."""

    lab: Lab
    now: Present
    sockets: OpenSockets


Value = float | Mapping[str, float] | Histogram | None


@dataclass(frozen=True, slots=True)
class Metric:
    """One row: a gauge, a counter, or a histogram of seconds; with a `label`, one value each."""

    name: str
    kind: str
    help: str
    read: Callable[[Reading], Value]
    label: str | None = None

    @property
    def series(self) -> tuple[str, ...]:
        """The names that Prometheus stores."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{ending}" for ending in ("bucket", "sum", "count"))
        return (f"{self.name}_total",) if self.kind == "counter" else (self.name,)

    def family(self, reading: Reading) -> Family:
        """Return the present values in the form of the client library."""
        value = self.read(reading)
        if isinstance(value, Histogram):
            return _histogram(self, value)
        make = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        if self.label is None:
            assert not isinstance(value, Mapping)
            return make(self.name, self.help, value=float("nan") if value is None else value)
        assert isinstance(value, Mapping)
        family = make(self.name, self.help, labels=[self.label])
        for label, number in value.items():
            family.add_metric([label], number)
        return family


def _histogram(row: Metric, value: Histogram) -> HistogramMetricFamily:
    buckets, below = [], 0
    for bound, count in zip((*map(str, value.bounds), "+Inf"), value.counts, strict=True):
        below += count
        buckets.append((bound, below))
    return HistogramMetricFamily(row.name, row.help, buckets=buckets, sum_value=value.total)


METRICS = (
    Metric(
        "fallline_people",
        "gauge",
        "owners with an open connection that has a token",
        lambda r: r.sockets.people,
    ),
    Metric("fallline_connections", "gauge", "open connections, by kind", lambda r: r.sockets.by_kind, "kind"),
    Metric("fallline_watching", "gauge", "connections that watch something", lambda r: r.sockets.watching),
    Metric(
        "fallline_experiments",
        "gauge",
        "experiments that are stored, open in memory, and making steps",
        lambda r: {"stored": r.now.experiments, "open": r.now.open, "busy": r.now.busy},
        "state",
    ),
    Metric("fallline_steps", "counter", "steps that all runs made", lambda r: r.now.steps),
    Metric(
        "fallline_faults", "counter", "experiments closed by a fault of the server", lambda r: r.now.faults
    ),
    Metric(
        "fallline_frame_age_seconds",
        "histogram",
        "time from the publication of a frame's newest step until a reader took it",
        lambda r: r.lab.meters.frame_age,
    ),
    Metric(
        "fallline_loop_lag_seconds",
        "histogram",
        "delay of the event loop, measured ten times a second",
        lambda r: r.lab.loop_lag,
    ),
    Metric(
        "fallline_waiting",
        "gauge",
        "work that waits: commands, reads, experiments with steps or examinations to make, and writes",
        lambda r: {
            **r.now.waiting._asdict(),
            "writes": r.now.writes_waiting,
        },
        "work",
    ),
    Metric(
        "fallline_store_write_seconds", "histogram", "time of a commit", lambda r: r.lab.store_write_seconds
    ),
    Metric(
        "fallline_store_bytes", "gauge", "bytes of the stored file and its log", lambda r: r.now.store_bytes
    ),
    Metric(
        "fallline_store_read_only",
        "gauge",
        "1 while nothing can be stored",
        lambda r: float(r.now.is_read_only),
    ),
    Metric(
        "fallline_disk_free_bytes",
        "gauge",
        "free bytes on the disk of the store",
        lambda r: r.now.disk_free_bytes,
    ),
    Metric(
        "fallline_backup_age_seconds",
        "gauge",
        "time since the newest backup in the backup folder; NaN without one",
        lambda r: r.now.seconds_since_backup,
    ),
    Metric(
        "fallline_memory_bytes",
        "gauge",
        "bytes of open experiments and their readers",
        lambda r: r.now.memory_bytes,
    ),
    Metric(
        "fallline_limits",
        "counter",
        "how often a limit was hit: codes of errors, closed connections, evicted and paused experiments",
        lambda r: r.lab.meters.limits,
        "limit",
    ),
    Metric("fallline_info", "gauge", "always 1, with the version", lambda _: {__version__: 1.0}, "version"),
)


class _Server(Collector):
    """Reads all metrics on the event loop, for the thread of a scrape."""

    def __init__(self, lab: Lab, sockets: OpenSockets, loop: asyncio.AbstractEventLoop) -> None:
        self._lab = lab
        self._sockets = sockets
        self._loop = loop

    def describe(self) -> Iterator[Family]:
        return iter(())

    def collect(self) -> Iterator[Family]:
        yield from asyncio.run_coroutine_threadsafe(self._read(), self._loop).result(ANSWER_SECONDS)

    async def _read(self) -> list[Family]:
        reading = Reading(self._lab, self._lab.present(), self._sockets)
        return [row.family(reading) for row in METRICS]


@asynccontextmanager
async def serve_metrics(lab: Lab, sockets: OpenSockets, host: str, port: int) -> AsyncIterator[None]:
    """Serve `/metrics` on a port of its own. If it is taken, log that: training goes on without metrics."""
    registry = CollectorRegistry()
    registry.register(_Server(lab, sockets, asyncio.get_running_loop()))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        log.error("no metrics on %s, port %d: %s", host, port, error.strerror or error)
        yield
        return
    try:
        yield
    finally:
        await asyncio.to_thread(_stop, server, thread)


def _stop(server: WSGIServer, thread: Thread) -> None:
    server.shutdown()
    server.server_close()
    thread.join()
