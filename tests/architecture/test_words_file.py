"""The build takes a translation from the folder of its call, and refuses one that lacks a text."""

import shutil
import subprocess
import sys
from pathlib import Path

from support.page import page_built

ROOT = Path(__file__).parents[2]
ENGLISH = ROOT / "frontend/words/english.ts"
TEXT = 'export const pressPlay = "Press play.";'


def build(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    """Build the page in a folder with a text changed, as somebody who calls the build from there."""
    page_built()  # it installs what a build needs
    assert ENGLISH.read_text().count(TEXT) == 1
    (folder / "words.ts").write_text(ENGLISH.read_text().replace(TEXT, words))
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert node
    command = [node, str(ROOT / "frontend/build.mjs"), "--words", "words.ts", "--out", "page"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_words_and_page_are_relative_to_the_folder_of_the_call(tmp_path: Path) -> None:
    result = build(tmp_path, TEXT.replace("Press play.", "Bitte abspielen."))
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "page/index.html").exists()
    assert any(
        "Bitte abspielen." in path.read_text() for path in (tmp_path / "page/assets").glob("main-*.js")
    )


def test_a_translation_that_lacks_a_text_is_an_error_that_names_it(tmp_path: Path) -> None:
    result = build(tmp_path, "")
    assert result.returncode != 0
    assert "pressPlay" in result.stderr
    assert not (tmp_path / "page/index.html").exists()
