"""What a recipe may say of its loss: a known one that fits the data and the output layer, with parameters of its own.

Owns how the loss's part of a recipe is filled in. Must not know what anything costs.
"""

from __future__ import annotations

from fallline.engine.losses import LOSSES, Loss, default_loss
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.recipe import LossSettings, Recipe


def check_loss(recipe: Recipe, classes: int) -> str | LossSettings:
    """The loss filled in for data of so many classes (0: a regression); just its name where its own parameters stand at
    their defaults. Raises InvalidRequest.
    """
    given = "loss" in recipe.model_fields_set
    asked = recipe.loss_settings if given else LossSettings(name=default_loss(classes))
    if asked.name not in LOSSES:
        raise InvalidRequest(FieldError("/loss", f"the name of a known loss: {', '.join(LOSSES)}"))
    row = LOSSES[asked.name]
    if not row.fits(classes):
        fitting = ", ".join(name for name, each in LOSSES.items() if each.fits(classes))
        data = f"{classes} classes" if classes else "a regression"
        raise InvalidRequest(FieldError("/loss", f"a loss for {data}: {fitting}"))
    if row.logits and recipe.network.output != "identity":
        raise InvalidRequest(
            FieldError(
                "/network/output", f"identity: {row.name} takes logits, and turns them into shares itself"
            )
        )
    _check_own(asked, row)
    told = {
        each.name: asked.own[each.name]
        for each in row.parameters
        if asked.own.get(each.name, each.default) != each.default
    }
    return LossSettings(name=row.name, **told) if told else row.name


def loss_of(recipe: Recipe) -> Loss:
    """The loss of a recipe that is filled in."""
    return LOSSES[recipe.loss_settings.name]


def _check_own(asked: LossSettings, row: Loss) -> None:
    parameters = {each.name: each for each in row.parameters}
    for name, value in asked.own.items():
        if name not in parameters:
            has = ", ".join(parameters) or "no parameters of its own"
            raise InvalidRequest(FieldError(f"/loss/{name}", f"no such setting: {row.name} has {has}"))
        if not parameters[name].allows(value):
            raise InvalidRequest(FieldError(f"/loss/{name}", f"a number {parameters[name].range_in_words()}"))
