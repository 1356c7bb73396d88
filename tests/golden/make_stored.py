"""Write a file stored by the current program, for later versions to open.

PYTHONPATH=backend:tests python tests/golden/make_stored.py

Run it once for each version of the stored form (`vocabulary.journal.V`, `storage.tables.VERSION`). Existing files do
not change, since they represent files on users' disks. A second file lists the contents that must be read.
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from fallline.engine.kernels.numpy_kernels import Kernels
from fallline.execution.builds import builds
from fallline.runs.persistence import journal_writer
from fallline.services.lab import Lab
from fallline.storage.sqlite import NAME, SqliteStore
from fallline.storage.sums import unpacked
from fallline.storage.tables import VERSION
from fallline.vocabulary.journal import V
from fallline.vocabulary.recipe import Recipe
from support.aliases import Json
from support.labs import open_lab, steps_of
from support.stored import contents

FOLDER = Path(__file__).parent / "stored"

EVERYTHING: Json = {
    "data": {"samples": 60, "test_fraction": 0.2, "noise": 0.1, "standardize": "inputs"},
    "network": {
        "layers": [{"units": 4, "activation": "tanh"}],
        "weights": {"name": "normal", "scale": 0.5},
        "biases": "zeros",
    },
    "loss": {"name": "huber", "delta": 1.5},
    "runs": [
        {"name": "gd", "label": "All samples", "edits": [{"at_step": 50, "learning_rate": 0.05}]},
        {"name": "sgd", "learning_rate": 0.01, "batch_size": 1, "momentum": 0.5, "optimizer": "momentum"},
        {"name": "gone", "optimizer": "adamw", "learning_rate": 0.01},
    ],
}
"""It has at least one fact of every kind."""

DIVERGES: Json = {"data": {"samples": 40}, "runs": [{"name": "run-1", "learning_rate": 2.0}]}
OWNER = "0123456789abcdef" * 2
"""The owner key of all experiments."""

CUT_OFF = 5000
"""More steps than the time before the power cut allows."""

CSV = b"height;weight;kind\n1,5;60;a\n1,6;70;b\n1,7;65;a\n1,8;80;b\n1,9;85;b\n1,55;61;a\n"


class Visitor:
    """A client that makes experiments in a lab and keeps their tokens."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.tokens = lab, dict[str, str]()

    async def makes(self, recipe: Json) -> str:
        state, token = await self.lab.create(Recipe.model_validate(recipe), owner=OWNER)
        self.tokens[state["id"]] = token
        return str(state["id"])

    async def asks(
        self, id: str, do: str, run: str | None = None, key: str | None = None, **body: Any
    ) -> Json:
        return await self.lab.command(id, self.tokens[id], do, body, run=run, key=key)

    async def resets(self, id: str, run: str) -> Json:
        return await self.lab.command(id, self.tokens[id], "reset", {"run": run})


async def lived(visitor: Visitor) -> dict[str, str]:
    """Make one experiment of each kind; return their ids."""
    one = await visitor.makes(EVERYTHING)
    await visitor.asks(one, "step", key="asked-once", steps=20)
    await visitor.asks(one, "edit", run="gd", optimizer="adam", learning_rate=0.02, beta1=0.8)
    await visitor.asks(one, "edit", run="sgd", label="One at a time", batch_size=4, clip_norm=2.0)
    await visitor.asks(one, "edit", run="sgd", label=None)
    await visitor.asks(one, "step", steps=15)
    await visitor.asks(one, "add_run", name="fork", fork_of="gd", at_step=10, learning_rate=0.2)
    await visitor.asks(one, "add_run", name="late", optimizer="rmsprop", learning_rate=0.005, batch_size=8)
    await visitor.asks(one, "remove_run", run="gone")
    await visitor.asks(
        one, "add_run", name="gone", learning_rate=0.03, schedule={"name": "cosine", "steps": 40}
    )
    await visitor.asks(one, "step", steps=12)
    await visitor.resets(one, "late")
    await visitor.asks(one, "step", steps=30)
    await visitor.asks(one, "edit", run="gd", learning_rate=0.01)
    diverged = await visitor.makes(DIVERGES)
    await visitor.asks(diverged, "step", steps=30)
    table = await visitor.lab.add_table(CSV)
    own = await visitor.makes({"data": {"name": "csv", "dataset": table["id"], "target": "kind"}})
    await visitor.asks(own, "step", steps=25)
    sent = await visitor.lab.add_parameters(_parameters())
    started = await visitor.makes(
        {"data": {"samples": 50}, "network": {"layers": [{"units": 2}], "start": sent["id"]}}
    )
    await visitor.asks(started, "step", steps=25)
    return {"everything": one, "diverged": diverged, "own table": own, "own parameters": started}


def _parameters() -> bytes:
    """Parameters of a network 5-2-1, none of them a number from a seed."""
    sizes, file = {"W1": (5, 2), "b1": (1, 2), "W2": (2, 1), "b2": (1, 1)}, io.BytesIO()
    np.savez(
        file, **{name: np.cos(np.arange(np.prod(size)).reshape(size) + 1.0) for name, size in sizes.items()}
    )
    return file.getvalue()


async def cut_off(visitor: Visitor, one: str, crashed: Path, data: Path) -> str:
    """Cut the power while one experiment plays and another makes steps with a key."""
    journal_writer.SAVE_SECONDS = journal_writer.FINAL_SECONDS = 1e9
    cut = await visitor.makes({"data": {"samples": 50}, "runs": [{"name": "gd", "learning_rate": 0.02}]})
    await visitor.asks(one, "play", speed=20)
    going = asyncio.ensure_future(visitor.asks(cut, "step", key="cut-off", steps=CUT_OFF))
    while not (0 < steps_of(await visitor.lab.views.state(cut))["gd"] < CUT_OFF):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.08)
    crashed.mkdir()
    for file in data.glob(f"{NAME}*"):
        shutil.copy(file, crashed / file.name)
    assert not going.done(), "it was faster than the power cut: ask for more steps"
    await visitor.asks(cut, "pause")
    await going
    return cut


async def make(folder: Path) -> Json:
    """Write the file; return the id and token of each experiment."""
    data, crashed = folder / "data", folder / "crashed"
    journal_writer.SAVE_SECONDS, journal_writer.POSITION_SECONDS = 0.0, 0.05
    async with open_lab(SqliteStore(data)) as lab:
        visitor = Visitor(lab)
        ids = await lived(visitor)
        ids["cut off"] = await cut_off(visitor, ids["everything"], crashed, data)
    # A different build: later steps are equal only to rounding.
    journal_writer.SAVE_SECONDS = 0.0
    other = Kernels(builds={**builds(), "blas": "another one"})
    async with open_lab(SqliteStore(crashed), kernels=other) as lab:
        await lab.command(ids["everything"], visitor.tokens[ids["everything"]], "pause", {})
    return {name: {"id": id, "token": visitor.tokens[id]} for name, id in ids.items()}


def answers(file: Path) -> Json:
    """Responses to commands with a key, by the key."""
    connection = sqlite3.connect(file)
    found = {key: unpacked(body) for key, body in connection.execute("SELECT key, body FROM answer")}
    connection.close()
    return found


def name_of(version: int, tables: int) -> str:
    """The file's name without its extension, from the versions of facts and tables."""
    return f"version-{version}" if tables == 1 else f"version-{version}-tables-{tables}"


def main() -> None:
    target = FOLDER / f"{name_of(V, VERSION)}.sqlite3"
    if target.exists():
        sys.exit(f"{target} is there already, and stands for what lies on people's disks")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        made = asyncio.run(make(Path(name)))
        connection = sqlite3.connect(Path(name) / "crashed" / NAME)
        connection.execute("VACUUM INTO ?", (str(target),))
        connection.close()
        opens = asyncio.run(contents(target, made))
    about = f"What fallline stored in version {V}, tables {VERSION}, and what it opens as. Made by make_stored.py."
    golden = {"about": about, "experiments": made, "answers": answers(target), "opens": opens}
    text = json.dumps(golden, indent=1, ensure_ascii=False)
    target.with_suffix(".json").write_text(text + "\n")


if __name__ == "__main__":
    main()
