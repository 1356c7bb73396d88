"""The check of the image's configuration (`make verify-image`) notices planted faults."""

from copy import deepcopy
from typing import Any

import pytest

from container.check_config import faults

ENVIRONMENT = [
    "OPENBLAS_NUM_THREADS=1", "FALLLINE_DATA=/data", "NUMBA_CPU_NAME=x86-64-v3", "NUMBA_CACHE_DIR=/tmp/fallline"
]  # fmt: skip

GOOD: dict[str, Any] = {
    "Docker": {
        "config": {
            "User": "10001:10001",
            "StopSignal": "SIGTERM",
            "Entrypoint": ["fallline"],
            "Cmd": ["serve"],
            "Healthcheck": {"Test": ["CMD", "python", "-c", "..."]},
            "ExposedPorts": {"8000/tcp": {}},
            "Volumes": {"/data": {}},
            "Env": ENVIRONMENT,
        },
        "history": [{"created_by": "COPY backend backend"}],
    }
}


def test_a_good_image_has_no_faults() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("User", ""),
        ("StopSignal", "SIGKILL"),
        ("Entrypoint", ["/bin/sh", "-c", "fallline serve"]),
        ("Healthcheck", None),
        ("ExposedPorts", {"8000/tcp": {}, "22/tcp": {}}),
        ("Volumes", None),
        ("Volumes", {"/data": {}, "/other": {}}),
        ("Env", ENVIRONMENT[1:]),
        ("Env", ENVIRONMENT[:3]),
        ("Env", [*ENVIRONMENT[:2], ENVIRONMENT[3]]),
        ("Env", [*ENVIRONMENT, "PIP_INDEX_URL=http://elsewhere"]),
    ],
)
def test_a_broken_promise_is_noticed(key: str, value: object) -> None:
    image = deepcopy(GOOD)
    image["Docker"]["config"][key] = value
    assert len(faults(image)) == 1
