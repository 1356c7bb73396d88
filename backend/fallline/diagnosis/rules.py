"""The table of rules, worst first, and which rule yields to which.

docs/reference/doctor-definitions.md has each condition in words, with its source.
"""

from __future__ import annotations

from dataclasses import replace

from fallline.diagnosis import (
    divergence,
    fit,
    gradients,
    noise,
    setbacks,
    units,
)
from fallline.diagnosis.view import Rule

GAP = 50
"""An interruption of fewer points does not end a finding about a series."""

_DEAD = frozenset({"dead_layer"})
_CAUSES = _DEAD | {
    "symmetric_units",
    "saturated_units",
    "vanishing_gradients",
    "exploding_gradients",
    "rate_too_small",
    "will_diverge",
}
_STILL = _CAUSES | {"predicts_the_mean", "small_batch"}
_STUCK = _STILL | {"stuck"}
_DIVERGING = frozenset({"will_diverge"})

_PROBLEMS = (
    Rule("diverged", "one more step would not be finite", divergence.diverged),
    Rule(
        "will_diverge",
        "the loss grows from step to step and will not come down",
        divergence.will_diverge,
        gap=5,
    ),
    Rule("dead_layer", "every unit of a layer outputs 0 for every sample", units.dead_layer),
    Rule(
        "predicts_the_mean",
        "the loss is at the baseline and no longer falls",
        fit.predicts_the_mean,
        gap=GAP,
        yields_to=_CAUSES | {"small_batch", "rate_at_edge"},
    ),
    Rule(
        "stuck",
        "the loss is not below the baseline and hardly falls",
        fit.stuck,
        gap=GAP,
        yields_to=_STILL | {"rate_at_edge"},
    ),
    Rule(
        "dead_units",
        "some units of a layer output 0 for every sample",
        units.dead_units,
        hold=units.LASTS,
        yields_to=_DEAD,
    ),
    Rule(
        "symmetric_units",
        "units with equal weights, which stay equal",
        units.symmetric_units,
        yields_to=_DEAD,
    ),
    Rule(
        "saturated_units",
        "the slope of a layer's activation is near 0 almost everywhere",
        units.saturated_units,
        hold=20,
    ),
    Rule(
        "vanishing_gradients",
        "little of the gradient reaches the first layer",
        gradients.vanishing_gradients,
        hold=20,
        yields_to=_DEAD | {"symmetric_units", "saturated_units"},
    ),
    Rule(
        "exploding_gradients",
        "the gradient grows from layer to layer on its way back",
        gradients.exploding_gradients,
        hold=20,
        yields_to=_DEAD,
    ),
    Rule(
        "rate_at_edge",
        "the loss of the full batch rises as often as it falls",
        divergence.rate_at_edge,
        gap=GAP,
        yields_to=_DIVERGING | _DEAD,
    ),
    Rule(
        "rate_too_small",
        "the gradient is still large, and the run hardly moves",
        divergence.rate_too_small,
        gap=GAP,
    ),
    Rule(
        "small_batch",
        "the loss varies widely and no longer falls",
        noise.small_batch,
        gap=GAP,
        yields_to=_DEAD,
    ),
    Rule("unscaled_inputs", "inputs of very different size", gradients.unscaled_inputs),
    Rule(
        "overfitting",
        "the test loss rises while the train loss falls",
        fit.overfitting,
        gap=GAP,
        yields_to=_DIVERGING,
    ),
    Rule(
        "spike",
        "the loss jumped far above the steps before",
        setbacks.spike,
        gap=GAP,
        yields_to=_DIVERGING,
    ),
    Rule(
        "worse_than_before",
        "the loss has long been far above its lowest",
        setbacks.worse_than_before,
        gap=GAP,
        yields_to=_STUCK,
    ),
    Rule("plateau", "the loss is flat, and much is left to learn", fit.plateau, gap=GAP, yields_to=_STUCK),
)

_NOTES = (
    Rule(
        "noise_floor",
        "the loss moves around a level set by the batches' noise",
        noise.noise_floor,
        gap=GAP,
        yields_to=_STUCK,
    ),
    Rule(
        "wasteful_batch",
        "fewer samples would give the same gradient",
        noise.wasteful_batch,
        hold=100,
        yields_to=_STUCK,  # a run that learns nothing needs no batch size
    ),
    Rule(
        "healthy",
        "the loss falls, also on the test samples",
        fit.healthy,
        yields_to=frozenset(
            rule.name for rule in _PROBLEMS if rule.name not in ("dead_units", "unscaled_inputs")
        )
        | {"noise_floor"},
    ),
)

ALWAYS_GRAVE = frozenset({"diverged", "will_diverge", "dead_layer", "predicts_the_mean", "stuck"})
"""Rules whose findings are problems. Others are, in a run that came to grave harm (`windows.is_grave`)."""


def _beside_divergence(rule: Rule) -> Rule:
    """Return the rule, silent beside `diverged`."""
    return rule if rule.name == "diverged" else replace(rule, yields_to=rule.yields_to | {"diverged"})


RULES: tuple[Rule, ...] = tuple(map(_beside_divergence, (*_PROBLEMS, *_NOTES)))
