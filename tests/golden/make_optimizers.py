"""Write optimizers.json and schedules.json: results of PyTorch's optimizers, schedules and clipping in float64.

pip install torch . && python tests/golden/make_optimizers.py

PyTorch is too heavy for the test suite, so the files store its numbers. Optimizers descend a small valley, f(p) = sum
of w (p - c)**2 / 2 plus w cos(p), in which no two coordinates behave alike; the gradient of one coordinate is always
exactly 0. Whole descents train a network of ours from the same data and start. Loss and penalties go through
PyTorch's own differentiation, then clipping, optimizer and schedule.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import optim
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim import lr_scheduler

from fallline.engine.problem import build_problem
from fallline.vocabulary.recipe import Recipe

START = [1.0, -2.0, 0.5, 3.0, -0.25, 0.0]
CENTRE = [0.5, 1.0, -1.5, 2.0, 4.0, 0.0]
WIDTH = [0.1, 1.0, 3.0, 0.01, 10.0, 0.0]
STEPS = 30
CASES: list[tuple[str, float, dict[str, Any]]] = [
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
    ("dampened_momentum", 0.05, {"momentum": 0.9, "dampening": 0.9}),
    ("dampened_momentum", 0.1, {"momentum": 0.8, "dampening": 0.3}),
    ("adadelta", 1.0, {"decay": 0.9, "epsilon": 1e-6}),
    ("adadelta", 0.5, {"decay": 0.5, "epsilon": 1e-2}),
    ("rmsprop_momentum", 0.01, {"decay": 0.99, "epsilon": 1e-8, "momentum": 0.9}),
    ("rmsprop_momentum", 0.05, {"decay": 0.5, "epsilon": 1e-2, "momentum": 0.5}),
    ("rmsprop_centered", 0.01, {"decay": 0.99, "epsilon": 1e-8, "momentum": 0.0}),
    ("rmsprop_centered", 0.05, {"decay": 0.9, "epsilon": 1e-2, "momentum": 0.5}),
    ("amsgrad", 0.01, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}),
    ("amsgrad", 0.1, {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "weight_decay": 0.5}),
    ("adamax", 0.01, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
    ("adamax", 0.1, {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}),
    ("nadam", 0.01, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "momentum_decay": 0.004}),
    ("nadam", 0.1, {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3, "momentum_decay": 0.1}),
    ("radam", 0.01, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
    ("radam", 0.1, {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}),
    ("radam", 0.1, {"beta1": 0.8, "beta2": 0.6, "epsilon": 1e-3}),
    ("lbfgs", 0.2, {"history_size": 10}),
    ("lbfgs", 0.7, {"history_size": 3}),
    ("lbfgs", 1.0, {"history_size": 1}),
]

SCHEDULES: list[dict[str, Any]] = [
    {"name": "constant"},
    {"name": "step", "every": 7, "factor": 0.3},
    {"name": "exponential", "every": 7, "factor": 0.3},
    {"name": "cosine", "steps": STEPS - 1, "least": 0.1},
    {"name": "cosine_restarts", "steps": 6, "growth": 1, "least": 0.1},
    {"name": "cosine_restarts", "steps": 4, "growth": 2, "least": 0.05},
    {"name": "polynomial", "steps": 20, "power": 1.0, "least": 0.0},
    {"name": "polynomial", "steps": 25, "power": 2.5, "least": 0.0},
    {"name": "one_cycle", "steps": STEPS - 1, "peak": 0.3, "start": 0.04, "least": 4e-6},
    {"name": "one_cycle", "steps": STEPS - 1, "peak": 0.55, "start": 0.2, "least": 0.01},
    {"name": "inverse_time", "steps": 5},
    {"name": "warmup", "steps": 9, "start": 0.2},
    {"name": "warmup", "steps": 9, "start": 0.2, "next": {"name": "cosine", "steps": 20, "least": 0.1}},
    {
        "name": "polynomial",
        "steps": 8,
        "power": 2.0,
        "least": 0.0,
        "next": {"name": "step", "every": 5, "factor": 0.3},
    },
]
PLATEAUS: list[dict[str, Any]] = [
    {"patience": 2, "factor": 0.5, "least": 0.0},
    {"patience": 0, "factor": 0.3, "least": 0.05},
    {"patience": 5, "factor": 0.1, "least": 0.001},
]
LOSSES = [max(0.5, 2 - 0.2 * k) + 1e-5 * (k % 3) for k in range(25)] + [0.4 - 1e-5 * k for k in range(15)]
"""They fall, stay, fall once, and then fall by less than the threshold."""
DATA = {"name": "linear", "samples": 30, "features": 3, "standardize": "both", "seed": 1}
NETWORK = {"layers": [{"units": 4, "activation": "tanh"}], "seed": 1}
DESCENTS: list[dict[str, Any]] = [
    {"l1": 0.02},
    {"l2": 0.3, "optimizer": "momentum", "momentum": 0.9},
    {"clip_norm": 0.1},
    {"clip_value": 0.02},
    {"clip_norm": 0.1, "clip_value": 0.04, "l1": 0.01, "l2": 0.1, "batch_size": 7, "optimizer": "adagrad"},
    {
        "optimizer": "adamw", "weight_decay": 0.1, "l1": 0.01, "l2": 0.1, "clip_norm": 0.5, "batch_size": 7,
        "schedule": {"name": "step", "every": 4, "factor": 0.5},
    },
    {"optimizer": "momentum", "layer_rates": [2.0, 0.1], "schedule": {"name": "step", "every": 4, "factor": 0.5}},
    {"optimizer": "adamw", "weight_decay": 0.3, "bias_decay": 0.0, "layer_rates": [0.5, 0.0]},
    {"optimizer": "amsgrad", "weight_decay": 0.3, "bias_decay": 0.25, "batch_size": 7},
]  # fmt: skip


def optimizer_of(name: str, parameters: list[Any], rate: float, own: dict[str, Any]) -> optim.Optimizer:
    match name:
        case "sgd":
            return optim.SGD(parameters, lr=rate)
        case "momentum" | "nesterov":
            return optim.SGD(parameters, lr=rate, momentum=own["momentum"], nesterov=name == "nesterov")
        case "dampened_momentum":
            return optim.SGD(parameters, lr=rate, momentum=own["momentum"], dampening=own["dampening"])
        case "adagrad":
            return optim.Adagrad(parameters, lr=rate, eps=own["epsilon"])
        case "adadelta":
            return optim.Adadelta(parameters, lr=rate, rho=own["decay"], eps=own["epsilon"])
        case "rmsprop" | "rmsprop_momentum" | "rmsprop_centered":
            more = {"momentum": own.get("momentum", 0.0), "centered": name == "rmsprop_centered"}
            return optim.RMSprop(parameters, lr=rate, alpha=own["decay"], eps=own["epsilon"], **more)
        case "lbfgs":
            # one step with one gradient, however small
            only = {"max_iter": 1, "tolerance_grad": 0.0, "tolerance_change": 0.0}
            return optim.LBFGS(parameters, lr=rate, history_size=own["history_size"], **only)
    betas, eps = (own["beta1"], own["beta2"]), own["epsilon"]
    if name == "adam":
        return optim.Adam(parameters, lr=rate, betas=betas, eps=eps)
    if name in ("adamw", "amsgrad"):
        decay = own["weight_decay"]
        return optim.AdamW(
            parameters, lr=rate, betas=betas, eps=eps, weight_decay=decay, amsgrad=name == "amsgrad"
        )
    if name == "nadam":
        return optim.NAdam(parameters, lr=rate, betas=betas, eps=eps, momentum_decay=own["momentum_decay"])
    return (optim.Adamax if name == "adamax" else optim.RAdam)(parameters, lr=rate, betas=betas, eps=eps)


def path(name: str, rate: float, own: dict[str, float]) -> dict[str, object]:
    parameters = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    centre, width = torch.tensor(CENTRE, dtype=torch.float64), torch.tensor(WIDTH, dtype=torch.float64)
    optimizer = optimizer_of(name, [parameters], rate, own)
    gradients, visited = [], []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = (0.5 * width * (parameters - centre) ** 2 + width * torch.cos(parameters)).sum()
        loss.backward()
        assert parameters.grad is not None
        gradients.append(parameters.grad.tolist())
        optimizer.step(lambda value=loss: value)
        visited.append(parameters.detach().tolist())
    return {
        "optimizer": name,
        "learning_rate": rate,
        "own": own,
        "gradients": gradients,
        "parameters": visited,
    }


def scheduler_of(optimizer: optim.Optimizer, schedule: dict[str, Any]) -> lr_scheduler.LRScheduler:
    base = optimizer.defaults["lr"]
    if "next" in schedule:
        first = {name: value for name, value in schedule.items() if name != "next"}
        parts = [scheduler_of(optimizer, each) for each in (first, schedule["next"])]
        return lr_scheduler.SequentialLR(optimizer, parts, [schedule["steps"]])
    match schedule["name"]:
        case "step":
            return lr_scheduler.StepLR(optimizer, schedule["every"], schedule["factor"])
        case "exponential":
            return lr_scheduler.ExponentialLR(optimizer, schedule["factor"] ** (1 / schedule["every"]))
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, schedule["steps"], schedule["least"] * base)
        case "cosine_restarts":
            cycle, growth, least = schedule["steps"], schedule["growth"], schedule["least"] * base
            return lr_scheduler.CosineAnnealingWarmRestarts(optimizer, cycle, growth, least)
        case "polynomial":
            return lr_scheduler.PolynomialLR(optimizer, schedule["steps"], schedule["power"])
        case "one_cycle":
            # PyTorch reaches the whole rate at pct_start * total_steps - 1 and the least one at total_steps - 1.
            steps, start = schedule["steps"], schedule["start"]
            return lr_scheduler.OneCycleLR(
                optimizer,
                base,
                total_steps=steps + 1,
                pct_start=(schedule["peak"] * steps + 1) / (steps + 1),
                div_factor=1 / start,
                final_div_factor=start / schedule["least"],
                cycle_momentum=False,
            )
        case "inverse_time":
            return lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t / schedule["steps"]))
        case "warmup":
            return lr_scheduler.LinearLR(optimizer, schedule["start"], 1.0, schedule["steps"])
    return lr_scheduler.LambdaLR(optimizer, lambda t: 1.0)


def factors(schedule: dict[str, Any]) -> list[float]:
    """Factor of the rate at each step."""
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.7)
    scheduler, found = scheduler_of(optimizer, schedule), []
    for _ in range(STEPS):
        found.append(scheduler.get_last_lr()[0] / 0.7)
        optimizer.step()
        scheduler.step()
    return found


def plateau(own: dict[str, Any]) -> dict[str, Any]:
    """Factor of the rate after each loss."""
    optimizer = optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=own["factor"], patience=own["patience"], min_lr=own["least"], eps=0.0
    )
    found = []
    for loss in LOSSES:
        scheduler.step(loss)
        found.append(optimizer.param_groups[0]["lr"])
    return {"own": own, "losses": LOSSES, "factors": found}


def descent(run: dict[str, Any]) -> dict[str, object]:
    """Our network trained by PyTorch: parameters after each step, end to end in one vector."""
    run = {"learning_rate": 0.1, "batch_size": None, "order": "sequential", **run}
    recipe = Recipe.model_validate({"data": DATA, "network": NETWORK, "runs": [run]})
    problem = build_problem(recipe.data, recipe.network, recipe.loss)
    X, y = torch.tensor(problem.X), torch.tensor(problem.y)
    named = problem.named(problem.initial_parameters)
    parameters = [torch.tensor(values, requires_grad=True) for values in named.values()]
    W1, b1, W2, b2 = parameters
    own = {"momentum": 0.9, "epsilon": 1e-8, "beta1": 0.9, "beta2": 0.999, **run}
    if run.get("optimizer") == "adagrad":
        own["epsilon"] = 1e-10
    groups = [
        {"params": [each], "lr": run["learning_rate"] * run.get("layer_rates", [1.0, 1.0])[place // 2]}
        for place, each in enumerate(parameters)
    ]
    if "bias_decay" in run:
        for group in groups[1::2]:
            group["weight_decay"] = run["weight_decay"] * run["bias_decay"]
    optimizer = optimizer_of(run.get("optimizer", "sgd"), groups, run["learning_rate"], own)
    scheduler = scheduler_of(optimizer, run.get("schedule", {"name": "constant"}))
    place, visited, objectives = 0, [], []
    for _ in range(STEPS):
        rows = slice(place, place + (run["batch_size"] or len(X)))
        place = rows.stop if rows.stop < len(X) else 0
        optimizer.zero_grad()
        error = torch.tanh(X[rows] @ W1 + b1) @ W2 + b2 - y[rows]
        objective = 0.5 * (error**2).mean()
        for weights in (W1, W2):
            objective = objective + run.get("l1", 0.0) * weights.abs().sum()
            objective = objective + 0.5 * run.get("l2", 0.0) * (weights**2).sum()
        objectives.append(objective.item())
        objective.backward()
        if "clip_norm" in run:
            clip_grad_norm_(parameters, run["clip_norm"])
        if "clip_value" in run:
            clip_grad_value_(parameters, run["clip_value"])
        optimizer.step()
        scheduler.step()
        visited.append(torch.cat([values.detach().flatten() for values in parameters]).tolist())
    return {"recipe": recipe.as_json(), "objective": objectives, "parameters": visited}


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)  # NAdam keeps the product of its momentums in this type
    document = {
        "torch": torch.__version__,
        "start": START,
        "paths": [path(name, rate, own) for name, rate, own in CASES],
        "descents": [descent(run) for run in DESCENTS],
    }
    Path(__file__).with_name("optimizers.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")
    listed = [{"schedule": schedule, "factors": factors(schedule)} for schedule in SCHEDULES]
    document = {
        "torch": torch.__version__,
        "schedules": listed,
        "plateaus": [plateau(own) for own in PLATEAUS],
    }
    Path(__file__).with_name("schedules.json").write_text(json.dumps(document, indent=1) + "\n")
