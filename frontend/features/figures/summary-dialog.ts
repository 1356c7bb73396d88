/**
 * The loss chart as a table: ten rows evenly along the known steps, one column a run, and extra
 * rows for marked events.
 * Owns: the dialog. Shows the step on view when it was opened.
 */

import { html } from "lit";
import { ModalDialog } from "../../ui/dialog.ts";
import { integer, number } from "../../core/format.ts";
import { lossAt, lossAtWords, tellingStep } from "./loss-at.ts";
import { marksOf } from "../../core/markers.ts";
import { descendedWords, runSentence } from "../../core/run-words.ts";
import { sinceWords, stateOf, whereWords } from "../../core/selectors.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { Run, State } from "../../core/types.ts";

const ROWS = 10;

/** The step of the newest loss: behind the counter while a run moves. */
const newestLossStep = (run: Run) => run.latest.train_loss?.step ?? 0;

export class SummaryDialog extends ModalDialog {
  override dialog = "summary";

  override isOpen(state: State) {
    return super.isOpen(state) && state.experiment !== null;
  }

  override content() {
    const state = stateOnView(this.state);
    const runs = state.order.map((name) => state.runs[name]);
    const rows = [...this.#readings(state, runs), ...this.#markers(state, runs)].sort(
      (a, b) => a.step - b.step,
    );
    const says = runs.map((run) => {
      const parts = [
        number(run.latest.train_loss?.value),
        descendedWords(run),
        stateOf(run, state).word + sinceWords(run),
      ].filter(Boolean);
      return `${run.label} (${runSentence(run)}): ${parts.join(", ")}.`;
    });
    const moment = state.looking ? [`${texts.asOfStepXLabel(whereWords(state))}.`] : [];
    const row = ({ step, cells }: { step: number; cells: unknown }) =>
      html`<tr><th scope="row">${integer(step)}</th>${cells}</tr>`;
    const body = html`
      <p class="summary">${[...moment, ...says].join(" ")}</p>
      <div class="readings-box" role="region" tabindex="0" aria-label=${texts.lossByStep}><table class="readings">
        <caption class="unseen">
          ${texts.trainLossOfEveryRunEdits}
        </caption>
        <thead>
          <tr><th scope="col">${texts.step}</th>${runs.map(({ label }) => html`<th scope="col">${label}</th>`)}</tr>
        </thead>
        <tbody>${rows.map(row)}</tbody>
      </table></div>`;
    return { name: texts.lossByStep, body };
  }

  #readings(state: State, runs: Run[]) {
    const last = Math.max(0, ...runs.map(newestLossStep));
    const apart = last / (ROWS - 1);
    const all = runs.map(({ name }) => this.app.series.of(name));
    const even = Array.from({ length: ROWS }, (_, k) => Math.round(apart * k));
    const steps = even.map((step) =>
      step === 0 || step === last ? step : tellingStep(all, step, apart / 3),
    );
    return [...new Set(steps)].map((step) => ({
      step,
      cells: runs.map((run) => html`<td>${this.#loss(run, step, state)}</td>`),
    }));
  }

  #loss(run: Run, step: number, { experiment }: State) {
    if (step === run.latest.train_loss?.step) return number(run.latest.train_loss.value);
    if (step === 0 && experiment?.initialLoss != null) return number(experiment.initialLoss);
    return lossAtWords(lossAt(this.app.series.of(run.name), step));
  }

  #markers(state: State, runs: Run[]) {
    return runs
      .flatMap((run) => marksOf(run, state))
      .map(({ step, text }) => ({
        step,
        cells: html`<td class="note" colspan=${runs.length}>${text}</td>`,
      }));
  }
}
