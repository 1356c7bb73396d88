/**
 * The settings in force in a run: its recipe, its edits, and what the page has asked for and not yet heard about.
 * Owns: the fold of edits, the same as the server's. Must not know components or the wire.
 */

import { defaultsOf, ownNames } from "./catalog.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Json} Json */
/** @typedef {import("./types.js").Edit} Edit */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").RunRecipe} RunRecipe */
/** @typedef {import("./types.js").Catalog} Catalog */

/**
 * Settings without those that belong to one optimizer or another: they stay when the optimizer changes.
 * @param {Json} settings
 * @param {Catalog|null} catalog
 */
function withoutOwn(settings, catalog) {
  const own = ownNames(catalog, "optimizers");
  return Object.fromEntries(Object.entries(settings).filter(([name]) => !own.has(name)));
}

/**
 * What an edit does once, drawing layers anew, is no setting.
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
 * @param {Json[]} asked
 * @param {Catalog|null} catalog
 * @returns {Run["settings"]}
 */
export function inForce(recipe, edits, asked, catalog) {
  const { name, label, seed, origin, edits: _, ...start } = recipe;
  const changes = [...edits.map(({ at_step, ...change }) => change), ...asked];
  const settings = changed({ ...defaultsOf(catalog, "optimizers", recipe.optimizer), ...start, optimizer: recipe.optimizer }, {}, catalog);
  return changes.reduce((/** @type {Run["settings"]} */ before, change) => changed(before, change, catalog), settings);
}

/**
 * Two changes of one run as one, the later wins. Another optimizer leaves the settings of the one before behind.
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
 * Edits at one step merge, the later wins, as on the server.
 * @param {Edit[]} edits
 * @param {Edit} edit
 * @param {Catalog|null} catalog
 * @returns {Edit[]}
 */
export function withEdit(edits, edit, catalog) {
  const held = edits.find(({ at_step }) => at_step === edit.at_step);
  if (!held) return [...edits, edit].sort((a, b) => a.at_step - b.at_step);
  return edits.map((other) => (other === held ? /** @type {Edit} */ (mergedEdits(held, edit, catalog)) : other));
}

/**
 * What the page has asked of a run and not yet heard about.
 * @param {State} state
 * @param {string} run
 * @returns {Json[]}
 */
export function askedOf(state, run) {
  return Object.values(state.pending)
    .filter((command) => command.do === "edit" && command.run === run)
    .map(({ body: { label, ...change } }) => change);
}

/**
 * The run's recipe with the settings in force as its start and no edits: what a reset makes of it.
 * @param {RunRecipe} recipe
 * @param {Run} run
 * @returns {RunRecipe}
 */
export function fromNow(recipe, run) {
  return { name: recipe.name, label: run.label, seed: recipe.seed, ...run.settings, edits: [] };
}
