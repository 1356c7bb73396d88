"""The recipe as a file (`recipe.json`): posted to a server it makes the same numbers again."""

from __future__ import annotations

import json

from fallline.exports.taken import Taken
from fallline.vocabulary.recipe import Recipe


def recipe_json(found: Taken) -> bytes:
    """The recipe with all edits, laid out to be read."""
    return as_file(found.recipe)


def as_file(recipe: Recipe) -> bytes:
    """A recipe alone, laid out to be read."""
    return (json.dumps(recipe.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
