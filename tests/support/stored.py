"""The experiments of a stored file, as numbers that replay to rounding."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from fallline.services.lab import Lab
from fallline.storage.sqlite import NAME, SqliteStore
from fallline.storage.sums import checksum
from support.aliases import Json
from support.labs import open_lab

SUMS = (
    ("entry", "row_sum", ("experiment", "number", "body"), "experiment || '/' || number"),
    ("answer", "row_sum", ("experiment", "key", "digest"), "rowid"),
    ("dataset", "row_sum", ("id", "since", "seen", "size"), "rowid"),
    ("clock", "row_sum", ("at", "seen"), "rowid"),
    ("experiment", "made_sum", ("id", "token_hash", "created", "dataset", "owner"), "rowid"),
    ("experiment", "stands_sum", ("id", "used", "seen", "playing", "progress", "facts"), "rowid"),
)


def sum_again(folder: Path) -> None:
    """Update the checksums of rows that a test has changed, if the file has checksums."""
    with closing(sqlite3.connect(folder / NAME)) as connection, connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'session'").fetchone():
            return
        for table, name, columns, key in SUMS:
            for row in connection.execute(f"SELECT {key}, {', '.join(columns)} FROM {table}").fetchall():
                connection.execute(
                    f"UPDATE {table} SET {name} = ? WHERE {key} = ?", (checksum(*row[1:]), row[0])
                )


async def contents(file: Path, experiments: Json) -> Json:
    """Return the experiments of a stored file by name. The file does not change."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(file, Path(folder) / NAME)
        async with open_lab(SqliteStore(Path(folder))) as lab:
            return {name: await _experiment(lab, keys["id"]) for name, keys in experiments.items()}


async def _experiment(lab: Lab, id: str) -> Json:
    state = await lab.views.state(id)
    return {
        "recipe": state["recipe"],
        "playing": state["playing"],
        "runs": {run["name"]: await _run(lab, id, run) for run in state["runs"]},
    }


async def _run(lab: Lab, id: str, run: Json) -> Json:
    _, history, _ = await lab.views.history(id, run["name"], ["batch_loss"], None, None, 1000)
    return {
        **{name: run[name] for name in ("status", "step", "samples_seen", "label", "settings")},
        "train_loss": run["latest"]["train_loss"]["value"],
        "W1": (await lab.views.snapshot(id, run["name"], None))["parameters"]["W1"],
        "W1 half way": (await lab.views.snapshot(id, run["name"], run["step"] // 2))["parameters"]["W1"],
        "batch_loss": history.final[0].tolist(),
    }
