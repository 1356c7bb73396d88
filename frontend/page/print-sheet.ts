/**
 * The printed sheet: question and answer, loss, gradients, the runs' numbers, what happened, and
 * the seeds. It has the page's own charts, drawn in light colours for the paper's width.
 * Owns: its words and its table, and when the page is one. print.css places the parts.
 */

import { html, nothing } from "lit";
import { set } from "../ui/dom.ts";
import { glyph, marker } from "../ui/icons.ts";
import { ExperimentElement } from "../ui/live-element.ts";
import { titleOf } from "../features/exhibits/exhibits.ts";
import { choiceOf } from "../core/instruments.ts";
import { integer, number, score } from "../core/format.ts";
import { clausesOf, verdictOf } from "../core/questions.ts";
import { stateOf, whereWords } from "../core/selectors.ts";
import { stateOnView } from "../core/state-on-view.ts";
import { lossTitle, seedWords, sheetTitle } from "./print-words.ts";
import { effective } from "./theme.ts";
import * as texts from "../words/english.ts";
import type { DataPicture } from "../features/predictions/data-picture.ts";
import type { PlotlyChart } from "../charts/plotly-chart.ts";
import type { Run, State } from "../core/types.ts";

const root = document.documentElement;
const isOn = () => root.dataset.print !== undefined;
const latest = (run: Run, series: string) => run.latest[series]?.value;

const chartsOnSheet = () =>
  document.querySelectorAll<PlotlyChart>(".plot.loss > plotly-chart, .plot.gradients plotly-chart");

const dataPicture = () => document.querySelector<DataPicture>("data-picture");

export class PrintSheet extends ExperimentElement {
  /** The picture that was presented when the page was printed. */
  #hero: State["view"]["hero"] = null;

  /** On paper it follows the page: the numbers of a past step may still be on their way. */
  override shows(state: State) {
    return isOn() ? state : null;
  }

  override start() {
    const paper = matchMedia("print");
    const prepare = () => this.#prepare();
    const restore = () => this.#restore();
    const signal = this.gone;
    window.addEventListener("beforeprint", prepare, { signal });
    window.addEventListener("afterprint", restore, { signal });
    paper.addEventListener("change", () => (paper.matches ? prepare() : restore()), { signal });
  }

  /** Everything at once: the browser prints when this returns. */
  #prepare() {
    if (!this.isReady(this.state) || isOn()) return;
    this.#hero = this.state.view.hero;
    if (this.#hero) this.app.setView({ hero: null });
    root.dataset.print = "";
    root.dataset.theme = "light";
    this.requestUpdate();
    this.performUpdate();
    dataPicture()?.drawAtOnce();
    for (const chart of chartsOnSheet()) chart.print(true);
  }

  #restore() {
    if (!isOn()) return;
    delete root.dataset.print;
    root.dataset.theme = effective(this.state.view.theme);
    if (this.#hero) this.app.setView({ hero: this.#hero });
    this.requestUpdate();
    dataPicture()?.drawAtOnce();
    for (const chart of chartsOnSheet()) chart.print(false);
  }

  override render() {
    set(this, { role: isOn() && "region", "aria-label": isOn() && texts.printedSheet });
    if (!isOn()) return nothing;
    const { state, experiment } = this;
    const { panel, measure } = state.view;
    const lower = panel === "instruments" ? choiceOf(state).text : MEASURES[measure];
    return html`<div class="sheet-head"><p><b>fallline</b>${titleOf(state)}
        <span>${texts.stepX(whereWords(stateOnView(state)))}</span></p>
        <h1>${sheetTitle(state)}</h1><h2>${lossTitle(experiment)}</h2></div>
      <h2 class="sheet-lower">${lower}</h2>
      ${this.#table(stateOnView(state))}
      ${this.#story(state)}
      <p class="sheet-seeds">${seedWords(state).join(" ")}</p>`;
  }

  #table(state: State) {
    const { testSamples, score: name } = this.experiment;
    const series = `${testSamples ? "test" : "train"}_${name}`;
    const head = name === "r2" ? "R²" : texts.accuracy;
    const row = (run: Run) => {
      const { word, glyph: shape, tone } = stateOf(run, state);
      return html`<tr data-lane=${run.lane}>
        <th scope="row"><span>${marker(run.lane)}${run.label}</span></th>
        <td>${integer(run.step)}</td><td>${integer(run.samplesSeen)}</td>
        <td><b>${number(latest(run, "train_loss"))}</b></td>
        ${testSamples ? html`<td>${number(latest(run, "test_loss"))}</td>` : nothing}
        <td>${score(latest(run, series))}</td>
        <td class="state" data-tone=${tone}><span>${shape ? glyph(shape) : nothing}${word}</span></td></tr>`;
    };
    return html`<table class="sheet-table"><thead><tr>
        <th scope="col">${texts.run}</th><th scope="col">${texts.step}</th><th scope="col">${texts.samplesSeenLabel}</th><th scope="col">${texts.loss}</th>
        ${testSamples ? html`<th scope="col">${texts.onTest}</th>` : nothing}
        <th scope="col">${head}</th><th scope="col" class="state">${texts.state}</th></tr></thead>
      <tbody>${state.order.map((name) => row(state.runs[name]))}</tbody></table>`;
  }

  #story(state: State) {
    const clauses = clausesOf(state);
    if (!clauses.length) return nothing;
    const verdict = verdictOf(state);
    return html`<section class="sheet-story"><h2>${texts.whatHappened}</h2>
      ${verdict ? html`<p>${verdict.text}</p>` : nothing}
      <ol>${clauses.map(
        ({
          place,
          step,
          text,
          tone,
        }) => html`<li><span class="place" data-tone=${tone}>${place}</span
          ><span>${step === undefined ? nothing : html`${texts.stepXSentence(integer(step))} `}${text}</span></li>`,
      )}</ol></section>`;
  }
}

const MEASURES: Record<State["view"]["measure"], string> = {
  grad_l1: texts.gradientsSumDwPerLayer,
  grad_l2: texts.gradientsL2NormPerLayer,
  grad_mean: texts.gradientsMeanDwPerLayer,
  ratio: texts.updateOverWeightPerLayer,
  whole: texts.wholeGradientAndTheRate,
};
