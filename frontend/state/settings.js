/**
 * The settings in force in a run: its recipe, edits and unanswered commands.
 * Owns: applying edits in order, as the server does.
 */

import { defaultsOf, ownNames } from "./catalog.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Json} Json */
/** @typedef {import("./types.js").Edit} Edit */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").RunRecipe} RunRecipe */
/** @typedef {import("./types.js").Catalog} Catalog */

/**
 * Settings shared by all optimizers: they stay when the optimizer changes.
 * @param {Json} settings
 * @param {Catalog|null} catalog
 */
function withoutOwn(settings, catalog) {
  const own = ownNames(catalog, "optimizers");
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !own.has(name)));
}

/**
 * Drawing layers again happens once and is no setting.
 * @param {Json} settings
 * @param {Json} change
 * @param {Catalog|null} catalog
 * @returns {Run["settings"]}
 */
export function changed(settings, { redraw: _, ...change }, catalog) {
  const optimizer = change.optimizer ?? settings.optimizer;
  const isOther = optimizer !== settings.optimizer;
  const before = isOther ? { ...withoutOwn(settings, catalog), ...defaultsOf(catalog, "optimizers", optimizer) } : settings;
  return /** @type {Run["settings"]} */ ({ ...before, ...change, optimizer });
}

/**
 * @param {RunRecipe} recipe
 * @param {Edit[]} edits
 * @param {Json[]} pending
 * @param {Catalog|null} catalog
 * @returns {Run["settings"]}
 */
export function inForce(recipe, edits, pending, catalog) {
  const { name, label, seed, origin, edits: _, ...start } = recipe;
  const changes = [...edits.map(({ at_step, ...change }) => change), ...pending];
  const settings = changed({ ...defaultsOf(catalog, "optimizers", recipe.optimizer), ...start, optimizer: recipe.optimizer }, {}, catalog);
  return changes.reduce((/** @type {Run["settings"]} */ before, change) => changed(before, change, catalog), settings);
}

/**
 * Merges two changes of a run; the later wins. Another optimizer drops the settings of the one before.
 * @param {Json} change
 * @param {Json} later
 * @param {Catalog|null} catalog
 * @returns {Json}
 */
export function mergedEdits(change, later, catalog) {
  const isOther = later.optimizer !== undefined && later.optimizer !== change.optimizer;
  return { ...(isOther ? withoutOwn(change, catalog) : change), ...later };
}

/**
 * Edits at one step merge; the later wins, as on the server.
 * @param {Edit[]} edits
 * @param {Edit} edit
 * @param {Catalog|null} catalog
 * @returns {Edit[]}
 */
export function withEdit(edits, edit, catalog) {
  const same = edits.find(({ at_step }) => at_step === edit.at_step);
  if (!same) return [...edits, edit].sort((a, b) => a.at_step - b.at_step);
  return edits.map((other) => (other === same ? /** @type {Edit} */ (mergedEdits(same, edit, catalog)) : other));
}

/** Unanswered changes of a run. @param {State} state @param {string} run @returns {Json[]} */
export function pendingChanges(state, run) {
  return Object.values(state.pending)
    .filter((command) => command.do === "edit" && command.run === run)
    .map(({ body: { label, ...change } }) => change);
}

/**
 * The run's recipe with its present settings and no edits, as after a reset.
 * @param {RunRecipe} recipe
 * @param {Run} run
 * @returns {RunRecipe}
 */
export function fromNow(recipe, run) {
  return { name: recipe.name, label: run.label, seed: recipe.seed, ...run.settings, edits: [] };
}
