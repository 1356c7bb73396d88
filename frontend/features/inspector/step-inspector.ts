/**
 * The step inspector: one step with every number, in a drawer. On a phone it fills the page.
 * Owns: the drawer, and focus when it opens and closes. line-list.ts and equation.ts have the
 * content.
 */

import { html, nothing } from "lit";
import { copied } from "../../ui/clipboard.ts";
import { lineView } from "./equation.ts";
import { make, set } from "../../ui/dom.ts";
import { icon } from "../../ui/icons.ts";
import { lineList } from "./line-list.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { runSwitch } from "../../ui/run-switch.ts";
import { integer } from "../../core/format.ts";
import { inspectedRun } from "../../core/inspected.ts";
import {
  inspectedDead,
  inspectionOf,
  samplesFrom,
  shownLine,
  toggledInspector,
} from "./inspection.ts";
import { batchWords } from "./line-words.ts";
import { isLocked } from "../../core/selectors.ts";
import { keyOf } from "./sheets.ts";
import * as texts from "../../words/english.ts";
import type { Sheet } from "../../core/wire-types.ts";
import type { Experiment, State } from "../../core/types.ts";

/** On a phone it is alone on the page, and the line stands above the list. */
const PHONE = matchMedia("(max-width: 720px), (max-width: 900px) and (max-height: 480px)");
/** Letters of the runs' names in the switch. */
const LETTERS = { few: 16, many: 10, most: 8 };
/** How long "Copied" stays. */
const MESSAGE_MS = 4000;

/** The visible samples of a batch: "rows 1 to 4", "row 5". */
function rowWords({ batch }: Sheet, { firstSample, samplesShown }: State["view"]) {
  const first = Math.min(firstSample, batch.length - 1);
  const last = Math.min(batch.length, first + samplesShown);
  return last === first + 1
    ? texts.rowXSampleY(integer(last), integer(batch[first]))
    : texts.rowsXToY(integer(first + 1), integer(last));
}

const square = (name: string, shape: "previous" | "next", act: () => void, disabled = false) =>
  html`<button type="button" class="button quiet small square" aria-label=${name}
    ?disabled=${disabled} @click=${act}>${icon(shape)}</button>`;

/** In the past a step moves the view, in the present it makes one. */
const cannotStep = (state: State) => isLocked(state) && !state.looking;

export class StepInspector extends ExperimentElement {
  /** The last answer stays until the next one comes. */
  #sheet: Sheet | null = null;
  #isOpen = false;
  #from: HTMLElement | null = null;
  #revealed: string | null = null;
  #status = "";
  #timer: any = null;

  override shows(state: State) {
    const isOpen = state.view.inspector;
    return [
      isOpen,
      inspectedRun(state)?.name,
      state.experiment,
      ...state.order.flatMap((name) => [name, state.runs[name].label]),
      ...(isOpen
        ? [
            cannotStep(state),
            inspectionOf(state),
            inspectedDead(state),
            state.view.line,
            state.view.firstSample,
            state.view.samplesShown,
          ]
        : []),
    ];
  }

  override start() {
    // the line selected on opening stays selected from step to step
    this.follow(
      ({ view }) => [view.inspector, inspectionOf(this.state), view.line],
      (_, state) => {
        const sheet = state.view.inspector && state.view.line === null ? inspectionOf(state) : null;
        if (sheet) this.app.setView({ line: keyOf(sheet, shownLine(state, sheet)) });
      },
    );
  }

  override render() {
    const { state } = this;
    const isOpen = state.view.inspector;
    this.#sheet = inspectionOf(state) ?? this.#sheet;
    const { line } = state.view;
    if (isOpen && inspectionOf(state))
      set(this, {
        "data-run": inspectedRun(state)?.name,
        "data-step": this.#sheet?.step,
        "data-line": line,
      });
    return isOpen
      ? html`<div class="drawer" ?data-waiting=${!inspectionOf(state)}>${this.#drawer(state, this.#sheet)}</div>`
      : nothing;
  }

  /** Moves focus into the opened part, and back on closing. */
  override willUpdate() {
    const isOpen = this.state.view.inspector;
    if (isOpen === this.#isOpen) return;
    this.#isOpen = isOpen;
    const { activeElement } = document;
    const isInside = this.contains(activeElement);
    const isElsewhere = !isInside && activeElement !== document.body;
    if (isOpen) this.#from = isElsewhere ? (activeElement as HTMLElement) : null;
    const target = () =>
      isOpen ? this.#list : (this.#from ?? document.querySelector<HTMLElement>(".by-line"));
    if (isOpen || isInside) void this.updateComplete.then(() => target()?.focus());
    // each opening selects the first line anew
    if (!isOpen) this.app.setView({ line: null });
  }

  override updated() {
    this.closest(".app")?.toggleAttribute("data-inspector", this.#isOpen);
    set(this, { role: this.#isOpen && PHONE.matches ? "main" : "region" });
    const { line } = this.state.view;
    if (!this.#isOpen || line === this.#revealed) return;
    this.#revealed = line;
    this.#list?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  get #list() {
    return this.querySelector<HTMLElement>(".line-list");
  }

  #toggle() {
    this.app.setView(toggledInspector(this.state));
  }

  #drawer(state: State, sheet: Sheet | null) {
    const { app } = this;
    const place = sheet ? shownLine(state, sheet) : 0;
    const { experiment } = state;
    return html`
      <div class="head">
        <h2>${texts.lineByLine}</h2>
        <span>${runSwitch(state, app, texts.runInspected, LETTERS)}</span>
        <span class="moment">
          ${square(texts.oneStepBack, "previous", () => app.back(1))}
          <span>${texts.stepWord} <b>${sheet ? integer(sheet.step) : ""}</b></span>
          ${square(texts.oneStepOn, "next", () => app.forward(1), cannotStep(state))}
        </span>
        ${sheet ? this.#batch(state, sheet, experiment as Experiment) : nothing}
        <span class="spring"></span>
        <span class="muted" role="status">${this.#status}</span>
        <button type="button" class="button quiet small" @click=${this.#copy}>${texts.copyAsNumpy}</button>
        <button type="button" class="button quiet square close" aria-label=${texts.closeI}
          @click=${this.#toggle}>${icon("close")}</button>
      </div>
      <div class="body">
        ${lineList(sheet, place, inspectedDead(state), (line) => this.#choose(line))}
        ${lineView(sheet, place)}
      </div>`;
  }

  /** The batch, and which of its samples are shown. */
  #batch(state: State, sheet: Sheet, experiment: Experiment) {
    const { step, batch } = sheet;
    const move = (by: number) => () => this.app.setView(samplesFrom(this.state, by));
    const isOne = state.view.samplesShown === 1;
    return html`
      <span class="batch muted"
        title=${texts.theChangeFromStepXTo(integer(step), integer(step + 1))}
        >${batchWords(sheet, experiment)}</span>
      <span class="samples" ?hidden=${batch.length === 1}>
        ${square(texts.samplesBefore, "previous", move(-1))}
        <span class="muted">${rowWords(sheet, state.view)}</span>
        ${square(texts.samplesAfter, "next", move(1))}
        <button type="button" class="button quiet small" aria-pressed=${isOne}
          @click=${() => this.app.setView({ samplesShown: isOne ? 4 : 1 })}>${texts.sampleBySample}</button>
      </span>`;
  }

  /** Scrolls a phone to the chosen line. */
  #choose(place: number) {
    const sheet = inspectionOf(this.state);
    if (!sheet) return;
    this.#list?.focus();
    this.app.setView({ line: keyOf(sheet, place) });
    if (PHONE.matches)
      void this.updateComplete.then(() => this.querySelector(".line-view")?.scrollIntoView());
  }

  async #copy() {
    const { script, problem } = await this.app.changeScript();
    const box = make("textarea", { class: "unseen", "aria-hidden": "true" });
    box.value = script ?? "";
    this.append(box);
    const done = script !== undefined && (await copied(box));
    box.remove();
    const why = problem ? (problem.detail ?? problem.title) : texts.theBrowserBlocksCopying;
    clearTimeout(this.#timer);
    this.#say(done ? texts.copied : why);
    this.#timer = setTimeout(() => this.#say(""), MESSAGE_MS);
  }

  #say(words: string) {
    this.#status = words;
    this.requestUpdate();
  }
}
