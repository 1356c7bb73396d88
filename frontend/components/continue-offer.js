/**
 * "Continue from step 420?": offers a fork when a person changes or plays the past.
 * Owns: the question and its words.
 */

import { button } from "./controls.js";
import { make } from "./dom.js";
import { openDialog } from "./help-dialog.js";
import { LiveElement, register } from "./live-element.js";
import { integer } from "../state/format.js";
import { editWords } from "../state/run-words.js";
import { stateOnView } from "../state/moments.js";

/** @typedef {import("../state/types.js").State} State */

/** The question, and what happens to both runs. @param {State} state @param {import("../state/types.js").Offer} offer */
export function offerWords(state, { run: name, change, step }) {
  const run = state.runs[name];
  const changes = editWords(change, stateOnView(state).runs[name].settings, state.catalog);
  return `Starts a new run from ${run.label} at step ${integer(step)}${changes ? `, with ${changes}` : ""}. The original stays.`;
}

export class ContinueOffer extends LiveElement {
  /** @type {(() => void)|null} */
  #close = null;

  start() {
    this.follow((state) => state.offer, (offer, state) => {
      this.#close?.();
      if (offer && state.runs[offer.run]) this.#open(offer, state);
    });
    this.whenGone(() => this.#close?.());
  }

  /** @param {import("../state/types.js").Offer} offer @param {State} state */
  #open(offer, state) {
    const answer = (/** @type {boolean} */ accepted) => () => this.app.answerOffer(accepted);
    const here = button({ look: "solid", act: answer(true), more: { autofocus: true } }, "Continue here");
    const back = button({ act: answer(false) }, "Back to live");
    this.#close = openDialog(`Continue from step ${integer(offer.step)}?`, [make("p", {}, offerWords(state, offer)), make("div", { class: "answers" }, here, back)], () => {
      this.#close = null;
      // closed by Esc: nothing changes, the view stays
      if (this.app.store.get().offer === offer) this.app.store.dispatch({ type: "offer", offer: null });
    });
  }
}

/** @param {import("../state/types.js").App} app */
export const registerContinueOffer = (app) => register("continue-offer", ContinueOffer, app);
