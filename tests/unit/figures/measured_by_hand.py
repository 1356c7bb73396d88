"""Answers of instruments made by a rule that anybody can check, for figures."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def measured(steps: tuple[int, ...] = (0, 10, 30)) -> dict[str, list[Json]]:
    """Of each instrument one answer a step; each has something that is not known."""
    return {
        "curvature": [
            {
                "step": step,
                "sharpness": None if step == 0 else 3.0 + step / 7,
                "limit": 10.0,
                "edge": None if step == 0 else (3.0 + step / 7) / 10.0,
                "eigenvalues": [3.0 + step / 7, 0.25, 0.0, -0.125],
            }
            for step in steps
        ],
        "alpha": [
            {
                "step": step,
                "batch": {"alpha": 5.0 if step == 30 else step / 30 - 1.0},
                "train": {"alpha": None if step == 10 else -0.5},
            }
            for step in steps
        ],
        "noise": [
            {"step": step, "noise_scale": 2.0**step / 3 if step else None, "batch_size": 16} for step in steps
        ],
    }
