/**
 * The settings in force in a run: its recipe, its edits, and what the page has asked for and not yet heard about.
 * Owns: the fold of edits, the same as the server's. Must not know components or the wire.
 */

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Json} Json */
/** @typedef {import("./types.js").Edit} Edit */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").RunRecipe} RunRecipe */
/** @typedef {import("./types.js").Catalog} Catalog */

const GENERAL = ["optimizer", "learning_rate", "batch_size", "order"];

/**
 * A table of the catalog as a list of rows, whether the server tells it as a list or by name.
 * @param {Catalog|null} catalog
 * @param {string} table
 * @returns {Json[]}
 */
export function rowsOf(catalog, table) {
  const rows = catalog?.[table];
  if (Array.isArray(rows)) return rows;
  return rows ? Object.entries(rows).map(([name, row]) => ({ name, ...row })) : [];
}

/**
 * @param {Catalog|null} catalog
 * @param {string} optimizer
 * @returns {Json}
 */
export function defaultsOf(catalog, optimizer) {
  const row = rowsOf(catalog, "optimizers").find(({ name }) => name === optimizer);
  const parameters = row?.parameters ?? [];
  /** @type {Json} */
  const defaults = {};
  const list = Array.isArray(parameters) ? parameters : Object.entries(parameters).map(([name, p]) => ({ name, ...p }));
  for (const { name, default: value } of list) if (!GENERAL.includes(name)) defaults[name] = value;
  return defaults;
}

/**
 * @param {Json} settings
 * @param {Json} change
 * @param {Catalog|null} catalog
 * @returns {Run["settings"]}
 */
export function changed(settings, change, catalog) {
  const optimizer = change.optimizer ?? settings.optimizer;
  const before = optimizer === settings.optimizer ? settings : pickGeneral(settings);
  const own = optimizer === settings.optimizer ? {} : defaultsOf(catalog, optimizer);
  return /** @type {Run["settings"]} */ ({ ...before, ...own, ...change, optimizer });
}

/** @param {Json} settings */
const pickGeneral = (settings) => Object.fromEntries(GENERAL.map((name) => [name, settings[name]]));

/**
 * @param {RunRecipe} recipe
 * @param {Edit[]} edits
 * @param {Json[]} asked
 * @param {Catalog|null} catalog
 * @returns {Run["settings"]}
 */
export function inForce(recipe, edits, asked, catalog) {
  const { name, label, seed, edits: _, ...start } = recipe;
  const changes = [...edits.map(({ at_step, ...change }) => change), ...asked];
  const settings = changed({ ...defaultsOf(catalog, recipe.optimizer), ...start, optimizer: recipe.optimizer }, {}, catalog);
  return changes.reduce((/** @type {Run["settings"]} */ before, change) => changed(before, change, catalog), settings);
}

/**
 * Two changes of one run as one, the later wins. Another optimizer leaves the settings of the one before behind.
 * @param {Json} change
 * @param {Json} later
 * @returns {Json}
 */
export function mergedEdits(change, later) {
  const isOther = later.optimizer !== undefined && later.optimizer !== change.optimizer;
  const kept = isOther ? Object.entries(change).filter(([name]) => name === "label" || GENERAL.includes(name)) : Object.entries(change);
  return { ...Object.fromEntries(kept), ...later };
}

/**
 * Edits at one step merge, the later wins, as on the server.
 * @param {Edit[]} edits
 * @param {Edit} edit
 * @returns {Edit[]}
 */
export function withEdit(edits, edit) {
  const held = edits.find(({ at_step }) => at_step === edit.at_step);
  if (!held) return [...edits, edit].sort((a, b) => a.at_step - b.at_step);
  return edits.map((other) => (other === held ? { ...held, ...edit } : other));
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
