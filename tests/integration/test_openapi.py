"""The API matches its OpenAPI document, as schemathesis checks it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from fallline.exports.table import EXPORTS
from fallline.runs.checks.catalog import catalog
from fallline.vocabulary.commands import COMMANDS
from fallline.web.errors import STATUS
from support.serving import Server, open_server

TESTS = Path(__file__).parents[1]
EXAMPLES = 1
MORE_EXAMPLES = 6

FILES = {"/api/v1/datasets": "text/csv", "/api/v1/parameters": "application/octet-stream"}
"""What is sent as it is; everything else is JSON."""

WITHOUT_BODY = {"/api/v1/undo/{undo}", "/api/v1/lines"}
"""Calls whose address says all."""


@pytest.fixture
def document(shared_server: Server) -> dict[str, Any]:
    described: dict[str, Any] = httpx.get(shared_server.url + "openapi.json", timeout=90).json()
    return described


@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(MORE_EXAMPLES, marks=pytest.mark.long)])
@pytest.mark.timeout(600)
def test_schemathesis_finds_no_failure(tmp_path: Path, examples: int) -> None:
    with open_server(
        FALLLINE_REQUESTS_PER_SECOND="100000",
        FALLLINE_WRONG_TOKENS_PER_SECOND="100000",
        FALLLINE_REFUSALS_PER_SECOND="100000",
        FALLLINE_UNUSED_CREATIONS="100000",
    ) as server:
        result = subprocess.run(
            [
                Path(sys.executable).parent / "schemathesis",
                "--config-file", TESTS / "support/schemathesis.toml",
                "run", server.url + "openapi.json",
                "--checks", "all", "--continue-on-failure", "--seed", "1",
                "--max-examples", str(examples), "--request-timeout", "15",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=590,
            check=False,
            env={
                **os.environ,
                "FALLLINE_UNDER_TEST": server.url.rstrip("/"),
                "SCHEMATHESIS_HOOKS": "support.schemathesis_hooks",
                "PYTHONPATH": str(TESTS),
            },
        )  # fmt: skip
        log = server.output
    assert result.returncode == 0, result.stdout
    generated = re.search(r"(\d+) generated, (\d+) passed", result.stdout)
    assert generated is not None, result.stdout
    assert int(generated[1]) >= 100 * examples
    assert "unexpected exception" not in log
    assert "Traceback" not in log


def test_every_call_of_the_contract_is_described(document: dict[str, Any]) -> None:
    one, run = "/api/v1/experiments/{id}", "/api/v1/experiments/{id}/runs/{run}"
    calls = {(method, path) for path, methods in document["paths"].items() for method in methods}
    expected = {
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/api/v1/catalog"),
        ("get", "/api/v1/exhibits/{name}/story"),
        ("post", "/api/v1/experiments"),
        ("post", "/api/v1/undo/{undo}"),
        ("post", "/api/v1/datasets"),
        ("get", "/api/v1/datasets/{id}"),
        ("post", "/api/v1/qr"),
        ("get", "/api/v1/addresses"),
        ("post", "/api/v1/parameters"),
        ("get", "/api/v1/parameters/{id}"),
        ("post", "/api/v1/lines"),
        ("delete", "/api/v1/lines/{line}"),
        *{(method, "/api/v1/lines/{line}/messages") for method in ("get", "post")},
        *{(method, one) for method in ("get", "delete")},
        *{
            ("get", one + view)
            for view in ("/recipe", "/data", "/moment", "/figures/{name}", "/export/{file}")
        },
        *{("post", one + do) for do in ("/step", "/play", "/pause", "/reset", "/runs")},
        *{(method, run) for method in ("patch", "delete")},
        *{
            ("get", run + view)
            for view in ("/history", "/snapshot", "/inspect", "/inspect/script", "/findings", "/check")
        },
        *{("get", of + view) for of in (one, run) for view in ("/instruments", "/instruments/{name}")},
    }
    assert calls - expected == set(), "add new calls to the list above"
    assert expected - calls == set(), "the document lacks these calls"


def test_every_call_describes_its_answer_and_its_problems(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            responses = call["responses"]
            good = [status for status in responses if status.startswith("2")]
            assert len(good) == 1, (method, path)
            assert (good == ["204"]) == ("content" not in responses[good[0]])
            for status in set(responses) - set(good):
                assert list(responses[status]["content"]) == ["application/problem+json"], (
                    method,
                    path,
                    status,
                )
            assert "HTTPValidationError" not in str(call)
            if path in WITHOUT_BODY:
                assert "requestBody" not in call
            elif method in ("post", "patch", "put"):
                (kind,) = call["requestBody"]["content"]
                assert kind == FILES.get(path, "application/json")
                assert call["requestBody"]["content"][kind]["schema"]


def test_every_exported_file_is_described_with_its_media_type(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/experiments/{id}/export/{file}"]["get"]["responses"]["200"][
        "content"
    ]
    assert set(content) == {row.media_type for row in EXPORTS.values()}
    kinds = {media_type: content_type["schema"]["type"] for media_type, content_type in content.items()}
    assert {media_type for media_type, kind in kinds.items() if kind == "object"} == {
        "application/json",
        "application/x-ipynb+json",
    }
    assert content["application/zip"]["schema"]["format"] == "binary"


def test_every_setting_of_a_run_is_described_as_in_the_catalog(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in ("RunRecipe", "AddRun", "EditRun", "Edit"):
        assert [
            key for key, field in schemas[name]["properties"].items() if not field.get("description")
        ] == []
    helped = catalog()["run_settings"] + [
        row for each in catalog()["optimizers"] for row in each["parameters"]
    ]
    for name in ("RunRecipe", "AddRun", "EditRun"):
        field = schemas[name]["properties"]
        assert [row["name"] for row in helped if row["help"] not in field[row["name"]]["description"]] == []


def test_every_reference_in_the_description_exists(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in re.findall(r"#/components/schemas/(\w+)", str(document)):
        assert name in schemas
    for model in COMMANDS.values():
        assert model.__name__ in schemas
    assert {"Watch", "Unwatch", "Got", "Ping", "Envelope", "Problem"} <= set(schemas)


def test_every_kind_of_problem_is_listed(document: dict[str, Any]) -> None:
    for kind, status in STATUS.items():
        assert f"`/problems/{kind.code}` ({status})" in document["info"]["description"]


def undescribed(schema: dict[str, Any], answer: Any, schemas: dict[str, Any], path: str = "") -> list[str]:
    """Return the paths of fields in an answer that its schema does not name. Objects without named fields are free."""
    if "$ref" in schema:
        return undescribed(schemas[schema["$ref"].rpartition("/")[2]], answer, schemas, path)
    if choices := schema.get("anyOf"):
        return min((undescribed(each, answer, schemas, path) for each in choices), key=len)
    if isinstance(answer, list) and "items" in schema:
        return [name for each in answer for name in undescribed(schema["items"], each, schemas, path)]
    if not isinstance(answer, dict):
        return []
    named, others = schema.get("properties", {}), schema.get("additionalProperties")
    missing = []
    for name, value in answer.items():
        if name in named:
            missing += undescribed(named[name], value, schemas, f"{path}/{name}")
        elif named:
            missing.append(f"{path}/{name}")
        elif isinstance(others, dict):
            missing += undescribed(others, value, schemas, f"{path}/{name}")
    return missing


def response_in(document: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    described: dict[str, Any] = document["paths"][path][method]["responses"][str(status)]
    return described


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("get", "/healthz", 200), ("get", "/readyz", 200), ("get", "/api/v1/catalog", 200),
     ("post", "/api/v1/experiments", 201)],
)  # fmt: skip
def test_every_field_of_an_answer_is_described_at_any_depth(
    document: dict[str, Any], shared_server: Server, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, shared_server.url.rstrip("/") + path, timeout=90)
    assert answer.status_code == status
    schema = response_in(document, path, method, status)["content"]["application/json"]["schema"]
    assert sorted(set(undescribed(schema, answer.json(), document["components"]["schemas"]))) == []


def test_a_field_that_the_description_lacks_is_found_in_objects_lists_and_choices() -> None:
    row = {"properties": {"name": {"type": "string"}}}
    schemas = {"Row": row, "Free": {"additionalProperties": {"$ref": "#/components/schemas/Row"}}}
    schema = {
        "properties": {
            "rows": {"items": {"$ref": "#/components/schemas/Row"}},
            "by": {"$ref": "#/components/schemas/Free"},
            "next": {"anyOf": [row, {"type": "null"}]},
            "any": {"type": "object"},
        }
    }
    answer = {"rows": [{"name": "a"}, {"name": "b", "x": 1}], "by": {"a": {"y": 1}}, "any": {"z": 1}, "w": 1}
    assert undescribed(schema, answer, schemas) == ["/rows/x", "/by/a/y", "/w"]
    assert undescribed(schema, {"next": {"name": "a"}}, schemas) == []
    assert undescribed({"anyOf": [row, row]}, {"x": 1}, schemas) == ["/x"]


def test_every_header_of_ours_is_described(document: dict[str, Any], shared_server: Server) -> None:
    url, one = f"{shared_server.url}api/v1/experiments", "/api/v1/experiments/{id}"
    created = httpx.post(url, json={}, timeout=90).json()
    here = f"{url}/{created['id']}"
    headers = {"Authorization": f"Bearer {created['token']}"}
    for method, path, status, name in (
        ("get", "/runs/{run}/findings", 200, "Fallline-Complete-To"),
        ("delete", "/runs/{run}", 204, "Fallline-Undo"),
        ("delete", "", 204, "Fallline-Undo"),
    ):
        answer = httpx.request(method, here + path.format(run="gd"), headers=headers, timeout=90)
        assert answer.status_code == status
        ours = {each for each in answer.headers if each.startswith("fallline-")}
        described = response_in(document, one + path, method, status)["headers"]
        assert ours == {name.lower()} == {each.lower() for each in described}
        assert all(each["description"] and each["schema"]["type"] for each in described.values())
    for path in ("/recipe", "/export/{file}"):
        assert "Fallline-Damaged" in response_in(document, one + path, "get", 200)["headers"]


def test_where_something_is_and_when_to_repeat_are_described(document: dict[str, Any]) -> None:
    repeats = places = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, response in operation["responses"].items():
                headers = response.get("headers", {})
                assert ("Retry-After" in headers) == (status in ("429", "503", "507")), (method, path, status)
                repeats += "Retry-After" in headers
                places += "Location" in headers
    assert (repeats > 20, places) == (True, 3)
    for path in ("/api/v1/experiments", "/api/v1/datasets", "/api/v1/parameters"):
        assert response_in(document, path, "post", 201)["headers"]["Location"]["required"]
