"""The table of rules, worst first, and which rule yields to which."""

from __future__ import annotations

from dataclasses import replace

from fallline.diagnosis import dead_units, divergence, fit, flat_units, gradients, inputs, noise, step_size
from fallline.diagnosis.rule import Rule

_DEAD = frozenset({"dead_layer"})
_STUCK = _DEAD | {"symmetric_units", "vanishing_gradients", "saturated_units", "rate_too_small"}
_FLAT = _STUCK | {"predicts_the_mean"}

_PROBLEMS = (
    Rule("diverged", "one more step would not be finite", divergence.diverged),
    Rule("will_diverge", "the loss grows from step to step, far above its start", divergence.will_diverge),
    Rule("dead_layer", "every unit of a layer outputs 0 for every sample", dead_units.dead_layer),
    Rule(
        "predicts_the_mean",
        "the loss is at the baseline and no longer falls",
        fit.predicts_the_mean,
        yields_to=_STUCK | {"small_batch", "rate_at_edge"},
    ),
    Rule(
        "dead_units",
        "some units of a layer output 0 for every sample",
        dead_units.dead_units,
        hold=25,
        yields_to=_DEAD,
    ),
    Rule(
        "symmetric_units",
        "units with equal weights, which stay equal",
        flat_units.symmetric_units,
        yields_to=_DEAD,
    ),
    Rule(
        "saturated_units",
        "the slope of a layer's activation is near 0 almost everywhere",
        flat_units.saturated_units,
        hold=20,
    ),
    Rule(
        "vanishing_gradients",
        "little of the gradient reaches the first layer",
        gradients.vanishing_gradients,
        yields_to=_DEAD | {"symmetric_units", "saturated_units"},
    ),
    Rule(
        "exploding_gradients",
        "the gradient grows from layer to layer on its way back",
        gradients.exploding_gradients,
        yields_to=_DEAD,
    ),
    Rule(
        "rate_at_edge",
        "the loss of the full batch rises as often as it falls",
        step_size.rate_at_edge,
        yields_to=frozenset({"will_diverge"}),
    ),
    Rule("rate_too_small", "the gradient is still large, and the run hardly moves", step_size.rate_too_small),
    Rule("small_batch", "the loss varies widely and no longer falls", noise.small_batch, yields_to=_DEAD),
    Rule("unscaled_inputs", "inputs of very different size", inputs.unscaled_inputs),
    Rule("overfitting", "the test loss rises while the train loss falls", fit.overfitting),
    Rule("plateau", "the loss is flat, and much is left to learn", fit.plateau, yields_to=_FLAT),
)

_NOTES = (
    Rule(
        "noise_floor",
        "the loss moves around a level set by the batches' noise",
        noise.noise_floor,
        yields_to=_FLAT | {"small_batch", "healthy"},  # a loss that falls again is not at its floor
    ),
    Rule(
        "wasteful_batch",
        "fewer samples would give the same gradient",
        noise.wasteful_batch,
        hold=100,
        yields_to=_FLAT | {"will_diverge"},  # a run that learns nothing needs no batch size
    ),
    Rule(
        "healthy",
        "the loss falls, also on the test samples",
        fit.healthy,
        yields_to=frozenset(
            rule.name for rule in _PROBLEMS if rule.name not in ("dead_units", "unscaled_inputs")
        ),
    ),
)


def _beside_divergence(rule: Rule) -> Rule:
    """Return the rule, silent beside `diverged`."""
    return rule if rule.name == "diverged" else replace(rule, yields_to=rule.yields_to | {"diverged"})


RULES: tuple[Rule, ...] = tuple(map(_beside_divergence, (*_PROBLEMS, *_NOTES)))
