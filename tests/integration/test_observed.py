"""A server that is watched by its operator: metrics of people and frames, and logs without contents."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

from fallline.vocabulary.journal import log_id
from support.scraping import free_port, scraped
from support.serving import NUMPY, created, open_server

PATIENCE = 90.0
"""Seconds, for a machine that has other things to do."""

OWNER = "0123456789abcdef" * 2


async def scraped_once(port: int, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Return the metrics once they fulfil the condition."""
    async with asyncio.timeout(PATIENCE):
        while not holds(values := (await scraped(port))[1]):
            await asyncio.sleep(0.05)
    return values


async def test_a_class_is_seen_in_the_metrics_and_not_in_the_log(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        **NUMPY,
        "FALLLINE_DATA": str(tmp_path / "data"),
        "FALLLINE_METRICS_PORT": str(port),
        "FALLLINE_LOG_FORMAT": "json",
        "FALLLINE_LOG_LEVEL": "debug",
    }
    with open_server(**settings) as server:
        async with httpx.AsyncClient(base_url=server.url.rstrip("/"), timeout=PATIENCE) as client:
            client.headers["Fallline-Owner"] = OWNER
            recipe = {"data": {"samples": 60}, "runs": [{"name": "secret-run", "label": "Anna"}]}
            one = await created(client, recipe)
            began = time.monotonic()
            await one.ask("POST", "/play", {"speed": 100})
            watch = {"type": "watch", "experiment": one.id, "token": one.token, "fps": 20}
            async with connect(server.socket_url, max_size=None) as line, connect(server.socket_url):
                await line.send(json.dumps(watch))
                frames = 0
                while frames < 10:
                    message = json.loads(await asyncio.wait_for(line.recv(), PATIENCE))
                    frames += message["type"] == "frame"
                during = await scraped_once(
                    port, lambda values: values["fallline_loop_lag_seconds_count"] >= 1
                )
                lasted = time.monotonic() - began
            await one.ask("POST", "/pause")
            await one.ask("DELETE", "")
            after = await scraped_once(port, lambda values: values["fallline_people"] == 0)
            server.end()
        log = server.output
    assert during["fallline_people"] == 1
    assert (during["fallline_connections:websocket"], during["fallline_watching"]) == (2, 1)
    assert during["fallline_experiments:busy"] == 1
    assert during["fallline_steps_total"] > 10
    aged = during["fallline_frame_age_seconds_count"]
    assert aged >= 1
    assert 0 < during["fallline_frame_age_seconds_sum"] < aged * lasted
    assert after["fallline_experiments:stored"] == 0
    assert after["fallline_steps_total"] >= during["fallline_steps_total"]
    entries = [json.loads(each) for each in log.splitlines()]
    of_it = [entry["message"] for entry in entries if entry.get("experiment") == log_id(one.id)]
    assert of_it == ["an experiment was created", "an experiment was deleted"]
    secrets = (one.id, one.token, OWNER, "secret-run", "Anna")
    assert [secret for secret in secrets if secret in log] == []
