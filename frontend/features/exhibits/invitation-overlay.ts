/**
 * The invitation over the empty loss chart, until the first step, for the page's first experiment
 * and every exhibit.
 * Owns: when it is shown. After closing only another exhibit shows it again.
 */

import { html, nothing } from "lit";
import { icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { exhibitOf, exhibitParts, invitationOf, isUntouched } from "./exhibits.ts";
import type { State } from "../../core/types.ts";

export class InvitationOverlay extends LiveElement {
  #at = "";
  #isFirst = true;
  #isOver = false;

  override shows(state: State) {
    const { experiment, playback } = state;
    return [experiment, playback.playing, isUntouched(state), ...exhibitParts(state)];
  }

  override render() {
    const { state } = this;
    this.hidden = !this.#isFor(state);
    return this.hidden
      ? nothing
      : html`
          <p>${invitationOf(state)}</p>
          <span class="start">
            <button type="button" class="button solid" @click=${() => this.app.play()}
              >${icon("play")}<span>${state.order.length > 1 ? "Play" : "Start"}</span></button>
            <kbd aria-hidden="true">Space</kbd>
          </span>`;
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
