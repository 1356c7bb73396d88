/**
 * The Doctor: the worst finding of each run at the step on view, problems first, with remedies and
 * reasons; the others are folded below.
 * Owns: the section, and whose reasons are open. doctor.ts lists findings.
 */

import { html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { earlierEntry, findingEntry } from "./finding-entry.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import {
  countWords,
  earlierFindings,
  frontFindings,
  furtherFindings,
  lookedWords,
  openFindings,
  problemCount,
  waitWords,
} from "./doctor.ts";
import { noRoomWords } from "./remedies.ts";
import { integer } from "../../core/format.ts";
import { isLocked, mayChange } from "../../core/selectors.ts";
import { stateOnView, stepOnView } from "../../core/state-on-view.ts";
import { set } from "../../ui/dom.ts";
import * as texts from "../../words/english.ts";
import type { RunFinding } from "./doctor.ts";
import type { State } from "../../core/types.ts";

const NOTHING = html`<p class="hint">${texts.watchesEveryStepNothingToSay}</p>`;

const keyOf = ({ run, finding }: RunFinding) => `${run.name} ${run.generation} ${finding.id}`;

export class DoctorList extends ExperimentElement {
  /** Keys of findings whose reasons are open. */
  #open: Set<string> = new Set();

  override shows(state: State) {
    return [
      ...openFindings(state).map(({ finding }) => finding),
      ...earlierFindings(state).flatMap(({ run, finding }) => [run.label, finding]),
      lookedWords(state),
      waitWords(stateOnView(state)),
      stepOnView(state),
      state.looking === null,
      isLocked(state),
      mayChange(state),
      noRoomWords(state),
      state.experiment?.id,
      ...state.order.map((name) => state.runs[name].settings),
    ];
  }

  override render() {
    const { state } = this;
    const front = frontFindings(state);
    const further = furtherFindings(state);
    const earlier = earlierFindings(state);
    const step = stepOnView(state);
    const words = state.looking ? texts.asOfStepX(integer(step)) : countWords(state);
    set(this, { "data-problems": problemCount(state), "data-step": step });
    return html`
      <div class="head"><h2>${texts.doctor}</h2><span class="end">${words}</span></div>
      <ul class="findings" role="list" ?hidden=${!front.length}
        >${repeat(front, keyOf, (each) => this.#entry(each))}</ul>
      ${front.length ? nothing : NOTHING}
      <details class="folded further" ?hidden=${!further.length}>
        <summary>${texts.xMore(further.length)}</summary>
        <ul role="list">${repeat(further, keyOf, (each) => this.#entry(each))}</ul>
      </details>
      <details class="folded earlier" ?hidden=${!earlier.length}>
        <summary>${texts.xEarlier(earlier.length)}</summary>
        <ul role="list">${earlier.map(({ finding }) => earlierEntry(finding, state))}</ul>
      </details>
      <p class="hint looked">${lookedWords(state)}</p>
      <p class="hint">${waitWords(stateOnView(state))}</p>
      <self-check></self-check>`;
  }

  #entry(each: RunFinding) {
    const key = keyOf(each);
    const toggle = () => {
      if (!this.#open.delete(key)) this.#open.add(key);
      this.requestUpdate();
    };
    const id = `why-${key.replace(/\W+/g, "-")}`;
    return findingEntry(this.app, each.run.name, each.finding, {
      id,
      isOpen: this.#open.has(key),
      toggle,
    });
  }
}
