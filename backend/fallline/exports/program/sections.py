"""The sections of a run's program: title, explanation and code.

Owns the order of the sections and the lines that connect their functions. Must not know scripts or notebooks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.row import Dataset
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.losses import Loss
from fallline.engine.problem import Problem
from fallline.engine.randomness import PURPOSES
from fallline.exports.program.embedded import embedded_start, embedded_table
from fallline.exports.program.phases import Phases, phases_of
from fallline.exports.program.pieces import Piece, names_in, needed, pieces
from fallline.exports.program.steps import ABOUT_TRAIN, about_settings, settings, train
from fallline.vocabulary.recipe import DataSettings, Initializer, NetworkSettings, Recipe, RunRecipe

LIBRARY = ("base64", "functools", "io", "math", "zlib")
"""Modules of the standard library that a program may need."""


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a program: title, explanation (`story`) and code."""

    title: str
    story: str
    code: str


@dataclass(frozen=True, slots=True)
class Program:
    """A run as a program. Its last section defines `train(steps)`.

    The sections need `import numpy as np`, `SimpleNamespace` from types, and these modules of the standard `library`.
    """

    library: tuple[str, ...]
    sections: tuple[Section, ...]


def program(recipe: Recipe, problem: Problem, run: RunRecipe) -> Program:
    """Return the program of a run. The recipe is complete; `problem` is built from it."""
    phases = phases_of(run, problem.train.count, problem.layout)
    glue = {
        "samples": _samples(recipe.data, problem),
        "network": _network(recipe.network, problem),
        "gradient": _gradient(problem, phases),
        "batches": _batches(run, phases),
        "settings": settings(run, phases),
        "train": train(phases),
    }
    code = "\n".join(glue.values())
    selected = needed(code)
    everything = "\n".join([*(piece.text for piece in selected), code])

    def section(title: str, story: str, part: str, *modules: str) -> Section:
        own = [piece.text for piece in selected if piece.module in modules]
        return Section(title, story, "\n\n".join([*own, glue[part]]).strip("\n"))

    sections = [
        section(
            "The samples", _about_samples(recipe.data), "samples", "generated", "preparation", "embedded"
        ),
        section("The network and its first parameters", ABOUT_NETWORK, "network", "initializers"),
        section("Forward and backward", ABOUT_GRADIENT, "gradient", "activations", "losses"),
        section("Batches", _about_batches(phases), "batches"),
        section(
            "The optimizer and its settings", about_settings(phases), "settings", "optimizers", "schedules"
        ),
        section("The run", ABOUT_TRAIN, "train", "terms"),
    ]
    if drawing := _randomness(selected, everything):
        sections.insert(0, Section("Random numbers", ABOUT_RANDOMNESS, drawing))
    used = names_in(ast.parse(everything))
    return Program(tuple(name for name in LIBRARY if name in used), tuple(sections))


# ---------------------------------------------------------------------- random numbers

ABOUT_RANDOMNESS = (
    "Every random number has an address: a seed, a purpose, and a position (a layer or a pass). So a step always has "
    "the same batch."
)


def _randomness(selected: Iterable[Piece], code: str) -> str:
    """Return `rng_for` with the purposes that this program needs."""
    functions = [piece.text for piece in selected if piece.name == "rng_for"]
    if not functions:
        return ""
    purposes = set(re.findall(r'rng_for\([^"()]*"(\w+)"', code))
    pairs = ", ".join(f'"{name}": {number}' for name, number in PURPOSES.items() if name in purposes)
    return "\n\n".join([f"PURPOSES = {{{pairs}}}", *functions])


# ---------------------------------------------------------------------- samples


def _about_samples(data: DataSettings) -> str:
    if data.name in DATASETS and DATASETS[data.name].formula:
        return f"{data.name}, {DATASETS[data.name].help}."
    return "One training sample per line in the network's units, as fallline prepared it: inputs, then the target."


def _samples(data: DataSettings, problem: Problem) -> str:
    """Return lines that create the training samples X (m, features) and y (m, 1)."""
    row = DATASETS.get(data.name)
    return _generated(row, data, problem) if row and row.formula else _embedded(problem)


def _generated(row: Dataset, data: DataSettings, problem: Problem) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in row.arguments(data).items())
    lines = [f"X, y = {row.name}({arguments})"]
    if data.noise:
        disturbed = "X" if row.classes else "y"
        lines.append(f"{disturbed} = noisy({disturbed}, {data.noise!r}, seed={data.seed})")
    if row.classes and round(problem.X.shape[0] * data.label_noise):
        lines.append(f"y = mislabelled(y, {data.label_noise!r}, {len(row.classes)}, seed={data.seed})")
    standard = [
        name
        for name, choice in (("X", "inputs"), ("y", "targets"))
        if data.standardize in (choice, "both") and not (name == "y" and row.classes)
    ]
    has_test = problem.test is not None
    if has_test:
        lines.append(f"train = training_rows({data.samples}, {data.test_fraction!r}, seed={data.seed})")
    elif standard:
        lines.append("train = np.arange(len(X))")
    lines += [f"{name} = standardized({name}, train)" for name in standard]
    if has_test:
        lines.append("X, y = X[train], y[train]")
    return "\n".join([*lines, "m = len(X)"])


def _embedded(problem: Problem) -> str:
    """Embed a table without a formula in the program."""
    table = embedded_table(np.hstack([problem.X_train, problem.y_train]))
    return f"{table}\nX, y = table[:, :-1], table[:, -1:]\nm = len(X)"


# ---------------------------------------------------------------------- network

ABOUT_NETWORK = (
    "P holds all parameters end to end, and dP their gradient. Wk and its bias bk are one block Wbk with the bias as "
    "its last row, so that X @ Wk + bk is a single product."
)


def _network(network: NetworkSettings, problem: Problem) -> str:
    sizes, count = problem.layout.sizes, problem.layout.count
    lines = [f"P, dP = np.empty({count}), np.empty({count})"]
    start = 0
    for layer, (into, out) in enumerate(pairwise(sizes), start=1):
        place, shape = f"{start}:{start + (into + 1) * out}", f"{into + 1}, {out}"
        lines.append(f"Wb{layer}, dWb{layer} = P[{place}].reshape({shape}), dP[{place}].reshape({shape})")
        start += (into + 1) * out
    blocks = ", ".join(f"(Wb{layer}, dWb{layer})" for layer in range(1, len(sizes)))
    lines.append(f"LAYERS = [{blocks}]")
    if network.start is not None:
        return "\n".join([*lines, "", embedded_start(problem.initial_parameters)])
    weights = _draw(network.initializer("weights"), f'rng_for({network.seed}, "weights", layer)', "fan_in")
    biases = _draw(network.initializer("biases"), f'rng_for({network.seed}, "biases", layer)', "1")
    begin = f'''def begin():
    """Draw the initial parameters, each layer at an address of its own."""
    for layer, (Wb, _) in enumerate(LAYERS, start=1):
        fan_in, fan_out = len(Wb) - 1, len(Wb[0])
        Wb[:-1] = {weights}
        Wb[-1:] = {biases}'''
    return "\n".join([*lines, "", begin])


def _draw(initializer: Initializer, rng: str, rows: str) -> str:
    row = INITIALIZERS[initializer.name]
    own = "".join(f", {name}={value!r}" for name, value in row.filled(initializer.own).items())
    return f"{row.function.__name__}({rng}, ({rows}, fan_out), fan_in, fan_out{own})"


# ---------------------------------------------------------------------- forward and backward

ABOUT_GRADIENT = (
    "The notebook's lines, transposed: samples are columns, so that sums over samples run along memory. "
    "Z1 is X @ W1 + b1, A1 its activation with a row of ones below, and so on. The derivative of the loss contains "
    "the 1/m of the notebook's dW."
)


def _gradient(problem: Problem, phases: Phases) -> str:
    names = problem.activations
    last = len(names)
    forward, backward = [], []
    for layer, name in enumerate(names, start=1):
        into, product = f"a{layer - 1}" if layer > 1 else "X", f"Wb{layer}.T.dot(A{layer - 1})"
        comment = f"  # {into} @ W{layer} + b{layer}"
        if layer < last:
            forward.append(f"Z{layer} = {product}{comment}")
            outputs = f"Z{layer}" if name == "identity" else f"{name}(Z{layer})"
            forward.append(f"A{layer} = with_ones({outputs})")
        elif name == "identity":
            forward.append(f"y_pred = {product}{comment}")
        else:
            forward += [f"Z{layer} = {product}{comment}", f"y_pred = {name}(Z{layer})"]
    for layer in range(last, 0, -1):
        name = names[layer - 1]
        if layer < last:
            slope = "" if name == "identity" else f" * {name}_slope(Z{layer}, A{layer}[:-1])"
            backward.append(f"dZ{layer} = Wb{layer + 1}[:-1].dot(dZ{layer + 1}){slope}")
        elif name != "identity":
            backward.append(f"dZ{layer} = dZ{layer} * {name}_slope(Z{layer}, y_pred)")
        backward.append(f"dWb{layer}[:] = A{layer - 1}.dot(dZ{layer}.T)  # dW{layer} and db{layer}")
    body = [*forward, *_measure(problem.loss, phases, last), *backward, "return loss"]
    lines = "\n    ".join(body)
    ones = '''def with_ones(a):
    """Append the row of ones that multiplies the biases of the next layer."""
    return np.vstack([a, np.ones((1, a.shape[1]))])

'''
    return f'''{ones if last > 1 else ""}def gradient(A0, y):
    """The loss of a batch; its gradient goes into dP. A0 (features + 1, samples), y (1, samples)."""
    {lines}'''


def _measure(loss: Loss, phases: Phases, last: int) -> list[str]:
    """Return lines for the loss and its gradient.

    A single sample needs its own function only if that uses `math`, which may round unlike NumPy.
    """
    own = "".join(f", {name}={value!r}" for name, value in loss.own.items())
    many = f"loss, dZ{last} = {loss.name}(y_pred, y{own})"
    one = pieces().get(f"{loss.name}_one")
    if one is None or "math" not in one.uses or not phases.ones:
        return [many]
    single = [
        f"loss, dy = {one.name}(y_pred.item(), y.item(){own})",
        f"dZ{last} = np.array([[dy]])",
    ]
    if not phases.several:
        return single
    return ["if y.size == 1:", *(f"    {line}" for line in single), "else:", f"    {many}"]


# ---------------------------------------------------------------------- batches


def _about_batches(phases: Phases) -> str:
    whole = "A full batch is all samples in data order."
    parts = (
        "Each pass over the samples has an order of its own, and a step takes the next samples of its pass."
    )
    drawn = "With replacement, each sample of a pass is drawn independently of the others."
    said = {parts: phases.parts, drawn: '"replacement"' in phases.values("order"), whole: phases.whole}
    return " ".join(sentence for sentence, applies in said.items() if applies)


def _orders(seed: int, names: Collection[str]) -> str:
    """Return lines that return the order of a pass by its name, for these names."""
    rows = {
        '"sequential"': "np.arange(m)",
        '"replacement"': f'rng_for({seed}, "replacement", number).integers(m, size=m)',
        '"shuffle"': f'rng_for({seed}, "order", number).permutation(m)',
    }
    *others, last = (name for name in rows if name in names)
    lines = [f"if order == {name}:\n        return {rows[name]}" for name in others]
    return "\n    ".join([*lines, f"return {rows[last]}"])


def _batches(run: RunRecipe, phases: Phases) -> str:
    lines = ["rows, targets = np.hstack([X, np.ones((m, 1))]), y.T"]
    if phases.whole or phases.has("looks"):
        lines.append("columns = np.ascontiguousarray(rows.T)")
    if not phases.parts:
        return "\n".join(lines)
    whole = "    if now.batch_size is None:\n        return columns, targets\n" if phases.whole else ""
    ordered = _orders(run.seed, phases.values("order") or {'"shuffle"'})
    parameter, argument = (", order", ", now.order") if phases.has("order") else ("", "")
    return (
        "\n".join(lines)
        + f'''

@functools.lru_cache(maxsize=1)
def order_of_pass(number{parameter}):
    """Return the order of the samples in a pass."""
    {ordered}

def batch(samples_seen):
    """Return the next batch after so many samples: inputs as columns, and targets."""
{whole}    number, place = divmod(samples_seen, m)
    picked = order_of_pass(number{argument})[place : place + now.batch_size]
    A0 = rows[picked].T
    return (np.ascontiguousarray(A0) if len(picked) == m else A0), targets[:, picked]'''
    )
