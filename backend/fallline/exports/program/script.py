"""The program as `script.py`. Must not know how its lines are made."""

from __future__ import annotations

from textwrap import fill

from fallline.exports.program.sections import Program, Section

WIDTH = 100

ONE_THREAD = (
    'os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread, as in fallline: the same order of sums'
)


def script(program: Program, about: str, steps: int) -> str:
    """Return the whole file.

    `about` describes the run in paragraphs; `steps` is the default number of steps.
    """
    docstring = "\n\n".join(fill(paragraph, WIDTH) for paragraph in about.split("\n\n"))
    library = "\n".join(f"import {name}" for name in sorted({*program.library, "os", "sys"}))
    imports = f"{library}\nfrom types import SimpleNamespace\n\n{ONE_THREAD}\nimport numpy as np"
    body = "\n\n".join(_text(section) for section in program.sections)
    return f'"""{docstring}\n"""\n{imports}\n\n{body}\n\n{TAIL.format(steps=steps)}'


TAIL = """if __name__ == "__main__":
    for step, loss in train(int(sys.argv[1]) if len(sys.argv) > 1 else {steps}):
        print(step, loss)
"""


def _text(section: Section) -> str:
    title = f"# ---- {section.title} ".ljust(WIDTH, "-")
    story = fill(section.story, WIDTH, initial_indent="# ", subsequent_indent="# ")
    return f"{title}\n{story}\n{section.code}"
