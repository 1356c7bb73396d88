/**
 * The invitation over the empty loss chart, until the first step, for the page's first experiment
 * and every exhibit.
 * Owns: when it is shown. After closing only another exhibit shows it again.
 */

import { button } from "../../ui/controls.ts";
import { make, write } from "../../ui/dom.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { exhibitOf, exhibitParts, invitationOf, isUntouched } from "./exhibits.ts";
import type { State } from "../../core/types.ts";

export class InvitationOverlay extends LiveElement {
  #at = "";
  #isFirst = true;
  #isOver = false;

  override start() {
    const words = make("p");
    const what = make("span");
    const start = make(
      "span",
      { class: "start" },
      button({ look: "solid", icon: "play", act: () => this.app.play() }, what),
      make("kbd", { "aria-hidden": "true" }, "Space"),
    );
    this.follow(
      (state) => [state.experiment?.id, state.runs, state.playback.playing, ...exhibitParts(state)],
      (_, state) => {
        const isOpen = this.#isFor(state);
        this.hidden = !isOpen;
        if (!isOpen) return this.replaceChildren();
        write(words, invitationOf(state));
        write(what, state.order.length > 1 ? "Play" : "Start");
        if (!this.childElementCount) this.append(words, start);
      },
    );
  }

  #isFor(state: State) {
    const { experiment, playback } = state;
    if (!experiment?.token) return false;
    if (experiment.id !== this.#at) {
      this.#isFirst = this.#at === "";
      this.#isOver = false;
    }
    this.#at = experiment.id;
    this.#isOver ||=
      playback.playing || !isUntouched(state) || !(this.#isFirst || exhibitOf(state));
    return !this.#isOver;
  }
}
