"""The compiled rows of the table of losses: a code, and a branch in `measure` and `measure_one`, for every loss that
has one; the rest is served by NumPy. Must not know networks or the loop.
"""

from __future__ import annotations

from fallline.engine.kernels.compiled_code import Array, compiled, compiled_in_place

MSE = 0
LOSS_CODES = {"mse": MSE}


@compiled
def measure(
    code: int, A: Array, D: Array, row: int, outputs: int, targets: int, n: int, share: float
) -> float:
    """The loss of n samples times their number, and dy_pred into D; `share` is 1 / the batch's samples. `row` is that
    of the predictions in A and D, `targets` that of the targets in A.
    """
    loss = 0.0
    for j in range(outputs):
        y_pred, y, d = A[row + j, :n], A[targets + j, :n], D[row + j, :n]
        for t in range(n):
            error = y_pred[t] - y[t]
            loss += error * error
            d[t] = error * share
    return loss


@compiled_in_place
def measure_one(code: int, y_pred: float, y: float) -> tuple[float, float]:
    """The loss of one sample, and its derivative by the prediction."""
    error = y_pred - y
    return error * error, error
