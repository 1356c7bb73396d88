"""The Doctor's findings over REST and on the socket."""

from __future__ import annotations

import asyncio
import json
import threading

import httpx
import pytest
from websockets.asyncio.client import connect

from fallline.runs.doctor.doctor import Doctor
from fallline.runs.experiment import Experiment
from fallline.services.fair_slots import WaitingRequests
from fallline.vocabulary import finding_answers
from support.serving import SMALL, Server, created, open_app

NEVER = {"layers": [{"units": 3, "activation": "relu"}], "weights": "zeros", "biases": "zeros"}
"""A network that is dead from the start."""


async def test_a_finding_is_in_its_call_the_state_and_the_socket(shared_server: Server) -> None:
    async with (
        httpx.AsyncClient(base_url=shared_server.url, timeout=90) as client,
        connect(shared_server.socket_url) as line,
        asyncio.timeout(90),
    ):
        one = await created(client, {"network": NEVER, "runs": [{"name": "gd"}]})
        assert (await one.get("/runs/gd/findings")).json() == []
        await line.send(json.dumps({"type": "watch", "experiment": one.id}))
        heard = json.loads(await line.recv())
        state = (await one.ask("POST", "/step?wait=20", {"steps": 5})).json()
        (finding,) = (await one.get("/runs/gd/findings")).json()
        finding_answers.Finding.model_validate(finding)
        assert (finding["rule"], finding["since_step"], finding["title"]) == (
            "dead_layer",
            0,
            "GD: layer 1 is dead.",
        )
        assert state["runs"][0]["findings"] == [finding]
        assert state["runs"][0]["doctor"]["examinations"] == 6
        while heard.get("event") != "finding":
            heard = json.loads(await line.recv())
        opened = {**finding, "seen_at": 1, "evidence": finding["first_evidence"]}
        assert (heard["run"], heard["step"], heard["finding"]) == ("gd", 5, opened)
        assert (await one.get("/runs/nobody/findings")).status_code == 404


async def test_a_remedy_is_a_command_that_rest_and_the_socket_take_as_it_is(shared_server: Server) -> None:
    async with (
        httpx.AsyncClient(base_url=shared_server.url, timeout=90) as client,
        connect(shared_server.socket_url) as line,
        asyncio.timeout(90),
    ):
        one = await created(client, {"runs": [{"name": "gd", "learning_rate": 50}]})
        await one.ask("POST", "/step?wait=20", {"steps": 100})
        (finding,) = (await one.get("/runs/gd/findings")).json()
        assert finding["rule"] == "diverged"
        rewind, anew = (remedy["command"] for remedy in finding["remedies"])
        added = (await one.ask("POST", "/runs", {key: rewind[key] for key in rewind if key != "do"})).json()
        assert added["settings"]["learning_rate"] < 50
        await line.send(json.dumps({"type": "watch", "experiment": one.id, "token": one.token}))
        await line.send(json.dumps({"type": "command", "id": "c", "experiment": one.id, **anew}))
        heard = json.loads(await line.recv())
        while heard["type"] not in ("ack", "error"):
            heard = json.loads(await line.recv())
        assert heard["answer"]["settings"]["clip_norm"] == anew["clip_norm"]
        assert (await one.ask("DELETE", f"/runs/{added['name']}")).status_code == 204, "and is undone"


async def test_the_answer_to_steps_waits_for_the_findings_if_asked(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doctor, "is_cheap", lambda *_: False)
    one = await created(client, {"network": NEVER})
    at_once = (await one.ask("POST", "/step", {"steps": 300})).json()
    assert [run["findings_complete_to"] for run in at_once["runs"]] != [300, 300]
    waited = (await one.ask("POST", "/step?wait=20", {"steps": 300})).json()
    assert [(run["step"], run["findings_complete_to"]) for run in waited["runs"]] == [(600, 600)] * 2
    assert all(run["findings"] for run in waited["runs"])
    refused = await one.ask("POST", "/step?wait=26", {"steps": 1})
    assert refused.status_code == 422


async def test_waiting_requests_are_bounded_and_a_step_is_made_anyway(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_waiting = Experiment._answer_waiting
    go_on = threading.Event()
    monkeypatch.setattr(
        Experiment, "_answer_waiting", lambda self, now: answer_waiting(self, now) if go_on.is_set() else None
    )
    async with open_app(kernel="numpy") as (app, client):
        places = WaitingRequests("requests", most=4, fewest=2)
        app.state.lab.views._waiting_for_findings = places
        one = await created(client, SMALL)
        waiting = [asyncio.create_task(one.get(path, wait=9)) for path in ("", "/runs/gd/findings")]
        while len(places) < len(waiting):
            await asyncio.sleep(0.01)
        refused = await one.get(wait=9)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        stepped = await one.ask("POST", "/step?wait=9", {"steps": 3})
        assert (stepped.status_code, stepped.json()["runs"][0]["step"]) == (200, 3)
        assert [task.done() for task in waiting] == [False, False]
        go_on.set()
        await one.ask("POST", "/step", {"steps": 1})
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
        assert (await one.get(wait=9)).status_code == 200
