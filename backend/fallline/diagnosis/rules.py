"""The table of rules, worst first. It knows which says more of the same than another; they do not."""

from __future__ import annotations

from dataclasses import replace

from fallline.diagnosis import dead_units, divergence, fit
from fallline.diagnosis.rule import Rule

_ROWS = (
    Rule("diverged", "a step more would not be finite", divergence.diverged),
    Rule("dead_layer", "every unit of a layer outputs 0 for every sample", dead_units.dead_layer),
    Rule(
        "predicts_the_mean",
        "the loss is that of guessing, and no longer falls",
        fit.predicts_the_mean,
        yields_to=frozenset({"dead_layer"}),
    ),
    Rule(
        "dead_units",
        "some units of a layer output 0 for every sample",
        dead_units.dead_units,
        hold=25,
        yields_to=frozenset({"dead_layer"}),
    ),
)

_ILL = frozenset({"diverged", "dead_layer", "predicts_the_mean"})


def _beside_divergence(rule: Rule) -> Rule:
    """Of a run that stands still at its end nothing else is said."""
    return rule if rule.name == "diverged" else replace(rule, yields_to=rule.yields_to | {"diverged"})


RULES: tuple[Rule, ...] = tuple(
    map(
        _beside_divergence,
        (*_ROWS, Rule("healthy", "the loss falls, also on the test samples", fit.healthy, yields_to=_ILL)),
    )
)
