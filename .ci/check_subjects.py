"""Check commit subjects: at most 72 characters, no full stop, an empty line below.

    python .ci/check_subjects.py          every commit since the rule began
    python .ci/check_subjects.py FILE     the message in FILE, for Git's hook commit-msg

Merges are not checked.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SINCE = "2026-11-27T16:30:00Z"
LONGEST = 72


def fault(message: str) -> str | None:
    """Return the fault in the subject of a message, or None."""
    lines = [line for line in message.splitlines() if not line.startswith("#")]
    subject, next_line = [*lines, "", ""][:2]
    if not subject.strip():
        return "the subject is empty"
    if len(subject) > LONGEST:
        return f"the subject has {len(subject)} characters; at most {LONGEST} are allowed"
    if subject.endswith("."):
        return "the subject ends with a full stop"
    if next_line.strip():
        return "the second line is not empty"
    return None


def new_commits() -> list[tuple[str, str]]:
    """Hash and message of each commit since the rule began, by the date of its commit."""
    command = ["git", "log", "-z", "--no-merges", f"--since-as-filter={SINCE}", "--format=%h%n%B"]
    log = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [
        (name, message) for each in log.split("\0") if each for name, _, message in [each.partition("\n")]
    ]


def main(files: list[str]) -> int:
    """The exit status: 1 where a subject breaks the rule."""
    messages = [(name, Path(name).read_text()) for name in files] or new_commits()
    faults = [(name, message, reason) for name, message in messages if (reason := fault(message))]
    for name, message, reason in faults:
        print(f"{name}: {reason}: {message.splitlines()[0] if message else ''}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
