/**
 * The table of runs: one row a run, all numbers of the step in its first heading.
 * Owns: rows and cells, patched in place. core/ has words and formats.
 */

import { make, set, write } from "../../ui/dom.ts";
import { fittingWords } from "../../ui/fitting-words.ts";
import { glyph, marker } from "../../ui/icons.ts";
import { LiveElement } from "../../ui/live-element.ts";
import { counter, epochs, number, plural, score } from "../../core/format.ts";
import { originWords } from "../../core/forks.ts";
import { stateOnView, shownStep } from "../../core/state-on-view.ts";
import { DESCENDED, descendedWords, runSentence } from "../../core/run-words.ts";
import { stateOf, whereWords } from "../../core/selectors.ts";
import type { Verdict } from "../../core/selectors.ts";
import type { Experiment, Run, State } from "../../core/types.ts";

/** The step of all numbers in the table. */
function moment(state: State) {
  const { status } = state.connection;
  if (!state.looking && (status === "reconnecting" || status === "offline"))
    return `Last known: step ${whereWords(state)}`;
  return shownStep(state) === 0 ? "Before the first step" : `At step ${whereWords(state)}`;
}

const latest = (run: Run, series: string) => run.latest[series]?.value;

/** "R² test", or "Accuracy test". */
function scoreOf({ testSamples, score: name }: Experiment) {
  const split = testSamples ? "test" : "train";
  return { series: `${split}_${name}`, text: `${name === "r2" ? "R²" : "Accuracy"} ${split}` };
}

export class RaceTable extends LiveElement {
  #caption = make("caption", { class: "unseen" });
  #moment = make("th", { scope: "col", class: "moment" });
  #score = make("th", { scope: "col" });
  #test = make("th", { scope: "col", class: "test" }, "Test loss");
  #body = make("tbody", {});
  #rows: Map<string, ReturnType<typeof buildRow>> = new Map();

  override start() {
    this.onceOpened(() => {
      const head = make(
        "tr",
        {},
        this.#moment,
        make("th", { scope: "col", class: "optional" }, "Epoch"),
        make("th", { scope: "col", class: "optional samples" }, "Samples seen"),
        make("th", { scope: "col" }, "Train loss"),
        this.#test,
        this.#score,
        make("th", { scope: "col", class: "state" }, "State"),
      );
      this.append(make("table", {}, this.#caption, make("thead", {}, head), this.#body));
      this.follow(
        (state) => state.order,
        (order, state) => this.#showRows(order, state),
      );
      this.follow(
        (state) => [
          ...Object.values(stateOnView(state).runs),
          state.connection,
          state.experiment,
          state.playback.playing,
          state.looking,
        ],
        (_, state) => this.#show(stateOnView(state)),
      );
    });
  }

  #showRows(order: string[], { runs }: State) {
    for (const name of this.#rows.keys()) if (!order.includes(name)) this.#rows.delete(name);
    for (const name of order) if (!this.#rows.has(name)) this.#rows.set(name, buildRow(runs[name]));
    this.#body.replaceChildren(...order.map((name) => (this.#rows.get(name) as any).row));
  }

  #show(state: State) {
    const { experiment, runs } = state;
    if (!experiment) return;
    const column = scoreOf(experiment);
    const words = moment(state);
    // a name and its step stay on one line
    write(this.#moment, words.replaceAll(" at ", "\u00a0at\u00a0"));
    set(this.#moment, { title: words });
    write(this.#caption, `All runs. ${words}`);
    write(this.#score, column.text);
    this.#test.hidden = experiment.testSamples === 0;
    for (const [name, row] of this.#rows)
      if (runs[name]) row.show(runs[name], state, experiment, column.series);
  }
}

function buildRow(run: Run) {
  const cells = {
    name: make("b", {}),
    descended: make("span", { class: "muted descended", title: DESCENDED }),
    epoch: make("td", { class: "optional soft" }),
    samples: make("td", { class: "optional samples soft" }),
    train: make("span", { class: "readout" }),
    test: make("span", { class: "readout second" }),
    score: make("td", {}),
    state: make("span", { class: "verdict" }),
    brief: make("span", { class: "verdict inline-state", "aria-hidden": "true" }),
  };
  const rule = fittingWords("muted rule");
  const testCell = make("td", { class: "soft test" }, cells.test);
  const row = make(
    "tr",
    { "data-run": run.name, "data-lane": run.lane },
    make(
      "th",
      { scope: "row", class: "who" },
      make(
        "span",
        { class: "line" },
        marker(run.lane),
        cells.name,
        rule.root,
        cells.brief,
        cells.descended,
      ),
    ),
    cells.epoch,
    cells.samples,
    make("td", {}, cells.train),
    testCell,
    cells.score,
    make("td", { class: "state" }, cells.state),
  );

  function show(now: Run, state: State, experiment: Experiment, series: string) {
    write(cells.name, now.label);
    const origin = originWords(state, now.name);
    rule.show(runSentence(now), origin && `, ${origin}`);
    write(cells.descended, descendedWords(now));
    write(cells.epoch, epochs(now.epoch));
    set(cells.epoch, { title: `${plural(now.samplesSeen, "sample")} seen` });
    write(cells.samples, counter(now.samplesSeen));
    write(cells.train, number(latest(now, "train_loss")));
    write(cells.test, number(latest(now, "test_loss")));
    testCell.hidden = experiment.testSamples === 0;
    write(cells.score, now.step === 0 ? "–" : score(latest(now, series)));
    row.classList.toggle("hidden-run", now.hidden);
    showState(stateOf(now, state), row, cells);
  }
  return { row, show };
}

function showState(
  { word, glyph: shape, tone, of }: Verdict,
  row: HTMLElement,
  cells: { state: HTMLElement; brief: HTMLElement },
) {
  set(cells.state, { title: of ?? null });
  if (row.dataset.state === word) return;
  set(row, { "data-state": word });
  for (const cell of [cells.state, cells.brief]) {
    set(cell, { "data-tone": tone });
    cell.replaceChildren(...(shape ? [glyph(shape)] : []), word);
  }
}
