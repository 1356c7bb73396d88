"""Reading the metrics of a server, as Prometheus does."""

from __future__ import annotations

import socket

import httpx
from prometheus_client.parser import text_string_to_metric_families


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def scraped(port: int) -> tuple[str, dict[str, float]]:
    """Return the text, and the values by name, with their label behind a colon."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/metrics", timeout=60)
    assert answer.status_code == 200
    values = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            label = ":".join(sample.labels.values())
            values[sample.name + (f":{label}" if label else "")] = sample.value
    return answer.text, values
