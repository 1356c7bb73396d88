"""A replay is equal to the bit with the same kernel and builds, else to rounding."""

from __future__ import annotations

import pytest

from fallline.vocabulary.journal import (
    OF_ALL,
    OF_COMPILED,
    TO_ROUNDING,
    TO_THE_BIT,
    Provenance,
    replay_of,
)

BUILDS = dict.fromkeys((*OF_ALL, *OF_COMPILED, "python"), "1.0")


@pytest.mark.parametrize("kernel", ["numpy", "compiled"])
def test_the_same_kernel_and_builds_repeat_every_bit(kernel: str) -> None:
    assert replay_of(Provenance(kernel, BUILDS), Provenance(kernel, dict(BUILDS))) == TO_THE_BIT


def test_another_kernel_repeats_to_rounding() -> None:
    one, other = Provenance("numpy", BUILDS), Provenance("compiled", BUILDS)
    assert replay_of(one, other) == replay_of(other, one) == TO_ROUNDING
    assert one.difference(other) == ["kernel"]


@pytest.mark.parametrize("name", OF_ALL)
@pytest.mark.parametrize("kernel", ["numpy", "compiled"])
def test_another_build_repeats_to_rounding(kernel: str, name: str) -> None:
    other = Provenance(kernel, {**BUILDS, name: "1.1"})
    assert replay_of(Provenance(kernel, BUILDS), other) == TO_ROUNDING
    assert other.difference(Provenance(kernel, BUILDS)) == [name]


@pytest.mark.parametrize("name", OF_COMPILED)
def test_the_compiler_matters_only_to_the_compiled_kernel(name: str) -> None:
    changed = {**BUILDS, name: "1.1"}
    assert replay_of(Provenance("compiled", BUILDS), Provenance("compiled", changed)) == TO_ROUNDING
    assert replay_of(Provenance("numpy", BUILDS), Provenance("numpy", changed)) == TO_THE_BIT


def test_builds_that_change_no_number_do_not_matter() -> None:
    assert (
        replay_of(Provenance("numpy", BUILDS), Provenance("numpy", {**BUILDS, "python": "3.99"}))
        == TO_THE_BIT
    )


def test_unknown_builds_promise_rounding_only() -> None:
    assert replay_of(Provenance("numpy", {}), Provenance("numpy", {})) == TO_ROUNDING
