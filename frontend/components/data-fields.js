/**
 * Which samples: data set, how many to train and to test on, noise, seed. A change is a new experiment.
 * Owns: the fields and what they refuse. Must not know how data is made.
 */

import { complaintAt, field, numberBox, selectBox } from "./controls.js";
import { make, write } from "./dom.js";
import { LiveElement, register } from "./live-element.js";
import { wordFor } from "./words.js";
import { integer, setting } from "../state/format.js";
import { rowsOf } from "../state/settings.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Experiment} Experiment */

/** Where a refusal of each box points to in the recipe. */
const POINTERS = { Train: ["/data/samples"], Test: ["/data/test_fraction"], Noise: ["/data/noise"], Seed: ["/data/seed"] };
const LARGEST_SEED = 2 ** 32 - 1;

/** @param {number} value */
export const refuseSeed = (value) =>
  Number.isInteger(value) && value >= 0 && value <= LARGEST_SEED ? null : "A seed is a whole number, 0 or more.";
/** @param {number} value */
const refuseNoise = (value) => (value >= 0 && value <= 1e6 ? null : "Noise is 0 or more.");

/** @param {number} value @param {number} least @param {number} others @param {number} most */
function refuseCount(value, least, others, most) {
  if (!Number.isInteger(value) || value < least) return `A whole number, ${least} or more.`;
  return value + others > most ? `At most ${integer(most)} samples together.` : null;
}

export class DataFields extends LiveElement {
  start() {
    const kind = make("span", { class: "end" });
    const names = selectBox({ name: "Data set", choose: (name) => this.#change({ name }) });
    const boxes = this.#boxes();
    const complaints = Object.values(boxes).map(({ complaint }) => complaint);
    const fields = Object.entries(boxes).map(([text, { box }]) => field(text, box));
    this.append(
      make("div", { class: "head" }, make("h2", {}, "Data"), kind),
      names.root, make("div", { class: "quartet" }, ...fields), ...complaints,
    );
    this.follow((state) => state.problem, (problem) => {
      for (const [text, pointers] of Object.entries(POINTERS)) boxes[/** @type {keyof typeof POINTERS} */ (text)].complain(complaintAt(problem, ...pointers));
    });
    this.follow((state) => [state.experiment, state.catalog, state.problem], (_, state) => {
      const { experiment } = state;
      if (!experiment) return;
      this.#show(experiment, boxes);
      const rows = rowsOf(state.catalog, "datasets");
      const choices = (rows.length ? rows : [experiment.recipe.data]).map(({ name }) => ({ value: name, text: wordFor(name) }));
      names.show(choices, experiment.recipe.data.name);
      write(kind, `regression, ${experiment.features} input${experiment.features === 1 ? "" : "s"}`);
    });
  }

  get #experiment() {
    return /** @type {Experiment} */ (this.app.store.get().experiment);
  }

  #boxes() {
    const most = () => this.app.store.get().catalog?.bounds?.samples ?? 5000;
    return {
      Train: numberBox({
        name: "Train", format: setting, whole: true,
        refuse: (value) => refuseCount(value, 1, this.#experiment.testSamples, most()),
        apply: (value) => this.#split(value, this.#experiment.testSamples),
      }),
      Test: numberBox({
        name: "Test", format: setting, whole: true,
        refuse: (value) => refuseCount(value, 0, this.#experiment.trainSamples, most()),
        apply: (value) => this.#split(this.#experiment.trainSamples, value),
      }),
      Noise: numberBox({ name: "Noise", format: setting, refuse: refuseNoise, apply: (noise) => this.#change({ noise }) }),
      Seed: numberBox({ name: "Data seed", format: String, whole: true, refuse: refuseSeed, apply: (seed) => this.#change({ seed }) }),
    };
  }

  /** @param {Experiment} experiment @param {Record<"Train"|"Test"|"Noise"|"Seed", ReturnType<typeof numberBox>>} boxes */
  #show({ trainSamples, testSamples, recipe }, boxes) {
    boxes.Train.show(trainSamples);
    boxes.Test.show(testSamples);
    boxes.Noise.show(recipe.data.noise ?? 0);
    boxes.Seed.show(recipe.data.seed);
  }

  /** @param {number} train @param {number} test */
  #split(train, test) {
    this.#change({ samples: train + test, test_fraction: test / (train + test) });
  }

  /** @param {Record<string, any>} data */
  #change(data) {
    this.app.newExperiment({ data });
  }
}

/** @param {import("../state/types.js").App} app */
export const registerDataFields = (app) => register("data-fields", DataFields, app);
