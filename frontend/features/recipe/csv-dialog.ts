/**
 * Your own data: choose or drop a file, check it, use it.
 * Owns: the dialog with its two views, choosing and checking. own-table.ts has the words.
 */

import { button, selectBox } from "../../ui/controls.ts";
import { takeDrops } from "./csv-drop.ts";
import { make, set, write } from "../../ui/dom.ts";
import { openDialog } from "../../ui/dialog.ts";
import { tablePreview } from "./table-preview.ts";
import {
  boundWords,
  dataOf,
  guessOf,
  inputWords,
  refusalWords,
  rowWords,
  skippedWords,
  tasksOf,
  tooLarge,
  usable,
} from "./own-table.ts";
import type { App } from "../../core/types.ts";
import type { Table } from "../../core/wire-types.ts";

type Task = "regression" | "classification";

const TYPES = ".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain";
const TASKS = { regression: "A number (regression)", classification: "Classes (classification)" };

/** @param begin a dropped file, or the table in use */
export function openCsvDialog(
  app: App,
  { file, id, target, task }: { file?: File; id?: string; target?: string; task?: Task } = {},
) {
  const catalog = app.store.get().catalog;
  const status = make("p", { role: "status" });
  const wrong = make("p", { class: "complaint", role: "alert", hidden: true });
  const face = make("div", { class: "table-face" });
  const chooser = make("input", {
    type: "file",
    accept: TYPES,
    hidden: true,
    on: { change: () => pick() },
  });
  const choose = () => chooser.click();
  /** The latest file wins, in any order of answers. */
  let turn = 0;

  function complain(why: string | null) {
    wrong.hidden = why === null;
    write(wrong, why ?? "");
  }
  function pick() {
    const picked = chooser.files?.[0];
    chooser.value = ""; // the same file may be chosen again once it is mended
    if (picked) void read(picked);
  }
  const read = (upload: File) =>
    ask(upload.name, tooLarge(upload.size, catalog), () => app.sendTable(upload));

  async function ask(name: string, why: string | null, call: () => ReturnType<App["sendTable"]>) {
    const mine = ++turn;
    complain(null);
    if (why !== null) return complain(`${name}: ${why}`);
    write(status, `Reading ${name}…`);
    const { table, problem } = await call();
    if (mine !== turn) return;
    write(status, "");
    if (table) look(table, name);
    else if (problem) complain(`${name}: ${refusalWords(problem)}`);
  }

  function begin() {
    const open = button({ look: "solid", act: choose }, "Choose a file");
    face.replaceChildren(
      make("div", { class: "drop" }, make("p", {}, "Drop a CSV file here, or"), open),
      make(
        "p",
        { class: "hint" },
        "One row a sample: input columns and one target column. The first row may hold their names. Commas, semicolons or tabs.",
      ),
      make("p", { class: "hint" }, boundWords(catalog)),
    );
  }

  function look(table: Table, name: string) {
    const state = {
      target:
        target && usable(table).some((column) => column.name === target) ? target : table.target,
      task: (task ?? "regression") as Task,
    };
    if (!task || state.target !== target) state.task = guessOf(table, state.target, catalog);
    const targets = selectBox({
      name: "Target column",
      choose: (value) => turnTo(value, guessOf(table, value, catalog)),
    });
    const tasks = selectBox({
      name: "Predict it as",
      choose: (value) => turnTo(state.target, value as Task),
    });
    const inputs = make("p", { class: "soft" });
    const preview = tablePreview(table);
    const use = button(
      { look: "solid", act: () => void start(table, state, use) },
      "Use this data",
    );
    function turnTo(target: string, task: Task) {
      Object.assign(state, { target, task });
      const possible = tasksOf(table, target, catalog);
      targets.show(
        usable(table).map((column) => ({ value: column.name, text: column.name })),
        target,
      );
      tasks.show(
        (["regression", "classification"] as Task[]).map((value) => ({
          value,
          text: TASKS[value],
          disabled: !possible.includes(value),
        })),
        task,
      );
      write(inputs, inputWords(table, target));
      preview.mark(target);
    }
    turnTo(state.target, state.task);
    face.replaceChildren(
      make("p", {}, make("b", {}, name), `: ${rowWords(table)}.`),
      ...leftOut(table),
      make(
        "div",
        { class: "choices" },
        make("label", { class: "field" }, make("span", {}, "Target column"), targets.root),
        make("label", { class: "field" }, make("span", {}, "Predict it as"), tasks.root),
      ),
      inputs,
      preview.root,
      make("div", { class: "line" }, use, button({ act: choose }, "Another file")),
    );
    targets.root.focus();
  }

  async function start(
    table: Table,
    chosen: { target: string; task: Task },
    use: HTMLButtonElement,
  ) {
    const before = app.store.get().experiment?.id;
    set(use, { disabled: true });
    complain(null);
    write(status, "Starting…");
    await app.newExperiment({ data: dataOf(table, chosen.target, chosen.task) });
    write(status, "");
    set(use, { disabled: false });
    const { experiment, problem } = app.store.get();
    if (experiment?.id !== before) return close();
    if (!problem) return;
    complain(refusalWords(problem));
    app.dismiss(); // it is told here
  }

  const close = openDialog("Your own data", [status, wrong, face, chooser], () => void turn++);
  const dialog = face.closest("dialog") as HTMLElement;
  takeDrops(
    dialog,
    () => true,
    (dropped) => void read(dropped),
  );
  begin();
  if (file) void read(file);
  else if (id) void ask("The table in use", null, () => app.readTable(id));
  else (face.querySelector("button") as HTMLElement | null)?.focus();
}

function leftOut(table: Table) {
  const skipped = skippedWords(table);
  if (!skipped) return [];
  const lines = make("ul", {}, ...skipped.lines.map((line) => make("li", {}, line)));
  return [make("details", { class: "left-out" }, make("summary", {}, skipped.says), lines)];
}
