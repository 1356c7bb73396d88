"""The security policy names tests, verbs and documents that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_file_and_verb_of_the_policy_exists() -> None:
    policy = (ROOT / "SECURITY.md").read_text()
    files = re.findall(r"`(tests/[^`]+)`|\]\(([^)]+)\)", policy)
    names = [test or document for test, document in files]
    assert len(names) > 5
    assert [name for name in names if not (ROOT / name).exists()] == []
    makefile = (ROOT / "Makefile").read_text()
    verbs = re.findall(r"`make ([a-z]+)`", policy)
    assert [verb for verb in verbs if f"\n{verb}:" not in makefile] == []
