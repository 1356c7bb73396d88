/**
 * The row below the loss: gradients, or the open instruments side by side.
 * Owns: which charts stand there, and the note of an instrument not measured yet.
 */

import { html, render } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { choiceOf, kindOf, waitingWords } from "../../core/instruments.ts";
import * as texts from "../../words/english.ts";
import type { App, State } from "../../core/types.ts";

const GRADIENTS = html`<plotly-chart kind="gradients" aria-label=${texts.gradientPerLayerNotDrawnYet}
  ></plotly-chart>`;

const gauges = (state: State) => (state.view.panel === "instruments" ? choiceOf(state).gauges : []);

export function keepLowerRow({ store }: App, row: HTMLElement) {
  const show = () => {
    const state = store.get();
    const kinds = gauges(state).map(kindOf);
    const notes = gauges(state).map((gauge, place) => {
      const words = waitingWords(state, gauge);
      return html`<p class="waiting" ?hidden=${!words} style="--at: ${place + 1}">${words}</p>`;
    });
    const charts = kinds.map(
      (kind) => html`<plotly-chart kind=${kind} aria-label=${texts.notMeasuredYet}></plotly-chart>`,
    );
    const panels = html`<div class="instruments" style="--many: ${kinds.length}">${charts}${notes}</div>`;
    render(keyed(kinds.join(), kinds.length ? panels : GRADIENTS), row);
  };
  row.replaceChildren();
  store.watch(
    (state) => gauges(state).flatMap((gauge) => [gauge, waitingWords(state, gauge)]),
    show,
  );
  show();
}
