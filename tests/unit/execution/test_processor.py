"""The processor to compile for: the present one or the pinned one."""

from __future__ import annotations

import platform

import pytest

from fallline.execution import builds
from fallline.execution.builds import FEATURES, LEVELS, PINNED, lacking, pinned, target


def test_nothing_is_pinned_by_default() -> None:
    assert pinned({}) == {}
    assert lacking({}) == []
    assert target({}) == " ".join([builds.here()[0], *sorted(builds.here()[1]), ""])


def test_a_pinned_processor_gets_no_features_of_the_present_one() -> None:
    assert pinned({PINNED: "haswell"}) == {PINNED: "haswell", FEATURES: ""}
    assert pinned({PINNED: "haswell", FEATURES: "+gfni"}) == {PINNED: "haswell", FEATURES: "+gfni"}
    assert target({PINNED: "haswell", FEATURES: "+gfni"}) == "haswell +gfni"


@pytest.mark.parametrize(
    ("machine", "name"), [("x86_64", "x86-64-v3"), ("AMD64", "x86-64-v3"), ("aarch64", "generic")]
)
def test_a_level_of_x86_is_the_generic_processor_on_other_architectures(
    machine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert pinned({PINNED: "x86-64-v3"})[PINNED] == name


def test_missing_features_of_a_level_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(builds, "here", lambda: ("nehalem", frozenset(LEVELS["x86-64-v3"]) - {"fma", "avx2"}))
    assert lacking({PINNED: "x86-64-v3"}) == ["avx2", "fma"]
    monkeypatch.setattr(builds, "here", lambda: ("haswell", frozenset(LEVELS["x86-64-v3"])))
    assert lacking({PINNED: "x86-64-v3"}) == []
    assert lacking({PINNED: "x86-64-v4"})
    assert lacking({PINNED: "haswell"}) == []
