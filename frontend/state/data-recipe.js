/**
 * The data's part of a recipe when something of it changes.
 * Owns: what of the settings until now still says something of another data set, and which numbers are standardized. Pure; must not know how data is made.
 */

import { parametersOf, rowOf } from "./catalog.js";

/** @typedef {import("./wire-types.js").Catalog} Catalog */
/** @typedef {import("./wire-types.js").Json} Json */

/** The data set that is somebody's own file. */
export const FILE = "csv";

/** Which file, which of its columns, and as what: nothing that another data set would know of. */
const OF_A_FILE = ["dataset", "target", "task"];

/** Measured numbers have units of their own, of any size: a network takes them standardized. @param {Json|undefined} row */
const isMeasured = (row) => typeof row?.samples === "number";

/**
 * Whether the numbers of inputs or targets that are shown are standardized ones; the index of a class stays what it is.
 * @param {import("./types.js").Experiment|null} experiment
 * @param {"inputs"|"targets"} part
 */
export const isStandardized = (experiment, part) =>
  [part, "both"].includes(experiment?.recipe.data.standardize ?? "none") && (part === "inputs" || !experiment?.classes.length);

/** How such numbers are read. */
export const STANDARDIZED = "0 is the mean, 1 a standard deviation.";

/** @param {string|undefined} task */
export const standardFor = (task) => (task === "classification" ? "inputs" : "both");

/**
 * What one data set has fixed, or has alone, is left out for another; the server fills it in.
 * @param {Catalog|null} catalog
 * @param {Json} data    until now
 * @param {Json} change
 * @returns {Json}
 */
export function otherData(catalog, data, change) {
  const name = change.name ?? data.name;
  if (name === data.name && change.dataset === undefined) return { ...data, ...change };
  const [was, is] = [data.name, name].map((each) => rowOf(catalog, "datasets", each));
  const gone = new Set([...OF_A_FILE, ...parametersOf(catalog, "datasets", data.name).map((parameter) => parameter.name)]);
  const isFile = [name, data.name].includes(FILE);
  for (const each of ["features", "samples"]) if (was?.[each] !== is?.[each] || isFile) gone.add(each);
  if (is?.task === "regression") gone.add("label_noise");
  if (isMeasured(was) || isFile) gone.add("standardize");
  const kept = Object.fromEntries(Object.entries(data).filter(([each]) => !gone.has(each)));
  return { ...kept, ...(isMeasured(is) ? { standardize: standardFor(is?.task) } : {}), ...change };
}
