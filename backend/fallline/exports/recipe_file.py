"""The recipe as a file (`recipe.json`): posted to a server it makes the same numbers again."""

from __future__ import annotations

import json

from fallline.exports.taken import Taken


def recipe_json(found: Taken) -> bytes:
    """The recipe with all edits, laid out to be read."""
    return (json.dumps(found.recipe.as_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
