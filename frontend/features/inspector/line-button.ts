/**
 * "Line by line": opens and closes the step inspector. Its title says what the present step does.
 * Owns: the button.
 */

import { html } from "lit";
import { liveLine } from "./line-words.ts";
import { toggledInspector } from "./inspection.ts";
import { inspectedRun } from "../../core/inspected.ts";
import { integer } from "../../core/format.ts";
import { deadLayer } from "../../core/selectors.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import { icon } from "../../ui/icons.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import * as texts from "../../words/english.ts";
import type { State } from "../../core/types.ts";

const shownRun = (state: State) => stateOnView(state).runs[inspectedRun(state)?.name ?? ""];

export class LineButton extends ExperimentElement {
  override shows(state: State) {
    return [state.view.inspector, shownRun(state)];
  }

  override render() {
    const { state, app } = this;
    return html`<button type="button" class="button quiet by-line" aria-label=${texts.lineByLineI}
      title=${this.#title(state)} data-caption="lines" aria-expanded=${state.view.inspector} aria-controls="step"
      @click=${() => app.setView(toggledInspector(app.store.get()))}
      >${icon("lines")}<span class="caption">${texts.lineByLine}</span></button>`;
  }

  #title(state: State) {
    const run = shownRun(state);
    if (!run) return texts.lineByLineI;
    const { code, words } = liveLine(run, this.experiment.weights, deadLayer(run));
    const who = code ? texts.xStepYZ(run.label, integer(run.step), code) : "";
    return texts.lineByLineXY(who, words);
  }
}
