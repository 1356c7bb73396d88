"""A real server with little memory: it answers, and does not grow."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from support.serving import NUMPY, open_server

LIMIT_MB = 100
SLACK_MB = 60
"""For what is on its way: answers, pieces to be stored, and what the allocator keeps."""

COUNT = 30
STEPS = 20
RECIPE = {
    "data": {"samples": 8},
    "network": {"layers": [{"units": 250}, {"units": 250}]},
    "runs": [{"name": f"run-{at}", "learning_rate": 1e-6} for at in range(4)],
}
"""Large states, so that little computing takes much memory: without a limit this many take more than twice as much."""


def train(client: httpx.Client) -> tuple[str, dict[str, str]]:
    created = client.post("/api/v1/experiments", json=RECIPE)
    assert created.status_code == 201, created.text
    here, token = f"/api/v1/experiments/{created.json()['id']}", created.json()["token"]
    authorized = {"Authorization": f"Bearer {token}"}
    stepped = client.post(here + "/step", json={"steps": STEPS}, headers=authorized)
    assert stepped.status_code == 200, stepped.text
    assert client.post(here + "/play", json={"speed": 1}, headers=authorized).status_code == 200
    return here, authorized


def test_a_server_with_little_memory_trains_any_number_of_experiments_also_after_a_restart(
    tmp_path: Path,
) -> None:
    settings = {**NUMPY, "FALLLINE_DATA": str(tmp_path), "FALLLINE_MEMORY_MB": str(LIMIT_MB)}
    with open_server(**settings) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        first = train(client)[0]
        before = server.resident_bytes
        for _ in range(COUNT):
            train(client)
        assert server.resident_bytes - before < (LIMIT_MB + SLACK_MB) * 1e6
        state = client.get(first).json()
        assert state["runs"][0]["step"] >= STEPS
        assert state["playing"] is False, "it made room for the others"
        server.end()
    with open_server(**settings) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        assert client.get(first).status_code == 200
        time.sleep(2)
        assert server.resident_bytes - before < (LIMIT_MB + SLACK_MB) * 1e6


def test_a_server_without_a_folder_refuses_new_work_and_says_why() -> None:
    settings = {**NUMPY, "FALLLINE_MEMORY_MB": str(LIMIT_MB)}
    with (
        open_server("--memory", **settings) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        here, authorized = train(client)
        for _ in range(60):
            refused = client.post("/api/v1/experiments", json=RECIPE)
            if refused.status_code != 201:
                break
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "without a data folder closes none" in refused.json()["detail"]
        assert client.get(here).json()["playing"] is True
        assert client.post(here + "/pause", headers=authorized).status_code == 200
