"""The lines of a program that define the settings and make the steps.

Must not know samples or networks.
"""

from __future__ import annotations

from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.optimizers import OPTIMIZERS
from fallline.engine.training import MOST_LAYERS
from fallline.exports.program.phases import Lines, Phases
from fallline.vocabulary.recipe import RunRecipe

LONG = 100
"""Longest line, in characters, before it is split."""


# ---------------------------------------------------------------------- settings


def about_settings(phases: Phases) -> str:
    """Explain the settings."""
    if not phases.edits:
        return "The settings of the run. They were not edited."
    return "The settings at step 0, and the edits by step: an edit at step n applies from the change n to n + 1 on."


def settings(run: RunRecipe, phases: Phases) -> str:
    """Return lines that define `now`, the settings in force, and EDITS.

    If layers are reinitialized, they also define `redraw`.
    """
    lines = f"BEGIN = {{{_pairs(phases.first)}}}\n"
    if len(lines) > LONG:
        pairs = "\n".join(f"    {_pairs({name: value})}," for name, value in phases.first.items())
        lines = f"BEGIN = {{\n{pairs}\n}}\n"
    if phases.edits:
        edits = "\n".join(f"    {step}: {{{_pairs(changes)}}}," for step, changes in phases.edits.items())
        lines += f"EDITS = {{\n{edits}\n}}\n"
    lines += "now = SimpleNamespace(**BEGIN)"
    return (
        lines + (_PLATEAU if phases.has("looks") else "") + (_redraws(run, phases) if phases.redraws else "")
    )


_PLATEAU = '''
plateau = SimpleNamespace()

def forget():
    """Start the memory of the plateau anew: the least loss, looks since then, and the factor of the rate."""
    plateau.best, plateau.waited, plateau.factor = np.inf, 0.0, 1.0

def look(step):
    """Look at the loss over all samples, if it is time, and reduce the rate if that has stopped falling."""
    since, every, own = now.looks
    if step > since and (step - since) % every == 0:
        memory = plateau.best, plateau.waited, plateau.factor
        memory = plateau_memory(gradient(columns, targets), *memory, *own)
        plateau.best, plateau.waited, plateau.factor = memory'''


def _redraws(run: RunRecipe, phases: Phases) -> str:
    rows = "\n".join(
        f"    {step}: ({layers}, {_drawing(name)})," for step, (layers, name) in phases.redraws.items()
    )
    together = any(row.name in phases.values("update") for row in OPTIMIZERS.values() if row.tables)
    clear = (
        "if any(np.ndim(slot) == 2 for slot in memory):  # of all layers together\n        memory.clear()\n    "
        if together
        else ""
    )
    return f'''
REDRAWS = {{
{rows}
}}

def redraw(step, layers, draw, memory):
    """Reinitialize layers and clear the optimizer's memory of them; their biases become 0."""
    {clear}for layer in layers:
        Wb, start = LAYERS[layer - 1][0], sum(block.size for block, _ in LAYERS[: layer - 1])
        fan_in, fan_out = len(Wb) - 1, len(Wb[0])
        rng = rng_for({run.seed}, "redraw", {MOST_LAYERS} * step + layer)
        Wb[:-1] = draw(rng, (fan_in, fan_out), fan_in, fan_out)
        Wb[-1] = 0.0
        for slot in memory:
            if np.ndim(slot):
                slot[start : start + Wb.size] = 0.0'''


def _drawing(name: str) -> str:
    row = INITIALIZERS[name]
    own = "".join(f", {name}={value!r}" for name, value in row.filled({}).items())
    return f"functools.partial({row.function.__name__}{own})" if own else row.function.__name__


def _pairs(lines: Lines) -> str:
    return ", ".join(f'"{name}": {value}' for name, value in lines.items())


# ---------------------------------------------------------------------- the run

ABOUT_TRAIN = (
    "Each step computes the loss and the gradient of its batch, and then changes the parameters. The loss of a step "
    "is the loss of its batch before the change."
)


def train(phases: Phases) -> str:
    """Return the function that makes the steps."""
    edited = """        edit = EDITS.get(step, {})
        vars(now).update(edit)
"""
    if any("update" in changes for changes in phases.edits.values()):
        edited += """        if "update" in edit:
            memory = []  # a new optimizer starts with fresh state
"""
    if any("looks" in changes for changes in phases.edits.values()):
        edited += """        if "looks" in edit:
            forget()
"""
    read = "A0, target = batch(samples_seen)" if phases.parts else "A0, target = columns, targets"
    lines = [read, "yield step, gradient(A0, target)"]
    if phases.has("l2"):
        lines += [
            "for Wb, dWb in LAYERS:  # penalties apply to weights, not to biases",
            "    dWb[:-1] += penalty_gradient(Wb[:-1], now)",
        ]
    gradient = "clip(dP, now)" if phases.has("clip_norm") else "dP"
    rate = "now.learning_rate"
    if phases.has("schedule"):
        since = "step - now.since" if phases.has("since") else "step"
        lines.append(f"rate = now.learning_rate * now.schedule({since})")
        rate = "rate"
    if phases.has("layer_rates"):
        rate += " * now.layer_rates"
    own = ", **now.own" if phases.has("own") else ""
    lines += [
        f"P[:], *memory = now.update(P, {gradient}, {rate}, *memory{own})",
        "samples_seen += target.shape[1]",
    ]
    if phases.redraws:
        lines += ["if step in REDRAWS:", "    redraw(step, *REDRAWS[step], memory)"]
    if phases.has("looks"):
        lines += ["if now.looks:", "    look(step + 1)"]
    body = "\n        ".join(lines)
    fresh = "\n    forget()" if phases.has("looks") else ""
    return f'''def train(steps):
    """Train from the initial parameters; yield each step with the loss of its batch."""
    begin(){fresh}
    vars(now).update(BEGIN)
    memory, samples_seen = [], 0
    for step in range(steps):
{edited if phases.edits else ""}        {body}'''
