/**
 * The network's shape and initial weights. A change starts a new experiment.
 * Owns: the section around the layer editor.
 */

import { complaintAt } from "../../ui/controls.ts";
import { make, makeOwn, write } from "../../ui/dom.ts";
import { words } from "../../ui/help-line.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { initializers, networkMore } from "./network-more.ts";
import { refuseSeed, seedOf } from "../../ui/seed.ts";
import { methodSelect, parameterBox } from "../../ui/setting-box.ts";
import { methodName, ownOf, rowOf } from "../../core/catalog.ts";
import { plural, setting } from "../../core/format.ts";
import { explanationOf } from "../../core/parameters.ts";
import { nameFor } from "../../core/words.ts";
import type { Method } from "../../core/catalog.ts";
import type { Changes } from "../../core/recipes.ts";
import type { Catalog, Experiment } from "../../core/types.ts";

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
const BROUGHT = { value: "", text: "From a file" };
const FROM_A_FILE = words("Weights and biases from a file. Any other choice initializes new ones.");

export class NetworkFields extends LiveElement {
  override start() {
    const { catalog } = this.app.store.get();
    const change = (changes: Changes) => void this.app.newExperiment(changes);
    const count = make("span", { class: "end" });
    const weights = methodSelect({
      text: "Initial weights",
      choose: (name) => change({ network: { weights: name } }),
    });
    const seed = parameterBox({
      parameter: seedOf(catalog, "network"),
      name: "Weight seed",
      format: String,
      refuse: refuseSeed,
      apply: (value) => change({ network: { seed: value } }),
    });
    const more = networkMore(catalog, () => this.app.store.get().experiment as Experiment, change);
    this.append(
      make("div", { class: "head" }, make("h2", {}, "Network"), count),
      makeOwn("layer-editor", { role: "group", "aria-label": "Layers" }),
      make("div", { class: "weights" }, weights.root, seed.root),
      seed.complaint,
      more.root,
    );
    this.follow(
      (state) => state.problem,
      (problem) => seed.complain(complaintAt(problem, "/network/seed")),
    );
    this.follow(
      (state) => [state.experiment, state.problem],
      (_, { experiment }) => {
        if (!experiment) return;
        const { network } = experiment.recipe;
        write(count, plural(experiment.parameters, "parameter"));
        const drawn = choices(catalog, network.weights);
        if (network.start) weights.show([BROUGHT, ...drawn], BROUGHT.value, FROM_A_FILE);
        else
          weights.show(
            drawn,
            methodName(network.weights),
            explanationOf(rowOf(catalog, "initializers", methodName(network.weights))),
          );
        seed.show(network.seed);
        more.show(experiment);
      },
    );
  }
}
