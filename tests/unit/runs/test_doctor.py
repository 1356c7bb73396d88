"""Findings of runs with their first steps; examinations change nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from fallline.diagnosis.examine import examine
from fallline.diagnosis.view import Held, Rule, Sighting, View, Words
from fallline.engine.measures.probes import units
from fallline.engine.state import begin
from fallline.engine.training import advance
from fallline.runs.doctor.doctor import Doctor
from fallline.runs.experiment import Experiment
from fallline.vocabulary.commands import AddRun, EditRun
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.findings import Why
from fallline.vocabulary.recipe import Recipe
from support.doctor_cases import PLANTED
from support.examined import Examined, settle
from support.lives import CLOCK, Life
from support.watcher import Watcher

NOTEBOOK = EXHIBITS["notebook"].recipe
"""Layer 2 of its SGD run dies at step 196, as the exhibit says."""


def rules(findings: list[dict[str, Any]]) -> list[str]:
    return [each["rule"] for each in findings]


def test_the_exhibits_dead_layer_is_found_with_step_text_and_remedy() -> None:
    one = Examined(NOTEBOOK)
    one.step(250, 50)
    (finding,) = [each for each in one.open("sgd") if each["severity"] == "problem"]
    assert (finding["rule"], finding["subject"], finding["since_step"]) == ("dead_layer", {"layer": 2}, 196)
    assert finding["id"] == "dead_layer-2@196"
    assert finding["title"] == "SGD: layer 2 is dead."
    evidence = (
        "4 of 4 units output 0 for all 900 samples since step 196. Train R² = −0.149: "
        "the network predicts the same for every sample."
    )
    assert finding["first_evidence"] == evidence
    assert finding["mark"] == "layer 2 dead"
    assert finding["why"]["code"] == "dz2 = da2 * (z2 > 0)"
    assert finding["evidence"].endswith("R² = −0.00720: the network predicts the same for every sample.")
    assert [each["since_step"] for each in one.findings("sgd") if each["rule"] == "dead_units"] == [5]
    assert not [each for each in one.findings("gd") if each["severity"] != "info"]


def test_an_accuracy_names_the_training_samples() -> None:
    recipe = {
        "data": {"name": "moons", "samples": 200, "noise": 0.1, "test_fraction": 0.25},
        "network": {"layers": [{"units": 3, "activation": "relu"}]},
        "runs": [{"learning_rate": 100, "batch_size": 10}],
    }
    one = Examined(recipe)
    one.step(50, 25)
    (finding,) = [each for each in one.open() if each["rule"] == "dead_layer"]
    assert re.search(
        r"\. Train accuracy 0\.\d{3}: the network predicts the same for every sample\.$", finding["evidence"]
    )


def test_a_single_sample_has_no_score() -> None:
    """The variance of the targets, which R² divides by, is 0 here."""
    one = Examined(
        {
            "data": {"samples": 1, "seed": 1},
            "network": NOTEBOOK.network.model_dump(),
            "runs": [{"learning_rate": 0.1}],
        }
    )
    one.step(300, 50)
    (finding,) = [each for each in one.open() if each["rule"] == "dead_layer"]
    expected = r"4 of 4 units output 0 for the only sample since step 2\. Train loss [0-9.e−]+\."
    assert re.fullmatch(expected, finding["first_evidence"])
    assert not re.search("nan|inf", finding["evidence"])


def test_frames_and_findings_have_new_evidence_and_events_do_not() -> None:
    one = Examined(NOTEBOOK)
    one.step(250, 50)
    (finding,) = [each for each in one.open("sgd") if each["rule"] == "dead_layer"]
    one.events()
    one.step(100, 50)
    newer = one.one.runs["sgd"].header(playing=False)["findings"]
    (update,) = [each for each in newer if each["id"] == finding["id"]]
    assert (update.keys(), update["seen_at"]) == ({"id", "seen_at", "evidence", "outcomes"}, 350)
    same = "4 of 4 units output 0 for all 900 samples since step 196."
    assert update["evidence"].startswith(same)
    assert update["evidence"] != finding["evidence"], "R² is the present one"
    (now,) = [each for each in one.open("sgd") if each["rule"] == "dead_layer"]
    assert now == finding | {"seen_at": 350, "evidence": update["evidence"]}, "nothing else differs"
    assert finding["id"] not in [event.get("finding", {}).get("id") for event in one.events()]


def test_a_unit_that_dies_soon_after_another_is_counted_from_the_first_sight_on() -> None:
    """Looking back, the Doctor counts as many dead units as the network shows."""
    one = Examined(NOTEBOOK)
    one.step(29)
    assert not one.open("sgd")
    one.step(2)
    (dead,) = [each for each in one.open("sgd") if each["rule"] == "dead_units"]
    assert (dead["title"], dead["mark"]) == ("SGD: 3 of 4 units in layer 2 are dead.", "3 units dead")
    assert (dead["subject"]["units"], dead["subject"]["since"]) == ([0, 2, 3], [5, 6, 5])
    evidence = "They output 0 for all 900 samples since step 6, the first since step 5. The rest still learn."
    assert dead["first_evidence"] == evidence
    assert [(each["step"], each["title"]) for each in dead["stages"]] == [(30, dead["title"])]


# ---------------------------------------------------------------------- edits


def test_layers_that_are_drawn_anew_are_no_jump_and_no_setback() -> None:
    """A remedy must not be the next finding: the loss rises at once, since nothing is learned yet."""
    one = Examined(NOTEBOOK)
    one.step(200)
    (remedy,) = [
        each for finding in one.open("sgd") for each in finding["remedies"] if "redraw" in each["command"]
    ]
    command = {name: value for name, value in remedy["command"].items() if name != "do"}
    one.fork(name="new", **command)
    one.step(200)
    run = one.one.runs["new"]
    before, *_, after = run.window(190, 199, 10).select(["train_loss"]).final[0]
    assert after > 5 * before, "it rises"
    assert {each["rule"] for each in one.findings("new")} == {"dead_units", "dead_layer"}
    one.step(100)
    (jump,) = [each for each in one.findings("new") if each["rule"] == "spike"]
    assert jump["since_step"] == 423, "a jump of its own is still found"


def test_drawing_layers_anew_is_not_told_as_a_step() -> None:
    """Its gradient times its rate would not explain what it changed."""
    redraw = {"at_step": 60, "redraw": {"layers": [1, 2, 3], "weights": "zeros"}}
    body = NOTEBOOK.as_json()
    run = next(each for each in body["runs"] if each["name"] == "sgd")
    one = Examined({**body, "runs": [{**run, "edits": [redraw]}]})
    one.step(64)
    (dead,) = [each for each in one.open("sgd") if each["rule"] == "dead_layer"]
    assert dead["since_step"] == 61
    assert dead["did"] is None


def test_steps_of_single_samples_do_not_put_a_full_batch_at_the_edge() -> None:
    one = Examined(NOTEBOOK)
    one.step(800)
    one.one.edit("sgd", EditRun.model_validate({"batch_size": None}), 0.0)
    one.step(30, 1)
    assert rules(one.open("sgd")) == ["dead_layer"]


def test_the_first_steps_are_not_flat() -> None:
    one = Examined(NOTEBOOK)
    verdicts = set()
    for _ in range(8):
        one.step(1)
        verdicts.add(one.one.runs["sgd"].case.record.verdict)
    assert verdicts == {"on_the_way"}


def test_a_run_whose_test_loss_is_below_its_train_loss_does_not_overfit() -> None:
    body = NOTEBOOK.as_json()
    one = Examined({**body, "data": {"name": "polynomial", "test_fraction": 0.25}})
    run, gaps = one.one.runs["sgd"], []
    for _ in range(250):
        one.step(1)
        latest = run.latest(evaluated=True)
        gaps.append(latest["test_loss"]["value"] > latest["train_loss"]["value"])
        assert gaps[-1] or run.case.record.verdict != "overfitting"
    assert not all(gaps)


def test_findings_have_a_new_name_as_soon_as_the_run_has_it() -> None:
    one = Examined(NOTEBOOK)
    one.step(200)
    one.events()
    one.one.edit("sgd", EditRun.model_validate({"label": "GD 2"}), 0.0)
    titles = [each["finding"]["title"] for each in one.events() if "finding" in each]
    assert [each for each in titles if "is dead" in each] == ["GD 2: layer 2 is dead."]
    assert all(each.startswith("GD 2") for each in titles)


@pytest.mark.parametrize("exhibit", ["adam", "edge", "vanishing"])
def test_stages_tell_what_each_examination_saw(exhibit: str) -> None:
    one = Examined(EXHIBITS[exhibit].recipe)
    (run,) = [each for name, each in one.one.runs.items() if name in ("sgd", "fast", "gd")][-1:]
    sightings: dict[str, list[tuple[int, str, str, str]]] = {}
    for step in range(1, 321):
        one.step(1)
        record = run.case.record
        for each in record.open if record.step == step else []:
            sightings.setdefault(each.id, []).append((step, each.severity, each.title, str(each.subject)))
    findings = [each for each in run.case.record.findings if each.id in sightings]
    assert any(len(each.stages) > 1 for each in findings)
    for finding in findings:
        changes = [
            now[:3]
            for before, now in pairwise([None, *sightings[finding.id]])
            if now is not None and (before is None or before[1:] != now[1:])
        ]
        assert [(each.step, each.severity, each.title) for each in finding.stages] == changes, finding.id


@pytest.mark.parametrize("slice", [1, 7, 64, 300])
def test_the_first_step_does_not_depend_on_examinations(slice: int) -> None:
    one = Examined(NOTEBOOK)
    one.step(300, slice)
    dead = [(each["rule"], each["since_step"]) for each in one.open("sgd") if "dead" in each["rule"]]
    assert dead == [("dead_layer", 196)]


@pytest.mark.parametrize("slice", [1, 10, 50])
def test_every_dead_unit_has_its_own_first_step(slice: int) -> None:
    """The one of a replay, whenever it was examined; the finding begins with the earliest."""
    one = Examined(NOTEBOOK)
    one.step(100, slice)
    (dead,) = [each for each in one.open("sgd") if each["rule"] == "dead_units"]
    problem, recipe = one.one.problem, one.one.runs["sgd"].recipe
    state, lives = begin(problem), [0] * 4
    while state.step < 100:
        advance(problem, state, recipe, 1)
        for unit, is_dead in enumerate(units(problem, state.parameters)[1].dead):
            lives[unit] = lives[unit] if is_dead else state.step
    subject = dead["subject"]
    assert (subject["layer"], subject["units"]) == (2, [unit for unit, step in enumerate(lives) if step < 75])
    assert subject["since"] == [lives[unit] + 1 for unit in subject["units"]] == [5, 6, 5]
    assert (dead["since_step"], dead["found_at"]) == (5, 30), (
        "found when the first has been dead for 25 steps"
    )


def test_a_layer_dead_from_the_start_is_dead_since_step_0() -> None:
    never = {"layers": [{"units": 3, "activation": "relu"}], "weights": "zeros", "biases": "zeros"}
    one = Examined({"network": never, "runs": [{"name": "gd"}]})
    one.step(1)
    (dead,) = one.open()
    assert (dead["rule"], dead["since_step"], dead["found_at"]) == ("dead_layer", 0, 1)
    assert not [each for each in dead["remedies"] if each["label"].startswith("Rewind")], (
        "there is no step before"
    )


def test_examinations_do_not_change_a_run() -> None:
    runs = [{"name": "a"}, {"name": "b", "batch_size": 1, "optimizer": "adam"}]
    recipe = Recipe.model_validate({"runs": runs})
    often, never = Examined(recipe), Experiment("y", recipe)
    often.step(300, 10)
    for name, run in never.runs.items():
        run.advance(300, CLOCK)
        assert often.one.runs[name].state.fingerprint() == run.state.fingerprint()
        assert often.one.runs[name].case.examinations > 200


def test_a_fork_and_a_rewound_run_begin_with_the_findings_of_their_past() -> None:
    one = Examined(NOTEBOOK)
    one.step(300, 50)
    here = one.fork(name="here", fork_of="sgd")
    before = one.fork(name="before", fork_of="sgd", at_step=150, learning_rate=0.01)
    (dead,) = [each for each in here["findings"] if each["rule"] == "dead_layer"]
    assert dead["title"] == "Here: layer 2 is dead."
    assert dead["remedies"][-1]["command"]["fork_of"] == "here"
    assert "dead_layer" not in rules(before["findings"])
    assert "dead_units" in [each["rule"] for each in one.open("before")]


def test_a_reset_drops_findings() -> None:
    one = Examined(NOTEBOOK)
    one.step(300, 50)
    state = one.one.reset("sgd", 0.0)
    assert [run["findings"] for run in state["runs"] if run["name"] == "sgd"] == [[]]
    one.step(60, 30)
    assert "dead_units" in rules(one.findings("sgd"))


def test_watchers_get_one_event_when_a_finding_opens_and_one_when_it_closes() -> None:
    one = Examined(NOTEBOOK)
    one.step(300, 50)
    events = [event for event in one.events() if event["event"] == "finding" and event["run"] == "sgd"]
    messages = [(each["finding"]["id"], each["finding"]["until_step"] is None) for each in events]
    assert len(messages) == len(set(messages))
    assert ("dead_units-2@5", True) in messages
    assert ("dead_units-2@5", False) in messages
    assert ("dead_layer-2@196", False) not in messages
    opened = [event for event in events if event["finding"]["until_step"] is None]
    assert [(event["finding"]["found_at"], event["step"]) for event in opened] == [
        (30, 50),
        (196, 200),
    ]


def test_findings_survive_a_restart() -> None:
    life = Life(**NOTEBOOK.as_json())
    for _ in range(6):
        life.step(50)
    settle(life.one, CLOCK)
    life.store_it()
    before = {run["name"]: run["findings"] for run in life.one.state()["runs"]}
    assert "dead_layer" in rules(before["sgd"])
    life.reopen()
    settle(life.one, CLOCK)
    assert {name: run.findings() for name, run in life.one.runs.items()} == before
    life.step(50)
    settle(life.one, CLOCK)
    assert [each["id"] for each in life.one.run("sgd").findings()][: len(before["sgd"])] == [
        each["id"] for each in before["sgd"]
    ]


def test_a_diverged_run_has_remedies_that_hold() -> None:
    one = Examined(EXHIBITS["too-high"].recipe)
    one.step(100, 20)
    (finding,) = [each for each in one.open("rate-3") if each["severity"] == "problem"]
    assert (finding["rule"], finding["since_step"], finding["title"]) == (
        "diverged",
        85,
        "Rate 1.9 diverged at step 85.",
    )
    for number, remedy in enumerate(finding["remedies"]):
        command = dict(remedy["command"], name=f"saved-{number}")
        assert command.pop("do") == "add_run"
        one.fork(**command)
    one.step(200)
    assert all(not one.one.runs[f"saved-{number}"].diverged for number in (0, 1))


LINEAR: dict[str, Any] = {
    "data": {"name": "diabetes", "samples": 150, "features": 10, "standardize": "both", "seed": 154},
    "network": {"layers": [], "weights": "he_normal", "seed": 154},
}


@pytest.mark.parametrize(
    ("settings", "at_most"),
    [
        ({}, 2.0),
        ({"optimizer": "nesterov", "learning_rate": 0.4}, 3.0),
        # its mean over batches is stable, so that only the growth shows it
        ({"optimizer": "momentum", "learning_rate": 0.3}, 1000.0),
    ],
)
def test_single_samples_on_a_parabola_are_said_to_diverge_early(
    settings: dict[str, Any], at_most: float
) -> None:
    one = Examined({**LINEAR, "runs": [{"name": "sgd", "learning_rate": 0.6, "batch_size": 1, **settings}]})
    start = loss_of(one)
    while not any(each["rule"] == "will_diverge" for each in one.open("sgd")):
        one.step(1)
        assert loss_of(one) < at_most * start
    one.step(200)
    assert one.one.run("sgd").diverged


@pytest.mark.parametrize(
    "settings", [{"clip_norm": 0.1}, {"learning_rate": 0.03}, {"optimizer": "adam", "learning_rate": 0.05}]
)
def test_single_samples_that_stay_are_not_said_to_diverge(settings: dict[str, Any]) -> None:
    one = Examined({**LINEAR, "runs": [{"name": "sgd", "learning_rate": 0.6, "batch_size": 1, **settings}]})
    for _ in range(40):
        one.step(1)
        assert not any(each["rule"] == "will_diverge" for each in one.open("sgd"))
    assert not one.one.run("sgd").diverged


def loss_of(one: Examined) -> float:
    value: float = one.one.state()["runs"][0]["latest"]["train_loss"]["value"]
    return value


def test_a_finding_is_over_where_the_run_diverged() -> None:
    one = Examined({"runs": [{"name": "gd", "learning_rate": 5}]})
    one.step(30)
    diverged_at = one.one.runs["gd"].state.diverged_at
    ends = {each["rule"]: each["until_step"] for each in one.findings()}
    assert ends["will_diverge"] == diverged_at
    assert ends["diverged"] is None


def test_a_fork_of_a_diverged_run_continues_with_its_own_settings() -> None:
    one = Examined({"runs": [{"name": "gd", "learning_rate": 1000.0}]})
    one.step(5)
    assert (one.one.runs["gd"].diverged, one.one.runs["gd"].state.step) == (True, 0)
    for name, rate in (("lower", 0.001), ("same", 1000.0)):
        one.one.fork(AddRun(name=name, fork_of="gd", at_step=0, learning_rate=rate), 0.0, lambda _: None)
    one.step(5)
    stands = {name: (run.diverged, run.state.step) for name, run in one.one.runs.items()}
    assert stands == {"gd": (True, 0), "lower": (False, 5), "same": (True, 0)}


def test_a_raised_rate_is_named_and_the_rewind_leads_before_it() -> None:
    one = Examined({"runs": [{"name": "gd", "learning_rate": 0.01}]})
    one.step(100, 50)
    one.one.edit("gd", EditRun(learning_rate=1000), 0.0)
    one.step(50)
    (finding,) = [each for each in one.open() if each["rule"] == "diverged"]
    assert "after the rate went from 0.01 to 1,000" in finding["evidence"]
    command = finding["remedies"][0]["command"]
    assert (command["fork_of"], command["at_step"], command["learning_rate"]) == ("gd", 100, 0.01)


@pytest.mark.parametrize(("rate", "did"), [(100.0, 300), (None, None)])
def test_a_run_that_was_better_before_names_the_step_that_did_it_if_one_did(
    rate: float | None, did: int | None
) -> None:
    """One huge step, or a rate at which the loss creeps up (the exhibit's)."""
    layers = {
        "layers": [{"units": 8, "activation": "tanh"}],
        "weights": "xavier",
        "biases": "zeros",
        "seed": 1,
    }
    data = {"name": "sine", "samples": 100, "features": 2, "standardize": "both", "seed": 1}
    edits = [{"at_step": 300, "learning_rate": rate}, {"at_step": 301, "learning_rate": 0.0001}]
    recipe = {
        "data": data,
        "network": layers,
        "runs": [{"name": "fast", "learning_rate": 0.2, "edits": edits}],
    }
    one = Examined(recipe if rate else EXHIBITS["edge"].recipe)
    one.step(480)
    culprits = [each["did"] for each in one.findings("fast") if each["rule"] == "worse_than_before"]
    assert [each and each["step"] for each in culprits[:1]] == [did]


SINE: dict[str, Any] = {
    "data": {"name": "sine", "samples": 100, "features": 2, "standardize": "both", "seed": 1},
    "network": {"layers": [{"units": 8, "activation": "tanh"}], "weights": "xavier", "seed": 1},
}


@pytest.mark.parametrize("at_step", [1300, 1301])
def test_a_jump_between_two_points_is_dated_to_its_step(at_step: int) -> None:
    """Here the losses of mini-batches are known at every other step."""
    edits = [{"at_step": at_step, "learning_rate": 100.0}, {"at_step": at_step + 1, "learning_rate": 0.0001}]
    one = Examined(
        {**SINE, "runs": [{"name": "run", "learning_rate": 0.05, "batch_size": 10, "edits": edits}]}
    )
    one.step(1600)
    did = {each["rule"]: each["did"] for each in one.findings()}
    assert did["spike"]["step"] == at_step


@pytest.mark.parametrize(
    ("rule", "before", "rate"),
    [("stuck", 1e-3, 100.0), ("worse_than_before", 0.2, 100.0), ("plateau", 0.2, 50.0)],
)
def test_a_run_that_one_step_threw_up_names_it_where_it_stays(rule: str, before: float, rate: float) -> None:
    edits = [{"at_step": 300, "learning_rate": rate}, {"at_step": 301, "learning_rate": 1e-8}]
    one = Examined({**SINE, "runs": [{"name": "run", "learning_rate": before, "edits": edits}]})
    one.step(900)
    (finding,) = [each for each in one.findings() if each["rule"] == rule]
    assert finding["did"] is not None
    assert finding["did"]["step"] == 300


@pytest.mark.parametrize("rule", ["stuck", "plateau"])
def test_a_run_that_came_there_slowly_names_no_step(rule: str) -> None:
    case = PLANTED[rule]
    one = Examined(case.recipe)
    one.step(700)
    findings = [each for each in one.findings() if each["rule"] == rule]
    assert [each["did"] for each in findings] == [None] * len(findings) != []


def test_a_fork_of_a_diverged_run_does_not_begin_as_diverged() -> None:
    """Its own settings may not diverge: only its shared past is known."""
    one = Examined(EXHIBITS["too-high"].recipe)
    one.step(100, 20)
    parent = one.one.runs["rate-3"]
    assert ("diverged", 85) in [(each["rule"], each["since_step"]) for each in one.open("rate-3")]
    one.one.fork(AddRun(name="lower", fork_of="rate-3", learning_rate=1e-9), 0.0, lambda _: None)
    fork = one.one.runs["lower"]
    assert (fork.state.step, fork.header(playing=False)["verdict"]) == (85, "flat")
    assert "diverged" not in rules(fork.findings())
    one.step(50)
    assert "diverged" not in rules(fork.findings())
    assert parent.header(playing=False)["verdict"] == "diverged"


@pytest.mark.parametrize("at_step", [None, 150])
def test_a_fork_is_announced_with_the_findings_of_its_past_and_they_are_no_news(at_step: int | None) -> None:
    one = Examined(NOTEBOOK)
    one.step(300, 50)
    one.events()
    where = {} if at_step is None else {"at_step": at_step}
    added = one.fork(name="twin", fork_of="sgd", **where)
    settle(one.one, one.clock)
    events = [each for each in one.events() if each["run"] == "twin"]
    assert [each["event"] for each in events][:1] == ["run_added"]
    announced = events[0]["added"]["findings"]
    assert announced == added["findings"] != []
    announced_ids = {each["id"] for each in announced}
    assert not announced_ids & {each["finding"]["id"] for each in events[1:]}


def test_an_expensive_run_at_rest_is_examined_when_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Examined(NOTEBOOK)
    monkeypatch.setattr(Doctor, "is_cheap", lambda *_: False)
    answers: list[Any] = []
    one.one.step(one.clock.now, answers.append, steps=300)
    while not answers:
        one.one.work(0.005, one.clock(), one.clock)
    (run,) = [each for each in answers[0]["runs"] if each["name"] == "sgd"]
    assert run["findings_complete_to"] < 300
    assert "dead_layer" not in rules(run["findings"])
    assert one.one.wake_at(one.clock.now) == one.clock.now
    complete_to = []
    while one.one.wake_at(one.clock.now) is not None:
        one.one.work(0.005, one.clock(), one.clock)
        complete_to.append(one.one.runs["sgd"].findings_complete_to)
    assert complete_to == sorted(complete_to)
    assert complete_to[-1] == 300
    assert [each["rule"] for each in one.open("sgd") if each["severity"] == "problem"] == ["dead_layer"]


def test_a_look_between_two_examinations_leaves_no_trace() -> None:
    """A pause at any step gets an answer for that step, and the record stays the schedule's."""
    looked, unseen = Examined(NOTEBOOK), Examined(NOTEBOOK)
    for _ in range(9):
        looked.step(33)
    run = looked.one.runs["sgd"]
    assert (run.state.step, run.case.record.step, run.findings_complete_to) == (297, 296, 297)
    assert run.case.look is not None
    looked.step(3)
    unseen.step(300)
    assert run.case.record == unseen.one.runs["sgd"].case.record
    assert run.case.record.step == 300
    assert run.case.look is None


def test_watchers_hear_that_a_finding_of_a_look_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Step 129 is between two examinations."""

    def check(view: View) -> Iterator[Sighting]:
        if view.step == 129:
            words = Words("{run} is odd.", "It is.", "odd", Why("so", "x = 1"))
            yield Sighting(lambda since: words, "warning", Held(129, lambda: 129))

    monkeypatch.setattr(
        "fallline.runs.doctor.doctor.examine", partial(examine, rules=[Rule("odd", "odd", check)])
    )
    one = Examined({"data": {"samples": 60}, "runs": [{"name": "gd"}]})
    one.step(129)
    assert [each["id"] for each in one.open()] == ["odd@129"]
    one.step(1)
    assert one.findings() == []
    news = [each["finding"] for each in one.events() if each["event"] == "finding"]
    assert [each["id"] for each in news] == ["odd@129", "odd@129"]
    assert news[1] == {"id": "odd@129", "withdrawn": True}


def test_a_failing_rule_does_not_stop_the_run_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> list[object]:
        raise IndexError("a fault of ours")

    monkeypatch.setattr("fallline.runs.doctor.doctor.examine", fails)
    one = Examined({"data": {"samples": 60}, "runs": [{"name": "gd"}]})
    one.step(30, 10)
    (run,) = one.one.state()["runs"]
    assert (run["step"], run["doctor"]["failed"], run["findings"]) == (30, 31, [])
    assert run["findings_complete_to"] == 30, "a request that waits for them gets its answer"
    assert [each.getMessage() for each in caplog.records] == ["run gd could not be examined at step 0"]
    monkeypatch.undo()
    one.step(30, 10)
    assert one.one.state()["runs"][0]["doctor"]["failed"] == 31
    assert one.one.runs["gd"].case.examinations == 61


def test_a_run_that_cannot_be_examined_still_diverges(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> list[object]:
        raise IndexError("a fault of ours")

    monkeypatch.setattr("fallline.runs.doctor.doctor.examine", fails)
    one = Examined({"runs": [{"name": "gd", "learning_rate": 1000.0}]})
    one.step(5)
    assert one.one.state()["runs"][0]["verdict"] == "diverged"
    assert one.one.wake_at(one.clock.now) is None
    assert len(caplog.records) == 1


def test_the_last_frame_at_rest_says_that_the_findings_are_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fallline.runs.doctor.doctor.CHEAP_SECONDS", 0.0)
    life = Life(runs=[{"name": "gd"}], data={"samples": 20})
    life.step(200)
    watcher = Watcher(life.one, CLOCK.now)
    settle(life.one, lambda: CLOCK.now)
    watcher.take(CLOCK.now)
    assert life.one.wake_at(CLOCK.now) == pytest.approx(CLOCK.now, abs=0.1)
    life.one.work(0.005, CLOCK.now + 0.1, CLOCK)
    header = watcher.take(CLOCK.now)[-1].runs["gd"].header
    assert (header["step"], header["findings_complete_to"]) == (200, 200)


def test_a_run_that_was_good_before_has_not_learned_nothing() -> None:
    """GD's loss jumps from 0.001 at step 320, which is in the window of many examinations."""
    one = Examined(NOTEBOOK)
    one.step(320)
    one.one.edit("gd", EditRun(batch_size=1), 0.0)
    named = []
    for _ in range(24):
        one.step(20)
        named += rules(one.open("gd"))
    assert "stuck" not in named
    assert "worse_than_before" in named
    (worse,) = [each for each in one.findings("gd") if each["rule"] == "worse_than_before"]
    assert 320 <= worse["since_step"] <= 325
