"""One script of many modules, one style sheet of many: what a browser is spared asking for, file by file.

The frontend is written without a build, in small modules. Joined they are the same modules in the same order, each in
a function of its own, so that names of one are hidden from the others; the words stay as they were typed. Must not know
what the modules do. It reads the two forms in which they are written, `import { a, b as c } from "./x.js";` and
`export` before a function, a constant or a class, and refuses others by name.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) ([\w$]+))", re.MULTILINE)
NOTHING = re.compile(r"^export \{\};$", re.MULTILINE)
"""What makes a module of a file that has types only."""

OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
HERE = "import.meta.url"


def join_modules(sources: Mapping[str, str], entry: str) -> str:
    """The modules that `entry` needs (path -> text), itself last, as the text of one module beside it.

    Raises ValueError for modules that need each other in a circle and for a form that is not known here; KeyError for a
    module that is not there.
    """
    order = _in_order(sources, entry)
    names = {path: f"module{place}" for place, path in enumerate(order)}
    return "\n".join(_wrapped(path, sources[path], names) for path in order)


def join_styles(sheets: Mapping[str, str]) -> str:
    """Style sheets one after another, under their names."""
    return "\n".join(f"/* {name} */\n{text}" for name, text in sheets.items())


def _in_order(sources: Mapping[str, str], entry: str) -> list[str]:
    """Depth first, as a browser runs modules: what is needed comes before who needs it."""
    done: dict[str, None] = {}

    def visit(path: str, above: tuple[str, ...]) -> None:
        if path in above:
            raise ValueError(f"modules in a circle: {' -> '.join((*above, path))}")
        if path not in done:
            for _, target in IMPORT.findall(sources[path]):
                visit(_resolved(path, target), (*above, path))
            done[path] = None

    visit(entry, ())
    return list(done)


def _resolved(path: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))


def _wrapped(path: str, source: str, names: Mapping[str, str]) -> str:
    exported = EXPORT.findall(source)
    taken = [_taken(words, names[_resolved(path, target)]) for words, target in IMPORT.findall(source)]
    body = IMPORT.sub(lambda found: "\n" * found[0].count("\n"), source)
    body = NOTHING.sub("", EXPORT.sub("", body))
    if other := OTHER.search(body):
        raise ValueError(f"{path} cannot be joined: {other[0]}")
    body = body.replace(HERE, f'new URL("{path}", {HERE}).href')
    head = f"// {path}\nconst {names[path]} = (() => {{ {' '.join(taken)}\n"
    return f"{head}{body}\nreturn {{ {', '.join(exported)} }};\n}})();"


def _taken(words: str, name: str) -> str:
    """An import as a destructuring; wherever it stood, what it brings is there from the module's first line on."""
    return f"const {{{' '.join(words.split()).replace(' as ', ': ')}}} = {name};"
