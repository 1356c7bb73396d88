"""The course of the loss. Must not know other rules."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from fallline.diagnosis.remedies import first_helpful, first_with, fork, unstuck, ways_down
from fallline.diagnosis.rolling import mean
from fallline.diagnosis.view import Held, Sighting, Trial, View, Words
from fallline.diagnosis.windows import (
    CLIMBS_DOWN,
    HALF,
    UNLEARNT,
    WINDOW,
    held,
    held_above,
    lifted,
    since_first,
    verdict_of,
    windows,
)
from fallline.diagnosis.words import number, percent, plain
from fallline.vocabulary.columns import Floats
from fallline.vocabulary.findings import Remedy, Why

GUESSING = 1.1
"""A loss above this share of the baseline's is worse than guessing: steps keep a guess a little above the baseline."""

WANDERS = 0.1
"""Largest spread, as a share of the loss, of a network that predicts the mean."""

GUESSES_ON, WANDERS_ON = 1.2, 0.2
"""The same bounds for a run that is already said to predict the mean: noise takes a loss across a bound many times."""

STOPPED = 0.005
"""A loss that falls by less, from one half of the window to the other, has stopped."""

EARLY = 50
"""Earliest step of the finding `healthy`."""

STILL = 0.01
"""A loss that falls by less, and spreads by less, is flat."""

NOTHING_LEFT, MUCH_LEFT = 0.05, 0.5
"""Shares of the baseline's loss: a flat loss below the first ends a good run, above the second it is a warning."""

ROSE = 0.2
"""Share by which the test loss is above its best."""

VISIBLE = 0.03
"""Least rise as a share of the baseline's loss: in a small loss every change is a large share."""

LASTED = 100
"""Least points since the best test loss."""

KEEPS_SMALL = (0.001, 0.01, 0.1)
"""Coefficients of the L2 penalty to try."""

LEARNING = 0.05
"""A loss that falls by more than this share is learning."""

FOLLOWS = 0.5
"""Share of the fall of the train loss from which on the test loss follows it."""

AT_REST, MOVED = 25, 1e-4
"""A loss that moved by less than this share in the last `AT_REST` points has stopped."""


def predicts_the_mean(view: View) -> Iterator[Sighting]:
    """Find a loss at the baseline that no longer falls."""
    baseline, train = view.task.baseline, windows(view)
    high = train.after >= UNLEARNT * baseline
    near, near_on = (train.after <= share * baseline for share in (GUESSING, GUESSES_ON))
    still, still_on = (train.spread < share * train.after for share in (WANDERS, WANDERS_ON))
    begins = high & near & still & (train.fall < STOPPED)
    lasts = high & near_on & still_on & (train.fall < CLIMBS_DOWN)
    holds = begins | lasts & since_first(begins, is_open=view.is_open("predicts_the_mean", ()))
    rests = held_above(view, holds, MUCH_LEFT * baseline)
    if rests is not None:
        yield Sighting(lambda since: _guesses(view, float(train.after[-1])), "problem", rests)


def stuck(view: View) -> Iterator[Sighting]:
    """Find a loss at or above the baseline that hardly falls, and was never far below it."""
    baseline, train = view.task.baseline, windows(view, least=2 * WINDOW)
    high = (train.before >= UNLEARNT * baseline) & (train.after >= UNLEARNT * baseline)
    never_low = np.array([best.mean for best in view.best]) >= MUCH_LEFT * baseline
    stays = held(view, high & (train.fall < CLIMBS_DOWN) & never_low)
    if stays is not None:
        loss = float(train.after[-1])
        yield Sighting(
            lambda since: _stuck(view, loss),
            "problem",
            stays,
            did=lambda since: lifted(view, view.best[-1], loss),
        )


def _stuck(view: View, loss: float) -> Words:
    return Words(
        title="{run} has learned nothing.",
        evidence=f"Train loss {number(loss)} over the last {HALF * view.apart:,} steps; {view.task.guessing}, without "
        f"any input, has {number(view.task.baseline)}.",
        mark="learned nothing",
        why=Why(
            "The predictions are no better than a constant. The steps may be too long, too noisy, or lead nowhere.",
            view.line("y_pred"),
        ),
        remedies=lambda: ways_down(view),
    )


def _guesses(view: View, loss: float) -> Words:
    what = view.task.guessing.removeprefix("predicting ")
    return Words(
        title=f"{{run}} predicts {what}.",
        evidence=f"Train loss {number(loss)} over the last {HALF * view.apart:,} steps, no longer falling; "
        f"{view.task.guessing}, without any input, has {number(view.task.baseline)}.",
        mark=f"predicts {what}",
        why=Why(
            "The last bias alone can reach this loss. The predictions do not depend on the inputs, or not in a way "
            "that helps.",
            view.line("y_pred"),
        ),
        remedies=lambda: unstuck(view),
    )


def plateau(view: View) -> Iterator[Sighting]:
    """Find a flat loss with much left to learn."""
    baseline, train = view.task.baseline, windows(view, least=2 * WINDOW)
    flat = (np.abs(train.fell) < STILL) & (train.spread < STILL * train.after)
    rests = held(view, flat & (train.after >= NOTHING_LEFT * baseline))
    if rests is not None:
        much, loss = bool((train.after[flat] > MUCH_LEFT * baseline).any()), float(train.after[-1])
        yield Sighting(
            lambda since: _plateau(view, float(train.fell[-1])),
            "warning" if much else "info",
            rests,
            did=lambda since: lifted(view, view.best[-1], loss),
        )


def _plateau(view: View, fell: float) -> Words:
    moved = f"fell {percent(fell)}" if fell >= 0.0005 else "did not fall"
    score = {"r2": "R²"}.get(view.task.score, view.task.score)
    text = f"; train {score} is {number(view.score)}" if math.isfinite(view.score) else ""
    return Words(
        title="{run}: flat.",
        evidence=f"Loss {moved} in the last {WINDOW * view.apart:,} steps{text}.",
        mark="flat",
        why=Why(
            "The slope is almost 0: a minimum, or a flat stretch before a lower one.",
            view.line("W1"),
        ),
        # without hidden layers this is the only minimum
        remedies=lambda: unstuck(view) if view.layers else (),
    )


def overfitting(view: View) -> Iterator[Sighting]:
    """Find a test loss above its best that does not fall, while the train loss fell on."""
    series, task = view.series, view.task
    if not task.has_test or not view.best:
        return
    train, test = windows(view), windows(view, "test")
    least, then = (np.array([getattr(best, name) for best in view.best]) for name in ("test", "train_then"))
    best_steps = np.array([best.test_step for best in view.best])
    ends = series.steps[series.fresh :] + 1
    rose = test.last - least > np.maximum(ROSE * least, VISIBLE * task.baseline)
    lately = ends - best_steps >= LASTED * view.apart
    holds = rose & lately & (train.last < then) & (test.last >= test.first)
    rises = held(view, holds)
    if rises is not None:
        best = view.best[int(np.flatnonzero(holds)[0])]
        here = Held(rises.last, lambda: best.test_step + 1)
        last = float(test.last[-1])
        yield Sighting(lambda since: _overfits(view, since - 1, best.test, last), "warning", here)


def _overfits(view: View, step: int, least: float, now: float) -> Words:
    return Words(
        title="{run}: overfitting.",
        evidence=f"Train loss falls, test loss has risen for {view.step - step:,} steps "
        f"({number(least)} to {number(now)}).",
        mark="overfitting",
        why=Why(
            "The network has more freedom than the samples need: it learns their noise too, and predicts it for "
            "new samples.",
            view.line("dy_pred"),
        ),
        remedies=lambda: first_helpful(lambda: _stopping(view), lambda: _penalised(view)),
        by_test=True,
    )


def _stopping(view: View) -> Remedy | None:
    """Return a fork from the best step that stops before it overfits again: known steps, which need no trial."""
    best = view.best[-1]
    above = plain(best.test + max(ROSE * best.test, VISIBLE * view.task.baseline))
    stop = [{"when": "test_loss", "above": above}]
    hint = f"a fork from step {best.test_step:,} that stops where its test loss is above {number(above)}"
    command = {"do": "add_run", "at_step": best.test_step, "stop": stop}
    label = f"Rewind to the best test loss, stop above {number(above)}"
    return None if view.repeats(command) else Remedy(label, hint, command)


def _penalised(view: View) -> Remedy | None:
    """Return a fork from the best step with a larger penalty on weights."""
    step = view.best[-1].test_step

    def generalises(view: View, trial: Trial) -> bool:
        alone = view.trial({"do": "add_run", "at_step": step})
        return alone is not None and trial.test_after < alone.test_after

    larger = [each for each in KEEPS_SMALL if each > view.settings_before(step).l2]
    return first_with(
        generalises, view, (fork(view, f"Rewind to step {step:,}", step, l2=l2) for l2 in larger)
    )


def healthy(view: View) -> Iterator[Sighting]:
    """Find a loss that falls, on the test samples too."""
    losses = view.series.loss[-WINDOW:]
    if verdict_of(view) != "learning":
        return  # table and Doctor say the same
    if view.step < EARLY or np.ptp(losses[-AT_REST:]) <= MOVED * losses[-1]:
        return
    first, last = _ends(losses)
    falls = 1.0 - last / first >= LEARNING and first - last >= losses[len(losses) // 2 :].std()
    tested = _ends(view.series.test[-WINDOW:]) if view.task.has_test else (1.0, 0.0)
    if falls and tested[1] < tested[0]:
        since = int(view.series.steps[-len(losses)])
        words = _healthy(view, 1.0 - last / first, tested)
        yield Sighting(lambda _: words, "info", Held(view.step, lambda: since))


def _ends(values: Floats) -> tuple[float, float]:
    """Return the means of the first and the last eighth."""
    eighth = len(values) // 8
    return float(mean(values[:eighth])), float(mean(values[-eighth:]))


def _healthy(view: View, fell: float, tested: tuple[float, float]) -> Words:
    fell_too = 1.0 - tested[1] / tested[0]
    follows = ", and the test loss follows it"
    if fell_too < FOLLOWS * fell:
        follows = f", the test loss {percent(fell_too)}, to {number(tested[1])}"
    if not view.task.has_test:
        follows = ""
    steps = min(view.step, WINDOW * view.apart)
    return Words(
        title="{run} is learning.",
        evidence=f"Train loss fell {percent(fell)} in the last {steps:,} steps{follows}.",
        mark="learning",
        why=Why(
            "Each step goes a little way down the slope of the loss, and there is still a slope.",
            view.line("W1"),
        ),
    )
