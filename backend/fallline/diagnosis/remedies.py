"""Remedies of findings: commands that act at once and can be undone.

A remedy is tried on a copy of the run, and offered only if it helps there. It never repeats what the run did, nor what
is in force. Must not know the rules. A rewind is a fork from an earlier step: the past is never rewritten. A command
does not name its run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from fallline.diagnosis.view import Trial, View
from fallline.diagnosis.words import count, number, plain, setting
from fallline.vocabulary.findings import Remedy
from fallline.vocabulary.journal import Json

Value = float | int | str | None

LOWER = 5.0
"""Divisor of a rate that led to dead units."""

AGAIN = 2.0
"""Divisor of the rate for redrawn units: in the notebook, units died again in 4 of 12 forks at the same rate, in none
at half of it.
"""

ADAM_RATE = 0.01
"""Adam divides gradients by their size, so its rate is not comparable with plain descent."""

SHORT = 1.0
"""Length to which gradients are clipped."""

AFTER_EDIT = 200
"""Most steps between a raised rate and the problem it caused."""

CLIPPED_RATE = 0.01
"""Lowest rate beside clipped gradients, which is then the step length."""


RATES, FEW_RATES = 5, 3
"""Most rates to try, each a tenth of the one before, and the most where a rate is one of several ways."""

SCALED_RATE, PLAIN_RATE = 0.01, 1.0
"""Highest rates to try, for optimizers that divide gradients by their size and for others: a tenth of a huge rate helps
nobody.
"""

HIGHEST_RATE = 1e6
"""Highest rate that a recipe may have."""

GAINS, NEAR = 0.99, 1.1
"""A loss above the baseline must fall below the first share of itself, one at the baseline stay below the second."""

HARMS, GETS_AWAY = 1.002, 0.95
"""Largest rise of a flat loss that is no harm, and the share below which a loss is clearly lower."""

MOST = 2
"""Most remedies of a finding."""

RELU_WEIGHTS, TANH_WEIGHTS = ("he", "xavier"), ("xavier", "lecun")
"""Initializers for new weights, the usual one first."""

Holds = Callable[[View, Trial], bool]


# ---------------------------------------------------------------------- what helps


def holds(view: View, trial: Trial) -> bool:
    """True if the run does not diverge, lose half of a layer, or end above its start."""
    return trial.after <= (GAINS if trial.before > NEAR * view.task.baseline else NEAR) * trial.before


def learns(view: View, trial: Trial) -> bool:
    """True if it holds and comes near the baseline."""
    return holds(view, trial) and trial.after <= NEAR * view.task.baseline


def does_no_harm(view: View, trial: Trial) -> bool:
    """True if a flat loss does not rise, and falls more than it would: leaving a flat stretch may take long."""
    return trial.after <= HARMS * trial.before and beats(view, trial)


def gets_away(view: View, trial: Trial) -> bool:
    """True if the loss falls clearly below its present value and the baseline."""
    return trial.after < GETS_AWAY * min(view.loss, view.task.baseline)


def beats(view: View, trial: Trial) -> bool:
    """True if the loss ends lower than after the same steps without the remedy."""
    alone = view.trial({"do": "edit"})
    return trial.after < (trial.before if alone is None else alone.after)


def keeps_up(view: View, trial: Trial) -> bool:
    """True if the loss is about as low as without the remedy."""
    alone = view.trial({"do": "edit"})
    return trial.after <= NEAR * (trial.before if alone is None else alone.after)


# ---------------------------------------------------------------------- the choice


def first_helpful(*ways: Callable[[], Remedy | None]) -> tuple[Remedy, ...]:
    """Return the first `MOST` different remedies; later ones are not computed."""
    remedies: list[Remedy] = []
    for way in ways:
        remedy = way()
        if remedy is not None and all(remedy.command != other.command for other in remedies):
            remedies.append(remedy)
        if len(remedies) == MOST:
            break
    return tuple(remedies)


def first_with(helps: Holds, view: View, ways: Iterable[Remedy], *, or_untried: bool = True) -> Remedy | None:
    """Return the first remedy whose trial helps, and which the run does not have already.

    If the first trial takes too long, return its remedy untried, with a note, or None without `or_untried`. Once a
    trial did not help, no untried remedy is likely to.
    """
    for remedy in ways:
        if view.repeats(remedy.command):
            continue
        trial = view.trial(remedy.command)
        if trial is None:
            return _with_note(remedy, "not tried: a trial would take too long") if or_untried else None
        if helps(view, trial):
            return _with_note(remedy, f"tried for {count(trial.steps, 'step')}", trial.after)
        or_untried = False
    return None


def _with_note(remedy: Remedy, note: str, loss: float | None = None) -> Remedy:
    return Remedy(remedy.label, f"{remedy.hint}; {note}", remedy.command, loss)


def first_rate(
    view: View, ways: Iterable[Remedy], helps: Holds = holds, *, or_untried: bool = True
) -> Remedy | None:
    """Return the first of falling rates that helps; stop at one that does nothing."""
    still = False

    def stops(view: View, trial: Trial) -> bool:
        nonlocal still
        still = trial.after <= trial.before and not holds(view, trial)
        return still or helps(view, trial)

    remedy = first_with(stops, view, ways, or_untried=or_untried)
    return None if still else remedy


def first_tried(helps: Holds, view: View, ways: Iterable[Remedy]) -> Remedy | None:
    """Return the first remedy whose trial helps, and none untried."""
    return first_with(helps, view, ways, or_untried=False)


# ---------------------------------------------------------------------- the rate


def lower_rates(view: View, by: float, rate: float | None = None) -> Iterator[float]:
    """Yield rates to try, from `rate` (by default the present one) divided by `by` on."""
    rate = view.settings.learning_rate if rate is None else rate
    rate = min(rate / by, SCALED_RATE if view.scales else PLAIN_RATE)
    return filter(None, (plain(rate / 10**place) for place in range(RATES)))


def lowered(view: View) -> Iterator[Remedy]:
    """Yield lower rates from the next step on."""
    for rate in islice(lower_rates(view, LOWER), FEW_RATES):
        yield edit(view, "Lower the rate", learning_rate=rate)


def lower_rate_tried(view: View, remedies: Sequence[Remedy], *, by_test: bool) -> str:
    """Return whether a lower rate from the next step on helps, as tried.

    It is judged by the train loss, or the test loss. It is "" if a remedy has a lower rate, or if none can be tried.
    """
    rate, present = next(lower_rates(view, LOWER), None), view.settings.learning_rate
    # another optimizer's rate is not comparable
    offered = (
        each.command.get("learning_rate", present) for each in remedies if "optimizer" not in each.command
    )
    if view.diverged or rate is None or any(each < present for each in offered):
        return ""
    trial, alone = view.trial({"do": "edit", "learning_rate": rate}), view.trial({"do": "edit"})
    if trial is None or alone is None:
        return ""
    after, without = (each.test_after if by_test else each.after for each in (trial, alone))
    verdict = "helps" if after < GETS_AWAY * without else "does not help"
    ends = [number(loss) if math.isfinite(loss) else "no number" for loss in (after, without)]
    return (
        f"A lower rate from step {view.step:,} on {verdict}: in {count(trial.steps, 'trial step')} "
        f"the {'test ' if by_test else ''}loss comes to {ends[0]} at {setting(rate)}, "
        f"and to {ends[1]} at {setting(present)}."
    )


def raised_by(view: View, times: int) -> Remedy:
    """Return a rate so many times as high."""
    rate = min(plain(times * view.settings.learning_rate), HIGHEST_RATE)
    return edit(view, f"Raise the rate {times:,} times", learning_rate=rate)


def raised(view: View, step: int) -> tuple[int, float] | None:
    """Return the step of a recent rise of the rate, and the rate before it."""
    changes = [
        (at_step, change["learning_rate"])
        for at_step, change in view.edits
        if at_step < step and "learning_rate" in change
    ]
    if not changes or step - changes[-1][0] > AFTER_EDIT:
        return None
    at_step, rate = changes[-1]
    before = view.settings_before(at_step).learning_rate
    return (at_step, before) if before < rate else None


# ---------------------------------------------------------------------- edits


def adam(view: View) -> Iterator[Remedy]:
    """Yield a change to Adam; none for a run that has it."""
    if not view.settings.optimizer.startswith("adam"):
        yield edit(view, "Switch to Adam", optimizer="adam", learning_rate=ADAM_RATE)


def clip(view: View) -> Iterator[Remedy]:
    """Yield clipped gradients with a rate for them; none if the run clips as much."""
    if view.settings.clip_norm is None or view.settings.clip_norm > SHORT:
        rate = max(view.settings.learning_rate, CLIPPED_RATE)
        yield edit(view, "Clip gradients", clip_norm=SHORT, learning_rate=rate)


def unstuck(view: View) -> tuple[Remedy, ...]:
    """Return longer steps for a flat loss, or new weights at a lower rate."""
    return first_helpful(
        lambda: first_with(does_no_harm, view, [raised_by(view, 3)]),
        lambda: first_with(does_no_harm, view, adam(view)),
        lambda: first_tried(gets_away, view, _again(view)),
    )


def ways_down(view: View) -> tuple[Remedy, ...]:
    """Return what brings a loss down that is not below the baseline."""
    return first_helpful(
        lambda: first_tried(gets_away, view, lowered(view)),
        lambda: first_tried(gets_away, view, to_the_best(view)),
        lambda: first_tried(gets_away, view, [raised_by(view, 3)]),
        lambda: first_tried(gets_away, view, adam(view)),
        lambda: first_tried(gets_away, view, _again(view)),
    )


# ---------------------------------------------------------------------- forks


def redraws(
    view: View, weights: Iterable[str], at_step: int, rates: Iterable[float], **changes: Value
) -> Iterator[Remedy]:
    """Yield forks that draw all layers again, with each rate: one layer alone usually dies again.

    It uses the first initializer of `weights` that is not in force.
    """
    name = next(each for each in weights if each != view.weights_before(at_step))
    layers = list(range(1, len(view.layers) + 2))
    drawn = {"layers": layers, "weights": name}
    for rate in rates:
        changed = {} if rate == view.settings_before(at_step).learning_rate else {"learning_rate": rate}
        yield fork(view, f"Fork, {name.capitalize()} init", at_step, redraw=drawn, **changed, **changes)


def _again(view: View) -> Iterator[Remedy]:
    """Yield new weights at lower rates."""
    return redraws(view, RELU_WEIGHTS, view.step, islice(lower_rates(view, AGAIN), FEW_RATES))


def revive(view: View, helps: Holds = holds, *, or_untried: bool = True) -> Remedy | None:
    """Return new weights for dead units, at a rate at which the new ones stay alive."""
    ways = redraws(view, RELU_WEIGHTS, view.step, lower_rates(view, AGAIN))
    return first_with(helps, view, ways, or_untried=or_untried)


def separate(view: View, helps: Holds = holds) -> Remedy | None:
    """Return new weights for equal or saturated units, at the present rate or a lower one."""
    rates = (view.settings.learning_rate, *lower_rates(view, AGAIN))
    return first_with(helps, view, redraws(view, TANH_WEIGHTS, view.step, rates))


def rewind(view: View, since: int, helps: Holds = holds, *, or_untried: bool = True) -> Remedy | None:
    """Return a fork from before a raised rate, else from step 0 at a lower rate.

    A fork from shortly before would not help: most of the layer is dead there already. None for step 0.
    """
    if since == 0:
        return None
    raise_before = raised(view, since)
    at_step, rates = (raise_before[0], (raise_before[1],)) if raise_before else (0, ())
    ways = slower(view, at_step, (*rates, *lower_rates(view, LOWER)))
    return first_rate(view, ways, helps, or_untried=or_untried)


def slower(view: View, at_step: int, rates: Iterable[float]) -> Iterator[Remedy]:
    """Yield forks from a step at these rates."""
    for rate in rates:
        yield fork(view, f"Rewind to step {at_step:,}", at_step, learning_rate=rate)


def to_the_best(view: View) -> Iterator[Remedy]:
    """Yield forks from the step with the lowest train loss at lower rates."""
    for best in view.best[-1:]:
        for rate in islice(lower_rates(view, LOWER), FEW_RATES):
            yield fork(view, "Rewind to the best step", best.loss_step, learning_rate=rate)


# ---------------------------------------------------------------------- commands and their words


def fork(view: View, label: str, at_step: int, **changes: object) -> Remedy:
    """Return a fork from a step with these changes.

    A fork has no edit of the run at that step itself. So it names the settings that it takes back as well.
    """
    command: Json = {"do": "add_run", "at_step": at_step, **changes}
    taken_back = {name for step, edit in view.edits if step == at_step for name in edit} & set(_WORDS)
    before = view.settings_before(at_step)
    settings = {name: getattr(before, name) for name in sorted(taken_back - set(changes))}
    words = {name: _change_text(name, value) for name, value in {**changes, **settings}.items()}
    named = [text for name, text in words.items() if name != "redraw"]
    hint = f"a fork from step {at_step:,}: {', '.join(words.values())}"
    return Remedy(", ".join([label, *named]), hint, command)


def edit(view: View, label: str, **changes: Value) -> Remedy:
    """Return an edit from the next step on. The label names the first change; those in force are left out."""
    first = next(iter(changes))
    changed = {name: value for name, value in changes.items() if getattr(view.settings, name) != value}
    words = {name: _change_text(name, value) for name, value in changed.items()}
    also = [text for name, text in words.items() if name != first]
    hint = f"from the next step on: {', '.join(words.values())}"
    return Remedy(", ".join([label, *also]), hint, {"do": "edit", **changed})


_WORDS = {
    "learning_rate": "rate",
    "batch_size": "batch",
    "clip_norm": "clip norm",
    "clip_value": "clip value",
    "optimizer": "optimizer",
    "l1": "L1",
    "l2": "L2",
}


def _change_text(name: str, value: object) -> str:
    if isinstance(value, dict):
        return f"all layers drawn again with {value['weights'].capitalize()}"
    if value is None:
        return "full batch" if name == "batch_size" else f"no {_WORDS[name]}"
    return f"{_WORDS[name]} {setting(value) if isinstance(value, (int, float)) else value}"
