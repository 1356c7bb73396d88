/**
 * Names of losses in either form of a recipe, and which data they suit.
 * Owns: that. Pure.
 */

import { methodName, rowOf, rowsOf } from "./catalog.ts";
import * as texts from "../words/english.ts";
import type { Method as LossRecipe } from "./catalog.ts";
import type { Catalog, Json } from "./wire-types.ts";

export type { Method as LossRecipe } from "./catalog.ts";

const WORDS: Record<string, string> = {
  mse: texts.meanSquaredError,
  huber: texts.huberLoss,
  binary_cross_entropy: texts.binaryCrossEntropy,
  softmax_cross_entropy: texts.softmaxCrossEntropy,
};

/** "mean squared error", "Huber loss, delta 0.5". */
export function lossWords(loss: LossRecipe) {
  const name = methodName(loss);
  const own =
    typeof loss === "string"
      ? []
      : Object.entries(loss)
          .filter(([key]) => key !== "name")
          .map(([key, value]) => `${key} ${value}`);
  return [WORDS[name] ?? name.replaceAll("_", " "), ...own].join(", ");
}

/** "half of the mean squared error, and penalties" of the server's "mse / 2 + penalties". */
export function minimizedWords(descended: string) {
  const [loss, penalties] = descended.split(" + ");
  const [name, share] = loss.split(" / ");
  const words = share ? texts.halfOfTheX(lossWords(name)) : lossWords(name);
  return penalties ? texts.xAndPenalties(words) : words;
}

/** Outputs that are logits are no predictions yet. */
export const takesLogits = (loss: LossRecipe) => methodName(loss).endsWith("cross_entropy");

/** Losses for a regression (0 classes) or this many classes. */
export const fittingLosses = (catalog: Catalog | null, classes: number) =>
  rowsOf(catalog, "losses").filter(({ task, most_classes: most }) =>
    classes ? most === null || classes <= most : task === "regression",
  );

/**
 * True if a recipe keeps its loss with other data: of the same kind, with a number of classes the
 * loss can handle. Otherwise the data's default loss applies.
 * @param before the data before the change
 */
export function keepsLoss(catalog: Catalog | null, loss: LossRecipe, before: Json, after: Json) {
  if (after.name === before.name && after.dataset === before.dataset && after.task === before.task)
    return true;
  const [was, is] = [before, after].map((data) => rowOf(catalog, "datasets", data.name));
  const most = rowOf(catalog, "losses", methodName(loss))?.most_classes;
  const fits = !is?.classes?.length || most === null || most >= is.classes.length;
  return Boolean(was && is && was.task && was.task === is.task && fits);
}
