"""The lines of a program that say what is in force, and those that make the steps.

Must not know samples or networks.
"""

from __future__ import annotations

from fallline.engine.redrawing import MOST_LAYERS
from fallline.exports.program.phases import Lines, Phases
from fallline.vocabulary.recipe import RunRecipe

LONG = 100
"""Characters of a line that is better written as several."""


# ---------------------------------------------------------------------- settings


def about_settings(phases: Phases) -> str:
    """The story of what is in force."""
    if not phases.edits:
        return "The settings that the run was trained with, from its first step on; nobody has edited them."
    return (
        "The settings that the run began with, and the edits that were made while it was training: each is in force "
        "from the change that takes the step counter on from its number."
    )


def settings(run: RunRecipe, phases: Phases) -> str:
    """Lines that make `now`, the settings in force, EDITS, and `redraw` where layers are drawn anew."""
    lines = f"BEGIN = {{{_pairs(phases.first)}}}\n"
    if len(lines) > LONG:
        told = "\n".join(f"    {_pairs({name: value})}," for name, value in phases.first.items())
        lines = f"BEGIN = {{\n{told}\n}}\n"
    if phases.edits:
        told = "\n".join(f"    {step}: {{{_pairs(changes)}}}," for step, changes in phases.edits.items())
        lines += f"EDITS = {{\n{told}\n}}\n"
    return lines + "now = SimpleNamespace(**BEGIN)" + (_redraws(run, phases) if phases.redraws else "")


def _redraws(run: RunRecipe, phases: Phases) -> str:
    told = "\n".join(
        f"    {step}: ({layers}, {_drawing(name)})," for step, (layers, name) in phases.redraws.items()
    )
    return f'''
REDRAWS = {{
{told}
}}

def redraw(step, layers, draw, memory):
    """Draws layers anew, of which the method then remembers nothing; their biases are 0."""
    for layer in layers:
        Wb, start = LAYERS[layer - 1][0], sum(block.size for block, _ in LAYERS[: layer - 1])
        fan_in, fan_out = len(Wb) - 1, len(Wb[0])
        rng = generator({run.seed}, "redraw", {MOST_LAYERS} * step + layer)
        Wb[:-1] = draw(rng, (fan_in, fan_out), fan_in, fan_out)
        Wb[-1] = 0.0
        for kept in memory.values():
            if np.ndim(kept):
                kept[start : start + Wb.size] = 0.0'''


def _drawing(name: str) -> str:
    return f"functools.partial({name}, scale=1.0)" if name in ("normal", "uniform") else name


def _pairs(told: Lines) -> str:
    return ", ".join(f'"{name}": {value}' for name, value in told.items())


# ---------------------------------------------------------------------- the run

ABOUT_TRAIN = (
    "Each step looks at its batch, which gives the loss and the gradient, and then changes the parameters. What is "
    "told of a step is the loss of its batch before that change."
)


def train(phases: Phases) -> str:
    """The function that makes the steps."""
    edited = """        edit = EDITS.get(step, {})
        vars(now).update(edit)
"""
    if any("update" in changes for changes in phases.edits.values()):
        edited += """        if "update" in edit:
            memory = {}  # another method remembers nothing
"""
    look = "A0, target = batch(seen)" if phases.parts else "A0, target = columns, targets"
    lines = [look, "yield step, gradient(A0, target)"]
    if phases.has("l1") or phases.has("l2"):
        pull = " + ".join(
            part
            for name, part in (("l2", "now.l2 * Wb[:-1]"), ("l1", "now.l1 * np.sign(Wb[:-1])"))
            if phases.has(name)
        )
        lines += [
            "for Wb, dWb in LAYERS:  # the penalties pull at weights, not at biases",
            f"    dWb[:-1] += {pull}",
        ]
    taken = "dP"
    if phases.has("clip_norm") or phases.has("clip_value"):
        taken = "clipped"
        lines.append("clipped = dP")
    if phases.has("clip_norm"):
        lines += [
            "if now.clip_norm is not None:",
            "    norm = math.sqrt(clipped.dot(clipped))",
            "    clipped = clipped * min(now.clip_norm / (norm + 1e-6), 1.0)",
        ]
    if phases.has("clip_value"):
        lines += [
            "if now.clip_value is not None:",
            "    clipped = np.clip(clipped, -now.clip_value, now.clip_value)",
        ]
    rate = "now.learning_rate"
    if phases.has("schedule"):
        since = "step - now.since" if phases.has("since") else "step"
        lines.append(f"rate = now.learning_rate * now.schedule({since})")
        rate = "rate"
    own = ", **now.own" if phases.has("own") else ""
    lines += [f"now.update(P, dP, memory, {rate}{own})".replace("dP", taken), "seen += target.shape[1]"]
    if phases.redraws:
        lines += ["if step in REDRAWS:", "    redraw(step, *REDRAWS[step], memory)"]
    body = "\n        ".join(lines)
    return f'''def train(steps):
    """Trains from the first parameters on; yields each step with the loss of its batch."""
    begin()
    vars(now).update(BEGIN)
    memory, seen = {{}}, 0
    for step in range(steps):
{edited if phases.edits else ""}        {body}'''
