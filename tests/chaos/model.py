"""The expected state of an experiment after its acknowledged commands.

One client sends the commands of one experiment, one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from support.aliases import Json


@dataclass(frozen=True)
class Run:
    """A run: its step, its settings at step 0, and its edits."""

    step: int = 0
    settings: Json = field(default_factory=dict)
    edits: tuple[Json, ...] = ()

    @property
    def in_force(self) -> Json:
        now = dict(self.settings)
        for edit in self.edits:
            now |= {name: value for name, value in edit.items() if name != "at_step"}
        return now

    def edited(self, change: Json) -> Run:
        last = self.edits[-1:] if self.edits and self.edits[-1]["at_step"] == self.step else ()
        before = self.edits[: len(self.edits) - len(last)]
        return replace(self, edits=(*before, {"at_step": self.step, **(last[0] if last else {}), **change}))


class Model:
    """The runs by name."""

    def __init__(self, state: Json) -> None:
        self.runs = {
            run["name"]: Run(0, {name: run.get(name) for name in ("learning_rate", "batch_size")})
            for run in state["recipe"]["runs"]
        }

    def step(self, steps: int, run: str | None) -> None:
        for name in [run] if run else list(self.runs):
            self.runs[name] = replace(self.runs[name], step=self.runs[name].step + steps)

    def update_steps(self, state: Json) -> None:
        """Take the steps after play and pause, which must not be smaller."""
        for run in state["runs"]:
            before = self.runs[run["name"]]
            assert run["step"] >= before.step, f"{run['name']} went back from {before.step} to {run['step']}"
            self.runs[run["name"]] = replace(before, step=run["step"])

    def edit(self, run: str, change: Json, answer: Json) -> None:
        assert answer["at_step"] == self.runs[run].step, f"an edit at {answer['at_step']}: {self.runs[run]}"
        self.runs[run] = self.runs[run].edited(change)

    def reset(self, run: str) -> None:
        self.runs[run] = Run(0, self.runs[run].in_force)

    def fork(self, name: str, parent: str, change: Json) -> None:
        run = self.runs[parent]
        before = tuple(edit for edit in run.edits if edit["at_step"] < run.step)
        self.runs[name] = replace(run, edits=before).edited(change)

    def remove(self, run: str) -> None:
        del self.runs[run]

    # ------------------------------------------------------------------ checking

    def check_steps(self, state: Json) -> None:
        """Compare the steps of the runs."""
        actual = {run["name"]: run["step"] for run in state["runs"]}
        expected = {name: run.step for name, run in self.runs.items()}
        assert actual == expected, f"runs are at {actual}, acknowledged were {expected}"

    def check(self, state: Json) -> None:
        """Compare steps, settings and edits."""
        self.check_steps(state)
        for recipe in state["recipe"]["runs"]:
            run = self.runs[recipe["name"]]
            assert {name: recipe.get(name) for name in run.settings} == run.settings, (recipe, run)
            assert recipe["edits"] == list(run.edits), f"{recipe['name']}: {recipe['edits']}, not {run.edits}"
