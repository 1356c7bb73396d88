"""The metrics: served beside the page when asked for, complete, described, drawn, and without contents."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fallline.services.lab import Lab
from fallline.services.meters import LIMITS_WITHOUT_ERROR, Histogram, Meters, limit_names
from fallline.vocabulary.errors import Conflict, ReadOnly, TooExpensive, TooManyRequests
from fallline.web.metrics import METRICS
from support.scraping import free_port, scraped
from support.serving import SMALL, created, open_app

DOCS = Path(__file__).parents[3] / "docs"
DASHBOARD = DOCS / "how-to" / "fallline-dashboard.json"
NAMES = {name for row in METRICS for name in row.series}


async def test_a_scrape_has_every_metric_with_the_present_values_and_no_content(tmp_path: Path) -> None:
    port = free_port()
    async with open_app(data=tmp_path, metrics_port=port) as (_, client):
        recipe = {**SMALL, "runs": [{"name": "secret-run", "label": "Anna"}]}
        one, other = [await created(client, recipe) for _ in range(2)]
        for _ in range(3):
            assert (await one.ask("POST", "/step", {"steps": 7})).is_success
        too_dear = {"data": {"samples": 5000}, "network": {"layers": [{"units": 4000}] * 2}}
        assert (await client.post("/api/v1/experiments", json=too_dear)).status_code == 422
        text, values = await scraped(port)
        assert (await client.get("/metrics")).status_code == 404, "not beside the page"
    assert {family.name for family in text_string_to_metric_families(text)} >= {row.name for row in METRICS}
    assert values["fallline_experiments:stored"] == values["fallline_experiments:open"] == 2
    assert values["fallline_steps_total"] == 21
    assert values["fallline_limits_total:too-expensive"] == 1
    hits = [hits for name, hits in values.items() if name.startswith("fallline_limits_total:")]
    assert sorted(hits) == [*[0.0] * (len(limit_names()) - 1), 1.0], "each begins at 0"
    assert values["fallline_store_write_seconds_count"] >= 5
    assert values["fallline_store_bytes"] > 10_000 < values["fallline_disk_free_bytes"]
    assert values["fallline_store_read_only"] == values["fallline_faults_total"] == 0
    assert values["process_resident_memory_bytes"] > 1e7
    assert values["fallline_backup_age_seconds"] != values["fallline_backup_age_seconds"], "there is none"
    secrets = (one.id, one.token, other.id, "secret-run", "Anna", str(tmp_path))
    assert [secret for secret in secrets if secret in text] == []


async def test_metrics_are_off_by_default_and_a_taken_port_does_not_stop_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        async with open_app(metrics_port=port) as (_, client):
            assert (await client.get("/readyz")).status_code == 200
    assert f"no metrics on 127.0.0.1, port {port}" in caplog.text
    async with open_app() as (app, _):
        assert [*app.state.beside] == []


async def test_steps_of_closed_experiments_stay_counted() -> None:
    async with open_app() as (app, client):
        lab: Lab = app.state.lab
        one = await created(client)
        await one.ask("POST", "/step", {"steps": 5})
        await one.ask("POST", "/reset", {})
        await one.ask("POST", "/step", {"steps": 2})
        await one.ask("DELETE", "")
        await one.get()
        assert lab.present().steps == 2 * (5 + 2)
        assert lab.present().experiments == lab.present().open == 0


def test_a_histogram_counts_up_to_its_bounds() -> None:
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.0, 0.1, 0.11, 1.0, 5.0):
        histogram.observe(seconds)
    assert histogram.counts == [2, 2, 1]
    assert histogram.total == pytest.approx(6.21)


def test_only_errors_of_limits_are_counted() -> None:
    meters = Meters()
    for error in (TooExpensive("runs", 8, 9), TooManyRequests("slowly", 1.0), ReadOnly(), Conflict("no")):
        meters.count_error(error)
    assert +meters.limits == {"too-expensive": 1, "too-many-requests": 1, "read-only": 1}


# ---------------------------------------------------------------------- documents


def test_every_metric_stands_in_its_table() -> None:
    text = (DOCS / "reference/metrics.md").read_text()
    rows = re.findall(r"^\| `(fallline_\w+)` \| (\w+) \| *`?(\w*)`? *\| (.+) \|$", text, re.MULTILINE)
    assert rows == [
        (f"{row.name}_total" if row.kind == "counter" else row.name, row.kind, row.label or "", row.help)
        for row in METRICS
    ]


def test_every_limit_stands_in_its_table() -> None:
    text = (DOCS / "reference/metrics.md").read_text().partition("## Limits")[2]
    described = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) - {"limit"}
    package = Path(__file__).parents[3] / "backend" / "fallline"
    sources = "".join(path.read_text() for path in package.rglob("*.py"))
    counted = set(re.findall(r'limits\["([a-z-]+)"\]', sources))
    counted |= set(re.findall(r'CloseCode\.\w+: "([a-z-]+)"', sources))
    assert counted == set(LIMITS_WITHOUT_ERROR)
    assert {"too-expensive", "storage-full"} <= set(limit_names())
    assert described == set(limit_names())


def names_in(dashboard: Any) -> set[str]:
    """Return the names of our metrics in all expressions and queries of a dashboard."""
    return set(re.findall(r"\bfallline_\w+", " ".join(strings_of(dashboard))))


def strings_of(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings_of(each)


def test_the_dashboard_draws_every_metric_and_no_other() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    drawn = names_in(dashboard)
    assert drawn <= NAMES
    assert [row.name for row in METRICS if not drawn & set(row.series)] == []
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
    assert len({*places}) == len({panel["id"] for panel in dashboard["panels"]}) == len(places) >= 15
    assert all(panel["targets"] and panel["title"] for panel in dashboard["panels"])


def test_a_renamed_metric_in_the_dashboard_would_be_noticed() -> None:
    text = DASHBOARD.read_text()
    assert "fallline_steps_total" in text
    assert not names_in(json.loads(text.replace("fallline_steps_total", "fallline_step_total"))) <= NAMES
