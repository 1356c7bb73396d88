"""A client on a bad connection to a server that is killed at times.

It repeats each command until it is answered. It also watches and reconnects: in the end its history equals the
server's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from chaos.model import Model
from support.aliases import Json
from support.readers import Reader, as_buckets, assert_equal

ATTEMPT_SECONDS = 3.0
COMMAND_SECONDS = 180.0
"""Timeouts of one attempt and of all attempts."""

TRACED = 12
"""Messages of the socket in the report of a gap."""

RECIPE: Json = {
    "data": {"samples": 60},
    "runs": [{"name": "gd", "learning_rate": 0.01}, {"name": "sgd", "learning_rate": 0.01, "batch_size": 4}],
}
RETRIED = (OSError, httpx.TransportError, WebSocketException, TimeoutError)


@dataclass
class Tally:
    """Counts over all clients."""

    acknowledged: int = 0
    repeated: int = 0
    refused: int = 0
    """Commands refused by a server that cannot store."""

    wrong: list[str] = field(default_factory=list)


class Client:
    """One experiment, and a model of its expected state."""

    def __init__(self, address: str, rng: random.Random, tally: Tally) -> None:
        self._address = address
        self._rng = rng
        self._tally = tally
        self._http = httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=ATTEMPT_SECONDS)
        self._line: ClientConnection | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self._reader = Reader()
        self._trace: deque[str] = deque(maxlen=TRACED)
        self._number = 0
        self.id = self.token = ""

    # ------------------------------------------------------------------ a life

    async def begin(self) -> None:
        """Create an experiment, again if the answer is lost."""
        while True:
            with contextlib.suppress(*RETRIED):
                answer = await self._http.post("/experiments", json=RECIPE)
                if answer.status_code == 201:
                    state = answer.json()
                    self.id, self.token, self.model = state["id"], state["token"], Model(state)
                    return
            await asyncio.sleep(0.1)

    async def live(self, enough: Callable[[], bool]) -> None:
        """Send commands until `enough` is true. Records the first error."""
        try:
            while not enough() and not self._tally.wrong:
                await self._do_something()
        except AssertionError as error:
            self._wrong(error)

    def _wrong(self, error: AssertionError) -> None:
        what = str(error) or "the received history differs from the server's"
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
                model.update_steps(await self._command("pause", {}))
            case "fork" if len(model.runs) < 5:
                self._number += 1
                name, change = f"fork-{self._number}", self._change()
                added = await self._command("add_run", {"name": name, "fork_of": run, **change})
                model.fork(name, run, change)
                assert added["step"] == model.runs[name].step
            case "remove" if len(model.runs) > 2:
                await self._command("remove_run", {}, run)
                model.remove(run)

    def _change(self) -> Json:
        """Return a new learning rate, and sometimes another batch size."""
        self._number += 1
        rate = {"learning_rate": 0.001 + self._number * 1e-6}
        return rate if self._rng.random() < 0.7 else {**rate, "batch_size": self._rng.choice((None, 1, 7))}

    async def settle(self) -> Json:
        """Return the final state, after comparing it with the model."""
        answer = await self._http.get(f"/experiments/{self.id}")
        state: Json = answer.json()
        try:
            assert answer.status_code == 200, f"it is lost: {answer.text}"
            self.model.check(state)
            await self._compare_history(state)
            await self._compare_with_a_twin(state)
        except AssertionError as error:
            self._wrong(error)
        return state

    async def _compare_history(self, state: Json) -> None:
        """Compare the history received over all cuts and restarts with the server's."""
        await self._connected()
        for run in state["runs"]:
            name, last = run["name"], run["step"] - 1
            deadline = time.monotonic() + 10
            while self._received(name) != (run["generation"], last):
                assert time.monotonic() < deadline, (
                    f"{name} was received up to {self._received(name)} and is at {last}"
                )
                await asyncio.sleep(0.02)
            if last >= 0:
                path = f"/experiments/{self.id}/runs/{name}/history"
                answer = await self._http.get(path, params={"buckets": 10_000}, timeout=30)
                assert_equal(self._reader.buckets[name], as_buckets(answer.json()))

    def _received(self, run: str) -> tuple[int | None, int]:
        buckets = self._reader.buckets.get(run)
        return self._reader.generation.get(run), buckets[-1]["last"] if buckets else -1

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
                f"{name} at step {steps} differs from a replay of its recipe"
            )

    async def close(self) -> None:
        await self._disconnect()
        await self._http.aclose()

    # ------------------------------------------------------------------ commands

    async def _command(self, do: str, body: Json, run: str | None = None) -> Json:
        """Send a command until it is answered, with one id and over one connection type."""
        key, over_socket = str(uuid.UUID(int=self._rng.getrandbits(128))), self._rng.random() < 0.6
        send = self._over_the_socket if over_socket else self._over_rest
        failures, deadline = Counter[str](), time.monotonic() + COMMAND_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = await asyncio.wait_for(send(key, do, body, run), ATTEMPT_SECONDS)
                if (problem := answer.get("problem")) is None:
                    self._tally.acknowledged += 1
                    self._tally.repeated += bool(failures)
                    result: Json = answer["answer"]
                    return result
                assert problem["status"] in (429, 503), f"{do} {body} of {run} is refused: {problem}"
                failures[problem["detail"]] += 1
                self._tally.refused += problem["type"] == "/problems/read-only"
            except RETRIED as error:
                failures[type(error).__name__] += 1
            await asyncio.sleep(0.02 + self._rng.random() / 10)
        raise AssertionError(f"{do} was not answered in {COMMAND_SECONDS:.0f} s: {dict(failures)}")

    async def _over_rest(self, key: str, do: str, body: Json, run: str | None) -> Json:
        method, path = {
            "edit": ("PATCH", f"/runs/{run}"),
            "remove_run": ("DELETE", f"/runs/{run}"),
            "add_run": ("POST", "/runs"),
        }.get(do, ("POST", f"/{do}"))
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        content: dict[str, Any] = {} if do == "remove_run" else {"json": body}
        answer = await self._http.request(method, f"/experiments/{self.id}{path}", headers=headers, **content)
        if answer.is_success:
            return {"answer": answer.json() if answer.content else {}}
        return {"problem": answer.json()}

    async def _over_the_socket(self, key: str, do: str, body: Json, run: str | None) -> Json:
        line = await self._connected()
        answer = self._answers[key] = asyncio.get_running_loop().create_future()
        target = {} if run is None else {"run": run}
        message = {"type": "command", "id": key, "experiment": self.id, "do": do, **target, **body}
        await line.send(json.dumps(message))
        response: Json = await answer
        return response

    async def _connected(self) -> ClientConnection:
        if self._line is None:
            line = await connect(f"{self._address.replace('http', 'ws')}/api/v1/stream", max_size=None)
            watch = {"type": "watch", "experiment": self.id, "token": self.token, "fps": 10, "buckets": 60}
            since = self._reader.since()
            await line.send(json.dumps({**watch, "since": since}))
            self._trace.append(f"watch since {since}")
            self._line, self._listening = line, asyncio.create_task(self._listen(line))
        return self._line

    async def _listen(self, line: ClientConnection) -> None:
        resumed = True
        try:
            async for text in line:
                message = json.loads(text)
                self._trace.append(_short(message))
                if message["type"] == "frame":
                    self._reader.take(message, resumed=resumed)
                    resumed = False
                    await line.send(json.dumps({"type": "got", "frame": message["frame"]}))
                elif message["type"] in ("ack", "error") and message["id"] in self._answers:
                    answer = self._answers.pop(message["id"])
                    if not answer.done():
                        answer.set_result(message)
        except WebSocketException:
            pass
        except AssertionError as error:
            trace = "\n  ".join(self._trace)
            self._tally.wrong.append(
                f"experiment {self.id}: the history has {error}; last messages:\n  {trace}"
            )
        self._line = None
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the connection broke"))
                answer.exception()  # read it, as there may be no waiting call any more

    async def _disconnect(self) -> None:
        if self._line is not None:
            with contextlib.suppress(*RETRIED):
                await self._line.close()
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening


def _short(message: Json) -> str:
    """Describe a message in one line: a frame by the steps of its runs."""
    if message["type"] == "frame":
        runs = {
            run: (update["generation"], *update["columns"]["first"][:1], *update["columns"]["last"][-1:])
            for run, update in message["runs"].items()
        }
        return f"frame {message['frame']}, generation, first and last step: {runs}"
    if message["type"] == "event":
        where = [message.get(key) for key in ("run", "generation", "step")]  # a full disk concerns no run
        return f"event {message['event']} of run, generation and step {where}"
    return str(message["type"])
