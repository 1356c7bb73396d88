/**
 * The table of runs: one row a run, all numbers of the step in its first heading.
 * Owns: rows and cells. core/ has words and formats.
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { wordsOf } from "../../ui/fitting-words.ts";
import { glyph, marker } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { betWords } from "../../core/questions.ts";
import { counter, epochs, number, plural, score } from "../../core/format.ts";
import { originWords } from "../../core/forks.ts";
import { stateOnView, shownStep } from "../../core/state-on-view.ts";
import { DESCENDED, descendedWords, runSentence } from "../../core/run-words.ts";
import { stateOf, whereWords } from "../../core/selectors.ts";
import type { Experiment, Run, State } from "../../core/types.ts";

/** The step of all numbers in the table. */
function moment(state: State) {
  const { status } = state.connection;
  if (!state.looking && (status === "reconnecting" || status === "offline"))
    return `Last known: step ${whereWords(state)}`;
  return shownStep(state) === 0 ? "Before the first step" : `At step ${whereWords(state)}`;
}

const latest = (run: Run, series: string) => run.latest[series]?.value;

/** "R² test", or "Accuracy test". */
function scoreOf({ testSamples, score: name }: Experiment) {
  const split = testSamples ? "test" : "train";
  return { series: `${split}_${name}`, text: `${name === "r2" ? "R²" : "Accuracy"} ${split}` };
}

export class RaceTable extends ExperimentElement {
  override shows(state: State) {
    return [
      ...state.order,
      ...Object.values(stateOnView(state).runs),
      state.connection,
      state.experiment,
      state.playback.playing,
      state.looking,
      betWords(state),
    ];
  }

  override render() {
    const state = stateOnView(this.state);
    const experiment = this.experiment;
    const { series, text } = scoreOf(experiment);
    const words = moment(state);
    const bet = betWords(this.state);
    const hasNoTest = experiment.testSamples === 0;
    const row = (name: string) => rowOf(state.runs[name], state, hasNoTest, series);
    // a name and its step stay on one line
    return html`<table>
      <caption class="unseen">All runs. ${words}</caption>
      <thead>
        <tr>
          <th scope="col" class="moment" title=${words}>${words.replaceAll(" at ", "\u00a0at\u00a0")}${bet ? html` <span class="bet">${bet}</span>` : nothing}</th>
          <th scope="col" class="optional">Epoch</th>
          <th scope="col" class="optional samples">Samples seen</th>
          <th scope="col">Train loss</th>
          <th scope="col" class="test" ?hidden=${hasNoTest}>Test loss</th>
          <th scope="col">${text}</th>
          <th scope="col" class="state">State</th>
        </tr>
      </thead>
      <tbody>${repeat(state.order, (name) => name, row)}</tbody>
    </table>`;
  }
}

function rowOf(run: Run, state: State, hasNoTest: boolean, series: string) {
  const { word, glyph: shape, tone, says } = stateOf(run, state);
  const origin = originWords(state, run.name);
  const verdict = html`${shape ? glyph(shape) : nothing}${word}`;
  return html`<tr data-run=${run.name} data-lane=${run.lane} data-state=${word}
      class=${run.hidden ? "hidden-run" : ""}>
    <th scope="row" class="who"><span class="line">
      ${marker(run.lane)}<b>${run.label}</b>
      ${wordsOf("muted rule", [runSentence(run), origin && `, ${origin}`])}
      <span class="verdict inline-state" aria-hidden="true" data-tone=${tone}>${verdict}</span>
      <span class="muted descended" title=${DESCENDED}>${descendedWords(run)}</span>
    </span></th>
    <td class="optional soft" title=${`${plural(run.samplesSeen, "sample")} seen`}>${epochs(run.epoch)}</td>
    <td class="optional samples soft">${counter(run.samplesSeen)}</td>
    <td><span class="readout">${number(latest(run, "train_loss"))}</span></td>
    <td class="soft test" ?hidden=${hasNoTest}
      ><span class="readout second">${number(latest(run, "test_loss"))}</span></td>
    <td>${run.step === 0 ? "–" : score(latest(run, series))}</td>
    <td class="state"><span class="verdict" title=${says ?? nothing} data-tone=${tone}>${verdict}</span></td>
  </tr>`;
}
