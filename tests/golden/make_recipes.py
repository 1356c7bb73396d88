"""Write recipes in their current form with the losses that they give, for later versions.

PYTHONPATH=backend:tests python tests/golden/make_recipes.py

Recipes already in the file do not change, since they represent users' files and links. New ones are added.
"""

from __future__ import annotations

import json
from pathlib import Path

from fallline.runs.experiment import Experiment
from fallline.vocabulary.exhibits import EXHIBITS
from support.aliases import Json
from support.old_recipes import results_of

TARGET = Path(__file__).parent / "recipes.json"

POSTED: dict[str, Json] = {
    "the notebook": {},
    "every setting of a run": {
        "data": {"samples": 70, "test_fraction": 0.3, "noise": 0.2, "standardize": "both", "seed": 3},
        "network": {
            "layers": [{"units": 5, "activation": "tanh"}, {"units": 3, "activation": "elu"}],
            "weights": {"name": "xavier_normal"},
            "biases": "zeros",
            "seed": 4,
        },
        "loss": {"name": "huber", "delta": 0.7},
        "runs": [
            {"name": "a", "label": "Größe", "optimizer": "momentum", "momentum": 0.8, "learning_rate": 0.05},
            {"name": "b", "optimizer": "adam", "beta1": 0.8, "beta2": 0.99, "epsilon": 1e-7, "batch_size": 7},
            {"name": "c", "schedule": {"name": "cosine", "steps": 10}, "l1": 0.001, "l2": 0.01, "seed": 9},
            {"name": "d", "order": "sequential", "batch_size": 4, "clip_norm": 0.5, "clip_value": 0.2},
            {
                "name": "e",
                "origin": {"run": "a", "at_step": 3},
                "edits": [
                    {"at_step": 3, "learning_rate": 0.2, "batch_size": 1},
                    {"at_step": 9, "optimizer": "rmsprop", "decay": 0.9, "clip_norm": None},
                    {"at_step": 12, "batch_size": None, "schedule": "exponential"},
                ],
            },
            {"optimizer": "adamw", "learning_rate": 0.01},
        ],
    },
    "classes": {
        "data": {"name": "two_spirals", "samples": 80, "turns": 1.5, "label_noise": 0.1},
        "network": {"layers": [{"units": 6}]},
        "runs": [{"batch_size": 10}],
    },
    "a polynomial": {"data": {"name": "polynomial", "samples": 50, "degree": 4}, "runs": [{}]},
}


def main() -> None:
    there: dict[str, Json] = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    exhibits = {
        f"the exhibit {name}": Experiment("x", row.recipe).recipe.as_json() for name, row in EXHIBITS.items()
    }
    for name, posted in {**POSTED, **exhibits}.items():
        if name not in there:
            there[name] = {"posted": posted, **results_of(posted)}
    TARGET.write_text(json.dumps(there, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
