/**
 * Your own data: choose or drop a file, check it, use it.
 * Owns: the dialog with its two views, choosing and checking. own-table.ts has the words.
 */

import { html, nothing } from "lit";
import { selectOf } from "../../ui/controls.ts";
import { takeDrops } from "./csv-drop.ts";
import { ModalDialog } from "../../ui/dialog.ts";
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
import * as texts from "../../words/english.ts";
import type { App } from "../../core/types.ts";
import type { Table } from "../../core/wire-types.ts";

type Task = "regression" | "classification";
/** a dropped file, or the table in use */
type Begin = { file?: File; id?: string; target?: string; task?: Task };
type Choice = { table: Table; name: string; target: string; task: Task };

const TYPES = ".csv,.tsv,.txt,text/csv,text/tab-separated-values,text/plain";
const STARTING = texts.starting;
const TASKS = { regression: texts.aNumber, classification: texts.classes };

export class CsvDialog extends ModalDialog {
  static override properties = {
    begin: { state: true },
    choice: { state: true },
    status: { state: true },
    wrong: { state: true },
  };
  declare begin: Begin | null;
  declare choice: Choice | null;
  declare status: string;
  declare wrong: string | null;
  /** The latest file wins, in any order of answers. */
  #turn = 0;

  override isOpen() {
    return Boolean(this.begin);
  }

  override leave() {
    this.begin = null;
  }

  override opened() {
    this.#turn++;
    Object.assign(this, { choice: null, status: "", wrong: null });
    const { file, id } = this.begin ?? {};
    if (file) void this.#read(file);
    else if (id) void this.#ask(texts.theTableInUse, null, () => this.app.readTable(id));
  }

  /** Other files may be dropped on it. */
  override start() {
    takeDrops(
      this,
      () => true,
      (file) => void this.#read(file),
    );
  }

  #pick({ target }: Event) {
    const chooser = target as HTMLInputElement;
    const picked = chooser.files?.[0];
    chooser.value = ""; // the same file may be chosen again once it is mended
    if (picked) void this.#read(picked);
  }

  #read(file: File) {
    const why = tooLarge(file.size, this.state.catalog);
    return this.#ask(file.name, why, () => this.app.sendTable(file));
  }

  async #ask(name: string, why: string | null, call: () => ReturnType<App["sendTable"]>) {
    const mine = ++this.#turn;
    this.wrong = why && `${name}: ${why}`;
    if (why) return;
    this.status = texts.readingX(name);
    const { table, problem } = await call();
    if (mine !== this.#turn) return;
    this.status = "";
    if (problem) this.wrong = `${name}: ${refusalWords(problem)}`;
    if (!table) return;
    const { begin, state } = this;
    const isThere = usable(table).some((column) => column.name === begin?.target);
    const target = isThere ? (begin?.target as string) : table.target;
    const task = (isThere && begin?.task) || guessOf(table, target, state.catalog);
    this.choice = { table, name, target, task };
    await this.updateComplete;
    this.querySelector("select")?.focus();
  }

  async #start({ table, target, task }: Choice) {
    const before = this.state.experiment?.id;
    Object.assign(this, { status: STARTING, wrong: null });
    await this.app.newExperiment({ data: dataOf(table, target, task) });
    this.status = "";
    const { experiment, problem } = this.state;
    if (experiment?.id !== before) return this.leave();
    if (!problem) return;
    this.wrong = refusalWords(problem);
    this.app.dismiss(); // it is shown here
  }

  override content() {
    const choose = () => (this.querySelector("[type=file]") as HTMLElement).click();
    const body = html`
      <p role="status">${this.status}</p>
      <p class="complaint" role="alert" ?hidden=${!this.wrong}>${this.wrong}</p>
      <div class="table-face">${
        this.choice ? this.#table(this.choice, choose) : this.#invitation(choose)
      }</div>
      <input type="file" accept=${TYPES} hidden @change=${this.#pick}>`;
    return { name: texts.yourOwnDataLabel, body };
  }

  #invitation(choose: () => void) {
    return html`
      <div class="drop">
        <p>${texts.dropACSVFileHereOr}</p>
        <button type="button" class="button solid" autofocus @click=${choose}>${texts.chooseAFile}</button>
      </div>
      <p class="hint">${texts.oneRowASampleInputColumns}</p>
      <p class="hint">${boundWords(this.state.catalog)}</p>`;
  }

  #table(choice: Choice, another: () => void) {
    const { table, name, target, task } = choice;
    const { catalog } = this.state;
    const possible = tasksOf(table, target, catalog);
    const columns = selectOf(target, {
      name: texts.targetColumn,
      options: usable(table).map((column) => ({ value: column.name, text: column.name })),
      choose: (value) =>
        void (this.choice = { ...choice, target: value, task: guessOf(table, value, catalog) }),
    });
    const tasks = selectOf(task, {
      name: texts.predictItAs,
      options: (["regression", "classification"] as Task[]).map((value) => ({
        value,
        text: TASKS[value],
        disabled: !possible.includes(value),
      })),
      choose: (value) => void (this.choice = { ...choice, task: value as Task }),
    });
    return html`
      <p><b>${name}</b>: ${rowWords(table)}.</p>
      ${leftOut(table)}
      <div class="choices">
        <label class="field"><span>${texts.targetColumn}</span>${columns}</label>
        <label class="field"><span>${texts.predictItAs}</span>${tasks}</label>
      </div>
      <p class="soft">${inputWords(table, target)}</p>
      ${tablePreview(table, target)}
      <div class="line">
        <button type="button" class="button solid" ?disabled=${this.status === STARTING}
          @click=${() => this.#start(choice)}>${texts.useThisData}</button>
        <button type="button" class="button" @click=${another}>${texts.anotherFile}</button>
      </div>`;
  }
}

function leftOut(table: Table) {
  const skipped = skippedWords(table);
  return skipped
    ? html`<details class="left-out">
        <summary>${skipped.says}</summary>
        <ul>${skipped.lines.map((line) => html`<li>${line}</li>`)}</ul>
      </details>`
    : nothing;
}

export function openCsvDialog(begin: Begin = {}) {
  (document.querySelector("csv-dialog") as CsvDialog).begin = begin;
}
