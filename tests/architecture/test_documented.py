"""The documents name every setting, verb, event, method and bound."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from architecture.test_tracked_files import tracked
from fallline.diagnosis.rules import RULES
from fallline.engine.data.datasets import DATASETS
from fallline.engine.data.datasets.own import CSV
from fallline.engine.methods.activations import ACTIVATIONS
from fallline.engine.methods.initializers import INITIALIZERS
from fallline.engine.methods.losses import LOSSES
from fallline.engine.methods.optimizers import OPTIMIZERS, Optimizer
from fallline.engine.methods.schedules import SCHEDULES, Schedule
from fallline.exports.table import EXPORTS
from fallline.figures.catalog import INSTRUMENT_FIGURES
from fallline.runs.checks.catalog import DATA_SETTINGS, SEEDS
from fallline.runs.checks.recipe import check_recipe
from fallline.runs.checks.run import BOUNDS
from fallline.runs.experiment import Experiment
from fallline.runs.instruments.table import INSTRUMENTS
from fallline.settings import PREFIX, VARIABLES
from fallline.vocabulary.exhibits import EXHIBITS
from fallline.vocabulary.messages import CloseCode
from fallline.vocabulary.questions import rule_rows
from fallline.vocabulary.recipe import Recipe
from fallline.web.file_routes import export

ROOT = Path(__file__).parents[2]


def test_every_setting_stands_in_its_table() -> None:
    settings = (ROOT / "docs/reference/settings.md").read_text()
    rows = re.findall(rf"^\| `({PREFIX}[A-Z_]+)` \|", settings, re.MULTILINE)
    assert rows == [*VARIABLES], "a row for each in docs/reference/settings.md, in the order of settings.py"


def test_the_tutorial_says_that_an_empty_recipe_is_not_the_exhibit_on_which_the_page_opens() -> None:
    empty, exhibit = Recipe.model_validate({}), EXHIBITS["notebook"].recipe
    seeds = {empty.data.seed, empty.network.seed, *(run.seed for run in empty.runs)}
    assert seeds == {0} != {exhibit.data.seed, exhibit.network.seed}
    assert empty.data.test_fraction == 0 < exhibit.data.test_fraction
    assert [run.learning_rate for run in empty.runs] != [run.learning_rate for run in exhibit.runs]
    tutorial = (ROOT / "docs/tutorial/first-script.md").read_text()
    assert "All its seeds are 0." in tutorial
    assert "That one has other seeds, a test split and other rates." in tutorial


def test_every_setting_that_the_documents_name_exists() -> None:
    documents = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        ROOT / "Dockerfile",
        ROOT / "compose.yaml",
    ]
    assert len(documents) > 20
    for path in documents:
        assert set(re.findall(PREFIX + r"[A-Z_]+", path.read_text())) <= VARIABLES.keys(), path


def published_events() -> tuple[dict[str, set[str]], set[str]]:
    """Return the fields of each event that the code can publish, by its name; and names that are no constants.

    An event is a call that adds one, or a dictionary with the key `event`.
    """
    fields: dict[str, set[str]] = {}
    variables = set()
    for path in (ROOT / "backend/fallline").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(attr="_publish_event" | "add_event"), args=[name, *_]):
                    keys = [each.arg for each in node.keywords]
                case ast.Dict() if any(getattr(key, "value", None) == "event" for key in node.keys):
                    keys = [getattr(key, "value", None) for key in node.keys]
                    name = node.values[keys.index("event")]
                case _:
                    continue
            if isinstance(name, ast.Constant):
                fields.setdefault(str(name.value), set()).update(str(key) for key in keys if key is not None)
            else:
                variables.add(ast.unparse(name))
    return fields, variables


def test_every_event_stands_in_the_socket_with_its_fields() -> None:
    published, variables = published_events()
    assert variables == {"event"}, "only the functions that pass an event on get its name as an argument"
    text = (ROOT / "docs/reference/socket.md").read_text()
    (table,) = re.findall(r"^### Events\n(.*?)(?=^##)", text, re.MULTILINE | re.DOTALL)
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*)$", table, re.MULTILINE))
    assert sorted(rows) == sorted(published)
    for event, fields in published.items():
        own = fields - {"type", "experiment", "run", "event"}
        assert [field for field in own if f"`{field}`" not in rows[event]] == [], event


def test_every_field_of_a_run_in_a_frame_stands_in_the_socket() -> None:
    text = (ROOT / "docs/reference/socket.md").read_text()
    (table,) = re.findall(r"^### Frames\n(.*?)(?=^###)", text, re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    run = Experiment("one", Recipe.model_validate({})).run("gd")
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert named == {*run.header(playing=True), "findings", "columns"}


def test_every_close_code_stands_in_the_socket() -> None:
    of_the_library = {1002, 1007, 1011}
    rows = re.findall(
        r"^\| (\d{4}) \| .+ \| (yes|no)\b", (ROOT / "docs/reference/socket.md").read_text(), re.MULTILINE
    )
    assert sorted(int(code) for code, _ in rows) == sorted({*CloseCode, *of_the_library})
    final = {int(code) for code, again in rows if again == "no"} - of_the_library
    assert final == {code for code in CloseCode if code >= CloseCode.PROTOCOL}


def test_every_verb_says_what_it_does_and_stands_in_its_table() -> None:
    makefile = (ROOT / "Makefile").read_text()
    verbs = re.findall(r"^([a-z-]+):.*## .+$", makefile, re.MULTILINE)
    assert {"run", "test", "bench"} <= set(verbs)
    rows = re.findall(r"^\| (`make [^|]+) \|", (ROOT / "docs/reference/make.md").read_text(), re.MULTILINE)
    described = [verb for row in rows for verb in re.findall(r"`make ([a-z-]+)`", row)]
    assert sorted(described) == sorted(verb for verb in verbs if verb != "help")


def test_contributing_describes_what_a_newcomer_adds_and_runs() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for needed in (
        "make watch", "pre-commit install", "-m pytest tests/browser/", "build.mjs --words", "`EXHIBITS`", "`Settings`",
        "`CLAIMS`", "test_openapi.py",
    ):  # fmt: skip
        assert needed in text, needed
    named = re.findall(r"\b(?:tests|frontend|backend)/[\w./-]+\.(?:py|ts|mjs|json)\b", text)
    assert len(named) > 15
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_command_stands_in_its_table() -> None:
    described = re.findall(
        r"^\| `fallline ([a-z]+)` \|", (ROOT / "docs/reference/command-line.md").read_text(), re.MULTILINE
    )
    help_text = subprocess.run(
        [sys.executable, "-m", "fallline", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = re.findall(r"^ {2}([a-z]+) {2,}", help_text, re.MULTILINE)
    assert sorted(described) == sorted(commands)


def test_every_key_of_the_page_stands_in_its_table() -> None:
    (keys,) = (path for path in (ROOT / "frontend").rglob("keys.[jt]s") if "node_modules" not in path.parts)
    english = (ROOT / "frontend/words/english.ts").read_text()
    texts = dict(re.findall(r'^export const (\w+) =\s+"([^"]+)";', english, re.MULTILINE))
    actions = dict.fromkeys(texts[name] for name in re.findall(r"\bon\(\s*texts\.(\w+),", keys.read_text()))
    described = re.findall(
        r"^\| ([^|`]+) \| `", (ROOT / "docs/reference/keyboard.md").read_text(), re.MULTILINE
    )
    assert described == [*actions]


def test_every_file_that_the_documents_name_exists() -> None:
    files = [f"/{path.relative_to(ROOT).as_posix()}" for path in tracked()]
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {
        (document.name, path)
        for document in documents
        for path in re.findall(r"`([\w.-]+/[\w./-]+\.(?:py|[jt]s|mjs|md))`", document.read_text())
    }
    assert len(named) > 40
    assert [each for each in named if not any(file.endswith(f"/{each[1]}") for file in files)] == []


def test_continuous_integration_runs_everybodys_verb() -> None:
    verbs = re.findall(r"^make ([a-z-]+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert verbs == ["test", "test-pythons"]


def test_every_exhibit_stands_in_the_documents_with_its_title_its_question_and_its_shape() -> None:
    document = (ROOT / "docs/reference/exhibits.md").read_text().partition("## The catalog")[0]
    rows = re.findall(r"^\| `.*$", document, re.MULTILINE)[1:]
    names = [row.split("`")[1] for row in rows]
    assert names == [*EXHIBITS], "a row for each in docs/reference/exhibits.md, in the order of exhibits.py"
    for row, (name, exhibit) in zip(rows, EXHIBITS.items(), strict=True):
        recipe = check_recipe(exhibit.recipe)
        data, layers = recipe.data, recipe.network.layers
        sizes = "-".join(str(each) for each in (data.features, *(layer.units for layer in layers), 1))
        shape = " ".join([sizes, *{layer.activation for layer in layers}])
        shared = f"`{data.name}`, {data.train_samples} + {data.test_samples} samples; {shape}"
        assert row == f"| `{name}` | {exhibit.title} | {shared} | {exhibit.question.prompt} |"


def test_every_rule_of_an_answer_stands_in_its_table_and_no_clause_in_the_documents() -> None:
    documents = {path: path.read_text() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]}
    rules = (
        documents[ROOT / "docs/reference/exhibits.md"].partition("## Rules")[2].partition("## The stale")[0]
    )
    assert re.findall(r"^\| `([a-z]+)` \|", rules, re.MULTILINE)[1:] == [row["name"] for row in rule_rows()]
    for exhibit in EXHIBITS.values():
        for clause in exhibit.question.explain:
            assert [path for path, text in documents.items() if clause.text in text] == []


def test_every_optimizer_and_schedule_stands_in_the_methods_with_its_parameters_and_their_defaults() -> None:
    methods = (ROOT / "docs/reference/methods.md").read_text()
    table: tuple[Optimizer | Schedule, ...] = (*OPTIMIZERS.values(), *SCHEDULES.values())
    for row in table:
        lines = re.findall(rf"^\| `{row.name}` \|.*$", methods, re.MULTILINE)
        assert len(lines) == 1, f"docs/reference/methods.md needs one row for {row.name}"
        (line,) = lines
        # AdamW's line refers to Adam's for shared parameters.
        shared = OPTIMIZERS["adam"].parameters if row.name == "adamw" else ()
        own = row.parameters[len(shared) :]
        parameters = re.findall(r"`([a-z0-9_]+)` \(([0-9.e-]+)", line)
        assert [(name, float(value)) for name, value in parameters] == [
            (each.name, each.default) for each in own
        ]


def test_activations_losses_and_initializers_stand_in_the_networks_with_parameters_and_source() -> None:
    networks = (ROOT / "docs/reference/networks.md").read_text()
    for title, rows in (("Activations", ACTIVATIONS), ("Losses", LOSSES), ("Initializers", INITIALIZERS)):
        (table,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", networks, re.MULTILINE | re.DOTALL)
        assert re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)[1:] == [*rows], (
            f"{title}: a row for each in docs/reference/networks.md, in the order of its table"
        )
        for row in rows.values():
            (line,) = re.findall(rf"^\| `{row.name}` \|.*$", table, re.MULTILINE)
            parameters = re.findall(r"`([a-z0-9_]+)` \(([0-9.e-]+)\)", line)
            assert [(name, float(value)) for name, value in parameters] == [
                (each.name, each.default) for each in row.parameters
            ]
            # The row's source begins the same way: "Rumelhart, Hinton and Williams 1986".
            source = line.split("|")[-2].strip()
            assert row.source.startswith(source.split(" et al.")[0]), row.name


def test_every_export_stands_in_the_exports_and_in_the_route() -> None:
    names = re.findall(r"^\| `([a-z.]+)` \|", (ROOT / "docs/reference/exports.md").read_text(), re.MULTILINE)
    assert names == list(EXPORTS)
    assert [name for name in EXPORTS if name not in str(export.__doc__)] == []


def test_every_instrument_and_every_limit_stands_in_the_instruments() -> None:
    text = (ROOT / "docs/reference/instruments.md").read_text()
    assert re.findall(r"^\| `([a-z_]+)` \| [a-z]", text[: text.index("## curv")], re.MULTILINE) == list(
        INSTRUMENTS
    )
    figures = re.findall(r"^\| `([a-z_]+)` \| `([a-z_]+)` \|", text, re.MULTILINE)
    assert dict(figures) == {name: row.instrument for name, row in INSTRUMENT_FIGURES.items()}
    limits = re.findall(
        r"^\| (`[^|]+) \|", text[text.index("| optimizer |") : text.index("Sources:")], re.MULTILINE
    )
    assert [name for names in limits for name in re.findall(r"`([a-z_]+)`", names)] == list(OPTIMIZERS), (
        "the limit of each optimizer in docs/reference/instruments.md, in the order of its table"
    )


def test_every_rule_of_the_doctor_stands_in_its_document_with_its_source() -> None:
    text = (ROOT / "docs/reference/doctor-definitions.md").read_text()
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in re.findall(r"^\| `.*$", text, re.MULTILINE)
    ]
    assert sorted(row[0] for row in rows) == sorted(f"`{rule.name}`" for rule in RULES), (
        "a row for each in docs/reference/doctor-definitions.md"
    )
    assert [row[0] for row in rows if len(row) != 4 or not all(row)] == [], (
        "a condition, onset and source each"
    )


def test_every_data_set_stands_in_the_data_with_its_task_inputs_parameters_and_their_ranges() -> None:
    data = (ROOT / "docs/reference/data.md").read_text()
    named = re.findall(r"^\| `([a-z_]+)` \| (regression|classification|of the column) \|", data, re.MULTILINE)
    assert [name for name, _ in named] == [*DATASETS, CSV]
    for row in DATASETS.values():
        (line,) = re.findall(rf"^\| `{row.name}` \|.*$", data, re.MULTILINE)
        task, _, inputs, parameters, source = [part.strip() for part in line.split("|")[2:7]]
        assert task == row.task
        assert inputs == str(row.features or "any")
        assert row.samples is None or f"{row.samples:,}" in line
        assert source
        ranges = re.findall(r"`([a-z]+)` \(([0-9.]+); ([0-9.]+) to ([0-9.]+)\)", parameters)
        assert [(name, *map(float, numbers)) for name, *numbers in ranges] == [
            (each.name, each.default, each.minimum, each.maximum) for each in row.parameters
        ]


def test_every_shared_data_setting_is_listed_with_its_range() -> None:
    data = (ROOT / "docs/reference/data.md").read_text()
    for each in DATA_SETTINGS:
        (numbers,) = re.findall(
            rf"^\| `{each.name}` \| (\S+) \| (\S+) to (?:below )?(\S+) \|", data, re.MULTILINE
        )
        assert tuple(map(float, numbers)) == (each.default, each.minimum, each.maximum), each.name
    for seed in SEEDS:
        assert f"to {seed.maximum:.0f}" in data
    bounds = data[data.index("**Bounds.**") :]
    for name in ("csv_bytes", "csv_rows", "csv_columns", "classes", "features"):
        assert re.search(
            rf"\b{BOUNDS[name]:.0f} {name.removeprefix('csv_').replace('features', 'inputs')}", bounds
        )


def test_every_word_of_the_page_leads_to_a_heading_of_the_documentation() -> None:
    source = (ROOT / "frontend/core/terms.ts").read_text()
    links = re.findall(r'"((?:reference|explanation)/[\w-]+)\.html(?:#([\w-]+))?"', source)
    assert len(links) > 12
    for page, anchor in links:
        headings = re.findall(r"^#+ (.+)$", (ROOT / f"docs/{page}.md").read_text(), re.MULTILINE)
        slugs = {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", each).strip().lower()) for each in headings}
        assert not anchor or anchor in slugs, f"{page} has no heading {anchor}"
