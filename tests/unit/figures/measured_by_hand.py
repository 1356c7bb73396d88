"""Measurements for figures, from simple formulas."""

from __future__ import annotations

from support.aliases import Json


def _curvature(step: int) -> Json:
    return {
        "step": step,
        "sharpness": None if step == 0 else 3.0 + step / 7,
        "limit": 10.0,
        "edge": None if step == 0 else (3.0 + step / 7) / 10.0,
        "eigenvalues": [3.0 + step / 7, 0.25, 0.0, -0.125],
        "trace": 3.125 + step / 7,
    }


def _batch_sharpness(step: int) -> Json:
    edge = None if step == 10 else step / 20
    return {"step": step, "batch_sharpness": step / 4, "batch_size": 16, "limit": 5.0, "edge": edge}


def _alpha(step: int) -> Json:
    return {
        "step": step,
        "batch": {"alpha": 5.0 if step == 30 else step / 30 - 1.0},
        "train": {"alpha": None if step == 10 else -0.5},
    }


def _noise(step: int) -> Json:
    return {
        "step": step,
        "noise_scale": 2.0**step / 3 if step else None,
        "signal_to_noise": 3 / 2.0**step,
        "batch_size": 16,
        "per_layer": [{"signal_to_noise": 0.5 / (step + 1)}, {"signal_to_noise": None}],
    }


def _the_line(step: int) -> Json:
    return {"step": step, "descended": "mse / 2", **_along(step)}


def _slice(step: int) -> Json:
    return {
        "step": step,
        "s": [-1.0, 0.0, 2.0],
        "t": [0.0, 0.5],
        "heights": [[0.5, 0.25, None], [step / 7, 1.0, 2.0]],
        "path": None if step == 10 else {"s": [-0.5, 1.0, 0.0], "t": [0.25, 0.125, 0.0]},
        "outside": 0.125,
    }


def _fall_line(step: int) -> Json:
    points = [
        {"s": 1.0 + step / 7, "t": 0.5, "path": {"s": [0.0, 0.5, 1.0 + step / 7], "t": [0.0, 0.75, 0.5]}},
        {"s": -0.5, "t": -0.25, "path": {"s": [0.0, -0.5], "t": [0.0, -0.25]}},
    ]
    return {
        "step": step,
        "s": [-1.0, 0.0, 2.0],
        "t": [0.0, 0.5],
        "heights": [[0.5, 0.25, None], [step / 7, 1.0, 2.0]],
        "points": points,
    }


def _residuals(step: int) -> Json:
    return {
        "step": step,
        "split": "test",
        "y_pred": [1.0, 2.0, None],
        "residuals": [step / 3, -0.5, None],
        "mean": 0.0,
        "sd": 1.0,
    }


def _confusion(step: int) -> Json:
    return {
        "step": step,
        "split": "train",
        "classes": ["no", "yes"],
        "counts": [[step, 2], [0, 4]],
        "right": 0.75,
    }


def _metrics(step: int) -> Json:
    scores = {"precision": step / 40, "recall": 0.25, "f1": 0.5, "auc": None if step else 0.75}
    return {
        "step": step,
        "split": "test",
        "samples": 6,
        "classes": ["no", "yes"],
        "rmse": None,
        "mae": None,
        "accuracy": 0.75,
        "per_class": [{"class": "no", "samples": 2, **scores}, {"class": "yes", "samples": 4, **scores}],
    }


def _calibration(step: int) -> Json:
    return {
        "step": step,
        "split": "train",
        "samples": 6,
        "bins": [
            {"low": 0.0, "high": 0.5, "count": 0, "confidence": None, "accuracy": None},
            {"low": 0.5, "high": 1.0, "count": 6, "confidence": 0.75, "accuracy": step / 40},
        ],
        "expected_error": 0.125,
        "largest_error": 0.125,
    }


def _decision(step: int) -> Json:
    return {
        "step": step,
        "inputs": ["x1", "x2"],
        "classes": ["no", "yes"],
        "x": [0.0, 1.0],
        "y": [-1.0, 1.0],
        "score": [[0.25, None], [1.0, 1 / (step + 3)]],
        "samples": [{"x": [0.5, 0.25], "y": [0.0, 0.5]}, {"x": [0.75], "y": [-0.5]}],
    }


def _surface(step: int) -> Json:
    return {
        "step": step,
        "inputs": ["x1", "x2"],
        "x": [0.0, 1.0],
        "y": [-1.0, 1.0],
        "predicted": [[0.25, None], [-3.0, 1 / (step + 3)]],
        "samples": {"x": [0.5, 0.25], "y": [0.0, 0.5], "value": [1.5, -0.75]},
    }


def _fit(step: int) -> Json:
    return {
        "step": step,
        "inputs": ["x"],
        "x": [-1.0, 0.0, 1.0],
        "y_pred": [0.5, None, step / 7],
        "train": {"x": [-0.5, 0.25], "y": [0.5, 0.125]},
        "test": {"x": [0.75], "y": [-0.25]},
    }


def _gradients(step: int) -> Json:
    return {
        "step": step,
        "batch_size": 16,
        "cosine": 0.25 + step / 60,
        "parameters": {
            "W1": _gradient(step, 1.0),
            "b1": _gradient(step, None),
            "W2": _gradient(step, 0.125),
        },
    }


def _along(step: int) -> Json:
    curve = [1.0 - place + place * place for place in (-0.5, 0.0, 0.5, 1.0)]
    split = {"losses": [1.0, 1.0], "curve": [*curve[:3], None], "fit": curve}
    return {"places": [-0.5, 0.0, 0.5, 1.0], "batch": split, "train": {**split, "losses": [1.0, step / 3]}}


def _gradient(step: int, size: float | None) -> Json:
    return {
        "l1": 0.0 if size is None else size,
        "ratio_norm": size,
        "ratio_sd": None if size is None else size / (step + 3),
        "cosine": size,
        "edges": [-1.0, 0.0, 0.5, 3.0],
        "counts": [step, 2, 1],
    }


ANSWERS = {
    "curvature": _curvature,
    "batch_sharpness": _batch_sharpness,
    "alpha": _alpha,
    "noise": _noise,
    "along": _the_line,
    "slice": _slice,
    "fall_line": _fall_line,
    "residuals": _residuals,
    "confusion": _confusion,
    "metrics": _metrics,
    "calibration": _calibration,
    "decision": _decision,
    "surface": _surface,
    "fit": _fit,
    "gradients": _gradients,
}
"""Of each instrument what it answers at a step; each has something that is not known."""


def measured(steps: tuple[int, ...] = (0, 10, 30)) -> dict[str, list[Json]]:
    """Return one measurement per step for each instrument."""
    return {name: [answer(step) for step in steps] for name, answer in ANSWERS.items()}
