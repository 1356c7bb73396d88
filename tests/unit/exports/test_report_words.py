"""A report describes runs and edits in the words of the page."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.methods.schedules import SCHEDULES
from fallline.exports.report.words import edit_words, run_sentence
from fallline.runs.checks.catalog import catalog
from fallline.vocabulary.recipe import RunRecipe
from fallline.vocabulary.run_settings import AT_ANY_TIME, OWN_SETTINGS, Change
from fallline.vocabulary.words import word_for
from support.aliases import Json

FRONTEND = Path(__file__).parents[3] / "frontend/core"

CHANGES: list[tuple[Json, Json]] = [
    ({}, {"learning_rate": 0.006}),
    ({"learning_rate": 0.00003}, {"learning_rate": 12345.678}),
    ({}, {"batch_size": 1}),
    ({"batch_size": 1}, {"batch_size": 1024, "learning_rate": 0.5}),
    ({"batch_size": 7}, {"batch_size": None}),
    ({}, {"optimizer": "adam"}),
    ({}, {"optimizer": "momentum", "momentum": 0.5}),
    ({"optimizer": "momentum"}, {"optimizer": "nesterov"}),
    ({"optimizer": "momentum"}, {"momentum": 0.95}),
    ({"optimizer": "adam", "beta1": 0.5}, {"optimizer": "sgd", "learning_rate": 0.1}),
    ({"optimizer": "adam"}, {"beta2": 0.9, "epsilon": 1e-6}),
    ({"optimizer": "rmsprop"}, {"decay": 0.9}),
    ({}, {"optimizer": "adamw", "beta1": 0.7}),
    ({}, {"clip_norm": 2, "clip_value": 0.5}),
    ({}, {"layer_rates": [0.5, 0, 2]}),
    ({"layer_rates": [0.5, 0, 2]}, {"layer_rates": []}),
    ({"layer_rates": [0.5, 0, 2]}, {"layer_rates": [0.5, 0, 2], "learning_rate": 0.01}),
    ({"optimizer": "rmsprop_centered"}, {"optimizer": "lion", "bias_decay": 0}),
    ({"clip_norm": 2.0}, {"clip_norm": None}),
    ({}, {"l1": 0.01, "l2": 0.00002}),
    ({}, {"schedule": "cosine"}),
    ({"schedule": "cosine"}, {"schedule": {"name": "step", "every": 10, "factor": 0.25}}),
    ({}, {"schedule": {"name": "warmup", "steps": 77}}),
    ({}, {"schedule": {"name": "cosine_restarts", "growth": 3}}),
    ({}, {"schedule": {"name": "warmup", "next": "cosine"}}),
    ({}, {"schedule": {"name": "plateau", "patience": 3}}),
    (
        {"schedule": {"name": "warmup", "next": "cosine"}},
        {
            "schedule": {
                "name": "warmup",
                "steps": 7,
                "next": {"name": "one_cycle", "least": 0.5, "peak": 0.2},
            }
        },
    ),
    ({"schedule": "one_cycle"}, {"schedule": {"name": "polynomial", "power": 0.9, "least": 0}}),
    ({}, {"order": "sequential"}),
    ({"order": "sequential"}, {"order": "replacement"}),
    ({}, {"redraw": {"layers": [2]}}),
    ({}, {"redraw": {"layers": [1, 3], "weights": "xavier_uniform"}, "learning_rate": 0.02}),
    ({}, {"stop": [{"when": "layer_dies"}]}),
    ({}, {"stop": [{"when": "test_r2", "above": 0.9}, {"when": "train_loss", "below": 1e-5}]}),
    ({}, {"stop": [{"when": "loss_stalls"}, {"when": "loss_stalls", "steps": 1500}]}),
    ({"stop": [{"when": "layer_dies"}]}, {"stop": []}),
    ({"order": "sequential"}, {"order": "shuffle", "batch_size": 32}),
]


def of_the_page(what: str, inputs: list[Any]) -> list[str]:
    """Return the results of the page's function for these inputs."""
    code = f"""
import {{ runSentence, editWords }} from {json.dumps((FRONTEND / "run-words.ts").as_uri())};
import {{ wordFor }} from {json.dumps((FRONTEND / "words.ts").as_uri())};
const [catalog, asked] = JSON.parse(await new Promise((done) => {{
  let text = ""; process.stdin.on("data", (piece) => text += piece).on("end", () => done(text));
}}));
console.log(JSON.stringify(asked.map((each) => ({what})(each))));
"""
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert node is not None
    result = subprocess.run(
        [node, "--input-type=module", "-e", code],
        input=json.dumps([catalog(), inputs]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    words: list[str] = json.loads(result.stdout)
    return words


def filled(settings: Json) -> RunRecipe:
    """Return a run with all parameters of its method, as a server completes it."""
    run = RunRecipe.model_validate(settings)
    own = OPTIMIZERS[run.optimizer].filled(run.settings.own)
    return RunRecipe.model_validate({**settings, **own})


def test_a_run_has_the_same_sentence_as_on_the_page() -> None:
    runs = [filled(before) for before, _ in CHANGES]
    runs += [
        filled(change)
        for _, change in CHANGES
        if not {"momentum", "beta2", "decay", "redraw"} & change.keys()  # as settings of a run at step 0
    ]
    page = of_the_page("(settings) => runSentence({ settings })", [run.settings.as_json() for run in runs])
    assert [run_sentence(run.settings) for run in runs] == page


@pytest.mark.parametrize(("before", "change"), CHANGES)
def test_an_edit_has_the_same_words_as_on_the_page(before: Json, change: Json) -> None:
    run = filled(before)
    changes = Change.model_validate(change).changes()
    if changes.get("optimizer", run.optimizer) != run.optimizer:  # a server adds the new method's settings
        own = {name: changes[name] for name in OWN_SETTINGS if name in changes}
        changes |= OPTIMIZERS[changes["optimizer"]].filled(own)
    words = edit_words(changes, run.settings, run.settings.changed(changes, at_step=3))
    inputs = {
        "edit": json.loads(Change.model_validate(changes).model_dump_json(exclude_unset=True)),
        "before": run.settings.as_json(),
    }
    assert [words] == of_the_page("({ edit, before }) => editWords(edit, before, catalog)", [inputs])
    assert words


def test_names_are_the_same_words() -> None:
    names = {
        "optimizers": list(OPTIMIZERS),
        "schedules": list(SCHEDULES),
        "orders": ["shuffle", "sequential", "replacement"],
        "initializers": list(INITIALIZERS),
        "settings": [
            *OWN_SETTINGS,
            *AT_ANY_TIME,
            "every",
            "factor",
            "steps",
            "least",
            "start",
            "growth",
            "power",
            "peak",
            "patience",
        ],
    }
    pairs = [[table, name] for table, rows in names.items() for name in rows]
    assert [word_for(*each) for each in pairs] == of_the_page(
        "([table, name]) => wordFor(table, name)", pairs
    )
