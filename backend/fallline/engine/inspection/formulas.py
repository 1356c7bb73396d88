"""The lines of every activation, loss and optimizer, as one would type them into a notebook.

Tables of text: a row here for each row of `engine.activations`, `engine.losses` and `engine.optimizers`, held to those
by a test. Samples are rows. Must not know values.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bend:
    """An activation: outputs and slope as expressions of `{z}` and `{a}`. An empty slope is 1 everywhere."""

    outputs: str
    slope: str


ACTIVATION_LINES: dict[str, Bend] = {
    "relu": Bend("np.maximum({z}, 0)", "({z} > 0)"),
    "leaky_relu": Bend("np.maximum({z}, 0.01 * {z})", "np.where({z} > 0, 1, 0.01)"),
    "elu": Bend("np.maximum({z}, 0) + np.expm1(np.minimum({z}, 0))", "np.exp(np.minimum({z}, 0))"),
    "gelu": Bend(
        "{z} * erfc(-{z} / np.sqrt(2)) / 2",
        "(erfc(-{z} / np.sqrt(2)) / 2 + {z} * np.exp(-({z}**2) / 2) / np.sqrt(2 * np.pi))",
    ),
    "softplus": Bend("np.logaddexp(0, {z})", "(1 / (1 + np.exp(-{z})))"),
    "tanh": Bend("np.tanh({z})", "(1 - {a}**2)"),
    "sigmoid": Bend("1 / (1 + np.exp(-{z}))", "{a} * (1 - {a})"),
    "identity": Bend("{z}", ""),
}

FUNCTIONS = {"erfc": "np.vectorize(math.erfc)"}
"""What the lines call that NumPy has not, and how to make it."""

Lines = tuple[tuple[str, str], ...]

LOSS_LINES: dict[str, Lines] = {
    "mse": (("loss", "np.mean((y - y_pred)**2)"), ("dy_pred", "(y_pred - y) / m")),
    "huber": (
        ("error", "y_pred - y"),
        ("cut", "np.clip(error, -delta, delta)"),
        ("loss", "np.mean(cut * (error - cut / 2))"),
        ("dy_pred", "cut / m"),
    ),
    "binary_cross_entropy": (
        ("side", "1 - 2 * y"),
        ("wrong", "side * y_pred"),
        ("loss", "np.mean(np.logaddexp(0, wrong))"),
        ("dy_pred", "side / (1 + np.exp(-wrong)) / m"),
    ),
    "softmax_cross_entropy": (
        ("one_hot", "(y == np.arange({classes})) * 1.0"),
        ("shifted", "y_pred - y_pred.max(axis=1, keepdims=True)"),
        ("e", "np.exp(shifted)"),
        ("p", "e / e.sum(axis=1, keepdims=True)"),
        ("loss", "np.mean(np.log(e.sum(axis=1)) - (shifted * one_hot).sum(axis=1))"),
        ("dy_pred", "(p - one_hot) / m"),
    ),
}
"""From `y_pred` and `y` to `loss` and `dy_pred`, the gradient of what is descended."""

_REMEMBER_SQUARE = ("square_{P}", "decay * square_{P} + (1 - decay) * d{P}**2")
_SCALED = ("{P}", "{P} - lr * d{P} / (np.sqrt(square_{P}) + epsilon)")
_VELOCITY = ("velocity_{P}", "momentum * velocity_{P} + d{P}")
_ADAM: Lines = (
    ("mean_{P}", "beta1 * mean_{P} + (1 - beta1) * d{P}"),
    ("square_{P}", "beta2 * square_{P} + (1 - beta2) * d{P}**2"),
    (
        "{P}",
        "{P} - lr * (mean_{P} / (1 - beta1**count)) / (np.sqrt(square_{P} / (1 - beta2**count)) + epsilon)",
    ),
)


@dataclass(frozen=True, slots=True)
class Change:
    """An optimizer: lines made once a change, and lines for every parameter `{P}` with its gradient `d{P}`."""

    each: Lines
    once: Lines = ()


CHANGE_LINES: dict[str, Change] = {
    "sgd": Change((("{P}", "{P} - lr * d{P}"),)),
    "momentum": Change((_VELOCITY, ("{P}", "{P} - lr * velocity_{P}"))),
    "nesterov": Change((_VELOCITY, ("{P}", "{P} - lr * (d{P} + momentum * velocity_{P})"))),
    "adagrad": Change((("square_{P}", "square_{P} + d{P}**2"), _SCALED)),
    "rmsprop": Change((_REMEMBER_SQUARE, _SCALED)),
    "adam": Change(_ADAM, once=(("count", "count + 1"),)),
    "adamw": Change((("{P}", "{P} * (1 - lr * weight_decay)"), *_ADAM), once=(("count", "count + 1"),)),
}
