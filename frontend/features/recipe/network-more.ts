/**
 * Network settings used less often: loss, biases, scale of the initial weights, activation of the
 * output.
 * Owns: which of them apply.
 */

import { make } from "../../ui/dom.ts";
import { moreSettings } from "../../ui/more-settings.ts";
import { changingBoxes, methodSelect, parameterBox } from "../../ui/setting-box.ts";
import { methodName, ownOf, parametersOf, rowOf, rowsOf } from "../../core/catalog.ts";
import { setting } from "../../core/format.ts";
import { fittingLosses, lossWords, takesLogits } from "../../core/losses.ts";
import { explanationOf } from "../../core/parameters.ts";
import { activationWord, capital, nameFor, wordFor } from "../../core/words.ts";
import type { Method } from "../../core/catalog.ts";
import type { Changes } from "../../core/recipes.ts";
import type { Catalog, Experiment } from "../../core/types.ts";

/**
 * The initializers of weights or biases, each once. One with a longer name is listed if a recipe
 * uses that name.
 */
export const initializers = (catalog: Catalog | null, what: "weights" | "biases", drawn: Method) =>
  rowsOf(catalog, "initializers").filter(
    ({ name, draws, same_as: same }) =>
      draws.includes(what) && (!same || name === methodName(drawn)),
  );

/** A method with one of its own parameters changed. */
const having = (
  catalog: Catalog | null,
  table: string,
  method: Method,
  name: string,
  value: number,
) => ({ name: methodName(method), ...ownOf(catalog, table, method), [name]: value });

/** Boxes for a method's own parameters. */
function ownBoxes(
  catalog: Catalog | null,
  table: string,
  nameOf: (name: string) => string,
  now: () => Method,
  apply: (method: Method) => void,
) {
  const boxes = changingBoxes("pair", (method) =>
    parametersOf(catalog, table, method).map((parameter) =>
      parameterBox({
        parameter,
        text: nameOf(parameter.name),
        apply: (value) => apply(having(catalog, table, now(), parameter.name, value)),
      }),
    ),
  );
  return {
    root: boxes.root,
    present: boxes.present,
    show(method: Method) {
      const own = ownOf(catalog, table, method);
      for (const box of boxes.put(methodName(method))) box.show(own[box.parameter.name]);
    },
  };
}

/** A method's parameters that differ from their defaults: "scale 0.1". */
const ownWords = (catalog: Catalog | null, method: Method) =>
  parametersOf(catalog, "initializers", methodName(method))
    .filter(({ name, default: usual }) => ownOf(catalog, "initializers", method)[name] !== usual)
    .map(
      ({ name }) =>
        `${wordFor("settings", name)} ${setting(ownOf(catalog, "initializers", method)[name])}`,
    );

export function networkMore(
  catalog: Catalog | null,
  now: () => Experiment,
  change: (changes: Changes) => void,
) {
  const network = () => now().recipe.network;
  const loss = methodSelect({ text: "Loss", choose: (name) => change({ loss: name }) });
  const biases = methodSelect({
    text: "Initial biases",
    choose: (name) => change({ network: { biases: name } }),
  });
  const output = methodSelect({
    text: "Output",
    name: "Activation of the output",
    choose: (name) => change({ network: { output: name } }),
  });
  const ofLoss = ownBoxes(
    catalog,
    "losses",
    (name) => nameFor("settings", name),
    () => now().recipe.loss,
    (method) => change({ loss: method }),
  );
  const ofWeights = ownBoxes(
    catalog,
    "initializers",
    (name) => `Weight ${wordFor("settings", name)}`,
    () => network().weights,
    (weights) => change({ network: { weights } }),
  );
  const ofBiases = ownBoxes(
    catalog,
    "initializers",
    (name) => `Bias ${wordFor("settings", name)}`,
    () => network().biases,
    (each) => change({ network: { biases: each } }),
  );
  const more = moreSettings(
    "settings of the network",
    make(
      "div",
      { class: "rows" },
      loss.root,
      ofLoss.root,
      ofWeights.root,
      biases.root,
      ofBiases.root,
      output.root,
    ),
  );

  function show({ recipe, classes }: Experiment) {
    const { weights, biases: drawn, output: bend } = recipe.network;
    const losses = fittingLosses(catalog, classes.length).map(({ name }) => ({
      value: name,
      text: capital(lossWords(name)),
    }));
    loss.show(
      losses,
      methodName(recipe.loss),
      explanationOf(rowOf(catalog, "losses", methodName(recipe.loss))),
    );
    biases.show(
      initializers(catalog, "biases", drawn).map(({ name }) => ({
        value: name,
        text: nameFor("initializers", name),
      })),
      methodName(drawn),
      explanationOf(rowOf(catalog, "initializers", methodName(drawn))),
    );
    output.show(
      rowsOf(catalog, "activations").map(({ name }) => ({
        value: name,
        text: capital(activationWord(name)),
      })),
      bend,
      explanationOf(rowOf(catalog, "activations", bend)),
    );
    output.root.hidden = takesLogits(recipe.loss);
    ofLoss.show(recipe.loss);
    ofWeights.show(weights);
    ofBiases.show(drawn);
    more.list([
      lossWords(recipe.loss),
      ...ownWords(catalog, weights).map((words) => `weight ${words}`),
      methodName(drawn) !== "normal" && `biases ${wordFor("initializers", methodName(drawn))}`,
      ...ownWords(catalog, drawn).map((words) => `bias ${words}`),
      bend !== "identity" && `output ${activationWord(bend)}`,
    ]);
  }
  return {
    root: more.root,
    show,
    present: () => [ofLoss, ofWeights, ofBiases].flatMap(({ present }) => present()),
  };
}
