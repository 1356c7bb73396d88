"""Write optimizers.json: what PyTorch's optimizers do on a small valley, in float64.

    pip install torch && python tests/golden/make_optimizers.py

PyTorch is too heavy for everybody's tests, so its numbers are kept. The valley is f(p) = sum of w (p - c)**2 / 2 plus
a swell of w cos(p), so that no two coordinates behave alike; one coordinate has gradient exactly 0 for ever.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import optim

START = [1.0, -2.0, 0.5, 3.0, -0.25, 0.0]
CENTRE = [0.5, 1.0, -1.5, 2.0, 4.0, 0.0]
WIDTH = [0.1, 1.0, 3.0, 0.01, 10.0, 0.0]
STEPS = 30
CASES = [
    ("sgd", 0.05, {}),
    ("momentum", 0.05, {"momentum": 0.9}),
    ("momentum", 0.1, {"momentum": 0.5}),
    ("momentum", 0.1, {"momentum": 0.0}),
    ("nesterov", 0.05, {"momentum": 0.9}),
    ("nesterov", 0.1, {"momentum": 0.5}),
    ("adagrad", 0.1, {"epsilon": 1e-10}),
    ("adagrad", 0.5, {"epsilon": 1e-2}),
    ("rmsprop", 0.01, {"decay": 0.99, "epsilon": 1e-8}),
    ("rmsprop", 0.05, {"decay": 0.5, "epsilon": 1e-2}),
    ("adam", 0.01, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
    ("adam", 0.1, {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}),
    ("adamw", 0.01, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}),
    ("adamw", 0.1, {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weight_decay": 0.5}),
]


def optimizer_of(name: str, parameters: torch.Tensor, rate: float, own: dict[str, float]) -> optim.Optimizer:
    match name:
        case "sgd":
            return optim.SGD([parameters], lr=rate)
        case "momentum" | "nesterov":
            return optim.SGD([parameters], lr=rate, momentum=own["momentum"], nesterov=name == "nesterov")
        case "adagrad":
            return optim.Adagrad([parameters], lr=rate, eps=own["epsilon"])
        case "rmsprop":
            return optim.RMSprop([parameters], lr=rate, alpha=own["decay"], eps=own["epsilon"])
    betas, eps = (own["beta1"], own["beta2"]), own["epsilon"]
    if name == "adam":
        return optim.Adam([parameters], lr=rate, betas=betas, eps=eps)
    return optim.AdamW([parameters], lr=rate, betas=betas, eps=eps, weight_decay=own["weight_decay"])


def path(name: str, rate: float, own: dict[str, float]) -> dict[str, object]:
    parameters = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    centre, width = torch.tensor(CENTRE, dtype=torch.float64), torch.tensor(WIDTH, dtype=torch.float64)
    optimizer = optimizer_of(name, parameters, rate, own)
    gradients, visited = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = (0.5 * width * (parameters - centre) ** 2 + width * torch.cos(parameters)).sum()
        loss.backward()
        assert parameters.grad is not None
        gradients.append(parameters.grad.tolist())
        optimizer.step()
        visited.append(parameters.detach().tolist())
    return {
        "optimizer": name,
        "learning_rate": rate,
        "own": own,
        "gradients": gradients,
        "parameters": visited,
    }


if __name__ == "__main__":
    document = {
        "torch": torch.__version__,
        "start": START,
        "paths": [path(name, rate, own) for name, rate, own in CASES],
    }
    Path(__file__).with_name("optimizers.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
