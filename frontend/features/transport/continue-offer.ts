/**
 * "Continue from step 420?": offers a fork when a person changes or plays the past.
 * Owns: the question and its words.
 */

import { html } from "lit";
import { ModalDialog } from "../../ui/dialog.ts";
import { integer } from "../../core/format.ts";
import { editWords } from "../../core/run-words.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { Offer, State } from "../../core/types.ts";

/** The question, and what happens to both runs. */
export function offerWords(state: State, { run: name, change, step }: Offer) {
  const run = state.runs[name];
  const changes = editWords(change, stateOnView(state).runs[name].settings, state.catalog);
  return texts.startsANewRunFromX(
    run.label,
    integer(step),
    changes ? texts.withXTail(changes) : "",
  );
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
        <button type="button" class="button solid" autofocus @click=${answer(true)}>${texts.continueHere}</button>
        <button type="button" class="button" @click=${answer(false)}>${texts.backToLive}</button>
      </div>`;
    return { name: texts.continueFromStepX(integer(offer.step)), body };
  }
}
