/**
 * The invitation over the empty loss chart, until the first step of the first experiment.
 * Owns: when it is shown. Once gone it does not come back on this page.
 */

import { button } from "./controls.js";
import { make } from "./dom.js";
import { LiveElement, register } from "./live-element.js";

/** @typedef {import("../state/types.js").State} State */

export class InvitationOverlay extends LiveElement {
  #first = "";
  #over = false;

  start() {
    this.follow((state) => [state.experiment?.id, state.runs, state.playback.playing, state.pending], (_, state) => {
      const wanted = this.#isWanted(state);
      this.hidden = !wanted;
      if (wanted && !this.childElementCount) this.#invite();
      if (!wanted) this.replaceChildren();
    });
  }

  /** @param {State} state */
  #isWanted({ experiment, runs, playback }) {
    if (!experiment?.token || this.#over) return false;
    this.#first ||= experiment.id;
    const untouched = Object.values(runs).every(({ step, generation }) => step === 0 && generation === 0);
    this.#over = experiment.id !== this.#first || playback.playing || !untouched;
    return !this.#over;
  }

  #invite() {
    this.append(
      make("p", {}, "Press play: two ways down the same slope, and one of them gets stuck."),
      make("span", { class: "start" },
        button({ look: "solid", icon: "play", act: () => this.app.play() }, "Start the race"), make("kbd", { "aria-hidden": "true" }, "Space")),
    );
  }
}

/** @param {import("../state/types.js").App} app */
export const registerInvitationOverlay = (app) => register("invitation-overlay", InvitationOverlay, app);
