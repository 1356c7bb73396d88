/**
 * "Continue from step 420?": offers a fork when a person changes or plays the past.
 * Owns: the question and its words.
 */

import { html } from "lit";
import { ModalDialog } from "../../ui/dialog.ts";
import { integer } from "../../core/format.ts";
import { editWords } from "../../core/run-words.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import type { Offer, State } from "../../core/types.ts";

/** The question, and what happens to both runs. */
export function offerWords(state: State, { run: name, change, step }: Offer) {
  const run = state.runs[name];
  const changes = editWords(change, stateOnView(state).runs[name].settings, state.catalog);
  return `Starts a new run from ${run.label} at step ${integer(step)}${changes ? `, with ${changes}` : ""}. The original stays.`;
}

export class ContinueOffer extends ModalDialog {
  override shows({ offer }: State) {
    return offer;
  }

  override isOpen({ offer, runs }: State) {
    return offer !== null && offer.run in runs;
  }

  /** Nothing changes, the view stays. */
  override leave() {
    this.app.store.dispatch({ type: "offer", offer: null });
  }

  override content() {
    const offer = this.state.offer as Offer;
    const answer = (accepted: boolean) => () => this.app.answerOffer(accepted);
    const body = html`
      <p>${offerWords(this.state, offer)}</p>
      <div class="answers">
        <button type="button" class="button solid" autofocus @click=${answer(true)}>Continue here</button>
        <button type="button" class="button" @click=${answer(false)}>Back to live</button>
      </div>`;
    return { name: `Continue from step ${integer(offer.step)}?`, body };
  }
}
