/**
 * Words of the printed sheet: its heading, and what makes its numbers again.
 * Owns: the words. Pure.
 */

import { lossWords } from "../core/losses.ts";
import { listed, plural } from "../core/format.ts";
import { answerWords, askedExhibit } from "../core/questions.ts";
import { runSentence } from "../core/run-words.ts";
import { stateOnView } from "../core/state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Experiment, State } from "../core/types.ts";

/** Letters of two lines of the heading. */
const LETTERS = 80;

/**
 * The exhibit's question, with its answer at the end; for an own experiment its runs, or their number
 * if their names need more than two lines: the table has them.
 */
export function sheetTitle(state: State) {
  const prompt = askedExhibit(state)?.question.prompt;
  const answer = answerWords(state);
  if (!prompt) {
    const { order, runs } = state;
    const names = listed(order.map((name) => runs[name].label));
    return order.length === 1 || names.length <= LETTERS ? names : plural(order.length, "run");
  }
  return answer ? `${prompt} ${answer.replace(/\.?$/, ".")}` : prompt;
}

/** "Loss: mean squared error over 900 samples". */
export const lossTitle = ({ recipe, trainSamples }: Experiment) =>
  texts.lossXOverY(lossWords(recipe.loss), plural(trainSamples, "sample"));

/** "Data seed 17, network seed 173." and the method of each run. */
export function seedWords(present: State): string[] {
  const state = stateOnView(present);
  const recipe = state.experiment?.recipe;
  if (!recipe) return [];
  const seeds = Object.fromEntries(recipe.runs.map(({ name, seed }) => [name, seed]));
  return [
    texts.dataSeedXNetworkSeedY(recipe.data.seed, recipe.network.seed),
    ...state.order.map((name) => {
      const run = state.runs[name];
      return texts.xYSeedZ(run.label, runSentence(run), seeds[name]);
    }),
    texts.theRecipeMakesEveryNumberAgain,
  ];
}
