"""The recipe as `recipe.json`.

Posting it to a server gives the same numbers again.
"""

from __future__ import annotations

import json

from fallline.exports.export_data import ExportData
from fallline.vocabulary.recipe import Recipe


def recipe_json(data: ExportData) -> bytes:
    """Return the recipe with all edits, indented."""
    return as_file(data.recipe)


def as_file(recipe: Recipe) -> bytes:
    """Return a recipe as an indented JSON file."""
    return (json.dumps(recipe.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
