"""The curl lines of the documents work as printed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from support.serving import open_server

ROOT = Path(__file__).parents[2]
NUMBER = r"\d\.\d+(e-\d+)?"
VALUE = rf"{{'step': \d+, 'value': {NUMBER}}}"


def curl_lines(document: str) -> str:
    text = (ROOT / document).read_text()
    match = re.search(r"<!-- a test runs these lines as they stand -->\n```sh\n(.*?)```", text, re.S)
    assert match, f"{document} has no block of curl lines"
    return match[1]


def output_of(lines: str) -> list[str]:
    """Run the lines against a new server, and return what they print."""
    with open_server() as server:
        script = lines.replace("http://127.0.0.1:8000", server.url.rstrip("/"))
        result = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.splitlines()


def test_the_twelve_lines_of_the_readme_work_as_printed() -> None:
    lines = curl_lines("README.md")
    assert len([line for line in lines.splitlines() if line]) == 12
    output = output_of(lines)
    before, edit, after, header, *buckets = output[:-5]
    assert re.fullmatch(VALUE, before)
    assert edit == "{'run': 'gd', 'at_step': 500, 'batch_size': 1}"
    assert re.fullmatch(VALUE, after)
    assert header.startswith("first,last,train_loss.min")
    assert 1 <= len(buckets) <= 4
    dead, finding, *script = output[-5:]
    assert re.fullmatch(r"\[((True|False)(, )?){4}\]", dead)
    assert re.fullmatch(r"SGD: .* dead\.", finding)
    assert script[0].startswith(('"""', "#", "import"))


def test_a_first_session_with_curl_works_as_printed() -> None:
    output = output_of(curl_lines("docs/tutorial/first-script.md"))
    assert "'step': 501" in output[0]
    assert output[1] == "{'run': 'gd', 'at_step': 501, 'batch_size': 1}"
    assert output[2] == "True"
    assert output[3].startswith("{'min': [")
    assert output[4] == "paused"
    assert output[5].startswith("first,last,batch_loss.min")
    assert re.fullmatch(r"\[((True|False)(, )?){4}\]", output[-5])
    assert output[-4:-2] == ["log", "[{'at_step': 501, 'batch_size': 1}]"]
    assert output[-2:] == ["[{'line': 4, 'reason': 'no value in celsius'}]", "regression"]


def test_a_session_without_a_socket_works_as_printed() -> None:
    output = output_of(curl_lines("docs/reference/lines.md"))
    assert output[:3] == ['{"seq":1}experiment', '{"seq":2}:', ""]
    kinds = re.findall(r'^data: {"type":"(\w+)"', "\n".join(output), re.MULTILINE)
    assert kinds[0] == "experiment"
    assert {"frame", "ack"} <= set(kinds)
    numbers = [int(line.removeprefix("id: ")) for line in output if line.startswith("id: ")]
    assert numbers == sorted(set(numbers))


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 450
