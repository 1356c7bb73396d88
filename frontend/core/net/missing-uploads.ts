/**
 * Words for a recipe refused because of a table or parameters that this server no longer has. Pure.
 */

import * as texts from "../../words/english.ts";
import type { Problem } from "../types.ts";

/** The table was replaced by others, or the server restarted without storage. */
export const TABLE_GONE: Problem = {
  title: texts.theServerNoLongerHasYour,
  detail: texts.chooseOrDropItsFileAgain,
};

export const START_GONE: Problem = {
  title: texts.thisRecipesInitialWeightsAreNot,
  detail: texts.itStartsFromUploadedParametersAnd,
};

const BY_POINTER: Record<string, Problem> = {
  "/data/dataset": TABLE_GONE,
  "/network/start": START_GONE,
};

/** Words for such a refusal, if it is one. */
export function missingUploadWords(problem: Problem): Problem {
  const match = problem.errors?.find(({ pointer }) => pointer in BY_POINTER);
  return match ? BY_POINTER[match.pointer] : problem;
}
