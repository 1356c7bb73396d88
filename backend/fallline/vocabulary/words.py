"""Words for names of settings and of table rows, as the page writes them.

The page has them in frontend/core/words.ts, and tests compare both. A name without an entry is shown as it is, so a new
row of a table needs none.
"""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "optimizers": {
        "sgd": "plain",
        "nesterov": "Nesterov",
        "adagrad": "Adagrad",
        "adadelta": "Adadelta",
        "rmsprop": "RMSProp",
        "rmsprop_momentum": "RMSProp, momentum",
        "rmsprop_centered": "RMSProp, centered, momentum",
        "adam": "Adam",
        "adamw": "AdamW",
        "amsgrad": "AMSGrad",
        "adamax": "Adamax",
        "nadam": "Nadam",
        "radam": "RAdam",
        "lion": "Lion",
        "lbfgs": "L-BFGS",
    },
    "schedules": {
        "step": "step decay",
        "cosine_restarts": "cosine with restarts",
        "plateau": "reduce on plateau",
        "inverse_time": "1/t",
        "warmup": "warm-up",
    },
    "initializers": {
        "he": "He",
        "he_normal": "He, normal",
        "he_uniform": "He, uniform",
        "lecun": "LeCun",
        "pytorch": "PyTorch",
        "xavier": "Xavier",
        "xavier_normal": "Xavier, normal",
        "xavier_uniform": "Xavier, uniform",
    },
    "orders": {"shuffle": "shuffled", "sequential": "in order", "replacement": "with replacement"},
    "settings": {"beta1": "beta 1", "beta2": "beta 2", "l1": "L1", "l2": "L2"},
    "verdicts": {"on_the_way": "on its way"},
}


def word_for(table: str, name: str) -> str:
    """Return the word within a sentence: "plain", "Adam", "clip norm"."""
    return WORDS[table].get(name, name.replace("_", " "))
