"""What this process computes with is told so that two of them can be compared."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from fallline.execution.builds import builds, sources_of
from fallline.vocabulary.provenance import OF_ALL, OF_COMPILED, TO_THE_BIT, Provenance, replay_of


def test_every_build_that_matters_is_told() -> None:
    told = builds()
    assert all(told[name].strip() for name in (*OF_ALL, *OF_COMPILED))
    assert told["numpy"] == np.__version__
    assert told["blas"] != "unknown"
    assert replay_of(Provenance("compiled", told), Provenance("compiled", builds())) == TO_THE_BIT


def test_sources_are_known_by_their_contents_wherever_they_lie(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    (one / "kernels").mkdir(parents=True)
    (one / "kernels" / "loop.py").write_text("step")
    shutil.copytree(one, other)
    assert sources_of(one) == sources_of(other)
    (other / "kernels" / "loop.py").write_text("leap")
    assert sources_of(one) != sources_of(other)
