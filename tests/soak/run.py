"""`make soak`: a class of 300 on one server, with each goal beside its figure.

python tests/soak/run.py [--people 300] [--arriving 60] [--playing 60] [--suffering 30] [--mutants [NAME ...]]
    [--sizes 10 30]

People open the page and an experiment of their own, play two runs at 60 steps a second, and edit. Then a tenth of them
reads nothing, a tenth has 5 kB/s, and the line of a tenth is cut every 5 s. At last the server is ended by SIGTERM and
by SIGKILL while all are connected. Everything runs on loopback, is bounded in count and time, and ends what it started.
The exit status is 1 if a goal is missed, or with `--mutants` if a planted fault is not seen.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "backend")]

from siege.force import Force, force  # noqa: E402
from siege.person import quantile  # noqa: E402
from siege.report import Report, Row, all_of, at_most, holds  # noqa: E402
from siege.server import open_server  # noqa: E402
from soak.mutants import MUTANTS  # noqa: E402
from soak.people import come  # noqa: E402
from soak.sizing import measure  # noqa: E402
from soak.watched import Watched, age_quantile, files_of_the_page, free_port, said  # noqa: E402
from support.aliases import Json  # noqa: E402
from support.serving import compiled_ahead  # noqa: E402

OPEN_SECONDS = 3.0
OPENING_CORE, PLAYING_CORE = 0.4, 1.0
"""Shares of one core while people come, and while all play."""

FRAME_AGE_MS, COMMAND_MS = 150.0, 100.0
UNFAIR = 0.2
"""Largest difference of a person's steps from the median, as a share of it."""

FRAME_BYTES, BYTES_A_SECOND = 2_500.0, 25_000.0
PERSON_MEGABYTES = 3.0
SHARED_BYTES = 24 << 20
"""Memory that all experiments share: examinations (16 MB), terrains (5 MB), and what is made at first use. In a class
of 10 it is half of the growth.
"""

STALE_SECONDS, RETURN_SECONDS = 1.0, 1.5
"""On a line of 5 kB/s, and after a cut."""

BACK_SECONDS = 8.0
LONGEST = 900.0
"""Limit on the whole soak, in seconds."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many people, how long each phase lasts in seconds, and how many of each trouble there are."""

    people: int
    arriving: float
    playing: float
    suffering: float
    troubled: int


SMALL = Size(people=10, arriving=4.0, playing=8.0, suffering=12.0, troubled=1)


async def until_back(crowd: Force, ended: float) -> tuple[float, Json]:
    """Seconds until all people have frames again, and what the crowd says of its losses.

    Those whose trouble was over just before the end may have come back then: that does not count.
    """
    give_up = time.monotonic() + 5 * BACK_SECONDS
    while time.monotonic() < give_up:
        backs = [line for line in crowd.said if line["phase"] == "back" and line["at"] > ended]
        if backs:
            here = [line for line in crowd.said if line["phase"] == "here" and line["at"] > ended]
            last_gone = max((line["at"] for line in here if line["gone"]), default=ended)
            return last_gone - ended, backs[-1]
        await asyncio.sleep(0.25)
    return 5 * BACK_SECONDS, {"acknowledged": 0, "lost": -1, "errors": []}


async def soak(report: Report, size: Size, mutants: Sequence[str] = ()) -> None:
    """One class, from its first page to the second restart."""

    def note(row: Row) -> None:
        report.note("class", row)

    with tempfile.TemporaryDirectory() as folder:
        port, metrics = free_port(), free_port()
        settings = {
            "FALLLINE_METRICS_PORT": str(metrics),
            "FALLLINE_EXPERIMENTS": str(max(1_000, size.people)),
        }
        start = partial(
            open_server, "--port", str(port), plants=mutants, folder=Path(folder), launch="soak", **settings
        )
        with start() as server:
            assets = await files_of_the_page(port)
            async with force(come, port, LONGEST, assets=assets, **asdict(size)) as crowd:
                await _come_and_play(note, Watched(server, metrics), crowd, size)
                ended = time.time()
                server.end(signal.SIGTERM)
                with start() as second:
                    _note_back(note, "SIGTERM", *await until_back(crowd, ended))
                    ended = time.time()
                    second.end(signal.SIGKILL)
                    with start():
                        _note_back(note, "SIGKILL", *await until_back(crowd, ended))


async def _come_and_play(note: Callable[[Row], None], watched: Watched, crowd: Force, size: Size) -> None:
    memory, cpu, began = watched.server.memory, watched.cpu, time.perf_counter()
    opened = await said(crowd, "opened", size.arriving + 60)
    cores = (watched.cpu - cpu) / (time.perf_counter() - began)
    note(all_of("people with an experiment on their page", opened["people"], size.people))
    longest = max(opened["seconds"], default=0.0)
    note(at_most("longest wait for page, experiment and first frame", longest, OPEN_SECONDS, "s", digits=1))
    note(at_most("cores while people come", cores, OPENING_CORE, "", digits=2))
    await said(crowd, "playing", 120)
    cpu, ages, began = watched.cpu, watched.frame_ages(), time.perf_counter()
    played = await said(crowd, "played", size.playing + 120)
    cores = (watched.cpu - cpu) / (time.perf_counter() - began)
    note(at_most("cores while all play", cores, PLAYING_CORE, "", digits=2))
    _note_play(note, played, age_quantile(ages, watched.frame_ages(), 0.99))
    each = 1e6 * cores * played["seconds"] / max(len(played["bytes"]), 1)
    print(
        f"  ({each:.0f} us of a core for each frame; {1e3 * cores / size.people:.2f} ms a second and person)"
    )
    await said(crowd, "suffering", 60)
    ages = watched.frame_ages()
    suffered = await said(crowd, "suffered", size.suffering + 120)
    _note_suffering(note, suffered, age_quantile(ages, watched.frame_ages(), 0.99))
    each = (watched.server.memory - memory - SHARED_BYTES) / size.people / 2**20
    note(at_most("memory a person, beside what all share", each, PERSON_MEGABYTES, "MB", digits=2))


def _note_play(note: Callable[[Row], None], played: Json, age: float) -> None:
    seconds, people = played["seconds"], played["people"]
    _note_service(note, played, age, "")
    note(at_most("mean bytes of a frame", statistics.fmean(played["bytes"] or [0]), FRAME_BYTES, "B"))
    each = (sum(played["bytes"]) + played["look_bytes"]) / seconds / people
    note(at_most("bytes a second and person", each, BYTES_A_SECOND, "B"))
    rate, frames = statistics.median(played["steps"]) / seconds, len(played["bytes"]) / seconds / people
    looks = played["looks"] / seconds / people
    print(
        f"  ({rate:.0f} steps/s of two runs, {frames:.1f} frames/s and {looks:.1f} other answers/s a person)"
    )


def _note_service(note: Callable[[Row], None], phase: Json, age: float, when: str) -> None:
    """Note the service that people without trouble get."""
    note(at_most(f"99th percentile of a frame's age{when}", age, FRAME_AGE_MS, "ms"))
    note(at_most(f"99th percentile of a command{when}", quantile(phase["commands"], 0.99), COMMAND_MS, "ms"))
    usual = statistics.median(phase["steps"])
    worst = max(abs(steps - usual) for steps in phase["steps"]) / max(usual, 1)
    note(at_most(f"difference of steps from the median{when}", 100 * worst, 100 * UNFAIR, "%"))
    note(at_most(f"errors{when}", len(phase["errors"]), 0, ""))
    if phase["errors"]:
        print(f"  ({phase['errors'][:3]})")


def _note_suffering(note: Callable[[Row], None], suffered: Json, age: float) -> None:
    _note_service(note, suffered, age, ", some in trouble")
    slow, back = quantile(suffered["stale"], 0.95), quantile(suffered["returns"], 0.95)
    note(at_most("95th percentile of a frame's age on 5 kB/s", slow, STALE_SECONDS, "s", digits=2))
    note(at_most("95th percentile of the time back after a cut", back, RETURN_SECONDS, "s", digits=2))
    note(at_most("frames that leave a gap", suffered["holes"], 0, ""))


def _note_back(note: Callable[[Row], None], how: str, seconds: float, back: Json) -> None:
    note(at_most(f"time until all are back after {how}", seconds, BACK_SECONDS, "s", digits=1))
    what = f"acknowledged changes lost by {how}"
    if back["lost"] < 0:  # nobody could be asked
        note(holds(what, False, "not known", "at most 0"))
    else:
        note(at_most(what, back["lost"], 0, f"of {back['acknowledged']}"))


async def attack_each(size: Size, names: Sequence[str]) -> list[str]:
    """Plant each fault in a small class; return the faults that no row shows.

    A row that is missed without a fault shows nothing.
    """
    print("\nno fault:")
    sound = Report()
    await soak(sound, size)
    missed = {row.what for _, row in sound.missed}
    unseen = []
    for name in names:
        mutant = MUTANTS[name]
        print(f"\n{name}: {(mutant.plant.__doc__ or '').strip()}")
        report = Report()
        try:
            await soak(report, size, (name,))
        except TimeoutError as error:
            print(f"  {error}")
        if not any(mutant.row in row.what for _, row in report.missed if row.what not in missed):
            unseen.append(name)
            print(f"  NOT SEEN in {mutant.row!r}")
    return unseen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--arriving", type=float, default=60.0, help="seconds in which all open the page")
    parser.add_argument("--playing", type=float, default=60.0, help="seconds in which all play")
    parser.add_argument("--suffering", type=float, default=30.0, help="seconds in which some are in trouble")
    parser.add_argument(
        "--mutants", nargs="*", choices=MUTANTS, help="plant these faults, or each, in a class of 10"
    )
    parser.add_argument("--sizes", type=int, nargs="+", help="instead, what classes of these sizes need")
    options = parser.parse_args()
    compiled_ahead()
    if options.sizes:
        asyncio.run(measure(options.sizes))
        return 0
    report, began = Report(), time.monotonic()
    if options.mutants is not None:
        names = options.mutants or [*MUTANTS]
        unseen = asyncio.run(attack_each(SMALL, names))
        print(f"{len(names)} faults, {len(unseen)} not seen, in {time.monotonic() - began:.0f} s")
        return 1 if unseen else 0
    times = (options.arriving, options.playing, options.suffering)
    size = Size(options.people, *times, troubled=options.people // 10)

    async def bounded() -> None:
        async with asyncio.timeout(LONGEST):
            await soak(report, size)

    asyncio.run(bounded())
    print(
        f"{len(report.rows)} figures, {len(report.missed)} goals missed, in {time.monotonic() - began:.0f} s"
    )
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
