/**
 * Network settings used less often: loss, biases, scale of the initial weights, activation of the
 * output.
 * Owns: which of them apply.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { moreSettings } from "../../ui/more-settings.ts";
import { methodName, ownOf, parametersOf, rowOf, rowsOf } from "../../core/catalog.ts";
import { setting } from "../../core/format.ts";
import { fittingLosses, lossWords, takesLogits } from "../../core/losses.ts";
import { explanationOf } from "../../core/parameters.ts";
import { activationWord, nameFor, wordFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Method } from "../../core/catalog.ts";
import type { Changes } from "../../core/recipes.ts";
import type { Catalog, Experiment, Json } from "../../core/types.ts";

/**
 * The initializers of weights or biases, each once. One with a longer name is listed if a recipe
 * uses that name.
 */
export const initializers = (catalog: Catalog | null, what: "weights" | "biases", drawn: Method) =>
  rowsOf(catalog, "initializers").filter(
    ({ name, draws, same_as: same }) =>
      draws.includes(what) && (!same || name === methodName(drawn)),
  );

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
  { recipe, classes }: Experiment,
  change: (changes: Changes) => void,
) {
  const { loss, network } = recipe;
  const { weights, biases, output } = network;
  const changeNetwork = (part: Json) => change({ network: part });
  const named = (rows: Json[], textOf: (name: string) => string) =>
    rows.map(({ name }) => ({ value: name, text: textOf(name) }));
  const help = (table: string, method: Method) =>
    explanationOf(rowOf(catalog, table, methodName(method)));
  /** Boxes for a method's own parameters: "Delta", "Weight scale". */
  const ownBoxes = (table: string, method: Method, apply: (next: Method) => void, of = "") => {
    const name = methodName(method);
    const own = ownOf(catalog, table, method);
    const boxes = parametersOf(catalog, table, name).map(
      (parameter) => html`<setting-box .parameter=${parameter} .value=${own[parameter.name]}
        .text=${texts.capital(`${of}${wordFor("settings", parameter.name)}`)}
        .apply=${(value: number) => apply({ name, ...own, [parameter.name]: value })}></setting-box>`,
    );
    return keyed(name, boxes.length ? html`<div class="pair">${boxes}</div>` : nothing);
  };
  const differing = [
    lossWords(loss),
    ...ownWords(catalog, weights).map((words) => texts.weightX(words)),
    methodName(biases) !== "normal" && texts.biasesX(wordFor("initializers", methodName(biases))),
    ...ownWords(catalog, biases).map((words) => texts.biasX(words)),
    output !== "identity" && texts.outputActivation(activationWord(output)),
  ];
  return moreSettings(
    texts.settingsOfTheNetwork,
    differing,
    html`
      <setting-select text=${texts.loss} .value=${methodName(loss)} .explanation=${help("losses", loss)}
        .options=${named(fittingLosses(catalog, classes.length), (name) => texts.capital(lossWords(name)))}
        .choose=${(name: string) => change({ loss: name })}></setting-select>
      ${ownBoxes("losses", loss, (next) => change({ loss: next }))}
      ${ownBoxes("initializers", weights, (next) => changeNetwork({ weights: next }), texts.weight)}
      <setting-select text=${texts.initialBiases} .value=${methodName(biases)}
        .explanation=${help("initializers", biases)}
        .options=${named(initializers(catalog, "biases", biases), (name) => nameFor("initializers", name))}
        .choose=${(name: string) => changeNetwork({ biases: name })}></setting-select>
      ${ownBoxes("initializers", biases, (next) => changeNetwork({ biases: next }), texts.bias)}
      ${
        takesLogits(loss)
          ? nothing
          : html`<setting-select text=${texts.output} name=${texts.activationOfTheOutput} .value=${output}
              .explanation=${help("activations", output)}
              .options=${named(rowsOf(catalog, "activations"), (name) => texts.capital(activationWord(name)))}
              .choose=${(name: string) => changeNetwork({ output: name })}></setting-select>`
      }`,
  );
}
