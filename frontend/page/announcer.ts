/**
 * Describes the state of the runs in a sentence: at most every ten seconds during play, at once
 * when paused or stepped. Also reads a chart's cursor and each new problem of the Doctor.
 * Owns: the polite live region. Strips with role alert need no help.
 */

import { createProblemAnnouncer } from "./problem-announcer.ts";
import { LiveElement } from "../ui/live-element.ts";
import { integer, number } from "../core/format.ts";
import { hasEnded, isAtEnd } from "../core/questions.ts";
import { furthestStep, shownRuns, shownStep, stateOnView } from "../core/state-on-view.ts";
import { stateOf, whereWords } from "../core/selectors.ts";
import * as texts from "../words/english.ts";
import type { State } from "../core/types.ts";

const QUIET_MS = 10_000;
/** Single steps come faster than a person can hear them. */
const SETTLED_MS = 400;

function story(present: State) {
  const state = stateOnView(present);
  const lines = shownRuns(state).map(
    (run) =>
      `${run.label} ${[number(run.latest.train_loss?.value), stateOf(run, state).word].filter(Boolean).join(", ")}.`,
  );
  return [placeWords(present, state), ...lines].join(" ");
}

function placeWords(present: State, state: State) {
  if (present.looking)
    return texts.lookingBackStepXOfY(whereWords(state), integer(furthestStep(present)));
  return shownStep(state) === 0 ? texts.readyStep0 : texts.stepXSentence(whereWords(state));
}

export class Announcer extends LiveElement {
  #lastSentence = -Infinity;
  #timer = 0;
  #lastLooking: State["looking"] = null;
  #news = createProblemAnnouncer();
  #words = "";

  override render() {
    return this.#words;
  }

  override start() {
    this.follow(
      (state) => [
        state.frames,
        state.playback.playing,
        state.experiment,
        state.runs,
        state.looking,
      ],
      (_, state) => {
        if (state.experiment) this.#plan(state.playback.playing, state.looking);
        const news = this.#news(state);
        if (news) this.#utter([news, story(state)].join(" "));
      },
    );
    const read = (event: Event) => this.#utter((event as CustomEvent<string>).detail);
    document.addEventListener("spoken", read, { signal: this.gone });
    this.whenGone(() => clearTimeout(this.#timer));
  }

  /** Describes a past step once. */
  #plan(playing: boolean, looking: State["looking"]) {
    if (looking && looking === this.#lastLooking) return;
    this.#lastLooking = looking;
    if (looking) playing = false;
    if (playing && this.#timer) return;
    clearTimeout(this.#timer);
    const wait = playing
      ? Math.max(0, this.#lastSentence + QUIET_MS - performance.now())
      : SETTLED_MS;
    this.#timer = window.setTimeout(() => this.#say(), wait);
  }

  /** At the end of a question what happened is said instead, before or after this. */
  #say() {
    const state = this.app.store.get();
    const isTold = !state.looking && hasEnded(state) && isAtEnd(state);
    if (!isTold) this.#utter(story(state));
  }

  /** Replaces a sentence that waits: two at once cannot be understood. */
  #utter(words: string) {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#lastSentence = performance.now();
    this.#words = words;
    this.requestUpdate();
  }
}
