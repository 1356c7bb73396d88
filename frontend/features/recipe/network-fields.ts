/**
 * The network's shape and initial weights. A change starts a new experiment.
 * Owns: the section around the layer editor.
 */

import { html } from "lit";
import { words } from "../../ui/help-line.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { initializers, networkMore } from "./network-more.ts";
import { refuseSeed, seedOf } from "../../ui/seed.ts";
import "../../ui/setting-box.ts";
import { methodName, ownOf, rowOf } from "../../core/catalog.ts";
import { plural, setting } from "../../core/format.ts";
import { explanationOf } from "../../core/parameters.ts";
import { nameFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Method } from "../../core/catalog.ts";
import type { Changes } from "../../core/recipes.ts";
import type { Catalog, State } from "../../core/types.ts";

/** "Normal N(0, 1)": the notebook's initializer shows its law with its name. */
const drawWords = (name: string, scale: number) =>
  `${nameFor("initializers", name)}${name === "normal" ? ` N(0, ${scale === 1 ? "1" : `${setting(scale)}²`})` : ""}`;

const choices = (catalog: Catalog | null, weights: Method) =>
  initializers(catalog, "weights", weights).map(({ name }) => ({
    value: name,
    text: drawWords(
      name,
      ownOf(catalog, "initializers", name === methodName(weights) ? weights : name).scale,
    ),
  }));

/** Listed while the initial weights and biases come from a file. */
const BROUGHT = { value: "", text: texts.fromAFile };
const FROM_A_FILE = words(texts.weightsAndBiasesFromAFile);

export class NetworkFields extends ExperimentElement {
  override shows({ experiment, problem }: State) {
    return [experiment, problem];
  }

  override render() {
    const { catalog, problem } = this.state;
    const experiment = this.experiment;
    const { weights, seed, start } = experiment.recipe.network;
    const change = (changes: Changes) => void this.app.newExperiment(changes);
    const drawn = choices(catalog, weights);
    const chosen = methodName(weights);
    return html`
      <div class="head">
        <h2>${texts.network}</h2><span class="end">${plural(experiment.parameters, "parameter")}</span>
      </div>
      <layer-editor role="group" aria-label=${texts.layersLabel}></layer-editor>
      <div class="weights">
        <setting-select text=${texts.initialWeights} .term=${"weights"} .value=${start ? BROUGHT.value : chosen}
          .options=${start ? [BROUGHT, ...drawn] : drawn}
          .explanation=${start ? FROM_A_FILE : explanationOf(rowOf(catalog, "initializers", chosen))}
          .choose=${(name: string) => change({ network: { weights: name } })}></setting-select>
        <setting-box name=${texts.weightSeed} .parameter=${seedOf(catalog, "network")} .value=${seed}
          .problem=${problem} .pointers=${["/network/seed"]} .refuse=${refuseSeed} .format=${String}
          .apply=${(value: number) => change({ network: { seed: value } })}></setting-box>
      </div>
      ${networkMore(catalog, experiment, change)}`;
  }
}
