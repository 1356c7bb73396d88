"""scikit-learn's MLPRegressor: one call of fit, with the loop inside it.

A call of `partial_fit` per batch would check its arguments at every step. So the batches of all steps are laid end to
end as one pass of `fit`; with full batches, each step is a pass. Its loop adds up the loss of a pass.
"""

# /// script
# dependencies = ["scikit-learn==1.9.1", "numpy==2.4.6"]
#
# [tool.rival]
# name = "scikit-learn, MLPRegressor.fit"
# records = "the mean loss of a pass"
# ///

from __future__ import annotations

import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPRegressor

from interface.job import Array, Job, flat, serve

# Every run ends at the maximum number of passes, as intended.
warnings.filterwarnings("ignore", category=sklearn.exceptions.ConvergenceWarning)


class InFit:
    def __init__(self, job: Job) -> None:
        self._job = job
        X, y = job.batches()
        self._X, self._y = X.reshape(-1, job.sizes[0]), y.ravel()
        self._model = MLPRegressor(
            hidden_layer_sizes=job.sizes[1:-1], activation=job.activation, solver="sgd", alpha=0.0,
            batch_size=job.batch_size, learning_rate="constant", learning_rate_init=job.learning_rate,
            max_iter=1, shuffle=False, tol=0.0, momentum=0.0, nesterovs_momentum=False,
            n_iter_no_change=10**9, warm_start=True,
        )  # fmt: skip
        self._model.fit(self._X[: job.batch_size], self._y[: job.batch_size])

    def reset(self) -> None:
        for place, (weights, biases) in enumerate(self._job.layers()):
            np.copyto(self._model.coefs_[place], weights)
            np.copyto(self._model.intercepts_[place], biases[0])

    def train(self, steps: int) -> None:
        if self._job.order is None:
            self._model.max_iter = steps
            self._model.fit(self._X, self._y)
        else:
            count = steps * self._job.batch_size
            self._model.fit(self._X[:count], self._y[:count])

    def parameters(self) -> Array:
        return flat(list(zip(self._model.coefs_, self._model.intercepts_, strict=True)))


if __name__ == "__main__":
    serve(InFit, **{"scikit-learn": sklearn.__version__})
