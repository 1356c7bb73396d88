/**
 * The place of training in words: beside the top bar's light, and on the way back from the past.
 * Owns: these words. Pure.
 */

import { counter, integer, plural } from "./format.ts";
import { furthestStep, stepsAhead } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
import type { State } from "./types.ts";

/** Without training: "Ready" before the first step, then "Paused". */
export const restWord = (state: State) => (furthestStep(state) === 0 ? texts.ready : texts.paused);

/**
 * On the button that leaves the past. `live` gives way where there is no room; nothing is live while
 * nothing trains.
 */
export function wayBackWords(state: State): { live: string; text: string; title: string } {
  const ahead = stepsAhead(state);
  return state.playback.playing
    ? {
        live: texts.liveComma,
        text: texts.xAhead(counter(ahead)),
        title: texts.backToLiveTrainingIsX(plural(ahead, "step")),
      }
    : {
        live: "",
        text: texts.newestStep,
        title: texts.backToStepXL(integer(furthestStep(state))),
      };
}
