/**
 * The knobs of a run's card: rate, batch size if there is one, and the method's own parameters.
 * Owns: which are visible, their scales and spoken values.
 */

import { make } from "./dom.js";
import { knob } from "./knob.js";
import { scaleOf } from "./scales.js";
import { parametersOf, rowsOf } from "../state/catalog.js";
import { integer, plural, setting } from "../state/format.js";
import { explained, isWhole, refusalOf } from "../state/parameters.js";
import { nameFor, wordFor } from "../state/words.js";

/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {import("../state/types.js").Experiment} Experiment */
/** @typedef {import("../state/types.js").Catalog} Catalog */
/** @typedef {import("../state/catalog.js").Parameter} Parameter */

/** Full names of knobs with short labels. @type {Record<string, string>} */
const IN_FULL = { learning_rate: "learning rate", batch_size: "batch size" };
/** Guards against a division by 0, which nobody tunes. */
const GUARDS = new Set(["epsilon"]);

/** @param {string} name */
export const fullName = (name) => IN_FULL[name] ?? wordFor("settings", name);

/**
 * Own parameters of the run's optimizer: either the guards or the others.
 * @param {Catalog|null} catalog
 * @param {Run} run
 * @param {boolean} guards
 */
export const ownParameters = (catalog, { settings: { optimizer } }, guards) =>
  parametersOf(catalog, "optimizers", optimizer).filter(({ name }) => GUARDS.has(name) === guards);

/** @param {Catalog|null} catalog @param {Run} run @returns {Parameter[]} */
function inSight(catalog, run) {
  const size = run.settings.batch_size;
  const isMini = size !== null && size !== 1;
  const always = /** @type {Parameter[]} */ (rowsOf(catalog, "run_settings")).filter(({ name }) => name === "learning_rate" || (name === "batch_size" && isMini));
  return [...always, ...ownParameters(catalog, run, false)];
}

/** "learning rate 0.03", "32 samples". @param {Parameter} parameter */
function saying({ name, unit }) {
  return (/** @type {number} */ value) => (unit ? plural(value, unit.replace(/s$/, "")) : `${fullName(name)} ${setting(value)}`);
}

/**
 * @param {Run} run
 * @param {App} app
 */
export function knobsFor(run, app) {
  return inSight(app.store.get().catalog, run).map((parameter) => {
    const { name } = parameter;
    const full = fullName(name);
    const { root, show } = knob({
      text: nameFor("settings", name), name: `${full[0].toUpperCase()}${full.slice(1)} of ${run.label}`,
      scale: scaleOf(parameter), format: setting, say: saying(parameter), refuse: refusalOf(parameter), whole: isWhole(parameter),
      explanation: explained(parameter), apply: (value) => app.edit(run.name, { [name]: value }),
    });
    root.dataset.setting = name;
    return { root, show: (/** @type {Run} */ now) => show(now.settings[name] ?? 0) };
  });
}

/** A muted line where there is nothing to set. @param {string} text @param {string} says */
const line = (text, says) => make("div", { class: "knob" }, make("span", {}, text), make("span", { class: "muted wide" }, says));

/** For a run without a batch size to choose. @param {Run} run @param {Experiment} experiment */
export function batchLine(run, { trainSamples }) {
  const size = run.settings.batch_size;
  if (size !== null && size !== 1) return null;
  const one = run.settings.order === "sequential" ? "1, in the order of the data" : "1, drawn at random";
  return line("Batch", size === null ? `${integer(trainSamples)}, ${trainSamples === 1 ? "the only" : "every"} sample` : one);
}

/** For a run whose rule is not in the switch. @param {string} optimizer */
export const ruleLine = (optimizer) => line("Rule", nameFor("optimizers", optimizer));
