/**
 * Which exhibit is on the page, if any, and what may be said of it.
 * Owns: when a recipe is an exhibit's, and the words for it. Pure; must not know elements.
 */

import { rowOf, rowsOf } from "./catalog.js";
import { recipeNow } from "./recipes.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").View} View */
/** @typedef {import("./types.js").Pace} Pace */
/** @typedef {import("./types.js").Recipe} Recipe */
/**
 * @typedef {object} Exhibit  as the catalog tells it; its recipe is filled in
 * @property {string} name
 * @property {string} title
 * @property {string} line         a few words that can follow "Press play:"
 * @property {string[]} sentences  two, on what to look at
 * @property {Recipe} recipe
 * @property {{x: View["x"], measure: View["measure"], panel?: View["panel"], speed: number, pace: Pace}} view  in which that is seen best
 * @property {Record<string, (number|null)[]>} [curves]  train losses by run, evenly along the axis; null where there is none
 */

export const OWN = "Your own experiment";

/** @param {State} state @returns {Exhibit[]} */
export const exhibitsOf = ({ catalog }) => /** @type {Exhibit[]} */ (rowsOf(catalog, "exhibits"));

/** @param {State} state @param {string} name */
export const exhibitCalled = ({ catalog }, name) => /** @type {Exhibit|undefined} */ (rowOf(catalog, "exhibits", name));

/** The same text for the same thing, in whatever order its fields came. @param {any} value @returns {string} */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  return `{${Object.keys(value).sort().map((key) => `${key}:${canonical(value[key])}`)}}`;
}

/** What decides the numbers: not what runs are called, nor in which order they stand. @param {Recipe} recipe */
function essence({ runs = [], ...shared }) {
  const plain = runs.map(({ label: _, ...run }) => canonical({ ...run, edits: run.edits ?? [] }));
  return canonical({ ...shared, runs: plain.sort() });
}

/**
 * The exhibit whose recipe this is, edits and all. A reset, another label or a look back change nothing of it; whatever
 * changes the numbers makes of it one's own experiment.
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

/** What `exhibitOf` depends on, to be watched. @param {State} state @returns {unknown[]} */
export const exhibitParts = ({ catalog, experiment, order, runs }) => [catalog, experiment?.recipe, ...order.map((name) => runs[name].edits)];

/** What is above the page: the exhibit's title or that it is none, "" before that is known. @param {State} state */
export const titleOf = (state) => (state.experiment && state.catalog ? exhibitOf(state)?.title ?? OWN : "");

/** What one is invited to, true of any experiment. @param {State} state */
export function invitationOf(state) {
  const line = exhibitOf(state)?.line;
  if (line) return `Press play: ${line}.`;
  const { length } = state.order;
  return length < 2 ? "Press play, and watch the loss." : `Press play: ${length === 2 ? "both" : `all ${length}`} runs start from the same weights.`;
}

/** @param {State} state */
export const isUntouched = ({ runs }) => Object.values(runs).every(({ step, generation }) => step === 0 && generation === 0);

/** Speed and pace for an exhibit that nobody has played yet: the server hears of them with the first play. @param {State} state */
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
 * The curves as lines of a small drawing, losses on a log axis that all of them share; as far as there are losses above 0.
 * @param {(number|null)[][]} curves
 * @param {number} width
 * @param {number} height
 * @returns {string[]} points of each, as a polyline has them
 */
export function linesOf(curves, width, height) {
  const heights = curves.map((losses) => losses.map((loss) => (loss !== null && loss > 0 ? Math.log10(loss) : null)));
  const known = heights.flat().filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  /** @param {number} value */
  const down = (value) => (most > least ? ((most - value) / (most - least)) * height : height / 2);
  return heights.map((losses) => losses.flatMap((value, place) =>
    (value === null ? [] : [`${((place / Math.max(1, losses.length - 1)) * width).toFixed(1)},${down(value).toFixed(1)}`])).join(" "));
}
