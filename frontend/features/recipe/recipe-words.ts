/**
 * Data and network of a recipe in one line each.
 * Owns: the words. Pure.
 */

import { methodName } from "../../core/catalog.ts";
import { plural } from "../../core/format.ts";
import { activationWord, nameFor, wordFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Experiment, LayerRecipe } from "../../core/types.ts";

/** From this many layers of equal size, "8 layers of 8". */
const MANY_LAYERS = 4;

/** `value` names it, `detail` stands below. */
export type Line = { value: string; detail: string };

export function dataLine({ recipe: { data }, features, classes, trainSamples }: Experiment): Line {
  const parts = [
    classes.length > 0 && texts.xClasses(classes.length),
    plural(features, "input"),
    texts.xToTrain(plural(trainSamples, "sample")),
  ];
  return { value: nameFor("datasets", data.name), detail: parts.filter(Boolean).join(", ") };
}

/** "4 → 4", or "8 layers of 8". */
function hiddenWords(layers: LayerRecipe[]) {
  const sizes = layers.map(({ units }) => units);
  const isEven = sizes.every((size) => size === sizes[0]);
  return isEven && sizes.length >= MANY_LAYERS
    ? [texts.xLayersOfY(sizes.length, sizes[0])]
    : sizes.map(String);
}

export function networkLine({
  recipe: { network },
  features,
  outputs,
  parameters,
}: Experiment): Line {
  const sizes = [`${features}`, ...hiddenWords(network.layers), `${outputs}`];
  const activations = [...new Set(network.layers.map(({ activation }) => activation))];
  const weights = network.start
    ? texts.weightsFromAFileWord
    : texts.xWeights(wordFor("initializers", methodName(network.weights)));
  return {
    value: [sizes.join(" → "), ...activations.map(activationWord)].join(", "),
    detail: `${plural(parameters, "parameter")}, ${weights}`,
  };
}
