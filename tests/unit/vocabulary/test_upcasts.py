"""Upcasts of facts stored by older versions."""

from __future__ import annotations

from typing import Any

import pytest

from fallline.runs.persistence.reopening import replay_facts
from fallline.vocabulary.journal import StoredExperiment, V, entry, upcast

PROVENANCE = {"kernel": "numpy", "builds": {}, "rounded": False}


@pytest.mark.parametrize("separator", ["\u2028", "\u2029"])
def test_stored_labels_of_two_lines_are_read_as_labels_of_one(separator: str) -> None:
    label = f"two{separator}lines"
    facts: list[dict[str, Any]] = [
        entry("began", recipe={"runs": [{"name": "gd", "label": label}, {"name": "sgd"}]}, **PROVENANCE),
        entry("run_added", recipe={"name": "added", "label": label}, generation=0, **PROVENANCE),
        entry("edited", run="sgd", label=label),
        entry("edited", run="gd", edit={"at_step": 3, "batch_size": 1}),
    ]
    standing = replay_facts(upcast(StoredExperiment(tuple(facts), {"v": V})).entries)
    assert {run.recipe.label for run in standing.runs.values()} == {"two lines"}
