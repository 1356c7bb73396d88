"""The Pythons and BLAS kernels of the tests, and numbers that differ between them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from support import pythons, shown_numbers
from support.pythons import KERNEL, Combination, combinations, fewest, interpreters, kernels_here


def test_the_oldest_and_the_newest_python_run_with_every_kernel() -> None:
    assert combinations(["3.12", "3.13", "3.11"], [None, KERNEL]) == [
        Combination("3.11", None),
        Combination("3.11", KERNEL),
        Combination("3.13", None),
        Combination("3.13", KERNEL),
    ]
    assert combinations(["3.12"], [None]) == [Combination("3.12", None)]


@pytest.mark.parametrize(
    ("own", "others"),
    [
        (("3.13", None), [("3.11", KERNEL)]),
        (("3.11", KERNEL), [("3.13", None)]),
        (("3.13", "Zen"), [("3.11", None), ("3.13", KERNEL)]),
        (("3.12", None), [("3.11", KERNEL), ("3.13", None)]),
    ],
)
def test_each_python_and_each_kernel_has_its_turn(
    own: tuple[str, str | None], others: list[tuple[str, str | None]]
) -> None:
    every = combinations(["3.11", "3.13"], [None, KERNEL])
    chosen = fewest(every, Combination(*own))
    assert chosen == [Combination(*own), *(Combination(*each) for each in others)]
    assert {each.version for each in every} <= {each.version for each in chosen}
    assert {each.kernel for each in every} <= {each.kernel for each in chosen}


def test_where_there_is_one_combination_it_is_the_own_one() -> None:
    own = Combination("3.13", None)
    assert fewest([own], own) == [own]


def test_the_kernel_is_named_only_where_the_processor_can_run_it() -> None:
    assert kernels_here("x86_64", ["X86_V2", "X86_V3"]) == [None, KERNEL]
    assert kernels_here("x86_64", ["SSE", "AVX2"]) == [None, KERNEL]
    assert kernels_here("x86_64", ["X86_V2"]) == kernels_here("aarch64", ["ASIMD"]) == [None]


def test_a_python_counts_if_it_is_what_its_name_says_and_can_make_environments() -> None:
    printed = {"python3.11": "3.11", "python3.12": None, "python3.13": "3.14"}
    assert interpreters(lambda name, _: printed[name]) == {"3.11": "python3.11"}


def test_this_python_is_found_as_it_runs() -> None:
    version = pythons._version()
    assert pythons._runs(sys.executable, "print('here')") == "here"
    assert pythons._runs(sys.executable, "raise SystemExit(1)") is None
    assert pythons._runs("python-that-is-not-there", "print('here')") is None
    assert version in pythons.SUPPORTED


def test_the_kernel_is_named_to_the_process_or_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Zen")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    named, free = (Combination("3.11", kernel).environment() for kernel in (KERNEL, None))
    assert named["OPENBLAS_CORETYPE"] == KERNEL
    assert "OPENBLAS_CORETYPE" not in free
    assert not {"OPENBLAS_L2_SIZE"} & (named.keys() | free.keys())


def test_only_the_combination_of_make_test_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ran: list[str] = []

    def run(python: str, _: object, module: str, *__: object) -> bool:
        ran.append(f"{python} {module}")
        return False

    monkeypatch.setattr(pythons, "_run", run)
    monkeypatch.setenv("OPENBLAS_CORETYPE", KERNEL)
    own, others = (
        Combination(pythons._version(), KERNEL),
        [Combination("3.x", None), Combination("3.x", KERNEL)],
    )
    failed = pythons._suites({own.version: "own", "3.x": "other"}, [own, *others])
    assert ran == ["other support.second_run", "other support.second_run"]
    assert failed == [f"tests, {each}" for each in others]
    assert f"{own}: make test runs this one" in capfd.readouterr().out


@pytest.mark.parametrize(
    "other", [{"loss": [0.1, 0.3]}, {"loss": [0.1]}, {}, {"loss": [0.1, 0.2], "more": 1}]
)
def test_a_digit_that_differs_is_found(
    other: object, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = {"/state": {"loss": [0.1, 0.2]}}
    files = [tmp_path / name for name in ("one", "same", "other")]
    for file, numbers in zip(files, (one, one, {"/state": other}), strict=True):
        file.write_text(json.dumps(numbers))
    assert shown_numbers.compare(files[0], files[1]) == []
    assert shown_numbers.compare(files[0], files[2]) == ["/state"]


def test_times_and_names_of_a_process_are_no_numbers_to_compare() -> None:
    state = {"id": "x", "runs": [{"step": 1, "doctor": {"seconds": 0.1}, "loss": 0.5}]}
    assert shown_numbers.stable(state) == {"runs": [{"step": 1, "loss": 0.5}]}
