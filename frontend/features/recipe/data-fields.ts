/**
 * The data: data set, training and test samples, noise, seed, and the data set's own parameters. A
 * change starts a new
 * experiment.
 * Owns: the visible fields and their checks.
 */

import { button, complaintAt } from "../../ui/controls.ts";
import { openCsvDialog } from "./csv-dialog.ts";
import { takeDrops } from "./csv-drop.ts";
import { dataMore } from "./data-more.ts";
import { make, write } from "../../ui/dom.ts";
import { words } from "../../ui/help-line.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { refuseSeed, seedOf } from "../../ui/seed.ts";
import { boxGrid, changingBoxes, methodSelect, parameterBox } from "../../ui/setting-box.ts";
import { ownOf, parametersOf, rowOf, rowsOf } from "../../core/catalog.ts";
import { FILE } from "../../core/data-recipe.ts";
import { integer, plural } from "../../core/format.ts";
import { targetWords } from "./own-table.ts";
import { explanationOf } from "../../core/parameters.ts";
import { isLocked } from "../../core/selectors.ts";
import { nameFor } from "../../core/words.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { Catalog, Experiment, Json } from "../../core/types.ts";

type Box = ReturnType<typeof parameterBox>;

const GROUPS = { regression: "Predict numbers", classification: "Predict classes" } as Record<
  string,
  string
>;

/** A count of training or test samples as a parameter: a recipe has their sum and a share. */
const part = (name: string, help: string): Parameter => ({
  name,
  default: 0,
  help,
  schema: { type: "integer", minimum: 0 },
});
const NOISE = part("noise", "standard deviation of the added noise");

function refuseCount(value: number, least: number, others: number, most: number) {
  if (!Number.isInteger(value) || value < least) return `A whole number, ${least} or more.`;
  return value + others > most ? `At most ${integer(most)} samples together.` : null;
}

/**
 * A data set whose extra is not installed is listed but cannot be chosen. Your own data can always
 * be added.
 */
const choices = (catalog: Catalog | null) =>
  rowsOf(catalog, "datasets").map(({ name, task, missing, needs }) => {
    const isMissing = Boolean(missing && !needs);
    return {
      value: name,
      text: nameFor("datasets", name) + (isMissing ? ", not installed" : ""),
      group: GROUPS[task] ?? "Your own",
      disabled: isMissing,
    };
  });

const OWN = words("Your own table: one target column, the others are inputs.");

/** "regression, 5 inputs", "3 classes, 4 inputs". */
const kindWords = ({ features, classes }: Experiment) =>
  `${classes.length ? `${classes.length} classes` : "regression"}, ${plural(features, "input")}`;

export class DataFields extends LiveElement {
  override start() {
    const { catalog } = this.app.store.get();
    const kind = make("span", { class: "end" });
    const names = methodSelect({
      text: null,
      name: "Data set",
      choose: (name) => (name === FILE ? bring() : this.#change({ name })),
    });
    const table = this.#table();
    // the data stays until a file is chosen
    const bring = () => {
      names.select.value = this.#experiment.recipe.data.name;
      openCsvDialog(this.app);
    };
    const boxes = this.#boxes();
    const grid = boxGrid("quartet");
    grid.put(Object.values(boxes));
    const own = changingBoxes("quartet", (name) =>
      parametersOf(catalog, "datasets", name).map((parameter) =>
        parameterBox({ parameter, apply: (value) => this.#change({ [parameter.name]: value }) }),
      ),
    );
    const more = dataMore(catalog, (change) => this.#change(change));
    this.append(
      make("div", { class: "head" }, make("h2", {}, "Data"), kind),
      names.root,
      table.root,
      grid.root,
      own.root,
      more.root,
    );
    takeDrops(
      this,
      () => !isLocked(this.app.store.get()),
      (file) => openCsvDialog(this.app, { file }),
    );
    this.follow(
      (state) => [state.experiment, state.problem],
      (_, { experiment }) => {
        if (!experiment) return;
        const { data } = experiment.recipe;
        names.show(
          choices(catalog),
          data.name,
          data.name === FILE ? OWN : explanationOf(rowOf(catalog, "datasets", data.name)),
        );
        table.show(data);
        write(kind, kindWords(experiment));
        this.#show(experiment, boxes);
        const values = ownOf(catalog, "datasets", data);
        for (const box of own.put(data.name)) box.show(values[box.parameter.name]);
        more.show(experiment);
      },
    );
    this.follow(
      (state) => state.problem,
      (problem) => {
        for (const box of [...Object.values(boxes), ...own.present(), ...more.present()]) {
          box.complain(
            complaintAt(
              problem,
              ...(POINTERS[box.parameter.name] ?? [`/data/${box.parameter.name}`]),
            ),
          );
        }
      },
    );
  }

  get #experiment() {
    return this.app.store.get().experiment as Experiment;
  }

  /** All samples of this data set. */
  get #most() {
    const { catalog } = this.app.store.get();
    return (
      rowOf(catalog, "datasets", this.#experiment.recipe.data.name)?.samples ??
      catalog?.bounds?.samples ??
      5000
    );
  }

  /** Your own table: its target, and the way back to it. */
  #table() {
    const summary = make("span", { class: "muted" });
    const change = button(
      {
        name: "Change the target or the file",
        look: "quiet small",
        act: () => {
          const { dataset: id, target, task } = this.#experiment.recipe.data;
          openCsvDialog(this.app, { id, target, task });
        },
      },
      "Change",
    );
    const root = make("div", { class: "own-table", hidden: true }, summary, change);
    return {
      root,
      show(data: Json) {
        root.hidden = data.name !== FILE;
        write(summary, root.hidden ? "" : targetWords(data));
      },
    };
  }

  #boxes(): Record<"train" | "test" | "noise" | "seed", Box> {
    const { catalog } = this.app.store.get();
    return {
      train: parameterBox({
        parameter: part("train", "training samples"),
        refuse: (value) => refuseCount(value, 1, this.#experiment.testSamples, this.#most),
        apply: (value) => this.#split(value, this.#experiment.testSamples),
      }),
      test: parameterBox({
        parameter: part("test", "test samples, not trained on"),
        refuse: (value) => refuseCount(value, 0, this.#experiment.trainSamples, this.#most),
        apply: (value) => this.#split(this.#experiment.trainSamples, value),
      }),
      noise: parameterBox({
        parameter: (rowOf(catalog, "data_settings", "noise") ?? NOISE) as Parameter,
        apply: (noise) => this.#change({ noise }),
      }),
      seed: parameterBox({
        parameter: seedOf(catalog, "data"),
        name: "Data seed",
        format: String,
        refuse: refuseSeed,
        apply: (seed) => this.#change({ seed }),
      }),
    };
  }

  #show(
    { trainSamples, testSamples, recipe }: Experiment,
    boxes: Record<"train" | "test" | "noise" | "seed", Box>,
  ) {
    boxes.train.show(trainSamples);
    boxes.test.show(testSamples);
    boxes.noise.show(recipe.data.noise ?? 0);
    boxes.seed.show(recipe.data.seed);
  }

  #split(train: number, test: number) {
    this.#change({ samples: train + test, test_fraction: test / (train + test) });
  }

  #change(data: Json) {
    void this.app.newExperiment({ data });
  }
}

/** JSON pointers of boxes that differ from their names. */
const POINTERS: Record<string, string[]> = {
  train: ["/data/samples"],
  test: ["/data/test_fraction"],
};
