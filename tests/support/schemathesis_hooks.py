"""Hooks for schemathesis: existing experiments, tokens, a table and parameters.

Schemathesis loads them (SCHEMATHESIS_HOOKS). They change bodies only to shorten long step commands, and no queries.
"""

from __future__ import annotations

import io
import os
from typing import Any

import httpx
import numpy as np
import schemathesis

SMALL = {"data": {"samples": 12, "features": 1}, "network": {"layers": [{"units": 1}]}}
NEEDS_NEW_EXPERIMENT = ("delete",)
MOST_STEPS = 1_000

TOKENS: dict[str, str] = {}
_SHARED: list[str] = []
_TABLES: list[str] = []
_PARAMETERS: list[str] = []
_LINES: list[str] = []


def created() -> str:
    answer = httpx.post(f"{os.environ['FALLLINE_UNDER_TEST']}/api/v1/experiments", json=SMALL).json()
    TOKENS[answer["id"]] = answer["token"]
    return str(answer["id"])


def table() -> str:
    if not _TABLES:
        content: dict[str, Any] = {"content": b"x,y\n1,2\n2,4\n", "headers": {"Content-Type": "text/csv"}}
        answer = httpx.post(f"{os.environ['FALLLINE_UNDER_TEST']}/api/v1/datasets", **content).json()
        _TABLES.append(str(answer["id"]))
    return _TABLES[0]


def parameters() -> str:
    if not _PARAMETERS:
        file = io.BytesIO()
        np.savez(file, W1=np.zeros((5, 1)), b1=np.zeros((1, 1)))
        kind = {"Content-Type": "application/octet-stream"}
        address = f"{os.environ['FALLLINE_UNDER_TEST']}/api/v1/parameters"
        _PARAMETERS.append(str(httpx.post(address, content=file.getvalue(), headers=kind).json()["id"]))
    return _PARAMETERS[0]


def line(method: str) -> str:
    """Return a line that exists."""
    if method in NEEDS_NEW_EXPERIMENT or not _LINES:
        answer = httpx.post(f"{os.environ['FALLLINE_UNDER_TEST']}/api/v1/lines").json()
        TOKENS[answer["line"]] = answer["key"]
        _LINES.append(str(answer["line"]))
    return _LINES[-1]


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any]) -> dict[str, Any]:
    if "line" in (path_parameters or {}):
        return {**path_parameters, "line": line(context.operation.method)}
    if "id" not in (path_parameters or {}):
        return path_parameters
    if "/datasets/" in context.operation.path:
        return {**path_parameters, "id": table()}
    if "/parameters/" in context.operation.path:
        return {**path_parameters, "id": parameters()}
    if context.operation.method in NEEDS_NEW_EXPERIMENT:
        id = created()
    else:
        if not _SHARED:
            _SHARED.append(created())
        id = _SHARED[0]
    names = {
        "run": "gd",
        "file": "script.py",
        "name": "units" if "instruments" in context.operation.path else "loss",
    }
    others = {name: names[name] for name in names if name in path_parameters}
    return {**path_parameters, "id": id, **others}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    body = case.body
    if isinstance(body, dict):
        for name in ("steps", "epochs"):
            value = body.get(name)
            if isinstance(value, int) and MOST_STEPS < value <= 1_000_000:
                case.body = {**body, name: MOST_STEPS}


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    if case.method.upper() == "POST" and case.path.endswith("/experiments") and response.status_code == 201:
        state = response.json()
        TOKENS[state["id"]] = state["token"]


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Ignore the check that repeats a DELETE without a token: the result is 404."""
    repeated_delete = case.method.upper() == "DELETE" and "IgnoredAuth" in type(failure).__name__
    return not (repeated_delete and "got `404 Not Found`" in failure.message)


@schemathesis.auth(refresh_interval=None)
class TokenOfTheExperiment:
    def get(self, case: Any, context: Any) -> str | None:
        named = case.path_parameters or {}
        return TOKENS.get(named.get("id") or named.get("line") or "")

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
