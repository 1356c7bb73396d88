"""Which prefixes are base paths, and who may name one."""

from __future__ import annotations

import logging

import httpx
import pytest

from fallline.settings import usable_base_path
from support.serving import open_app


@pytest.mark.parametrize(
    ("prefix", "base"),
    [("", ""), ("/", ""), ("/x", "/x"), ("/x/", "/x"), ("/user/a.b~c_d-1/fallline", "/user/a.b~c_d-1/fallline"),
     ("/1/2/3/4", "/1/2/3/4"), ("/apis", "/apis"), ("/x/api", "/x/api")],
)  # fmt: skip
def test_a_base_path_has_up_to_four_plain_segments(prefix: str, base: str) -> None:
    assert usable_base_path(prefix) == base


@pytest.mark.parametrize(
    "prefix",
    ["x", "//x", "/x//y", "/1/2/3/4/5", "/x y", "/x?y", "/x#y", "/%66", "/é", "https://evil.example", "/x\n", "/..",
     "/x/../y", "/.", "/api", "/docs/x", "/x, /y", "//"],
)  # fmt: skip
def test_any_other_prefix_is_none(prefix: str) -> None:
    assert usable_base_path(prefix) is None


async def type_of_problem(client: httpx.AsyncClient, path: str = "/nope", **headers: str) -> str:
    answer = await client.get(
        path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    assert answer.status_code == 404
    kind: str = answer.json()["type"]
    return kind


async def test_only_a_trusted_proxy_names_a_prefix_and_a_wrong_one_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_app() as (_, client):
        assert await type_of_problem(client, X_Forwarded_Prefix="/x") == "/problems/not-found"
    async with open_app(proxies=("127.0.0.1",)) as (_, client):
        assert await type_of_problem(client, X_Forwarded_Prefix="/x") == "/x/problems/not-found"
        assert await type_of_problem(client, X_Forwarded_Prefix="/x/") == "/x/problems/not-found"
        assert await type_of_problem(client) == "/problems/not-found"
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                assert (
                    await type_of_problem(client, X_Forwarded_Prefix="//evil.example")
                    == "/problems/not-found"
                )
    assert [record.getMessage() for record in caplog.records if "evil" in record.getMessage()] == [
        "X-Forwarded-Prefix is ignored: '//evil.example' must be up to four segments such as /fallline, "
        "the first one no URL of the server"
    ]


async def test_a_client_behind_a_trusted_proxy_is_not_trusted_itself() -> None:
    async with open_app(proxies=("10.0.0.1",)) as (_, client):
        forwarded = {"X_Forwarded_For": "10.0.0.1", "X_Forwarded_Prefix": "/x"}
        assert await type_of_problem(client, **forwarded) == "/problems/not-found"


async def test_the_setting_wins_over_the_header() -> None:
    async with open_app(base_path="/own/", proxies=("127.0.0.1",)) as (_, client):
        assert await type_of_problem(client, X_Forwarded_Prefix="/x") == "/own/problems/not-found"


async def test_urls_answer_with_and_without_the_base_path_but_not_below_a_longer_name() -> None:
    async with open_app(base_path="/x") as (_, client):
        for path in (
            "/healthz",
            "/x/healthz",
            "/readyz",
            "/x/readyz",
            "/x/api/v1/catalog",
            "/api/v1/catalog",
        ):
            assert (await client.get(path)).status_code == 200, path
        for path in ("/xx/healthz", "/x/x/healthz", "/X/healthz", "/xhealthz"):
            assert await type_of_problem(client, path) == "/x/problems/not-found"
        options = await client.options("/x/healthz")
        assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
        wrong = await client.put("/x/healthz")
        assert (wrong.status_code, wrong.json()["type"]) == (405, "/x/problems/method-not-allowed")


async def test_the_base_path_without_a_final_slash_leads_to_the_page() -> None:
    async with open_app(base_path="/x") as (_, client):
        answer = await client.get("/x?embed=loss")
        assert (answer.status_code, answer.headers["location"]) == (307, "/x/?embed=loss")
        assert "content-security-policy" in answer.headers
        assert (await client.post("/x")).status_code == 404


async def test_a_url_that_only_begins_like_the_base_path_is_not_below_it() -> None:
    async with open_app(base_path="/health") as (_, client):
        for path in ("/healthz", "/health/healthz"):
            assert (await client.head(path)).status_code == 200, path
