"""`make soak SIZES="10 30 100"`: what a class of each size needs, as rows of the sizing table in the documentation.

Each class opens the page, plays two runs at 60 steps a second and edits, as in the soak. It has no troubles, and no
goals: the table says what a machine can hold.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from siege.force import force
from siege.person import quantile
from siege.server import open_server
from soak.people import come
from soak.watched import Watched, age_quantile, files_of_the_page, free_port, said
from support.aliases import Json

ARRIVING_SECONDS, PLAYING_SECONDS = 20.0, 30.0
LONGEST = 300.0
"""Limit on one class, in seconds."""

HEADER = """\
| people | cores | memory | Mbit/s | frames a second | steps a second | age of a frame, p99 | a command, p99 |
|---:|---:|---:|---:|---:|---:|---:|---:|"""


async def row_of(people: int) -> str:
    """Let a class of this size play; return its row."""
    with tempfile.TemporaryDirectory() as folder:
        port, metrics = free_port(), free_port()
        with open_server(
            "--port", str(port), folder=Path(folder), launch="soak", FALLLINE_METRICS_PORT=str(metrics)
        ) as server:
            watched, assets = Watched(server, metrics), await files_of_the_page(port)
            size = {"arriving": ARRIVING_SECONDS, "playing": PLAYING_SECONDS, "suffering": 0.0}
            async with force(come, port, LONGEST, assets=assets, people=people, troubled=0, **size) as crowd:
                await said(crowd, "playing", ARRIVING_SECONDS + 180)
                cpu, ages, began = watched.cpu, watched.frame_ages(), time.perf_counter()
                played = await said(crowd, "played", PLAYING_SECONDS + 120)
                cores = (watched.cpu - cpu) / (time.perf_counter() - began)
                age = age_quantile(ages, watched.frame_ages(), 0.99)
                return _row(people, cores, server.resident, age, played)


def _row(people: int, cores: float, memory: int, age: float, played: Json) -> str:
    seconds, sizes = played["seconds"], played["bytes"]
    cells = (
        f"{people}",
        f"{cores:.2f}",
        f"{memory / 2**20:,.0f} MB",
        f"{8e-6 * (sum(sizes) + played['look_bytes']) / seconds:.1f}",
        f"{len(sizes) / seconds / people:.1f}",
        f"{statistics.median(played['steps']) / seconds:.0f}",
        f"{age:,.0f} ms",
        f"{quantile(played['commands'], 0.99):,.0f} ms",
    )
    return f"| {' | '.join(cells)} |"


async def measure(sizes: list[int]) -> None:
    """Print the table."""
    print(HEADER, flush=True)
    for people in sizes:
        print(await row_of(people), flush=True)
