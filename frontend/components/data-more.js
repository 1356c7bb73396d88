/**
 * Data settings used less often: inputs, wrong labels, standardization, and others from the catalog.
 * Owns: which of them apply to which data.
 */

import { make } from "./dom.js";
import { moreSettings } from "./more-below.js";
import { changingBoxes, methodSelect, parameterBox } from "./setting-box.js";
import { rowOf, rowsOf } from "../state/catalog.js";
import { FILE } from "../state/data-recipe.js";
import { setting } from "../state/format.js";
import { explanationOf } from "../state/parameters.js";
import { nameFor, wordFor } from "../state/words.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Catalog} Catalog */
/** @typedef {import("../state/types.js").Experiment} Experiment */
/** @typedef {import("../state/catalog.js").Parameter} Parameter */

/** Always visible. */
const IN_SIGHT = ["samples", "test_fraction", "noise"];
const STANDARDIZE = { help: "values scaled to mean 0 and standard deviation 1 over the training samples; losses are in these units" };

/** @param {Catalog|null} catalog @param {Experiment} experiment @returns {Parameter[]} */
function applying(catalog, { recipe: { data }, classes }) {
  const isFree = data.name !== FILE && (rowOf(catalog, "datasets", data.name)?.features ?? null) === null;
  const applies = /** @type {Record<string, boolean>} */ ({ features: isFree, label_noise: classes.length > 0 });
  return /** @type {Parameter[]} */ (rowsOf(catalog, "data_settings")).filter(({ name }) => !IN_SIGHT.includes(name) && (applies[name] ?? true));
}

/**
 * @param {Catalog|null} catalog
 * @param {(change: Json) => void} change
 */
export function dataMore(catalog, change) {
  const rows = /** @type {Parameter[]} */ (rowsOf(catalog, "data_settings"));
  const boxes = changingBoxes("pair", (names) => rows.filter(({ name }) => names.split(" ").includes(name)).map((parameter) =>
    parameterBox({ parameter, apply: (value) => change({ [parameter.name]: value }) })));
  const standard = methodSelect({ text: "Standardize", choose: (standardize) => change({ standardize }) });
  const more = moreSettings("settings of the data", make("div", { class: "rows" }, boxes.root, standard.root));

  /** @param {Experiment} experiment */
  function show(experiment) {
    const { data } = experiment.recipe;
    const parameters = applying(catalog, experiment);
    for (const box of boxes.put(parameters.map(({ name }) => name).join(" "))) box.show(data[box.parameter.name] ?? box.parameter.default);
    const choices = /** @type {string[]} */ (catalog?.standardize ?? []).filter((name) => !experiment.classes.length || ["none", "inputs"].includes(name) || name === data.standardize);
    standard.show(choices.map((name) => ({ value: name, text: nameFor("standardize", name) })), data.standardize ?? "none", explanationOf(STANDARDIZE));
    const others = parameters.filter(({ name, default: usual }) => name !== "features" && (data[name] ?? usual) !== usual);
    more.list([
      data.standardize && data.standardize !== "none" && `${wordFor("standardize", data.standardize)} standardized`,
      ...others.map(({ name }) => `${wordFor("settings", name)} ${setting(data[name])}`),
    ]);
  }
  return { root: more.root, show, present: boxes.present };
}
