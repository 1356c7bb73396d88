/**
 * The data: data set, training and test samples, noise, seed, and the data set's own parameters. A
 * change starts a new experiment.
 * Owns: the visible fields and their checks.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { openCsvDialog } from "./csv-dialog.ts";
import { takeDrops } from "./csv-drop.ts";
import { dataMore } from "./data-more.ts";
import { words } from "../../ui/help-line.ts";
import { ExperimentElement } from "../../ui/live-element.ts";
import { refuseSeed, seedOf } from "../../ui/seed.ts";
import "../../ui/setting-box.ts";
import { ownOf, parametersOf, rowOf, rowsOf } from "../../core/catalog.ts";
import { FILE } from "../../core/data-recipe.ts";
import { integer, plural } from "../../core/format.ts";
import { targetWords } from "./own-table.ts";
import { explanationOf } from "../../core/parameters.ts";
import { isLocked } from "../../core/selectors.ts";
import { nameFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { Catalog, Experiment, Json, State } from "../../core/types.ts";

const GROUPS = { regression: texts.predictNumbers, classification: texts.predictClasses } as Record<
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
const TRAIN = part("train", texts.trainingSamples);
const TEST = part("test", texts.testSamplesNotTrainedOn);
const NOISE = part("noise", texts.standardDeviationOfTheAddedNoise);

const refuseCount = (least: number, others: number, most: number) => (value: number) => {
  if (!Number.isInteger(value) || value < least) return texts.aWholeNumberXOrMore(least);
  return value + others > most ? texts.atMostXSamplesTogether(integer(most)) : null;
};

/**
 * A data set whose extra is not installed is listed but cannot be chosen. Your own data can always
 * be added.
 */
const choices = (catalog: Catalog | null) =>
  rowsOf(catalog, "datasets").map(({ name, task, missing, needs }) => {
    const isMissing = Boolean(missing && !needs);
    return {
      value: name,
      text: nameFor("datasets", name) + (isMissing ? texts.notInstalledTail : ""),
      group: GROUPS[task] ?? texts.yourOwn,
      disabled: isMissing,
    };
  });

const OWN = words(texts.yourOwnTableOneTargetColumn);

/** "regression, 5 inputs", "3 classes, 4 inputs". */
const kindWords = ({ features, classes }: Experiment) =>
  `${classes.length ? texts.xClasses(classes.length) : texts.regression}, ${plural(features, "input")}`;

export class DataFields extends ExperimentElement {
  override shows({ experiment, problem }: State) {
    return [experiment, problem];
  }

  override start() {
    takeDrops(
      this,
      () => !isLocked(this.state),
      (file) => openCsvDialog({ file }),
    );
  }

  #change(data: Json) {
    void this.app.newExperiment({ data });
  }

  #split(train: number, test: number) {
    this.#change({ samples: train + test, test_fraction: test / (train + test) });
  }

  /** Your own data stays unused until a file is chosen. */
  #choose(name: string) {
    if (name !== FILE) return this.#change({ name });
    openCsvDialog();
    return false;
  }

  override render() {
    const { catalog, problem } = this.state;
    const experiment = this.experiment;
    const { trainSamples: train, testSamples: test, recipe } = experiment;
    const { data } = recipe;
    const row = rowOf(catalog, "datasets", data.name);
    const most = row?.samples ?? catalog?.bounds?.samples ?? 5000;
    const box = (parameter: Parameter, value: any) => html`<setting-box .parameter=${parameter}
      .value=${value} .problem=${problem} .pointers=${[`/data/${parameter.name}`]}
      .apply=${(next: any) => this.#change({ [parameter.name]: next })}></setting-box>`;
    const own = ownOf(catalog, "datasets", data);
    const boxes = parametersOf(catalog, "datasets", data.name).map((each) =>
      box(each, own[each.name]),
    );
    return html`
      <div class="head"><h2>${texts.data}</h2><span class="end">${kindWords(experiment)}</span></div>
      <setting-select name=${texts.dataSet} .options=${choices(catalog)} .value=${data.name}
        .explanation=${data.name === FILE ? OWN : explanationOf(row)}
        .choose=${(name: string) => this.#choose(name)}></setting-select>
      ${data.name === FILE ? this.#table(data) : nothing}
      <div class="quartet">
        <setting-box .parameter=${TRAIN} .value=${train}
          .problem=${problem} .pointers=${["/data/samples"]} .refuse=${refuseCount(1, test, most)}
          .apply=${(value: number) => this.#split(value, test)}></setting-box>
        <setting-box .parameter=${TEST} .value=${test}
          .problem=${problem} .pointers=${["/data/test_fraction"]} .refuse=${refuseCount(0, train, most)}
          .apply=${(value: number) => this.#split(train, value)}></setting-box>
        ${box((rowOf(catalog, "data_settings", "noise") ?? NOISE) as Parameter, data.noise ?? 0)}
        <setting-box name=${texts.dataSeed} .parameter=${seedOf(catalog, "data")} .value=${data.seed}
          .problem=${problem} .pointers=${["/data/seed"]} .refuse=${refuseSeed} .format=${String}
          .apply=${(seed: number) => this.#change({ seed })}></setting-box>
      </div>
      ${keyed(data.name, boxes.length ? html`<div class="quartet">${boxes}</div>` : nothing)}
      ${dataMore(catalog, experiment, box, (change) => this.#change(change))}`;
  }

  /** Your own table: its target, and the way back to it. */
  #table(data: Json) {
    const { dataset: id, target, task } = data;
    return html`<div class="own-table">
      <span class="muted">${targetWords(data)}</span>
      <button type="button" class="button quiet small" aria-label=${texts.changeTheTargetOrTheFile}
        @click=${() => openCsvDialog({ id, target, task })}>${texts.change}</button>
    </div>`;
  }
}
