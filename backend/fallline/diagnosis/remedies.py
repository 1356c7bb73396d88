"""What a finding may offer: commands that act at once and can be undone. Must not know which rule offers them.

Rewinding means a fork from an earlier step: the past is never rewritten. A command leaves out the run that it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice

from fallline.diagnosis.view import Trial, View
from fallline.diagnosis.words import count, plain, setting
from fallline.vocabulary.findings import Json, Remedy

LOWER = 5.0
"""A rate that led to dead units is divided by this."""

AGAIN = 2.0
"""And by this for units that are drawn anew: at the same rate those of the notebook died again in 4 of 12 forks, at
half of it in none."""

ADAM_RATE = 0.01
"""Adam divides gradients by their size, so that its rate is another thing than that of plain descent."""

SHORT = 1.0
"""The length to which gradients are cut."""

AFTER_EDIT = 200
"""A change of the rate this many steps ago may be what led to what is found."""

CLIPPED_RATE = 0.01
"""The least rate beside it: so long is a step then."""


RATES = 5
"""So many rates are tried, each a tenth of the one before."""

SCALED_RATE, PLAIN_RATE = 0.01, 1.0
"""The highest rates that are tried, of optimizers that divide gradients by their size and of those that do not: whoever
asked for a million did not mean a tenth of it.
"""

GAINS, NEAR = 0.99, 1.1
"""A loss above the baseline's has to come to less than the first share of what it was; one that is there already may
not rise above the second.
"""

HARMS, GETS_AWAY = 1.002, 0.95
"""A loss that rises by more is worse; and shares of the baseline's and of what it was that are clearly below them."""

MOST = 2
"""Remedies of a finding."""

Holds = Callable[[View, Trial], bool]


def holds(view: View, trial: Trial) -> bool:
    """Whether the run neither diverges, nor loses half of a layer, nor ends above where it began."""
    return trial.after <= (GAINS if trial.before > NEAR * view.task.baseline else NEAR) * trial.before


def learns(view: View, trial: Trial) -> bool:
    """Whether it holds and does no worse than who knows no inputs: bounces far above that are no help."""
    return holds(view, trial) and trial.after <= NEAR * view.task.baseline


def does_no_harm(view: View, trial: Trial) -> bool:
    """Whether a loss that stands still is at least not raised: to leave a level stretch may take long."""
    return trial.after <= HARMS * trial.before


def gets_away(view: View, trial: Trial) -> bool:
    """Whether it comes clearly below where it stood, and below who knows no inputs."""
    return trial.after < GETS_AWAY * min(view.loss, view.task.baseline)


def those_that_help(*ways: Callable[[], Remedy | None]) -> tuple[Remedy, ...]:
    """The first of the ways that are any; none is looked for that is not needed."""
    return tuple(islice((found for way in ways if (found := way()) is not None), MOST))


def first_that(helps: Holds, view: View, ways: Iterable[Remedy], *, or_untried: bool = True) -> Remedy | None:
    """The first one that is seen to help when it is tried. From where none can be tried it is the next one, and says
    so; without `or_untried` none.
    """
    for remedy in ways:
        trial = view.trial(remedy.command)
        if trial is None:
            return _noted(remedy, "not tried, which would take too long") if or_untried else None
        if helps(view, trial):
            return _noted(remedy, f"tried for {count(trial.steps, 'step')}")
    return None


def _noted(remedy: Remedy, note: str) -> Remedy:
    return Remedy(remedy.label, f"{remedy.hint}; {note}", remedy.command)


def first_rate(view: View, ways: Iterable[Remedy]) -> Remedy | None:
    """The same of falling rates that have to hold: below one that neither harms nor gains there is nothing to gain."""
    still = False

    def stops(view: View, trial: Trial) -> bool:
        nonlocal still
        still = trial.after <= trial.before and not holds(view, trial)
        return still or holds(view, trial)

    found = first_that(stops, view, ways)
    return None if still else found


def tried(helps: Holds, view: View, ways: Iterable[Remedy]) -> Remedy | None:
    """The same of ways that are not offered untried."""
    return first_that(helps, view, ways, or_untried=False)


def lower_rates(view: View, by: float) -> Iterator[float]:
    """Rates to be tried, from the one in force over `by` on."""
    rate = min(view.settings.learning_rate / by, SCALED_RATE if _scales(view) else PLAIN_RATE)
    return filter(None, (plain(rate / 10**place) for place in range(RATES)))


def _scales(view: View) -> bool:
    return view.settings.optimizer in ("adam", "adamw", "rmsprop", "adagrad")


def redraw(view: View, weights: str) -> Remedy:
    """A fork that draws all layers anew: one alone dies again, more often than not."""
    return drawn_anew(view, weights, view.step)


def drawn_anew(view: View, weights: str, at_step: int, **changes: float | int | str | None) -> Remedy:
    """The same from a step on, with other settings."""
    layers = list(range(1, len(view.layers) + 2))
    command = {
        "do": "add_run",
        "at_step": at_step,
        "redraw": {"layers": layers, "weights": weights},
        **changes,
    }
    told = f" and {_told(changes)}" if changes else ""
    hint = f"a fork from step {at_step:,} with all layers reinitialized{told}"
    return Remedy(f"Fork with {weights.split('_')[0].capitalize()} init", hint, command)


def revive(view: View) -> Remedy | None:
    """The same for units that died, at a rate that lets the new ones live."""
    rates = lower_rates(view, AGAIN)
    return first_that(holds, view, (drawn_anew(view, "he", view.step, learning_rate=rate) for rate in rates))


def adam(view: View) -> tuple[Remedy, ...]:
    """Another optimizer; none for a run that has it."""
    if view.settings.optimizer.startswith("adam"):
        return ()
    return (edit("Switch to Adam", optimizer="adam", learning_rate=ADAM_RATE),)


def faster(view: View) -> tuple[Remedy, ...]:
    """Longer steps, for a loss that hardly moves."""
    rate = plain(3 * view.settings.learning_rate)
    return (edit("Raise the rate 3 times", learning_rate=rate), *adam(view))


def freed(view: View) -> tuple[Remedy, ...]:
    """For a loss that stands still: longer steps, as far as they do no harm, or where nothing is to be gained from
    where it stands, new weights at a lower rate.
    """
    steps = faster(view)
    rates = lower_rates(view, AGAIN)
    return those_that_help(
        *(partial(first_that, does_no_harm, view, (remedy,)) for remedy in steps),
        lambda: tried(
            gets_away, view, (drawn_anew(view, "he", view.step, learning_rate=rate) for rate in rates)
        ),
    )


def clip(view: View) -> tuple[Remedy, ...]:
    """Shorter gradients, and a rate for them, since what the long ones bore is next to nothing. None for a run that
    cuts them as short.
    """
    if view.settings.clip_norm is not None and view.settings.clip_norm <= SHORT:
        return ()
    rate = max(view.settings.learning_rate, CLIPPED_RATE)
    return (edit("Clip gradients", clip_norm=SHORT, learning_rate=rate),)


def rewind(view: View, since: int) -> Remedy | None:
    """A fork from where the rate was raised shortly before that step, else from the start with a lower one: shortly
    before a layer dies most of it is dead, and a lower rate does not revive it. None where there is nothing before.
    """
    if since == 0:
        return None
    went_up = raised(view, since)
    at_step, rates = (went_up[0], (went_up[1],)) if went_up else (0, ())
    ways = (
        fork(view, "Rewind, lower rate", at_step, learning_rate=rate)
        for rate in (*rates, *lower_rates(view, LOWER))
    )
    return first_rate(view, ways)


def raised(view: View, step: int) -> tuple[int, float] | None:
    """The step of the last change of the rate and the rate before it, if it was raised not long before that step."""
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
    """A run that shares the past up to a step and changes these settings there."""
    command: Json = {"do": "add_run", "at_step": at_step, **changes}
    return Remedy(label, f"a fork from step {at_step:,} with {_told(changes)}", command)


def edit(label: str, **changes: float | int | str | None) -> Remedy:
    """A change of settings from the next step on."""
    return Remedy(label, f"from the next step on: {_told(changes)}", {"do": "edit", **changes})


_WORDS = {"learning_rate": "rate", "batch_size": "batch", "clip_norm": "gradients cut to length", "l2": "L2"}


def _told(changes: dict[str, float | int | str | None]) -> str:
    return ", ".join(f"{_WORDS.get(name, name)} {_value(value)}" for name, value in changes.items())


def _value(value: float | int | str | None) -> str:
    return setting(value) if isinstance(value, (int, float)) else str(value)
