"""Attack 13: requests that say two things, come from another origin, or carry characters that reverse a line.

Then a data folder that cannot be written. The server must report the problem at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from siege.report import Row, all_of, at_most, holds
from siege.server import Server, TheServerEnded
from siege.wire import ADDRESS, API, Http, Reply
from siege.world import World
from support.aliases import Json

TITLE = "ambiguous requests, foreign origins, reversing characters, and a data folder that is not writable"
EXPERIMENTS = f"{API}/experiments"
PATIENCE = 10.0
SOON_SECONDS = 2.0
"""Longest time until an unwritable server says so, beside other attacks."""

REVERSING = ("\u202e", "\u202a", "\u2066", "\u2028", "\u2029")
"""Characters that reverse or break the lines in which a page or a log shows them."""

TABLES = ("a,na{}me\n1,2\n2,3\n", "a,b\n1,x{}y\n2,z\n")
"""With one in the header, and in a cell."""

NOT_WRITABLE = "cannot write to its data folder"
TABLE = b"a,b\n1,2\n2,3\n"


async def siege(world: World) -> None:
    with world.server() as server:
        http = Http(server.port)
        state = (await http.ask("POST", EXPERIMENTS, {}, seconds=30)).json()
        for row in (
            await _foreign(http),
            await _repeated(http, state),
            await _keyed_twice(http, state),
            await _tables(http),
            await _labels(http, state),
        ):
            world.note(row)
        reply = await http.ask("GET", f"{EXPERIMENTS}/{state['id']}", seconds=PATIENCE)
        figure = f"{reply.status}, {_steps(reply)} steps"
        is_same = reply.status == 200 and _steps(reply) == 0
        world.note(holds("the experiment after all of them", is_same, figure, "200, 0 steps"))
        http.close()
    await _unwritable(world)


def _refused(what: str, replies: Iterable[Reply], status: int, word: str) -> Row:
    """All have this status, and their problem contains the word."""
    all_replies = list(replies)
    good = sum(reply.status == status and word in reply.body.decode() for reply in all_replies)
    return all_of(what, good, len(all_replies), f"all {status} that say why")


async def _foreign(http: Http) -> Row:
    """Changes from pages of another scheme, port, name, or of none."""
    here = f"{ADDRESS}:{http.port}"
    origins = (f"https://{here}", f"http://{ADDRESS}:{http.port ^ 1}", f"http://{here}.example.org", "null")
    replies = [await http.ask("POST", EXPERIMENTS, {}, seconds=PATIENCE, Origin=origin) for origin in origins]
    return _refused("an https origin on http, and other foreign ones", replies, 403, "foreign-origin")


async def _repeated(http: Http, state: Json) -> Row:
    here = f"{EXPERIMENTS}/{state['id']}"
    paths = (
        f"{here}/runs/gd/snapshot?step=0&step=0",
        f"{here}/runs/gd/history?buckets=1&buckets=10000",
        f"{here}/runs/gd/history?since=0&%73ince=5",
        f"{here}/figures/loss?filled=true&filled=false",
        f"{here}/export/history.csv?run=gd&run=sgd",
    )
    replies = [await http.ask("GET", path, seconds=PATIENCE) for path in paths]
    return _refused("repeated query parameters", replies, 422, "must appear only once")


async def _keyed_twice(http: Http, state: Json) -> Row:
    """Steps with two keys, equal ones too: a proxy may add one."""
    path, token = f"{EXPERIMENTS}/{state['id']}/step", state["token"]
    replies = []
    for second in ("one", "two", ""):
        # The client writes a value as it is, so this one makes two headers.
        keys = f"one\r\nIdempotency-Key: {second}"
        body = {"steps": 1}
        replies.append(
            await http.ask("POST", path, body, token=token, seconds=PATIENCE, Idempotency_Key=keys)
        )
    return _refused("two Idempotency-Keys", replies, 422, "must appear only once")


async def _tables(http: Http) -> Row:
    replies = [
        await http.ask(
            "POST",
            f"{API}/datasets",
            table.format(each).encode(),
            seconds=PATIENCE,
            Content_Type="text/csv",
        )
        for table in TABLES
        for each in REVERSING
    ]
    return _refused("reversing characters in headers and cells of tables", replies, 422, "U+20")


async def _labels(http: Http, state: Json) -> Row:
    path = f"{EXPERIMENTS}/{state['id']}/runs/gd"
    replies = []
    for each in REVERSING:
        label = {"label": f"a{each}b"}
        replies += [
            await http.ask("PATCH", path, label, token=state["token"], seconds=PATIENCE),
            await http.ask("POST", EXPERIMENTS, {"runs": [label]}, seconds=PATIENCE),
        ]
    return _refused("reversing and breaking characters in labels", replies, 422, "label")


async def _unwritable(world: World) -> None:
    """A data folder below a file: nobody can write there, root neither."""
    try:
        with world.server(FALLLINE_DATA="/proc/version/data") as server:
            await _says_so(world, server)
    except TheServerEnded as ended:
        what = "changes where the data folder is not writable"
        world.note(holds(what, False, f"the server ends: {ended.output[-100:]}", "all 503 that say why"))


async def _says_so(world: World, server: Server) -> None:
    http = Http(server.port)
    began = time.perf_counter()
    replies = [
        await http.ask("POST", EXPERIMENTS, {}, seconds=PATIENCE),
        await http.ask("POST", f"{API}/datasets", TABLE, seconds=PATIENCE, Content_Type="text/csv"),
        await http.ask("GET", "/readyz", seconds=PATIENCE),
    ]
    seconds = time.perf_counter() - began
    health = (await http.ask("GET", "/healthz", seconds=PATIENCE)).json()
    page = await http.ask("GET", f"{API}/catalog", seconds=PATIENCE)
    http.close()
    what = "changes where the data folder is not writable"
    world.note(_refused(what, replies, 503, NOT_WRITABLE))
    world.note(at_most("seconds until it says so", seconds, SOON_SECONDS, "s", digits=1))
    is_known = health["read_only"] is True and page.status == 200
    figure = f"read_only: {health['read_only']}, catalog {page.status}"
    world.note(holds("what a page there learns before the first change", is_known, figure, "read-only"))


def _steps(reply: Reply) -> int:
    return sum(run["step"] for run in reply.json()["runs"]) if reply.status == 200 else -1
