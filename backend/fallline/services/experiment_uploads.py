"""The uploads of an experiment: the table of its data, and its parameters.

Owns how the ids of both share one column of the store.
"""

from __future__ import annotations

from dataclasses import dataclass

from fallline.engine.data.datasets import CSV
from fallline.engine.data.saved_parameters import SavedParameters
from fallline.engine.data.tabular import Table
from fallline.services.uploads import Uploads
from fallline.vocabulary.errors import Damaged, FieldError, InvalidRequest, NotFound
from fallline.vocabulary.recipe import Recipe


@dataclass(frozen=True, slots=True)
class ExperimentUploads:
    """The parsed uploads of one experiment; None for one that it does not use."""

    table: Table | None
    start: SavedParameters | None


def upload_ids(recipe: Recipe) -> str | None:
    """Return the ids as they are stored: "table parameters"."""
    table, start = _table_of(recipe), recipe.network.start
    return f"{table or ''} {start}" if start else table


def split_ids(stored: str | None) -> tuple[str, str]:
    """Return the stored ids of table and parameters, each empty if there is none."""
    table, _, start = (stored or "").partition(" ")
    return table, start


async def load_uploads(recipe: Recipe, uploads: Uploads) -> ExperimentUploads:
    """Return the uploads that a recipe names. Raises InvalidRequest for an unknown id."""
    table_id, start_id = _table_of(recipe), recipe.network.start
    try:
        table = None if table_id is None else await uploads.table(table_id)
    except NotFound as error:
        raise InvalidRequest(FieldError("/data/dataset", error.detail)) from None
    try:
        start = None if start_id is None else await uploads.parameters(start_id)
    except NotFound as error:
        raise InvalidRequest(FieldError("/network/start", error.detail)) from None
    return ExperimentUploads(table, start)


async def load_stored_uploads(stored: str | None, uploads: Uploads) -> ExperimentUploads:
    """Return the uploads of a stored experiment.

    Raises Damaged, since they are stored as long as it is.
    """
    table_id, start_id = split_ids(stored)
    try:
        return ExperimentUploads(
            await uploads.table(table_id) if table_id else None,
            await uploads.parameters(start_id) if start_id else None,
        )
    except NotFound:
        raise Damaged("the table or the parameters of this experiment cannot be read") from None


def _table_of(recipe: Recipe) -> str | None:
    return recipe.data.dataset if recipe.data.name == CSV else None
