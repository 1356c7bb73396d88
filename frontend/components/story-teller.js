/**
 * Says in a sentence where the race stands: at most once in ten seconds while it plays, at once when it is paused or stepped;
 * and what a chart's cursor reads, as soon as it was moved.
 * Owns: the polite live region. Strips with role alert speak for themselves.
 */

import { write } from "./dom.js";
import { LiveElement, register } from "./live-element.js";
import { furthestStep } from "./transport-bar.js";
import { number } from "../state/format.js";
import { stateOf, whereWords } from "../state/selectors.js";

/** @typedef {import("../state/types.js").State} State */

const QUIET_MS = 10_000;
/** Steps that are made one by one come faster than they can be heard. */
const SETTLED_MS = 400;

/** @param {State} state */
function story(state) {
  const step = furthestStep(state);
  const runs = state.order.map((name) => state.runs[name]).filter(({ hidden }) => !hidden);
  const lines = runs.map((run) => `${run.label} ${number(run.latest.train_loss?.value)}, ${stateOf(run, state).word}.`);
  return [step === 0 ? "Ready, step 0." : `Step ${whereWords(state)}.`, ...lines].join(" ");
}

export class StoryTeller extends LiveElement {
  #lastSaid = -Infinity;
  #timer = 0;

  start() {
    this.follow((state) => [state.frames, state.playback.playing, state.experiment, state.runs], (_, state) => {
      if (state.experiment) this.#plan(state.playback.playing);
    });
    const read = (/** @type {Event} */ event) => this.#utter(/** @type {CustomEvent<string>} */ (event).detail);
    document.addEventListener("spoken", read);
    this.whenGone(() => document.removeEventListener("spoken", read));
    this.whenGone(() => clearTimeout(this.#timer));
  }

  /** @param {boolean} playing */
  #plan(playing) {
    if (playing && this.#timer) return;
    clearTimeout(this.#timer);
    const wait = playing ? Math.max(0, this.#lastSaid + QUIET_MS - performance.now()) : SETTLED_MS;
    this.#timer = window.setTimeout(() => this.#say(), wait);
  }

  #say() {
    this.#utter(story(this.app.store.get()));
  }

  /** What was about to be said gives way: two sentences at once are heard as none. @param {string} words */
  #utter(words) {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#lastSaid = performance.now();
    write(this, words);
  }
}

/** @param {import("../state/types.js").App} app */
export const registerStoryTeller = (app) => register("story-teller", StoryTeller, app);
