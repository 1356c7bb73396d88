/**
 * The network's shape and initial weights. A change starts a new experiment.
 * Owns: the section around the layer editor.
 */

import { complaintAt } from "./controls.js";
import { make, makeOwn, write } from "./dom.js";
import { words } from "./help-line.js";
import { LiveElement, register } from "./live-element.js";
import { initializers, networkMore } from "./network-more.js";
import { refuseSeed, seedOf } from "./seed.js";
import { methodSelect, parameterBox } from "./setting-box.js";
import { methodName, ownOf, rowOf } from "../state/catalog.js";
import { plural, setting } from "../state/format.js";
import { explanationOf } from "../state/parameters.js";
import { nameFor } from "../state/words.js";

/** @typedef {import("../state/types.js").Catalog} Catalog */
/** @typedef {import("../state/types.js").Experiment} Experiment */

/** "Normal N(0, 1)": the notebook's initializer shows its law with its name. @param {string} name @param {number} scale */
const drawWords = (name, scale) => `${nameFor("initializers", name)}${name === "normal" ? ` N(0, ${scale === 1 ? "1" : `${setting(scale)}²`})` : ""}`;

/** @param {Catalog|null} catalog @param {import("../state/catalog.js").Method} weights */
const choices = (catalog, weights) => initializers(catalog, "weights", weights).map(({ name }) => ({
  value: name, text: drawWords(name, ownOf(catalog, "initializers", name === methodName(weights) ? weights : name).scale),
}));

/** Listed while the initial weights and biases come from a file. */
const BROUGHT = { value: "", text: "From a file" };
const FROM_A_FILE = words("Weights and biases from a file. Any other choice initializes new ones.");

export class NetworkFields extends LiveElement {
  start() {
    const { catalog } = this.app.store.get();
    const change = (/** @type {import("../state/recipes.js").Changes} */ changes) => void this.app.newExperiment(changes);
    const count = make("span", { class: "end" });
    const weights = methodSelect({ text: "Initial weights", choose: (name) => change({ network: { weights: name } }) });
    const seed = parameterBox({ parameter: seedOf(catalog, "network"), name: "Weight seed", format: String, refuse: refuseSeed, apply: (value) => change({ network: { seed: value } }) });
    const more = networkMore(catalog, () => /** @type {Experiment} */ (this.app.store.get().experiment), change);
    this.append(
      make("div", { class: "head" }, make("h2", {}, "Network"), count),
      makeOwn("layer-editor", { role: "group", "aria-label": "Layers" }),
      make("div", { class: "weights" }, weights.root, seed.root), seed.complaint, more.root,
    );
    this.follow((state) => state.problem, (problem) => seed.complain(complaintAt(problem, "/network/seed")));
    this.follow((state) => [state.experiment, state.problem], (_, { experiment }) => {
      if (!experiment) return;
      const { network } = experiment.recipe;
      write(count, plural(experiment.parameters, "parameter"));
      const drawn = choices(catalog, network.weights);
      if (network.start) weights.show([BROUGHT, ...drawn], BROUGHT.value, FROM_A_FILE);
      else weights.show(drawn, methodName(network.weights), explanationOf(rowOf(catalog, "initializers", methodName(network.weights))));
      seed.show(network.seed);
      more.show(experiment);
    });
  }
}

/** @param {import("../state/types.js").App} app */
export const registerNetworkFields = (app) => register("network-fields", NetworkFields, app);
