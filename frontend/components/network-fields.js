/**
 * The network's shape and its first weights. A change is a new experiment.
 * Owns: the section around the layer editor. Must not know how weights are drawn.
 */

import { complaintAt, field, numberBox, selectBox } from "./controls.js";
import { refuseSeed } from "./data-fields.js";
import { make, makeOwn, write } from "./dom.js";
import { LiveElement, register } from "./live-element.js";
import { initializerName, wordFor } from "./words.js";
import { plural } from "../state/format.js";
import { rowsOf } from "../state/settings.js";

export class NetworkFields extends LiveElement {
  start() {
    const count = make("span", { class: "end" });
    const weights = selectBox({ name: "Initial weights", choose: (name) => this.app.newExperiment({ network: { weights: name } }) });
    const seed = numberBox({ name: "Weight seed", format: String, whole: true, refuse: refuseSeed, apply: (value) => this.app.newExperiment({ network: { seed: value } }) });
    this.append(
      make("div", { class: "head" }, make("h2", {}, "Network"), count),
      makeOwn("layer-editor", { role: "group", "aria-label": "Layers" }),
      make("div", { class: "weights" }, field("Initial weights", weights.root), field("Seed", seed.box)), seed.complaint,
    );
    this.follow((state) => state.problem, (problem) => seed.complain(complaintAt(problem, "/network/seed")));
    this.follow((state) => [state.experiment, state.catalog, state.problem], (_, { experiment, catalog }) => {
      if (!experiment) return;
      const { network } = experiment.recipe;
      write(count, plural(experiment.parameters, "parameter"));
      weights.show(initializers(catalog, network), initializerName(network.weights));
      seed.show(network.seed);
    });
  }
}

/**
 * @param {import("../state/types.js").Catalog|null} catalog
 * @param {import("../state/types.js").Recipe["network"]} network
 */
function initializers(catalog, network) {
  const rows = rowsOf(catalog, "initializers").filter(({ draws }) => !draws || draws.includes("weights"));
  const names = rows.length ? rows.map(({ name }) => name) : [initializerName(network.weights)];
  return names.map((name) => ({ value: name, text: wordFor(name) }));
}

/** @param {import("../state/types.js").App} app */
export const registerNetworkFields = (app) => register("network-fields", NetworkFields, app);
