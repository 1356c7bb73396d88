"""One who gives commands over a bad line to a server that is killed now and then, and repeats each until it is heard.

Watches at the same time, and comes back by itself: in the end it holds the history that the server holds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from chaos.model import Model
from support.readers import Reader, as_buckets, assert_equal

Json = dict[str, Any]

PATIENCE = 3.0
GIVE_UP = 180.0
"""Seconds, of one attempt and of all."""

RECIPE: Json = {
    "data": {"samples": 60},
    "runs": [{"name": "gd", "learning_rate": 0.01}, {"name": "sgd", "learning_rate": 0.01, "batch_size": 4}],
}
AGAIN = (OSError, httpx.TransportError, WebSocketException, TimeoutError)


@dataclass
class Tally:
    """What happened, over all clients."""

    acknowledged: int = 0
    repeated: int = 0
    refused: int = 0
    """As by a server that cannot store."""

    wrong: list[str] = field(default_factory=list)


class Client:
    """Owns one experiment, and a model of what it must be."""

    def __init__(self, address: str, rng: random.Random, tally: Tally) -> None:
        self._address = address
        self._rng = rng
        self._tally = tally
        self._http = httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=PATIENCE)
        self._line: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self._reader = Reader()
        self._number = 0
        self.id = self.token = ""

    # ------------------------------------------------------------------ a life

    async def begin(self) -> None:
        """A new experiment; who does not hear of it makes another."""
        while True:
            with contextlib.suppress(*AGAIN):
                answer = await self._http.post("/experiments", json=RECIPE)
                if answer.status_code == 201:
                    state = answer.json()
                    self.id, self.token, self.model = state["id"], state["token"], Model(state)
                    return
            await asyncio.sleep(0.1)

    async def live(self, enough: Callable[[], bool]) -> None:
        """Give commands until it is enough; note the first one that went wrong."""
        try:
            while not enough() and not self._tally.wrong:
                await self._do_something()
        except AssertionError as error:
            self._wrong(error)

    def _wrong(self, error: AssertionError) -> None:
        what = str(error) or "what was seen is not what the server holds"
        self._tally.wrong.append(f"experiment {self.id}: {what}")

    async def _do_something(self) -> None:
        run, model = self._rng.choice(list(self.model.runs)), self.model
        match self._rng.choices(("step", "edit", "reset", "play", "fork", "remove"), (8, 6, 1, 1, 1, 1))[0]:
            case "step":
                only = run if self._rng.random() < 0.3 else None
                steps = self._rng.choice((1, 3, 40, 400))
                state = await self._command("step", {"steps": steps} | ({"run": only} if only else {}))
                model.step(steps, only)
                model.check_steps(state)
            case "edit":
                change = self._change()
                model.edit(run, change, await self._command("edit", change, run))
            case "reset":
                state = await self._command("reset", {"run": run})
                model.reset(run)
                model.check_steps(state)
            case "play":
                await self._command("play", {"speed": self._rng.choice((50, 1000))})
                await asyncio.sleep(self._rng.random() / 3)
                model.stand(await self._command("pause", {}))
            case "fork" if len(model.runs) < 5:
                self._number += 1
                name, change = f"fork-{self._number}", self._change()
                told = await self._command("add_run", {"name": name, "fork_of": run, **change})
                model.fork(name, run, change)
                assert told["step"] == model.runs[name].step
            case "remove" if len(model.runs) > 2:
                await self._command("remove_run", {}, run)
                model.remove(run)

    def _change(self) -> Json:
        """A rate that was never there before, and sometimes another batch."""
        self._number += 1
        rate = {"learning_rate": 0.001 + self._number * 1e-6}
        return rate if self._rng.random() < 0.7 else {**rate, "batch_size": self._rng.choice((None, 1, 7))}

    async def settle(self) -> Json:
        """What the server says in the end; and that it is what the model says."""
        answer = await self._http.get(f"/experiments/{self.id}")
        state: Json = answer.json()
        try:
            assert answer.status_code == 200, f"it is lost: {answer.text}"
            self.model.check(state)
            await self._compare_the_picture(state)
            await self._compare_with_a_twin(state)
        except AssertionError as error:
            self._wrong(error)
        return state

    async def _compare_the_picture(self, state: Json) -> None:
        """What was received in pieces, over all cuts and restarts, is what the server holds."""
        await self._connected()
        for run in state["runs"]:
            name, last = run["name"], run["step"] - 1
            give_up = time.monotonic() + 10
            while self._seen(name) != (run["generation"], last):
                assert time.monotonic() < give_up, (
                    f"{name} is seen at {self._seen(name)} and stands at {last}"
                )
                await asyncio.sleep(0.02)
            if last >= 0:
                path = f"/experiments/{self.id}/runs/{name}/history"
                answer = await self._http.get(path, params={"buckets": 10_000}, timeout=30)
                assert_equal(self._reader.held[name], as_buckets(answer.json()))

    def _seen(self, run: str) -> tuple[int | None, int]:
        held = self._reader.held.get(run)
        return self._reader.generation.get(run), held[-1]["last"] if held else -1

    async def _compare_with_a_twin(self, state: Json) -> None:
        twin = (await self._http.post("/experiments", json=state["recipe"], timeout=30)).json()
        authorized = {"Authorization": f"Bearer {twin['token']}"}
        for run in state["runs"]:
            name, steps = run["name"], run["step"]
            body = {"steps": steps, "run": name}
            if steps:
                path = f"/experiments/{twin['id']}/step"
                (await self._http.post(path, json=body, headers=authorized, timeout=60)).raise_for_status()
            ours, other = [
                (await self._http.get(f"/experiments/{id}/runs/{name}/snapshot", timeout=30)).json()
                for id in (self.id, twin["id"])
            ]
            assert ours["parameters"] == other["parameters"], (
                f"{name} at {steps} is not what its recipe makes"
            )

    async def close(self) -> None:
        await self._hang_up()
        await self._http.aclose()

    # ------------------------------------------------------------------ commands

    async def _command(self, do: str, body: Json, run: str | None = None) -> Json:
        """Send it until it is answered, always with the same id and the same way."""
        key, over_socket = str(uuid.UUID(int=self._rng.getrandbits(128))), self._rng.random() < 0.6
        send = self._over_the_socket if over_socket else self._over_rest
        heard, give_up = Counter[str](), time.monotonic() + GIVE_UP
        while time.monotonic() < give_up:
            try:
                answer = await asyncio.wait_for(send(key, do, body, run), PATIENCE)
                if (problem := answer.get("problem")) is None:
                    self._tally.acknowledged += 1
                    self._tally.repeated += bool(heard)
                    told: Json = answer["answer"]
                    return told
                assert problem["status"] in (429, 503), f"{do} {body} of {run} is refused: {problem}"
                heard[problem["detail"]] += 1
                self._tally.refused += problem["type"] == "/problems/read-only"
            except AGAIN as error:
                heard[type(error).__name__] += 1
            await asyncio.sleep(0.02 + self._rng.random() / 10)
        raise AssertionError(f"{do} was not answered in {GIVE_UP:.0f} s: {dict(heard)}")

    async def _over_rest(self, key: str, do: str, body: Json, run: str | None) -> Json:
        method, path = {
            "edit": ("PATCH", f"/runs/{run}"),
            "remove_run": ("DELETE", f"/runs/{run}"),
            "add_run": ("POST", "/runs"),
        }.get(do, ("POST", f"/{do}"))
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        content = {} if do == "remove_run" else {"json": body}
        answer = await self._http.request(method, f"/experiments/{self.id}{path}", headers=headers, **content)
        if answer.is_success:
            return {"answer": answer.json() if answer.content else {}}
        return {"problem": answer.json()}

    async def _over_the_socket(self, key: str, do: str, body: Json, run: str | None) -> Json:
        line = await self._connected()
        heard = self._answers[key] = asyncio.get_running_loop().create_future()
        named = {} if run is None else {"run": run}
        message = {"type": "command", "id": key, "experiment": self.id, "do": do, **named, **body}
        await line.send(json.dumps(message))
        return await heard

    async def _connected(self) -> ClientConnection:
        if self._line is None:
            line = await connect(f"{self._address.replace('http', 'ws')}/api/v1/stream", max_size=None)
            watch = {"type": "watch", "experiment": self.id, "token": self.token, "fps": 10, "buckets": 60}
            await line.send(json.dumps({**watch, "since": self._reader.since()}))
            self._line, self._listening = line, asyncio.create_task(self._listen(line))
        return self._line

    async def _listen(self, line: ClientConnection) -> None:
        resumed = True
        try:
            async for text in line:
                message = json.loads(text)
                if message["type"] == "frame":
                    self._reader.take(message, resumed=resumed)
                    resumed = False
                    await line.send(json.dumps({"type": "got", "frame": message["frame"]}))
                elif message["type"] in ("ack", "error") and message["id"] in self._answers:
                    heard = self._answers.pop(message["id"])
                    if not heard.done():
                        heard.set_result(message)
        except WebSocketException:
            pass
        except AssertionError as error:
            self._tally.wrong.append(f"experiment {self.id}: the picture has {error}")
        self._line = None
        answers, self._answers = self._answers, {}
        for heard in answers.values():
            if not heard.done():
                heard.set_exception(ConnectionError("the line broke"))
                heard.exception()  # looked at: nobody may be waiting any more

    async def _hang_up(self) -> None:
        if self._line is not None:
            with contextlib.suppress(*AGAIN):
                await self._line.close()
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
