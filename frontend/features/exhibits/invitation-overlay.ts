/**
 * The invitation over the empty loss chart, until the first step of the page's first experiment, if
 * that has no question.
 * Owns: when it is shown.
 */

import { html, nothing } from "lit";
import { icon } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { invitationOf } from "./exhibits.ts";
import { exhibitOf, exhibitParts, isUntouched } from "../../core/exhibits.ts";
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
    this.#isOver ||= playback.playing || !isUntouched(state) || !this.#isFirst;
    return !this.#isOver && !exhibitOf(state)?.question;
  }
}
