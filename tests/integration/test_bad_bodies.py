"""Invalid bodies get problem details and a 4xx, from REST and from the socket."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fallline.vocabulary import answers
from fallline.vocabulary.errors import InvalidRequest
from fallline.web import connection
from support.serving import Server, created, raw

DEEP = b'{"data":' * 5_000 + b"1" + b"}" * 5_000

RECIPES: list[bytes] = [
    # not JSON
    b"{",
    b"}",
    b"{]",
    b"nul",
    b"None",
    b"undefined",
    b"{a:1}",
    b"{'data':{}}",
    b'{"data":{}',
    b'{"data":{},}',
    b'{"data":}',
    b'{"data" {}}',
    b'{"data":{}} trailing',
    b"{}{}",
    b"[",
    b"\x00",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"loss":"\xc3\x28"}',
    '{"loss":"mse"}'.encode("utf-16"),
    '{"loss":"mse"}'.encode("utf-32"),
    b'{"loss":"a\nb"}',
    b"<xml/>",
    b"data=1&loss=mse",
    b'--boundary\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--boundary--',
    b'{"a":01}',
    b'{"a":+1}',
    b'{"a":1.}',
    # JSON, but not an object
    b"null",
    b"true",
    b"3",
    b'"{}"',
    b"[]",
    b"[{}]",
    # not strict JSON
    b'{"data":{"noise":NaN}}',
    b'{"data":{"noise":Infinity}}',
    b'{"data":{"noise":-Infinity}}',
    b'{"data":{"noise":1e999}}',
    b'{"data":{"seed":18446744073709551616}}',
    b'{"data":{"seed":' + b"9" * 5_000 + b"}}",
    b'{"lr":NaN}',
    b'{"loss":"mse","loss":"mse"}',
    b'{"data":{"seed":1,"seed":2}}',
    b'{"loss":"\\ud83d"}',
    b'{"\\ud83d":1}',
    b'{"loss":"\\udc00x"}',
    DEEP,
    b"[" * 60_000,
    b'{"data":' * 8_000,
    b'{"runs":[' + b"[" * 20 + b"]" * 20 + b"]}",
    # wrong fields and types
    b'{"datas":{}}',
    b'{"":1}',
    b'{"\\u0000":1}',
    b'{"__proto__":{}}',
    b'{"data":{"samples":"900"}}',
    b'{"data":{"samples":9.5}}',
    b'{"data":{"samples":true}}',
    b'{"data":{"samples":null}}',
    b'{"data":{"samples":[900]}}',
    b'{"data":{"samples":{"$gt":0}}}',
    b'{"data":null}',
    b'{"data":[]}',
    b'{"network":{"layers":{"0":{}}}}',
    b'{"network":{"layers":[null]}}',
    b'{"network":{"layers":[4]}}',
    b'{"network":{"layers":[{"units":4,"activation":["relu"]}]}}',
    b'{"network":{"weights":{}}}',
    b'{"network":{"weights":[]}}',
    b'{"runs":{}}',
    b'{"runs":[]}',
    b'{"runs":[null]}',
    b'{"runs":[{"name":"gd"},{"name":"gd"}]}',
    b'{"runs":[{"name":"A B"}]}',
    b'{"runs":[{"name":""}]}',
    b'{"runs":[{"name":"' + b"a" * 33 + b'"}]}',
    b'{"runs":[{"label":"\\u0000"}]}',
    b'{"runs":[{"label":"\\u202egnp"}]}',
    b'{"runs":[{"edits":[{}]}]}',
    b'{"runs":[{"edits":[{"at_step":-1}]}]}',
    b'{"runs":[{"edits":[{"at_step":1,"learning_rate":null}]}]}',
    # out of range
    b'{"data":{"samples":0}}',
    b'{"data":{"samples":-5}}',
    b'{"data":{"samples":1}, "network":{"layers":[{"units":0}]}}',
    b'{"data":{"test_fraction":1}}',
    b'{"data":{"test_fraction":-0.1}}',
    b'{"data":{"features":0}}',
    b'{"data":{"seed":-1}}',
    b'{"data":{"samples":9007199254740992}}',
    b'{"data":{"features":9007199254740992}}',
    b'{"network":{"layers":[{"units":9007199254740992}]}}',
    b'{"network":{"layers":[' + b",".join([b'{"units":4}'] * 9) + b"]}}",
    b'{"network":{"layers":[{"units":4000},{"units":4000}]}}',
    b'{"runs":[{"learning_rate":0}]}',
    b'{"runs":[{"learning_rate":-1}]}',
    b'{"runs":[{"learning_rate":1e300}]}',
    b'{"runs":[{"batch_size":0}]}',
    b'{"runs":[{"batch_size":513}]}',
    b'{"runs":[' + b",".join([b"{}"] * 9) + b"]}",
    b'{"runs":[{"optimizer":"sgd","momentum":0.9}]}',
    b'{"runs":[{"optimizer":"momentum","momentum":2}]}',
    # unknown names
    b'{"loss":"nope"}',
    b'{"data":{"name":"nope"}}',
    b'{"network":{"output":"nope"}}',
    b'{"network":{"weights":"nope"}}',
    b'{"runs":[{"optimizer":"nope"}]}',
    b'{"network":{"layers":[{"units":4,"activation":"__class__"}]}}',
    b'{"loss":"../../etc/passwd"}',
]

COMMANDS: list[tuple[str, str, bytes]] = [
    *[
        ("POST", "/step", body)
        for body in (
            b'{"steps":0}',
            b'{"steps":-1}',
            b'{"steps":1000001}',
            b'{"steps":"5"}',
            b'{"steps":1.5}',
            b'{"steps":true}',
            b'{"epochs":0}',
            b'{"steps":1,"epochs":1}',
            b'{"step":1}',
            b'{"run":"nope!"}',
            b'{"steps":NaN}',
            b"[5]",
            b"5",
        )
    ],
    *[
        ("POST", "/play", body)
        for body in (
            b'{"speed":0}',
            b'{"speed":-1}',
            b'{"speed":1e-12}',
            b'{"speed":0.0166}',
            b'{"speed":"MAX"}',
            b'{"speed":null}',
            b'{"speed":1e400}',
            b'{"pace":"fast"}',
            b'{"speed":{}}',
            b'{"speed":true}',
        )
    ],
    *[("POST", "/pause", body) for body in (b'{"x":1}', b"null", b'{"run":"gd"}')],
    *[("POST", "/reset", body) for body in (b'{"run":1}', b'{"runs":["gd"]}', b'{"run":""}')],
    *[
        ("PATCH", "/runs/gd", body)
        for body in (
            b"",
            b"{}",
            b'{"learning_rate":null}',
            b'{"learning_rate":0}',
            b'{"momentum":0.5}',
            b'{"batch_size":0}',
            b'{"batch_size":"all"}',
            b'{"at_step":5,"batch_size":1}',
            b'{"seed":1}',
            b'{"optimizer":"nope"}',
            b'{"label":""}',
            b'{"learning_rate":0.1,"learning_rate":0.2}',
            b'{"name":"x"}',
        )
    ],
    *[
        ("POST", "/runs", body)
        for body in (b'{"name":"G D"}', b'{"edits":{}}', b'{"optimizer":1}', b'{"batch_size":1e-3}')
    ],
]


def check(content_type: str, status: int, body: dict[str, Any]) -> None:
    assert content_type == "application/problem+json"
    assert status == 422
    problem = answers.Problem.model_validate(body)
    assert problem.status == 422
    assert problem.type.startswith("/problems/")
    assert problem.errors or problem.bound
    for error in problem.errors:
        assert error.pointer == "" or error.pointer.startswith("/")
        assert error.detail


async def test_every_bad_recipe_is_answered_with_problem_details(client: httpx.AsyncClient) -> None:
    assert len(RECIPES) >= 60
    for body in RECIPES:
        answer = await client.post(
            "/api/v1/experiments", content=body, headers={"Content-Type": "application/json"}
        )
        try:
            check(answer.headers["content-type"], answer.status_code, answer.json())
        except AssertionError as error:
            raise AssertionError(f"{body[:80]!r}: {answer.status_code} {answer.text[:200]}") from error
    assert (await client.get("/healthz")).json()["experiments"] == 0


async def test_every_bad_command_is_answered_with_problem_details_and_does_nothing(
    client: httpx.AsyncClient,
) -> None:
    one = await created(client)
    before = (await one.get()).json()
    for method, path, body in COMMANDS:
        answer = await client.request(method, one.here + path, content=body, headers=one.authorized)
        try:
            check(answer.headers["content-type"], answer.status_code, answer.json())
        except AssertionError as error:
            raise AssertionError(f"{path} {body!r}: {answer.status_code} {answer.text[:200]}") from error
    assert (await one.get()).json() == before


def test_the_socket_refuses_the_same_bodies() -> None:
    paths = {
        "/step": "step",
        "/play": "play",
        "/pause": "pause",
        "/reset": "reset",
        "/runs/gd": "edit",
        "/runs": "add_run",
    }
    for _, path, body in COMMANDS:
        if not body.startswith(b"{"):
            continue
        do = paths[path]
        run = b',"run":"gd"' if do == "edit" else b""
        inner = body[1:-1].strip()
        text = b'{"type":"command","id":"c","experiment":"e","do":"%s"%s' % (do.encode(), run)
        text += b"," + inner + b"}" if inner else b"}"
        try:
            message, _ = connection.read(text.decode())
        except connection._ProtocolError as refused:
            message = refused.error
        if do == "edit" and inner in (b'{"optimizer":"nope"}'[1:-1], b'"momentum":0.5'):
            continue  # only the lab knows tables, and the optimizer in force
        assert isinstance(message, InvalidRequest), text


def test_the_largest_bodies_are_413_however_they_are_announced(shared_server: Server) -> None:
    head = b"POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    huge = b" " * 65_537
    for name, request in {
        "announced": head + b"Content-Length: 65537\r\n\r\n" + huge,
        "announced and never sent": head + b"Content-Length: 60000000\r\n\r\n",
        "in chunks": head + b"Transfer-Encoding: chunked\r\n\r\n" + b"10001\r\n" + huge + b"\r\n0\r\n\r\n",
        "in small chunks": head
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + (b"400\r\n" + b" " * 1024 + b"\r\n") * 65,
    }.items():
        answer = raw(shared_server.port, request)
        assert answer.startswith(b"HTTP/1.1 413 "), name
        assert b"application/problem+json" in answer
    fits = b'{"data":{"samples":20}}'.ljust(65_536)
    assert raw(shared_server.port, head + b"Content-Length: 65536\r\n\r\n" + fits).startswith(
        b"HTTP/1.1 201 "
    )
    # The rest of a body with a wrong length is not a request either.
    lying = raw(shared_server.port, head + b"Content-Length: 2\r\n\r\n{}" + huge)
    assert lying.startswith(b"HTTP/1.1 201 ")
    assert b"HTTP/1.1 5" not in lying


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /api/v1/experiments/%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_malformed_http_is_answered_with_a_client_error(request_bytes: bytes, shared_server: Server) -> None:
    answer = raw(shared_server.port, request_bytes, timeout=6)
    assert answer == b"" or answer.split(b" ")[1][:1] == b"4", answer[:200]
