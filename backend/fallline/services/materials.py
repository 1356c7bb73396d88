"""What an experiment is made of that somebody sent: the table of its data, the parameters that its network starts from.

Owns how both are named in one column of the store. Must not know how they are kept or read.
"""

from __future__ import annotations

from dataclasses import dataclass

from fallline.engine.datasets import CSV
from fallline.engine.saved_parameters import SavedParameters
from fallline.engine.tabular import Table
from fallline.services.library import Library
from fallline.vocabulary.errors import Damaged, FieldError, InvalidRequest, NotFound
from fallline.vocabulary.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Materials:
    """What was sent, read; None where the experiment is made of none."""

    table: Table | None
    start: SavedParameters | None


def made_of(recipe: Recipe) -> str | None:
    """What a recipe names, as it is stored: the table's id, then a space and that of the parameters."""
    table, start = _table_of(recipe), recipe.network.start
    return f"{table or ''} {start}" if start else table


def ids_in(made_of: str | None) -> tuple[str, str]:
    """The ids of table and parameters in what is stored, empty where there is none."""
    table, _, start = (made_of or "").partition(" ")
    return table, start


async def materials_of(recipe: Recipe, library: Library) -> Materials:
    """What a recipe names. Raises InvalidRequest where it is not there."""
    table_id, start_id = _table_of(recipe), recipe.network.start
    try:
        table = None if table_id is None else await library.read(table_id)
    except NotFound as error:
        raise InvalidRequest(FieldError("/data/dataset", error.detail)) from None
    try:
        start = None if start_id is None else await library.parameters(start_id)
    except NotFound as error:
        raise InvalidRequest(FieldError("/network/start", error.detail)) from None
    return Materials(table, start)


async def stored_materials(made_of: str | None, library: Library) -> Materials:
    """What an experiment was made of. Raises Damaged: it stays as long as the experiment does."""
    table_id, start_id = ids_in(made_of)
    try:
        return Materials(
            await library.read(table_id) if table_id else None,
            await library.parameters(start_id) if start_id else None,
        )
    except NotFound:
        raise Damaged("the table or the parameters that it is made of cannot be read") from None


def _table_of(recipe: Recipe) -> str | None:
    return recipe.data.dataset if recipe.data.name == CSV else None
