/**
 * "Continue from step 420?": offers a fork when a person changes or plays the past.
 * Owns: the question and its words.
 */

import { button } from "../../ui/controls.ts";
import { make } from "../../ui/dom.ts";
import { openDialog } from "../../ui/dialog.ts";
import { LiveElement } from "../../ui/live-element.ts";
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

export class ContinueOffer extends LiveElement {
  #close: (() => void) | null = null;

  override start() {
    this.follow(
      (state) => state.offer,
      (offer, state) => {
        this.#close?.();
        if (offer && state.runs[offer.run]) this.#open(offer, state);
      },
    );
    this.whenGone(() => this.#close?.());
  }

  #open(offer: Offer, state: State) {
    const answer = (accepted: boolean) => () => this.app.answerOffer(accepted);
    const here = button(
      { look: "solid", act: answer(true), more: { autofocus: true } },
      "Continue here",
    );
    const back = button({ act: answer(false) }, "Back to live");
    this.#close = openDialog(
      `Continue from step ${integer(offer.step)}?`,
      [make("p", {}, offerWords(state, offer)), make("div", { class: "answers" }, here, back)],
      () => {
        this.#close = null;
        // closed by Esc: nothing changes, the view stays
        if (this.app.store.get().offer === offer)
          this.app.store.dispatch({ type: "offer", offer: null });
      },
    );
  }
}
