/**
 * Network settings used less often: loss, biases, scale of the initial weights, activation of the output.
 * Owns: which of them apply.
 */

import { make } from "./dom.js";
import { moreSettings } from "./more-below.js";
import { changingBoxes, methodSelect, parameterBox } from "./setting-box.js";
import { methodName, ownOf, parametersOf, rowOf, rowsOf } from "../state/catalog.js";
import { setting } from "../state/format.js";
import { fittingLosses, lossWords, takesLogits } from "../state/losses.js";
import { explanationOf } from "../state/parameters.js";
import { activationWord, capital, nameFor, wordFor } from "../state/words.js";

/** @typedef {import("../state/types.js").Catalog} Catalog */
/** @typedef {import("../state/types.js").Experiment} Experiment */
/** @typedef {import("../state/recipes.js").Changes} Changes */
/** @typedef {import("../state/catalog.js").Method} Method */

/**
 * The initializers of weights or biases, each once. One with a longer name is listed if a recipe uses that name.
 * @param {Catalog|null} catalog
 * @param {"weights"|"biases"} what
 * @param {Method} drawn
 */
export const initializers = (catalog, what, drawn) => rowsOf(catalog, "initializers")
  .filter(({ name, draws, same_as: same }) => draws.includes(what) && (!same || name === methodName(drawn)));

/** A method with one of its own parameters changed. @param {Catalog|null} catalog @param {string} table @param {Method} method @param {string} name @param {number} value */
const having = (catalog, table, method, name, value) => ({ name: methodName(method), ...ownOf(catalog, table, method), [name]: value });

/**
 * Boxes for a method's own parameters.
 * @param {Catalog|null} catalog
 * @param {string} table
 * @param {(name: string) => string} nameOf
 * @param {() => Method} now
 * @param {(method: Method) => void} apply
 */
function ownBoxes(catalog, table, nameOf, now, apply) {
  const boxes = changingBoxes("pair", (method) => parametersOf(catalog, table, method).map((parameter) => parameterBox({
    parameter, text: nameOf(parameter.name), apply: (value) => apply(having(catalog, table, now(), parameter.name, value)),
  })));
  return {
    root: boxes.root, present: boxes.present,
    /** @param {Method} method */
    show(method) {
      const own = ownOf(catalog, table, method);
      for (const box of boxes.put(methodName(method))) box.show(own[box.parameter.name]);
    },
  };
}

/** A method's parameters that differ from their defaults: "scale 0.1". @param {Catalog|null} catalog @param {Method} method */
const ownWords = (catalog, method) => parametersOf(catalog, "initializers", methodName(method))
  .filter(({ name, default: usual }) => ownOf(catalog, "initializers", method)[name] !== usual)
  .map(({ name }) => `${wordFor("settings", name)} ${setting(ownOf(catalog, "initializers", method)[name])}`);

/**
 * @param {Catalog|null} catalog
 * @param {() => Experiment} now
 * @param {(changes: Changes) => void} change
 */
export function networkMore(catalog, now, change) {
  const network = () => now().recipe.network;
  const loss = methodSelect({ text: "Loss", choose: (name) => change({ loss: name }) });
  const biases = methodSelect({ text: "Initial biases", choose: (name) => change({ network: { biases: name } }) });
  const output = methodSelect({ text: "Output", name: "Activation of the output", choose: (name) => change({ network: { output: name } }) });
  const ofLoss = ownBoxes(catalog, "losses", (name) => nameFor("settings", name), () => now().recipe.loss, (method) => change({ loss: method }));
  const ofWeights = ownBoxes(catalog, "initializers", (name) => `Weight ${wordFor("settings", name)}`, () => network().weights, (weights) => change({ network: { weights } }));
  const ofBiases = ownBoxes(catalog, "initializers", (name) => `Bias ${wordFor("settings", name)}`, () => network().biases, (each) => change({ network: { biases: each } }));
  const more = moreSettings("settings of the network", make("div", { class: "rows" },
    loss.root, ofLoss.root, ofWeights.root, biases.root, ofBiases.root, output.root));

  /** @param {Experiment} experiment */
  function show({ recipe, classes }) {
    const { weights, biases: drawn, output: bend } = recipe.network;
    const losses = fittingLosses(catalog, classes.length).map(({ name }) => ({ value: name, text: capital(lossWords(name)) }));
    loss.show(losses, methodName(recipe.loss), explanationOf(rowOf(catalog, "losses", methodName(recipe.loss))));
    biases.show(initializers(catalog, "biases", drawn).map(({ name }) => ({ value: name, text: nameFor("initializers", name) })), methodName(drawn), explanationOf(rowOf(catalog, "initializers", methodName(drawn))));
    output.show(rowsOf(catalog, "activations").map(({ name }) => ({ value: name, text: capital(activationWord(name)) })), bend, explanationOf(rowOf(catalog, "activations", bend)));
    output.root.hidden = takesLogits(recipe.loss);
    ofLoss.show(recipe.loss);
    ofWeights.show(weights);
    ofBiases.show(drawn);
    more.list([
      lossWords(recipe.loss), ...ownWords(catalog, weights).map((words) => `weight ${words}`),
      methodName(drawn) !== "normal" && `biases ${wordFor("initializers", methodName(drawn))}`, ...ownWords(catalog, drawn).map((words) => `bias ${words}`),
      bend !== "identity" && `output ${activationWord(bend)}`,
    ]);
  }
  return { root: more.root, show, present: () => [ofLoss, ofWeights, ofBiases].flatMap(({ present }) => present()) };
}
