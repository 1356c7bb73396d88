"""Remedies of findings: commands that act at once and can be undone.

Must not know the rules. A rewind is a fork from an earlier step: the past is never rewritten. A command does not name
its run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from fallline.diagnosis.view import Trial, View
from fallline.diagnosis.words import count, plain, setting
from fallline.vocabulary.findings import Remedy
from fallline.vocabulary.journal import Json

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


RATES = 5
"""Number of rates to try, each a tenth of the one before."""

SCALED_RATE, PLAIN_RATE = 0.01, 1.0
"""Highest rates to try, for optimizers that divide gradients by their size and for others: a tenth of a huge rate helps
nobody.
"""

GAINS, NEAR = 0.99, 1.1
"""A loss above the baseline must fall below the first share of itself, one at the baseline stay below the second."""

HARMS, GETS_AWAY = 1.002, 0.95
"""Largest rise of a flat loss that is no harm, and the share below which a loss is clearly lower."""

MOST = 2
"""Most remedies of a finding."""

Holds = Callable[[View, Trial], bool]


def holds(view: View, trial: Trial) -> bool:
    """True if the run does not diverge, lose half of a layer, or end above its start."""
    return trial.after <= (GAINS if trial.before > NEAR * view.task.baseline else NEAR) * trial.before


def learns(view: View, trial: Trial) -> bool:
    """True if it holds and comes near the baseline."""
    return holds(view, trial) and trial.after <= NEAR * view.task.baseline


def does_no_harm(view: View, trial: Trial) -> bool:
    """True if a flat loss does not rise: leaving a flat stretch may take long."""
    return trial.after <= HARMS * trial.before


def gets_away(view: View, trial: Trial) -> bool:
    """True if the loss falls clearly below its present value and the baseline."""
    return trial.after < GETS_AWAY * min(view.loss, view.task.baseline)


def first_helpful(*ways: Callable[[], Remedy | None]) -> tuple[Remedy, ...]:
    """Return the first `MOST` remedies; later ones are not computed."""
    return tuple(islice((remedy for way in ways if (remedy := way()) is not None), MOST))


def first_with(helps: Holds, view: View, ways: Iterable[Remedy], *, or_untried: bool = True) -> Remedy | None:
    """Return the first remedy whose trial helps.

    If a trial takes too long, return that remedy untried, with a note, or None without `or_untried`.
    """
    for remedy in ways:
        trial = view.trial(remedy.command)
        if trial is None:
            return _with_note(remedy, "not tried: a trial would take too long") if or_untried else None
        if helps(view, trial):
            return _with_note(remedy, f"tried for {count(trial.steps, 'step')}")
    return None


def _with_note(remedy: Remedy, note: str) -> Remedy:
    return Remedy(remedy.label, f"{remedy.hint}; {note}", remedy.command)


def first_rate(view: View, ways: Iterable[Remedy]) -> Remedy | None:
    """Return the first of falling rates that holds; stop at one that does nothing."""
    still = False

    def stops(view: View, trial: Trial) -> bool:
        nonlocal still
        still = trial.after <= trial.before and not holds(view, trial)
        return still or holds(view, trial)

    remedy = first_with(stops, view, ways)
    return None if still else remedy


def first_tried(helps: Holds, view: View, ways: Iterable[Remedy]) -> Remedy | None:
    """Return the first remedy whose trial helps, and none untried."""
    return first_with(helps, view, ways, or_untried=False)


def lower_rates(view: View, by: float) -> Iterator[float]:
    """Yield rates to try, from the present one divided by `by` on."""
    rate = min(view.settings.learning_rate / by, SCALED_RATE if view.scales else PLAIN_RATE)
    return filter(None, (plain(rate / 10**place) for place in range(RATES)))


def redraw(view: View, weights: str) -> Remedy:
    """Return a fork that redraws all layers: one alone usually dies again."""
    return drawn_anew(view, weights, view.step)


def drawn_anew(view: View, weights: str, at_step: int, **changes: float | int | str | None) -> Remedy:
    """Return the same fork from a step on, with other settings."""
    layers = list(range(1, len(view.layers) + 2))
    command = {
        "do": "add_run",
        "at_step": at_step,
        "redraw": {"layers": layers, "weights": weights},
        **changes,
    }
    text = f" and {_changes_text(changes)}" if changes else ""
    hint = f"a fork from step {at_step:,} with all layers reinitialized{text}"
    return Remedy(f"Fork with {weights.split('_')[0].capitalize()} init", hint, command)


def revive(view: View) -> Remedy | None:
    """Return the same fork for dead units, at a rate at which the new ones stay alive."""
    rates = lower_rates(view, AGAIN)
    return first_with(holds, view, (drawn_anew(view, "he", view.step, learning_rate=rate) for rate in rates))


def adam(view: View) -> tuple[Remedy, ...]:
    """Return a change to Adam; none for a run that has it."""
    if view.settings.optimizer.startswith("adam"):
        return ()
    return (edit("Switch to Adam", optimizer="adam", learning_rate=ADAM_RATE),)


def faster(view: View) -> tuple[Remedy, ...]:
    """Return remedies for a loss that hardly moves: longer steps."""
    rate = plain(3 * view.settings.learning_rate)
    return (edit("Raise the rate 3 times", learning_rate=rate), *adam(view))


def unstuck(view: View) -> tuple[Remedy, ...]:
    """Return longer steps for a flat loss, or new weights at a lower rate."""
    steps = faster(view)
    rates = lower_rates(view, AGAIN)
    return first_helpful(
        *(partial(first_with, does_no_harm, view, (remedy,)) for remedy in steps),
        lambda: first_tried(
            gets_away, view, (drawn_anew(view, "he", view.step, learning_rate=rate) for rate in rates)
        ),
    )


def clip(view: View) -> tuple[Remedy, ...]:
    """Return clipped gradients with a rate for them; none if the run clips as much."""
    if view.settings.clip_norm is not None and view.settings.clip_norm <= SHORT:
        return ()
    rate = max(view.settings.learning_rate, CLIPPED_RATE)
    return (edit("Clip gradients", clip_norm=SHORT, learning_rate=rate),)


def rewind(view: View, since: int) -> Remedy | None:
    """Return a fork from before a raised rate, else from step 0 at a lower rate.

    A fork from shortly before would not help: most of the layer is dead there already. None for step 0.
    """
    if since == 0:
        return None
    raise_before = raised(view, since)
    at_step, rates = (raise_before[0], (raise_before[1],)) if raise_before else (0, ())
    ways = (
        fork(view, "Rewind, lower rate", at_step, learning_rate=rate)
        for rate in (*rates, *lower_rates(view, LOWER))
    )
    return first_rate(view, ways)


def raised(view: View, step: int) -> tuple[int, float] | None:
    """Return the step of a recent rise of the rate, and the rate before it."""
    changes = [
        (at_step, change["learning_rate"])
        for at_step, change in view.edits
        if at_step < step and "learning_rate" in change
    ]
    if not changes or step - changes[-1][0] > AFTER_EDIT:
        return None
    before = changes[-2][1] if len(changes) > 1 else view.first_rate
    return (changes[-1][0], before) if before < changes[-1][1] else None


def fork(view: View, label: str, at_step: int, **changes: float | int | str | None) -> Remedy:
    """Return a fork from a step with these changes."""
    command: Json = {"do": "add_run", "at_step": at_step, **changes}
    return Remedy(label, f"a fork from step {at_step:,} with {_changes_text(changes)}", command)


def edit(label: str, **changes: float | int | str | None) -> Remedy:
    """Return an edit from the next step on."""
    return Remedy(label, f"from the next step on: {_changes_text(changes)}", {"do": "edit", **changes})


_WORDS = {
    "learning_rate": "rate",
    "batch_size": "batch",
    "clip_norm": "gradients clipped to length",
    "l2": "L2",
}


def _changes_text(changes: dict[str, float | int | str | None]) -> str:
    return ", ".join(f"{_WORDS.get(name, name)} {_value(value)}" for name, value in changes.items())


def _value(value: float | int | str | None) -> str:
    return setting(value) if isinstance(value, (int, float)) else str(value)


def rewound_to_best(view: View) -> Remedy | None:
    """Return a fork from the step with the lowest train loss, at the first lower rate that keeps it there."""
    step = view.best[-1].loss_step
    rates = lower_rates(view, LOWER)

    def stays(view: View, trial: Trial) -> bool:
        return trial.after <= NEAR * trial.before

    return first_tried(
        stays, view, (fork(view, "Rewind to the best step", step, learning_rate=rate) for rate in rates)
    )


def lowered(view: View) -> Iterator[Remedy]:
    """Yield lower rates from the next step on."""
    for rate in lower_rates(view, LOWER):
        yield edit("Lower the rate", learning_rate=rate)


def others(view: View) -> tuple[Callable[[], Remedy | None], ...]:
    """Return ways out that a trial must confirm: Adam, and new weights."""
    rates = lower_rates(view, AGAIN)
    return (
        lambda: first_tried(gets_away, view, adam(view)),
        lambda: first_tried(
            gets_away, view, (drawn_anew(view, "he", view.step, learning_rate=rate) for rate in rates)
        ),
    )
