"""Checks the loss of a recipe.

Owns the defaults of this part. Must not know costs.
"""

from __future__ import annotations

from fallline.engine.methods.losses import LOSSES, Loss, default_loss
from fallline.vocabulary.errors import FieldError, InvalidRequest
from fallline.vocabulary.recipe import LossSettings, Recipe


def check_loss(recipe: Recipe, classes: int) -> str | LossSettings:
    """Return the loss for so many classes (0: a regression), filled in.

    It is only a name if all its parameters have their defaults. Raises InvalidRequest.
    """
    is_named = "loss" in recipe.model_fields_set
    settings = recipe.loss_settings if is_named else LossSettings(name=default_loss(classes))
    if settings.name not in LOSSES:
        raise InvalidRequest(FieldError("/loss", f"the name of a known loss: {', '.join(LOSSES)}"))
    row = LOSSES[settings.name]
    if not row.fits(classes):
        fitting = ", ".join(name for name, each in LOSSES.items() if each.fits(classes))
        data = f"{classes} classes" if classes else "a regression"
        raise InvalidRequest(FieldError("/loss", f"a loss for {data}: {fitting}"))
    if row.logits and recipe.network.output != "identity":
        raise InvalidRequest(FieldError("/network/output", f"identity: {row.name} takes logits"))
    _check_own(settings, row)
    parameters = {
        each.name: settings.own[each.name]
        for each in row.parameters
        if settings.own.get(each.name, each.default) != each.default
    }
    return LossSettings(name=row.name, **parameters) if parameters else row.name


def loss_of(recipe: Recipe) -> Loss:
    """Return the loss of a recipe whose defaults are filled in."""
    return LOSSES[recipe.loss_settings.name]


def _check_own(settings: LossSettings, row: Loss) -> None:
    parameters = {each.name: each for each in row.parameters}
    for name, value in settings.own.items():
        if name not in parameters:
            has = ", ".join(parameters) or "no parameters of its own"
            raise InvalidRequest(FieldError(f"/loss/{name}", f"no such setting: {row.name} has {has}"))
        if not parameters[name].allows(value):
            raise InvalidRequest(FieldError(f"/loss/{name}", f"a number {parameters[name].range_in_words()}"))
