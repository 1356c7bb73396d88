/**
 * What a loss is called, whichever form the recipe names it in, and whether it suits other data.
 * Owns: that. Pure.
 */

import { rowsOf } from "./settings.js";

/** @typedef {import("./wire-types.js").Catalog} Catalog */
/** @typedef {import("./wire-types.js").Json} Json */
/** @typedef {string | (import("./wire-types.js").Json & {name: string})} LossRecipe */

/** @type {Record<string, string>} */
const WORDS = {
  mse: "mean squared error", huber: "Huber loss", binary_cross_entropy: "binary cross-entropy", softmax_cross_entropy: "softmax cross-entropy",
};

/** @param {LossRecipe} loss */
export const lossName = (loss) => (typeof loss === "string" ? loss : loss.name);

/** "mean squared error", "Huber loss, delta 0.5". @param {LossRecipe} loss */
export function lossWords(loss) {
  const name = lossName(loss);
  const own = typeof loss === "string" ? [] : Object.entries(loss).filter(([key]) => key !== "name").map(([key, value]) => `${key} ${value}`);
  return [WORDS[name] ?? name.replaceAll("_", " "), ...own].join(", ");
}

/** Outputs that are logits are no predictions yet. @param {LossRecipe} loss */
export const takesLogits = (loss) => lossName(loss).endsWith("cross_entropy");

/** @param {Catalog|null} catalog @param {string} table @param {string} name */
const rowOf = (catalog, table, name) => rowsOf(catalog, table).find((row) => row.name === name);

/**
 * Whether a recipe keeps its loss with other data: where that is of the same kind, and the loss can tell its classes
 * apart. Otherwise the data's own takes its place.
 * @param {Catalog|null} catalog
 * @param {LossRecipe} loss
 * @param {Json} before  the data until now
 * @param {Json} after
 */
export function keepsLoss(catalog, loss, before, after) {
  if (after.name === before.name && after.dataset === before.dataset && after.task === before.task) return true;
  const [was, is] = [before, after].map((data) => rowOf(catalog, "datasets", data.name));
  const most = rowOf(catalog, "losses", lossName(loss))?.most_classes;
  const fits = !is?.classes?.length || most === null || most >= is.classes.length;
  return Boolean(was && is && was.task && was.task === is.task && fits);
}
