/**
 * The section around what was predicted and what is true: a scatter of values, or for classes a table a run.
 * Owns: its heading, which of the two is there, and its room: two squares side by side. Where it needs more, the Doctor comes first.
 */

import { confusionTable } from "./confusion-table.js";
import { make, makeOwn, set, write } from "./dom.js";
import { LiveElement, register } from "./live-element.js";
import { plural } from "../state/format.js";
import { seen } from "../state/moments.js";
import { viewWords } from "../state/selectors.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Experiment} Experiment */

/** So many runs stand side by side; with more classes than this, tables stand one under the other. */
const SIDE_BY_SIDE = 2;

/** @param {State} state */
function shownRuns(state) {
  const { order, runs } = seen(state);
  return order.map((name) => runs[name]).filter(({ hidden }) => !hidden);
}

export class PredictedTrue extends LiveElement {
  /** @type {Map<string, ReturnType<typeof confusionTable>>} */
  #tables = new Map();

  start() {
    this.onceOpened(() => {
      const end = make("span", { class: "end" });
      const body = make("div", {});
      const key = make("p", { class: "hint", "aria-hidden": "true" }, "Rows: the true class. Columns: the predicted one.");
      this.append(make("div", { class: "head" }, make("h2", {}, "Predicted and true"), end), body, key);
      this.follow((state) => (state.experiment?.classes.length ?? 0) > 0, (isOfClasses) => (key.hidden = !isOfClasses));
      this.follow(headWords, (words) => {
        write(end, words);
        set(end, { title: words });
      });
      this.follow((state) => [state.experiment?.id, ...(state.experiment?.classes ?? [])], (_, state) => this.#build(body, state));
      this.follow((state) => shownRuns(state).map(({ name }) => name), (_, state) => this.#arrange(body, state));
      this.follow((state) => shownRuns(state).flatMap(({ predictions, label }) => [predictions, label]), (_, state) => this.#show(state));
    });
  }

  /** @param {HTMLElement} body @param {State} state */
  #build(body, state) {
    this.#tables.clear();
    const many = state.experiment?.classes.length ?? 0;
    body.className = many ? "confusions" : "scatter";
    set(body, { "data-wide": many > SIDE_BY_SIDE });
    if (!many) body.replaceChildren(makeOwn("plotly-chart", { kind: "scatter", "aria-label": "Predicted and true, not drawn yet" }));
    this.#arrange(body, state);
    this.#show(state);
  }

  /** @param {HTMLElement} body @param {State} state */
  #arrange(body, state) {
    const runs = shownRuns(state);
    const classes = state.experiment?.classes ?? [];
    set(body, { style: { "--rows": Math.max(1, Math.ceil(runs.length / 2)) } });
    set(this, { "data-tall": runs.length > SIDE_BY_SIDE || classes.length > SIDE_BY_SIDE });
    if (!classes.length) return;
    const held = this.#tables;
    this.#tables = new Map(runs.map((run) => [run.name, held.get(run.name) ?? confusionTable(run, classes)]));
    body.replaceChildren(...[...this.#tables.values()].map(({ root }) => root));
    this.#show(state);
  }

  /** @param {State} state */
  #show(state) {
    const { runs, experiment } = seen(state);
    for (const [name, table] of this.#tables) if (runs[name]) table.show(runs[name], (experiment?.testSamples ?? 0) > 0);
  }
}

/** @param {State} state */
const headWords = (state) => [viewWords(seen(state), shownRuns(state), "predictions"), state.experiment && samplesOf(state.experiment)].filter(Boolean).join(", ");

/** @param {Experiment} experiment */
const samplesOf = ({ testSamples, trainSamples }) => (testSamples ? plural(testSamples, "test sample") : plural(trainSamples, "training sample"));

/** @param {import("../state/types.js").App} app */
export const registerPredictedTrue = (app) => register("predicted-true", PredictedTrue, app);
