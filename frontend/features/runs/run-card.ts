/**
 * One run in the recipe: its switch and its rate, which can be changed while it trains. The others
 * of its settings open from here.
 * Owns: the card.
 */

import { html } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { icon, marker } from "../../ui/icons.ts";
import { RunElement } from "./run-element.ts";
import { methodSwitch, samplesOf } from "./method-switch.ts";
import { knobOf, rateOf } from "./run-knobs.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import { isLocked, isVisitor } from "../../core/selectors.ts";
import * as texts from "../../words/english.ts";
import type { Experiment, State } from "../../core/types.ts";

export class RunCard extends RunElement {
  /** Frames change none of this. */
  override shows(state: State) {
    const run = stateOnView(state).runs[this.runName];
    return [run?.settings, run?.label, run?.hidden, state.experiment, isLocked(state)];
  }

  override start() {
    const select = () =>
      this.state.view.selectedRun === this.runName ||
      this.app.setView({ selectedRun: this.runName });
    this.addEventListener("focusin", select);
    // Safari does not focus a pressed button
    this.addEventListener("click", select);
  }

  override render() {
    const { app, state } = this;
    const run = this.run;
    const experiment = state.experiment as Experiment;
    this.dataset.lane = run.lane;
    this.setAttribute("aria-label", texts.runX(run.label));
    this.classList.toggle("hidden-run", run.hidden);
    return html`
      <div class="head">
        ${marker(run.lane)}<b class="name">${run.label}</b><span class="why">${samplesOf(run, experiment)}</span>
        <button type="button" class="button quiet square small" data-opens="run ${run.name}"
          aria-label=${texts.settingsOfX(run.label)} title=${texts.settingsOfX(run.label)} aria-expanded="false"
          @click=${() => app.setView({ opened: texts.runXWord(run.name) })}>${icon(isVisitor(state) ? "lock" : "more")}</button>
      </div>
      <fieldset ?disabled=${isLocked(state)}>
        ${methodSwitch(run, app, { look: "fill" })}
        ${keyed(experiment.id, knobOf(rateOf(state.catalog), run, app))}
      </fieldset>`;
  }
}
