"""Code for this processor, or for the one that is named, wherever it is compiled."""

from __future__ import annotations

import platform

import pytest

from fallline.execution import processor
from fallline.execution.processor import FEATURES, LEVELS, PINNED, lacking, made_for, pinned


def test_nothing_is_pinned_where_nothing_is_named() -> None:
    assert pinned({}) == {}
    assert lacking({}) == []
    assert made_for({}) == " ".join([processor.here()[0], *sorted(processor.here()[1]), ""])


def test_a_named_processor_is_pinned_without_what_the_present_one_has_besides() -> None:
    assert pinned({PINNED: "haswell"}) == {PINNED: "haswell", FEATURES: ""}
    assert pinned({PINNED: "haswell", FEATURES: "+gfni"}) == {PINNED: "haswell", FEATURES: "+gfni"}
    assert made_for({PINNED: "haswell", FEATURES: "+gfni"}) == "haswell +gfni"


@pytest.mark.parametrize(
    ("machine", "name"), [("x86_64", "x86-64-v3"), ("AMD64", "x86-64-v3"), ("aarch64", "generic")]
)
def test_a_level_of_x86_is_the_generic_processor_elsewhere(
    machine: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert pinned({PINNED: "x86-64-v3"})[PINNED] == name


def test_a_processor_without_what_the_level_asks_for_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(
        processor, "here", lambda: ("nehalem", frozenset(LEVELS["x86-64-v3"]) - {"fma", "avx2"})
    )
    assert lacking({PINNED: "x86-64-v3"}) == ["avx2", "fma"]
    monkeypatch.setattr(processor, "here", lambda: ("haswell", frozenset(LEVELS["x86-64-v3"])))
    assert lacking({PINNED: "x86-64-v3"}) == []
    assert lacking({PINNED: "x86-64-v4"})
    assert lacking({PINNED: "haswell"}) == []
