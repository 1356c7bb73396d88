"""The harness of `make bench` without rivals. Nothing is timed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contest import report, targets
from contest.entries import Entry, entries, entry
from contest.environments import Missing
from contest.processes import Answer, Declined, Process
from contest.rounds import Figures, Pace, Table, hold, ratio
from contest.workloads import Workload, workloads

SMALL = Workload("small", "Small", {"data": {"samples": 40}, "runs": [{"batch_size": 8}]}, steps=20)
ONCE = Pace(seconds=0.0, rounds=2)
RIVALS = {each.key: each for each in entries()}
INTERFACE = Path(__file__).parents[3] / "benchmarks" / "rivals" / "interface"


class Claims:
    """A rival that returns the given parameters."""

    def __init__(self, parameters: list[float]) -> None:
        self.parameters = parameters

    def ask(self, job: dict[str, Any]) -> Answer:
        return Answer(seconds=1e-3, steps=job["steps"] * job["repeats"], parameters=self.parameters)


class Declines:
    def ask(self, job: dict[str, Any]) -> Answer:
        raise Declined("only batches of one")


def end_of(workload: Workload) -> list[float]:
    process = Process(RIVALS["fallline_numpy"])
    try:
        return process.ask(workload.job()).parameters
    finally:
        process.close()


def a_rival(directory: Path, name: str, body: str) -> Entry:
    mark = "//" if name.endswith(".mjs") else "#"
    header = ["/// script", "[tool.rival]", 'name = "Some rival"', 'records = "nothing"', "///"]
    path = directory / name
    path.write_text("\n".join([*(f"{mark} {line}" for line in header), "", body]))
    return entry(path)


def test_every_rival_says_who_it_is_and_pins_what_it_needs() -> None:
    expected = {
        "fallline_numpy",
        "fallline_compiled",
        "careful_numpy",
        "notebook",
        "c_loop",
        "torch_eager",
        "convnetjs",
    }
    assert expected <= set(RIVALS)
    assert len({each.name for each in RIVALS.values()}) == len(RIVALS)
    for each in RIVALS.values():
        pin = r".+@\d+(\.\d+)+" if each.in_javascript else r".+==\d+(\.\d+)+"
        assert [one for one in each.requirements or () if not re.fullmatch(pin, one)] == [], each.key


def test_every_workload_has_batches_of_one_size_and_an_order_for_all_its_steps() -> None:
    loads = workloads()
    assert [workload.name for workload in loads] == ["sgd", "gd", "batch_32", "tanh_64", "relu_256"]
    for workload in loads:
        job = workload.job()
        assert len(job["samples"]) % job["batch_size"] == 0
        if workload.name == "gd":
            assert job["order"] is None
        else:
            assert len(job["order"]) == workload.steps * job["batch_size"]


def test_our_kernels_and_the_notebook_answer_jobs_and_end_at_the_same_loss() -> None:
    processes = [
        (RIVALS[key], Process(RIVALS[key])) for key in ("fallline_numpy", "fallline_compiled", "notebook")
    ]
    try:
        table = hold(SMALL, processes, ONCE)
    finally:
        for _, process in processes:
            process.close()
    assert [figures.reason for figures in table.values()] == ["", "", ""]
    losses = [figures.loss for figures in table.values()]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-12)
    assert losses[0] != pytest.approx(SMALL.problem.initial_loss)
    assert [len(figures.steady) for figures in table.values()] == [2, 2, 2]
    assert [len(figures.from_start) for figures in table.values()] == [2, 2, 0]


CAREFUL = {
    "single samples": ({"batch_size": 1}, "relu", [4, 4]),
    "batches": ({"batch_size": 8}, "tanh", [5, 3]),
    "one layer": ({"batch_size": 8}, "relu", [4]),
    "large enough for a mask": ({}, "relu", [110, 4]),
}


def test_the_careful_loop_ends_where_ours_does_for_every_kind_of_batch() -> None:
    keys = ("fallline_numpy", "careful_numpy")
    processes = [(RIVALS[key], Process(RIVALS[key])) for key in keys]
    try:
        for name, (run, activation, units) in CAREFUL.items():
            layers = [{"units": each, "activation": activation} for each in units]
            network = {"layers": layers, "weights": "xavier"}
            recipe = {"data": {"samples": 40, "standardize": "both"}, "network": network, "runs": [run]}
            table = hold(Workload(name, name, recipe, steps=20), processes, ONCE)
            ours, theirs = (table[key] for key in keys)
            assert theirs.reason == "", name
            assert theirs.loss == pytest.approx(ours.loss, rel=1e-12), name
    finally:
        for _, process in processes:
            process.close()


def test_a_rival_with_another_final_loss_is_not_timed() -> None:
    true = end_of(SMALL)
    wrong = [number + 1e-6 for number in true]
    table = hold(
        SMALL, [(RIVALS["fallline_numpy"], Claims(true)), (RIVALS["torch_eager"], Claims(wrong))], ONCE
    )
    assert table["fallline_numpy"].reason == ""
    assert table["torch_eager"].disagrees
    assert table["torch_eager"].steady == []
    assert "instead of" in table["torch_eager"].reason


def test_parameters_that_are_no_numbers_do_not_agree() -> None:
    true = end_of(SMALL)
    broken = [float("nan")] * len(true)
    table = hold(
        SMALL, [(RIVALS["fallline_numpy"], Claims(true)), (RIVALS["brain_js"], Claims(broken))], ONCE
    )
    assert table["brain_js"].disagrees


def test_a_rival_without_a_workload_gives_a_reason_and_the_others_run() -> None:
    true = end_of(SMALL)
    table = hold(SMALL, [(RIVALS["fallline_numpy"], Claims(true)), (RIVALS["brain_js"], Declines())], ONCE)
    assert table["brain_js"] == Figures(reason="only batches of one")
    assert len(table["fallline_numpy"].steady) == 2


def test_a_rival_that_does_not_start_is_missing_with_its_last_words(tmp_path: Path) -> None:
    rival = a_rival(tmp_path, "silent.py", "import sys\nsys.exit('there is no such library')\n")
    with pytest.raises(Missing, match="there is no such library"):
        Process(rival)


def test_a_rival_whose_packages_cannot_be_had_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    entry = Entry(tmp_path / "rival.py", "Rival", "nothing", requirements=("numpy==0.0.1",))
    with pytest.raises(Missing, match=r"numpy==0\.0\.1"):
        Process(entry, cache=tmp_path)


def test_a_rival_with_an_undeclared_dependency_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLAYGROUND_NN", raising=False)
    with pytest.raises(Missing, match="no package registry"):
        Process(RIVALS["playground"])


def test_a_rival_in_javascript_reads_a_job_and_returns_parameters_in_its_layout(tmp_path: Path) -> None:
    body = f"""
import {{ flat, layers, rowsOf, serve }} from "{INTERFACE.as_uri()}/job.mjs";
class Still {{
  constructor(job) {{ this.job = job; }}
  reset() {{ this.layers = layers(this.job); this.rows = rowsOf(this.job); }}
  train(steps) {{ if (this.rows.length < steps * this.job.batch_size) throw new Error("too few rows"); }}
  parameters() {{
    const of = this.layers;
    return flat(this.job, (l, i, j) => of[l].weights[i][j], (l, j) => of[l].biases[j]);
  }}
}}
serve(Still, {{ still: "1" }});
"""
    process = Process(a_rival(tmp_path, "still.mjs", body), cache=tmp_path)
    try:
        answer = process.ask({**SMALL.job(), "repeats": 3})
        with pytest.raises(Declined, match="too few rows"):
            process.ask({**SMALL.job(), "steps": 21})
    finally:
        process.close()
    assert process.versions["still"] == "1"
    assert answer.steps == 60
    np.testing.assert_array_equal(answer.parameters, SMALL.problem.initial_parameters)


def test_a_ratio_is_the_median_of_the_ratios_per_round() -> None:
    assert ratio([1.0, 2.0, 10.0], [3.0, 8.0, 20.0]) == 3.0


def test_a_target_is_met_missed_or_open_without_a_measurement() -> None:
    table = {
        "fallline_compiled": Figures(steady=[2.0, 2.0]),
        "c_loop": Figures(steady=[1.0, 0.5]),
        "notebook": Figures(steady=[300.0, 100.0]),
    }

    def judged(target: targets.Target) -> bool | None:
        return target.judged("Small", {}, table).met

    assert judged(targets.Target("small", "c_loop", at_most=3.2)) is True
    assert judged(targets.Target("small", "c_loop", at_most=2.6)) is False
    assert judged(targets.Target("small", "notebook", at_least=99)) is True
    assert judged(targets.Target("small", "notebook", at_least=101)) is False
    assert judged(targets.Target("small", "jax_scan", at_least=1)) is None


def test_the_results_name_all_rivals_and_the_reasons_of_missing_ones() -> None:
    there = [RIVALS["fallline_compiled"], RIVALS["notebook"], RIVALS["brain_js"]]
    table: Table = {
        "fallline_compiled": Figures(steady=[2.0], from_start=[3.0], loss=0.5),
        "notebook": Figures(steady=[100.0], loss=0.5),
        "brain_js": Figures(reason="only batches of one"),
    }
    verdict = targets.Verdict("as fast as that", "half as fast", met=False)
    text = report.as_markdown(
        [(SMALL, table)], there, {"Another": "no network"}, [verdict], [{"NumPy": "2"}], rounds=1
    )
    assert "| **fallline, compiled** | 2.000 [2.000] | 3.000 [3.000] |  | 0.5 |" in text
    assert "| the notebook's loop | 100.0 [100.0] | the same | x 50 | 0.5 |" in text
    assert "- brain.js: only batches of one" in text
    assert "| Another | no network |" in text
    assert "| as fast as that | half as fast | **missed** |" in text
    assert "| NumPy | 2 |" in text
