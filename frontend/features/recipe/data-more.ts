/**
 * Data settings used less often: inputs, wrong labels, standardization, and others from the
 * catalog.
 * Owns: which of them apply to which data.
 */

import { html } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { moreSettings } from "../../ui/more-settings.ts";
import { rowOf, rowsOf } from "../../core/catalog.ts";
import { FILE } from "../../core/data-recipe.ts";
import { setting } from "../../core/format.ts";
import { explanationOf } from "../../core/parameters.ts";
import { nameFor, wordFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { Catalog, Experiment, Json } from "../../core/types.ts";

/** Always visible. */
const IN_SIGHT = ["samples", "test_fraction", "noise"];
const STANDARDIZE = {
  help: texts.valuesScaledToMean0And,
};

function applying(catalog: Catalog | null, { recipe: { data }, classes }: Experiment): Parameter[] {
  const isFree =
    data.name !== FILE && (rowOf(catalog, "datasets", data.name)?.features ?? null) === null;
  const applies = { features: isFree, label_noise: classes.length > 0 } as Record<string, boolean>;
  return (rowsOf(catalog, "data_settings") as Parameter[]).filter(
    ({ name }) => !IN_SIGHT.includes(name) && (applies[name] ?? true),
  );
}

/** @param box of one parameter */
export function dataMore(
  catalog: Catalog | null,
  experiment: Experiment,
  box: (parameter: Parameter, value: any) => unknown,
  change: (change: Json) => void,
) {
  const { data } = experiment.recipe;
  const parameters = applying(catalog, experiment);
  const ways = ((catalog?.standardize ?? []) as string[]).filter(
    (name) =>
      !experiment.classes.length || ["none", "inputs"].includes(name) || name === data.standardize,
  );
  const others = parameters.filter(
    ({ name, default: usual }) => name !== "features" && (data[name] ?? usual) !== usual,
  );
  const differing = [
    data.standardize &&
      data.standardize !== "none" &&
      texts.xStandardized(wordFor("standardize", data.standardize)),
    ...others.map(({ name }) => `${wordFor("settings", name)} ${setting(data[name])}`),
  ];
  const boxes = parameters.map((each) => box(each, data[each.name] ?? each.default));
  return moreSettings(
    texts.settingsOfTheData,
    differing,
    html`${keyed(parameters.map(({ name }) => name).join(), html`<div class="pair">${boxes}</div>`)}
      <setting-select text=${texts.standardize} .value=${data.standardize ?? "none"}
        .options=${ways.map((name) => ({ value: name, text: nameFor("standardize", name) }))}
        .explanation=${explanationOf(STANDARDIZE)}
        .choose=${(standardize: string) => change({ standardize })}></setting-select>`,
  );
}
