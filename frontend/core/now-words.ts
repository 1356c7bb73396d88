/**
 * The place of training in words: beside the top bar's light, and on the way back from the past.
 * Owns: these words. Pure.
 */

import { counter, integer, plural } from "./format.ts";
import { furthestStep, stepsAhead } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
import type { RunStatus } from "./wire-types.ts";
import type { State } from "./types.ts";

/** Why nothing can train, and what helps; null if a run can go on. */
export function endWords({ order, runs }: State) {
  const states = order.map((name) => runs[name].status);
  if (!states.length || !states.every((status) => OVER.includes(status))) return null;
  return states.includes("finished")
    ? texts.everyRunHasStopped
    : `${texts.everyRunHasDiverged} ${texts.lowerTheRateThenReset}`;
}

const OVER: RunStatus[] = ["finished", "diverged"];

/** Without training: "Ready" before the first step, then "Paused"; "Stopped" if no run can go on. */
export function restWord(state: State) {
  if (endWords(state)) return texts.stoppedWord;
  return furthestStep(state) === 0 ? texts.ready : texts.paused;
}

/** "300 ahead" beside the light, while one looks back and training goes on. */
export const aheadWords = (state: State) =>
  state.looking && state.playback.playing ? texts.xAhead(counter(stepsAhead(state))) : "";

/**
 * On the button that leaves the past: how far back the view is, and where the button leads. Narrow
 * windows leave out the distance. Nothing is live while nothing trains.
 */
export function wayBackWords(state: State): { back: string; text: string; title: string } {
  const ahead = stepsAhead(state);
  const back = texts.xStepsBack(counter(ahead), ahead);
  return state.playback.playing
    ? {
        back,
        text: texts.backToLive,
        title: texts.backToLiveTrainingIsX(plural(ahead, "step")),
      }
    : { back, text: texts.newestStep, title: texts.backToStepXL(integer(furthestStep(state))) };
}
