/**
 * A recipe's data when part of it changes.
 * Owns: which settings still apply to another data set, and which numbers are standardized. Pure.
 */

import { parametersOf, rowOf } from "./catalog.ts";
import * as texts from "../words/english.ts";
import type { Experiment } from "./types.ts";
import type { Catalog, Json } from "./wire-types.ts";

/** The data set of uploaded tables. */
export const FILE = "csv";

/** File, column and task: they mean nothing to another data set. */
const OF_A_FILE = ["dataset", "target", "task"];

/** Measured data have units of any size, so a network takes them standardized. */
const isMeasured = (row: Json | undefined) => typeof row?.samples === "number";

/** True if the inputs or targets on view are standardized; class indices never are. */
export const isStandardized = (experiment: Experiment | null, part: "inputs" | "targets") =>
  [part, "both"].includes(experiment?.recipe.data.standardize ?? "none") &&
  (part === "inputs" || !experiment?.classes.length);

/** How to read such numbers. */
export const STANDARDIZED = texts.zeroIsTheMean;

export const standardFor = (task: string | undefined) =>
  task === "classification" ? "inputs" : "both";

/**
 * Drops settings that belong to one data set only; the server fills in the others.
 * @param data before the change
 */
export function otherData(catalog: Catalog | null, data: Json, change: Json): Json {
  const name = change.name ?? data.name;
  if (name === data.name && change.dataset === undefined) return { ...data, ...change };
  const [was, is] = [data.name, name].map((each) => rowOf(catalog, "datasets", each));
  const dropped = new Set([
    ...OF_A_FILE,
    ...parametersOf(catalog, "datasets", data.name).map((parameter) => parameter.name),
  ]);
  const isFile = [name, data.name].includes(FILE);
  for (const each of ["features", "samples"])
    if (was?.[each] !== is?.[each] || isFile) dropped.add(each);
  if (is?.task === "regression") dropped.add("label_noise");
  if (isMeasured(was) || isFile) dropped.add("standardize");
  const rest = Object.fromEntries(Object.entries(data).filter(([each]) => !dropped.has(each)));
  return { ...rest, ...(isMeasured(is) ? { standardize: standardFor(is?.task) } : {}), ...change };
}
