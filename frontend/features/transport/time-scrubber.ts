/**
 * The timeline: one handle over all steps, marks above it, and the way back to live. For long runs
 * it is an overview.
 * Owns: handle and pill. flags.ts draws the marks, run-overview.ts the overview.
 */

import { html, nothing } from "lit";
import { live } from "lit/directives/live.js";
import { flagButtons } from "./flags.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { integer } from "../../core/format.ts";
import { isLong, shareOf, trackOf } from "../../core/long-runs.ts";
import { markersOf, snapped } from "../../core/markers.ts";
import { wayBackWords } from "../../core/now-words.ts";
import { furthest } from "../../core/selectors.ts";
import { shownStep, stepsAhead } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { Track } from "../../core/long-runs.ts";
import type { State } from "../../core/types.ts";

/** px from the middle of the handle to the middle of a number beside it */
const BESIDE_HANDLE = 16;

/** The step under the handle. */
const handleStep = (state: State) => Math.min(shownStep(state), furthest(state));

/** "step 420 of 700, marker: GD: rate 0.1 → 0.05" */
export function stepWords(state: State) {
  const last = furthest(state);
  const step = handleStep(state);
  const here = markersOf(state)
    .filter((mark) => mark.step === step)
    .map(({ text }) => text);
  const words = here.length ? texts.markerXTail(here.join("; ")) : "";
  return texts.stepXOfYZ(integer(step), integer(last), words);
}

/** The parts of the state from which the timeline is rendered. */
export const timelineParts = (state: State) => [
  shownStep(state),
  trackOf(state).end,
  trackOf(state).log,
  state.runs,
  state.looking === null,
  state.connection.status,
  ...markersOf(state).map(({ step, text, lane }) => `${step} ${text} ${lane}`),
];

export class TimeScrubber extends LiveElement {
  /** Length of the track, in px. */
  #length = 0;
  #isTouched = false;

  override shows(state: State) {
    return [
      stepsAhead(state),
      state.playback.playing,
      isLong(state),
      state.view.zoom,
      ...timelineParts(state),
    ];
  }

  override start() {
    this.followSize(this.querySelector(".flags") as Element, (width) => {
      this.#length = width;
      this.requestUpdate();
    });
  }

  override render() {
    const { state } = this;
    const track = trackOf(state);
    const isOverview = isLong(state);
    return html`
      <span></span>
      ${isOverview ? html`<run-overview></run-overview>` : nothing}
      <div class="track" ?hidden=${isOverview}>
        <div class="flags">${isOverview ? nothing : this.#flags(state, track)}</div>
        ${isOverview ? nothing : this.#handle(state, track)}
      </div>
      <span class="ends">${this.#pill(state, track.end === 0)}${isOverview ? this.#zoom(state) : nothing}</span>`;
  }

  #flags(state: State, track: Track) {
    const free = { handle: handleStep(state), beside: BESIDE_HANDLE, ends: 0 };
    return flagButtons(state, this.app, track, this.#length, free);
  }

  #handle(state: State, track: Track) {
    const { end } = track;
    const step = handleStep(state);
    const touch = (event: PointerEvent) => (this.#isTouched = event.pointerType === "touch");
    this.style.setProperty("--place", String(shareOf(track, step)));
    return html`<input type="range" min="0" step="1" max=${Math.max(1, end)} ?disabled=${end === 0}
      aria-label=${texts.timeTravel} aria-valuetext=${stepWords(state)}
      .value=${live(String(step))} @input=${this.#scrub} @pointerdown=${touch}
      @keydown=${() => (this.#isTouched = false)}>`;
  }

  #scrub({ target }: Event) {
    const { value, clientWidth } = target as HTMLInputElement;
    const { state } = this;
    const step = Number(value);
    this.app.lookAt(
      this.#isTouched ? snapped(markersOf(state), step, trackOf(state), clientWidth) : step,
    );
    // nothing is known beyond the last step
    this.requestUpdate();
  }

  /** The way back to the newest step, and how far training is ahead of the view. */
  #pill(state: State, isEmpty: boolean) {
    const isLive = state.looking === null;
    const { text, title } = wayBackWords(state);
    return html`<button type="button" class="button live" title=${title}
      ?hidden=${isLive} ?disabled=${isEmpty} @click=${() => this.app.lookAt(null)}
      ><span>${text}</span></button>`;
  }

  /** The window that shows most of the learning, or all again. */
  #zoom({ view }: State) {
    const { app } = this;
    const isZoomed = view.x === "steps" && view.zoom !== null;
    return html`<button type="button" class="button quiet stretch" title=${isZoomed ? texts.allSteps : texts.zoomToTheStepsInWhich}
      @click=${() => (isZoomed ? app.zoomTo(null) : app.zoomToFall())}>${isZoomed ? texts.allStepsLabel : texts.whereLossesFallLabel}</button>`;
  }
}
