"""The table of initializers: how the first weights and biases are drawn. Must not know what is trained with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.parameters import Parameter

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Initializer:
    """One way to draw: every entry is N(0, `spread(scale, fan_in, fan_out)`**2). `draws` says for which parameters."""

    name: str
    help: str
    spread: Callable[[float, int, int], float]
    draws: tuple[str, ...] = ("weights", "biases")
    parameters: tuple[Parameter, ...] = ()

    def draw(
        self, rng: np.random.Generator, shape: tuple[int, int], fan_in: int, fan_out: int, scale: float | None
    ) -> Array:
        """A fresh array of that shape; scale None is the default."""
        values = rng.standard_normal(shape)
        return values * self.spread(1.0 if scale is None else scale, fan_in, fan_out)


SCALE = Parameter("scale", 1.0, 0.0, 1e6, help="standard deviation")

INITIALIZERS: dict[str, Initializer] = {
    row.name: row
    for row in (
        Initializer(
            "normal", "N(0, scale**2), the notebook's", lambda scale, into, out: scale, parameters=(SCALE,)
        ),
        Initializer(
            "he",
            "N(0, 2 / fan_in): keeps the size of signals through relu layers (He et al. 2015)",
            lambda scale, into, out: math.sqrt(2.0 / into),
            draws=("weights",),
        ),
        Initializer(
            "xavier",
            "N(0, 2 / (fan_in + fan_out)): for tanh and sigmoid (Glorot and Bengio 2010)",
            lambda scale, into, out: math.sqrt(2.0 / (into + out)),
            draws=("weights",),
        ),
        Initializer(
            "zeros", "all 0; as weights, equal units then stay equal for ever", lambda scale, into, out: 0.0
        ),
    )
}
