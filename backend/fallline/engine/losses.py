"""The table of losses: what is reported, and the gradient of what is descended.

Must not know networks. Convention of the notebook (verification.md calls the difference trap T5): mse
*reports* mean((y - y_pred)**2) and *descends* half of it, so dy_pred = (y_pred - y) / m for m samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fallline.vocabulary.parameters import Parameter

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss.

    `measure(y_pred, y, out)` returns the reported loss and writes dy_pred, of the same shape, into `out`
    (which may be y_pred). `measure_one(y_pred, y)` is the same for one sample, in plain floats. `score(loss,
    baseline)` turns reported losses into the score named `score_name`; the baseline is the loss of the best
    constant prediction.
    """

    name: str
    help: str
    measure: Callable[[Array, Array, Array], float]
    measure_one: Callable[[float, float], tuple[float, float]]
    score_name: str
    score: Callable[[Array, float], Array]
    constant: Callable[[Array], float]
    parameters: tuple[Parameter, ...] = ()

    def __call__(self, y_pred: Array, y: Array) -> float:
        """The reported loss."""
        return self.measure(y_pred, y, np.empty_like(y_pred))

    def gradient(self, y_pred: Array, y: Array) -> Array:
        """dy_pred of the descended loss, in a fresh array."""
        out = np.empty_like(y_pred)
        self.measure(y_pred, y, out)
        return out


def _mse(y_pred: Array, y: Array, out: Array) -> float:
    np.subtract(y_pred, y, out)
    error = out.reshape(-1)
    share = 1.0 / error.size
    loss = float(error.dot(error)) * share
    np.multiply(out, share, out)
    return loss


def _mse_one(y_pred: float, y: float) -> tuple[float, float]:
    error = y_pred - y
    return error * error, error


def _r2(loss: Array, baseline: float) -> Array:
    """1 - SS_res / SS_tot; not finite where all targets are equal."""
    return 1.0 - loss / np.float64(baseline)


def _mean(y: Array) -> float:
    return float(y.mean())


LOSSES: dict[str, Loss] = {
    row.name: row
    for row in (
        Loss(
            name="mse",
            help="mean squared error, mean((y - y_pred)**2); its half is descended, so dy_pred = (y_pred - y) / m",
            measure=_mse,
            measure_one=_mse_one,
            score_name="r2",
            score=_r2,
            constant=_mean,
        ),
    )
}
