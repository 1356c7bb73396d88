/**
 * The exhibit on the page, if any, and its words.
 * Owns: when a recipe is an exhibit's. Pure.
 */

import { rowOf, rowsOf } from "./catalog.js";
import { recipeNow } from "./recipes.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Pace} Pace */
/** @typedef {import("./types.js").Recipe} Recipe */
/**
 * @typedef {object} Exhibit  as in the catalog; its recipe is filled in
 * @property {string} name
 * @property {string} title
 * @property {string} line  a few words after "Press play:"
 * @property {string[]} sentences  two that say what to look at
 * @property {Recipe} recipe
 * @property {{x: View["x"], measure: View["measure"], panel?: View["panel"], speed: number, pace: Pace}} view  the view that shows it best
 * @property {Record<string, (number|null)[]>} [curves]  train losses by run, evenly along the axis; null if there is none
 */

export const OWN = "Your own experiment";

/** @param {State} state @returns {Exhibit[]} */
export const exhibitsOf = ({ catalog }) => /** @type {Exhibit[]} */ (rowsOf(catalog, "exhibits"));

/** @param {State} state @param {string} name */
export const exhibitCalled = ({ catalog }, name) => /** @type {Exhibit|undefined} */ (rowOf(catalog, "exhibits", name));

/** The same text for equal values, in any order of fields. @param {any} value @returns {string} */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  return `{${Object.keys(value).sort().map((key) => `${key}:${canonical(value[key])}`)}}`;
}

/** The parts that decide the numbers: without names and order of runs. @param {Recipe} recipe */
function essence({ runs = [], ...shared }) {
  const plain = runs.map(({ label: _, ...run }) => canonical({ ...run, edits: run.edits ?? [] }));
  return canonical({ ...shared, runs: plain.sort() });
}

/**
 * The exhibit with this recipe, edits included. A reset, a new label or a past view keeps it; any change of numbers
 * makes it an experiment of one's own.
 * @param {State} state
 * @returns {Exhibit|null}
 */
export function exhibitOf(state) {
  const recipe = recipeNow(state);
  const exhibits = exhibitsOf(state);
  if (!recipe || !exhibits.length) return null;
  const now = essence(recipe);
  return exhibits.find((exhibit) => essence(exhibit.recipe) === now) ?? null;
}

/** The inputs of `exhibitOf`, for watching. @param {State} state @returns {unknown[]} */
export const exhibitParts = ({ catalog, experiment, order, runs }) => [catalog, experiment?.recipe, ...order.map((name) => runs[name].edits)];

/** The page's title: the exhibit's, or a fixed one for an own experiment; "" before either is known. @param {State} state */
export const titleOf = (state) => (state.experiment && state.catalog ? exhibitOf(state)?.title ?? OWN : "");

/** The invitation, true of any experiment. @param {State} state */
export function invitationOf(state) {
  const line = exhibitOf(state)?.line;
  if (line) return `Press play: ${line}.`;
  const { length } = state.order;
  return length < 2 ? "Press play, and watch the loss." : `Press play: ${length === 2 ? "both" : `all ${length}`} runs start from the same weights.`;
}

/** @param {State} state */
export const isUntouched = ({ runs }) => Object.values(runs).every(({ step, generation }) => step === 0 && generation === 0);

/** Speed and pace of an exhibit not played yet; the first play sends them. @param {State} state */
export function playbackOf(state) {
  const view = state.experiment?.token && isUntouched(state) ? exhibitOf(state)?.view : undefined;
  return view ? { speed: view.speed, pace: view.pace } : null;
}

/** "Adam: both runs start at step 0." @param {Exhibit} exhibit */
export function startWords({ title, recipe: { runs } }) {
  const who = runs.length === 1 ? "the run starts" : runs.length === 2 ? "both runs start" : `all ${runs.length} runs start`;
  return `${title}: ${who} at step 0.`;
}

/**
 * The curves as lines of a small drawing, on a shared log axis. Losses of 0 are left out.
 * @param {(number|null)[][]} curves
 * @param {number} width
 * @param {number} height
 * @returns {string[]}  points of each, for a polyline
 */
export function linesOf(curves, width, height) {
  const heights = curves.map((losses) => losses.map((loss) => (loss !== null && loss > 0 ? Math.log10(loss) : null)));
  const losses = heights.flat().filter((value) => value !== null);
  const [least, most] = [Math.min(...losses), Math.max(...losses)];
  /** @param {number} value */
  const down = (value) => (most > least ? ((most - value) / (most - least)) * height : height / 2);
  return heights.map((losses) => losses.flatMap((value, place) =>
    (value === null ? [] : [`${((place / Math.max(1, losses.length - 1)) * width).toFixed(1)},${down(value).toFixed(1)}`])).join(" "));
}
