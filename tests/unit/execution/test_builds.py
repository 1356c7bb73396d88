"""The builds of this process, in a form that can be compared."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from fallline.execution.builds import builds, sources_of
from fallline.vocabulary.journal import OF_ALL, OF_COMPILED, TO_THE_BIT, Provenance, replay_of


def test_every_build_that_matters_is_listed() -> None:
    versions = builds()
    assert all(versions[name].strip() for name in (*OF_ALL, *OF_COMPILED))
    assert versions["numpy"] == np.__version__
    assert versions["blas"] != "unknown"
    assert replay_of(Provenance("compiled", versions), Provenance("compiled", builds())) == TO_THE_BIT


def test_the_hash_of_sources_depends_on_their_contents_only(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    (one / "kernels").mkdir(parents=True)
    (one / "kernels" / "loop.py").write_text("step")
    shutil.copytree(one, other)
    assert sources_of(one) == sources_of(other)
    (other / "kernels" / "loop.py").write_text("leap")
    assert sources_of(one) != sources_of(other)
