/**
 * Data settings used less often: inputs, wrong labels, standardization, and others from the
 * catalog.
 * Owns: which of them apply to which data.
 */

import { make } from "../../ui/dom.ts";
import { moreSettings } from "../../ui/more-settings.ts";
import { changingBoxes, methodSelect, parameterBox } from "../../ui/setting-box.ts";
import { rowOf, rowsOf } from "../../core/catalog.ts";
import { FILE } from "../../core/data-recipe.ts";
import { setting } from "../../core/format.ts";
import { explanationOf } from "../../core/parameters.ts";
import { nameFor, wordFor } from "../../core/words.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { Catalog, Experiment, Json } from "../../core/types.ts";

/** Always visible. */
const IN_SIGHT = ["samples", "test_fraction", "noise"];
const STANDARDIZE = {
  help: "values scaled to mean 0 and standard deviation 1 over the training samples; losses are in these units",
};

function applying(catalog: Catalog | null, { recipe: { data }, classes }: Experiment): Parameter[] {
  const isFree =
    data.name !== FILE && (rowOf(catalog, "datasets", data.name)?.features ?? null) === null;
  const applies = { features: isFree, label_noise: classes.length > 0 } as Record<string, boolean>;
  return (rowsOf(catalog, "data_settings") as Parameter[]).filter(
    ({ name }) => !IN_SIGHT.includes(name) && (applies[name] ?? true),
  );
}

export function dataMore(catalog: Catalog | null, change: (change: Json) => void) {
  const rows = rowsOf(catalog, "data_settings") as Parameter[];
  const boxes = changingBoxes("pair", (names) =>
    rows
      .filter(({ name }) => names.split(" ").includes(name))
      .map((parameter) =>
        parameterBox({ parameter, apply: (value) => change({ [parameter.name]: value }) }),
      ),
  );
  const standard = methodSelect({
    text: "Standardize",
    choose: (standardize) => change({ standardize }),
  });
  const more = moreSettings(
    "settings of the data",
    make("div", { class: "rows" }, boxes.root, standard.root),
  );

  function show(experiment: Experiment) {
    const { data } = experiment.recipe;
    const parameters = applying(catalog, experiment);
    for (const box of boxes.put(parameters.map(({ name }) => name).join(" ")))
      box.show(data[box.parameter.name] ?? box.parameter.default);
    const choices = ((catalog?.standardize ?? []) as string[]).filter(
      (name) =>
        !experiment.classes.length ||
        ["none", "inputs"].includes(name) ||
        name === data.standardize,
    );
    standard.show(
      choices.map((name) => ({ value: name, text: nameFor("standardize", name) })),
      data.standardize ?? "none",
      explanationOf(STANDARDIZE),
    );
    const others = parameters.filter(
      ({ name, default: usual }) => name !== "features" && (data[name] ?? usual) !== usual,
    );
    more.list([
      data.standardize &&
        data.standardize !== "none" &&
        `${wordFor("standardize", data.standardize)} standardized`,
      ...others.map(({ name }) => `${wordFor("settings", name)} ${setting(data[name])}`),
    ]);
  }
  return { root: more.root, show, present: boxes.present };
}
