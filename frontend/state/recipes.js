/**
 * Recipes from the page's state: the present one, and changed ones for new experiments.
 * Owns: how changes are merged. Pure.
 */

import { otherData } from "./data-recipe.js";
import { keepsLoss, takesLogits } from "./losses.js";
import { fromNow } from "./settings.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Recipe} Recipe */
/** @typedef {import("./types.js").Json} Json */
/** @typedef {import("./losses.js").LossRecipe} LossRecipe */
/** @typedef {{data?: Json, network?: Json, loss?: LossRecipe, runs?: Record<string, Json>}} Changes  runs by name */

/**
 * The recipe with all edits and labels so far: posting it gives the same numbers.
 * @param {State} state
 * @returns {Recipe|null}
 */
export function recipeNow({ experiment, runs }) {
  if (!experiment) return null;
  const present = experiment.recipe.runs.filter(({ name }) => runs[name]);
  return { ...experiment.recipe, runs: present.map((run) => ({ ...run, label: runs[run.name].label, edits: runs[run.name].edits })) };
}

/**
 * The recipe of a new experiment: the changes, and runs with their present settings.
 * @param {State} state
 * @param {Changes} changes
 */
export function changedRecipe({ experiment, runs, catalog }, changes) {
  const { data, network, loss, runs: recipes } = /** @type {NonNullable<typeof experiment>} */ (experiment).recipe;
  const samples = otherData(catalog, data, changes.data ?? {});
  const keepsOne = changes.loss !== undefined || keepsLoss(catalog, loss, data, samples);
  // the replacing loss may need logits
  const isBare = !keepsOne || (changes.loss !== undefined && takesLogits(changes.loss));
  return {
    data: samples,
    network: { ...drawn(network, changes.network), ...(isBare ? { output: "identity" } : {}), ...changes.network },
    ...(keepsOne ? { loss: changes.loss ?? loss } : {}),
    runs: recipes.filter(({ name }) => runs[name]).map((run) => ({ ...fromNow(run, runs[run.name]), ...changes.runs?.[run.name] })),
  };
}

/** A changed network is initialized by its own recipe, not from a file. @param {Json} network @param {Json} [change] */
function drawn({ start, ...network }, change) {
  return start === undefined || change ? network : { ...network, start };
}

/**
 * Merges two changes; the later wins. Settings of one data set do not apply to another.
 * @param {Changes} earlier
 * @param {Changes} later
 * @returns {Changes}
 */
export function joinedChanges(earlier, later) {
  const both = (/** @type {"data"|"network"|"runs"} */ part) => (earlier[part] || later[part] ? { [part]: { ...earlier[part], ...later[part] } } : {});
  const data = later.data?.name ? { data: later.data } : both("data");
  return { ...earlier, ...later, ...data, ...both("network"), ...both("runs") };
}

/** The notice of a new experiment. @param {Changes} changes @param {number} runs */
export function freshWords({ data, network, loss }, runs) {
  const who = runs === 1 ? "the run starts" : runs === 2 ? "both runs start" : "all runs start";
  const what = data ? "New data" : network?.start ? "Weights from a file" : network?.layers ? "New shape, new weights" : network ? "New weights" : loss ? "A new loss" : "Another order of the samples";
  return `${what}: ${who} again at step 0.`;
}

/**
 * One more run: mini-batches of 32 first, then the first run's method; at the lowest rate in use.
 * @param {State} state
 * @returns {Json}
 */
export function nextRun({ order, runs }) {
  const first = runs[order[0]]?.settings;
  const labels = new Set(order.map((name) => runs[name].label));
  const mini = !labels.has("Mini-batch");
  return {
    label: mini ? "Mini-batch" : `Run ${order.length + 1}`,
    learning_rate: Math.min(...order.map((name) => runs[name].settings.learning_rate)),
    batch_size: mini ? 32 : first?.batch_size ?? null,
  };
}

/** The series of the two charts. @param {NonNullable<State["experiment"]>} experiment @param {string} measure */
export const lossesAndMeasure = ({ weights, testSamples }, measure) => ["train_loss", ...(testSamples ? ["test_loss"] : []), ...weights.map((weight) => `${measure}/${weight}`)];

/** The series that the page uses; others are not requested. @param {NonNullable<State["experiment"]>} experiment */
export function seriesFor({ weights, testSamples, score }) {
  const splits = testSamples ? ["train", "test"] : ["train"];
  const measures = ["grad_l1", "grad_l2", "grad_mean", "ratio"];
  return [
    "objective",
    ...splits.flatMap((split) => [`${split}_loss`, `${split}_${score}`]),
    ...weights.flatMap((weight) => measures.map((measure) => `${measure}/${weight}`)),
  ];
}
