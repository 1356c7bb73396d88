"""Write optimizers.json: what PyTorch's SGD with momentum and Adam do on a small valley, in float64.

    pip install torch && python tests/golden/make_optimizers.py

PyTorch is too heavy for everybody's tests, so its numbers are kept. The valley is f(p) = sum of w (p - c)**2 / 2 plus
a swell of w cos(p), so that no two coordinates behave alike; one coordinate has gradient exactly 0 for ever.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

START = [1.0, -2.0, 0.5, 3.0, -0.25, 0.0]
CENTRE = [0.5, 1.0, -1.5, 2.0, 4.0, 0.0]
WIDTH = [0.1, 1.0, 3.0, 0.01, 10.0, 0.0]
STEPS = 30
CASES = [
    ("momentum", 0.05, {"momentum": 0.9}),
    ("momentum", 0.1, {"momentum": 0.5}),
    ("momentum", 0.1, {"momentum": 0.0}),
    ("adam", 0.01, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
    ("adam", 0.1, {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}),
]


def optimizer_of(
    name: str, parameters: torch.Tensor, rate: float, own: dict[str, float]
) -> torch.optim.Optimizer:
    if name == "momentum":
        return torch.optim.SGD([parameters], lr=rate, momentum=own["momentum"])
    return torch.optim.Adam([parameters], lr=rate, betas=(own["beta1"], own["beta2"]), eps=own["epsilon"])


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
