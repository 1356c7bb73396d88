/**
 * The present values of a term: a line for each run, and a scale where one place says more.
 * Owns: which numbers those are. Pure. core/terms.ts has the sentences.
 */

import { methodName, ownOf, rowOf, rowsOf } from "../../core/catalog.ts";
import { shareWords, spotsOnView } from "../../core/fall-line.ts";
import { epochs, integer, number, plural, score, setting } from "../../core/format.ts";
import { answersOf, bendValue, GAUGES, placeOf, requestOf } from "../../core/instruments.ts";
import { inspectedRun } from "../../core/inspected.ts";
import { explanationOf, explained } from "../../core/parameters.ts";
import { CONSTANT_GUESS, FIRST_WEIGHTS, FROM_A_FILE } from "../../core/formulas.ts";
import { CARD_TEXTS, isTerm, TERMS } from "../../core/terms.ts";
import { deadLayer, stateOf } from "../../core/selectors.ts";
import { shownRuns, stateOnView } from "../../core/state-on-view.ts";
import { nameFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { Term, TermKey } from "../../core/terms.ts";
import type { Experiment, Json, Run, State } from "../../core/types.ts";

export type Row = { run: Run; text: string };
/** `at` 0..1 along the line */
export type Place = { at: number; text: string };
export type Scale = { ticks: Place[]; values: (Place & { run: Run })[] };
/** `formula`: as this experiment computes it, where that depends on its recipe */
export type Facts = { rows?: Row[]; scale?: Scale; note?: string; formula?: string };
export type Card = Term & { key: string; facts: Facts };

const latest = (run: Run, series: string) => run.latest[series]?.value;

/** The runs on the page, at the step on view. */
const runsOf = (state: State) => shownRuns(stateOnView(state));

/** Runs with a value; the others have no line. */
const rowsFor = (state: State, text: (run: Run) => string | null): Row[] =>
  runsOf(state).flatMap((run) => {
    const words = text(run);
    return words === null ? [] : [{ run, text: words }];
  });

/** as the server writes it */
const PLAIN_LIMIT = "2 / learning_rate";

const within = (value: number, low: number, high: number) =>
  Math.min(1, Math.max(0, (value - low) / (high - low)));

/** A scale from `low` to `high`; values beyond stand at its ends. */
function scaleOf(
  state: State,
  [low, high]: [number, number],
  ticks: [number, string][],
  read: (run: Run) => number | null | undefined,
  words: (value: number) => string,
): Scale | undefined {
  const values = runsOf(state).flatMap((run) => {
    const value = read(run);
    return typeof value === "number" && Number.isFinite(value)
      ? [{ run, at: within(value, low, high), text: words(value) }]
      : [];
  });
  return values.length
    ? { ticks: ticks.map(([value, text]) => ({ at: within(value, low, high), text })), values }
    : undefined;
}

/** The score of the table: of test samples if there are any, and none at the start. */
function scored(state: State, name: "r2" | "accuracy", low: number, ticks: [number, string][]) {
  const { experiment } = state;
  const series = `${experiment?.testSamples ? "test" : "train"}_${name}`;
  const read = (run: Run) => (run.step === 0 ? null : latest(run, series));
  const note = experiment?.testSamples
    ? texts.ofX(plural(experiment.testSamples, "testSample"))
    : texts.ofTheTrainingSamples;
  return { scale: scaleOf(state, [low, 1], ticks, read, score), note };
}

/** "W1 0.00242, W2 0". */
function perWeight({ experiment }: State, series: string) {
  return (run: Run) => {
    const words = (experiment?.weights ?? []).flatMap((name) => {
      const value = latest(run, `${series}/${name}`);
      return value === undefined ? [] : [`${name} ${number(value)}`];
    });
    return words.length ? words.join(", ") : null;
  };
}

function zeroWeights({ experiment }: State) {
  return (run: Run) => {
    const names = (experiment?.weights ?? []).filter(
      (name) => latest(run, `grad_l1/${name}`) !== undefined,
    );
    const zero = names.filter((name) => latest(run, `grad_l1/${name}`) === 0);
    if (!names.length) return null;
    return zero.length ? texts.inX(zero.join(", ")) : texts.inNoLayer;
  };
}

/** "layer 1: 0 of 4, layer 2: 4 of 4". */
function deadUnits({ units }: Run) {
  const layers = (units?.layers ?? []).map(({ dead }, k) =>
    texts.layerXYOfZ(k + 1, integer(dead.filter(Boolean).length), integer(dead.length)),
  );
  return layers.length ? layers.join(", ") : null;
}

/** The newest measurement that is already here, of no later step than the one on view; a card asks for none. */
function newest(state: State, run: Run, gauge: string): Json | undefined {
  const { trail } = answersOf(state, run.name, requestOf(GAUGES[gauge]));
  const { step } = placeOf(state, run);
  return trail.filter((answer) => answer.step <= step || !state.looking).at(-1);
}

function measured(state: State, gauge: string, words: (answer: Json) => string) {
  return (run: Run) => {
    const { step } = placeOf(state, run);
    const last = newest(state, run, gauge);
    return last
      ? `${words(last)}${last.step === step ? "" : texts.atStepXTail(integer(last.step))}`
      : null;
  };
}

/** The standard deviation of He's first weights. */
const heWords = ({ weights, shapes }: Experiment) =>
  weights.map((name) => `${name} ${number(Math.sqrt(2 / shapes[name][0]))}`).join(", ");

/** "normal: N(0, scale²)", as the catalog says it. */
function initializerWords({ catalog, experiment }: State) {
  const method = experiment?.recipe.network.weights;
  if (!experiment || method === undefined) return "";
  if (experiment.recipe.network.start) return texts.fromAFileWord;
  const name = methodName(method);
  const { says } = explanationOf(rowOf(catalog, "initializers", name));
  const own = Object.entries(ownOf(catalog, "initializers", method))
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
  return `${[nameFor("initializers", name), own].filter(Boolean).join(", ")}. ${says}`.trim();
}

const bendWords = (bend: number | null, limit: number | null) =>
  limit === null ? bendValue(bend, limit) : texts.xLimitY(number(bend), number(limit));

/** How an optimizer's limit follows from its settings, if it is not the limit of plain steps. */
function limitWords({ label }: Run, edge: Json | undefined) {
  if (!edge || edge.limit === null || edge.formula === PLAIN_LIMIT) return "";
  const scaled = edge.preconditioned ? ` ${texts.itsBendIsInScaledWeights}` : "";
  return `${texts.limitOfXY(label, edge.formula)}${scaled}`;
}

const FACTS: Partial<Record<TermKey, (state: State) => Facts>> = {
  step: (state) => ({ rows: rowsFor(state, ({ step }) => integer(step)) }),
  samples_seen: (state) => ({ rows: rowsFor(state, ({ samplesSeen }) => integer(samplesSeen)) }),
  epoch: (state) => ({
    rows: rowsFor(
      state,
      ({ samplesSeen, epoch }) =>
        `${integer(samplesSeen)} / ${integer(state.experiment?.trainSamples ?? 0)} = ${epochs(epoch)}`,
    ),
  }),
  learning_rate: (state) => ({
    rows: rowsFor(state, (run) => {
      const { learning_rate: rate } = run.settings;
      const now = latest(run, "learning_rate");
      const isScheduled = typeof now === "number" && run.step > 0 && now !== rate;
      return isScheduled ? texts.xCommaOfY(number(now), setting(rate)) : setting(rate);
    }),
  }),
  batch_size: (state) => ({
    rows: rowsFor(state, ({ settings: { batch_size: size } }) => {
      const samples = state.experiment?.trainSamples ?? 0;
      return texts.xOfY(integer(Math.min(size ?? samples, samples)), plural(samples, "sample"));
    }),
  }),
  ...Object.fromEntries(
    (["mse", "huber", "binary_cross_entropy", "softmax_cross_entropy"] as const).map((name) => [
      name,
      (state: State) => ({
        rows: rowsFor(state, (run) => number(latest(run, "train_loss"))),
        note: baselineWords(state),
      }),
    ]),
  ),
  test_loss: (state) => ({
    rows: rowsFor(state, (run) =>
      texts.xTrainY(number(latest(run, "test_loss")), number(latest(run, "train_loss"))),
    ),
  }),
  r2: (state) =>
    scored(state, "r2", -1.2, [
      [-1, "−1"],
      [0, texts.zeroTheMean],
      [1, "1"],
    ]),
  accuracy: (state) =>
    scored(state, "accuracy", 0, [
      [0, "0"],
      [0.5, "0.5"],
      [1, "1"],
    ]),
  baseline: (state) => ({ note: baselineWords(state), ...constantGuess(state) }),
  majority: (state) => ({ note: baselineWords(state), ...constantGuess(state) }),
  grad_l1: (state) => ({ rows: rowsFor(state, perWeight(state, "grad_l1")) }),
  grad_l2: (state) => ({ rows: rowsFor(state, perWeight(state, "grad_l2")) }),
  grad_mean: (state) => ({ rows: rowsFor(state, perWeight(state, "grad_mean")) }),
  ratio: (state) => ({ rows: rowsFor(state, perWeight(state, "ratio")) }),
  whole: (state) => ({
    rows: rowsFor(state, (run) => {
      const norm = latest(run, "grad_norm");
      return norm === undefined
        ? null
        : texts.xRateY(number(norm), number(latest(run, "learning_rate")));
    }),
  }),
  zero: (state) => ({ rows: rowsFor(state, zeroWeights(state)) }),
  dead: (state) => ({ rows: rowsFor(state, deadUnits) }),
  weights: (state) => ({ note: initializerWords(state), ...firstWeights(state) }),
  he: (state) => ({
    note: state.experiment ? texts.standardDeviationHereX(heWords(state.experiment)) : "",
  }),
  edge: (state) => ({
    note: runsOf(state)
      .map((run) => limitWords(run, newest(state, run, "edge")))
      .filter(Boolean)
      .join(" "),
    rows: rowsFor(
      state,
      measured(state, "edge", ({ sharpness, limit }) => bendWords(sharpness, limit)),
    ),
  }),
  batch_edge: (state) => ({
    rows: rowsFor(
      state,
      measured(state, "batch_edge", ({ batch_sharpness: bend, limit }) => bendWords(bend, limit)),
    ),
  }),
  alpha: (state) => ({
    rows: rowsFor(
      state,
      measured(state, "alpha", ({ batch }) => number(batch.alpha)),
    ),
  }),
  noise: (state) => ({
    rows: rowsFor(
      state,
      measured(state, "noise", ({ noise_scale: scale, batch_size: batch }) =>
        texts.xBatchY(number(scale), integer(batch)),
      ),
    ),
  }),
  spectrum: (state) => ({
    rows: rowsFor(
      state,
      measured(state, "spectrum", ({ trace }) => texts.traceX(number(trace))),
    ),
  }),
  ...Object.fromEntries(
    (["cosine", "layers", "residuals", "metrics", "calibration"] as const).map((gauge) => [
      gauge,
      (state: State) => ({ rows: rowsFor(state, measured(state, gauge, GAUGES[gauge].value)) }),
    ]),
  ),
  outside: (state) => {
    const spots = spotsOnView(state) ?? {};
    return {
      rows: rowsFor(state, ({ name }) => (spots[name] ? shareWords(spots[name].outside) : null)),
    };
  },
};

/** The loss of the best constant guess, by this experiment's loss. */
const constantGuess = ({ experiment }: State): Facts => ({
  formula: CONSTANT_GUESS[methodName(experiment?.recipe.loss ?? "")],
});

function firstWeights({ experiment }: State): Facts {
  const { start, weights = "normal" } = experiment?.recipe.network ?? {};
  return { formula: start ? FROM_A_FILE : FIRST_WEIGHTS[methodName(weights)] };
}

function baselineWords({ experiment }: State) {
  const loss = experiment?.baseline?.train;
  if (loss === null || loss === undefined) return "";
  return `${TERMS[experiment?.classes.length ? "majority" : "baseline"].name}: ${number(loss)}`;
}

/** Every parameter of the catalog explains itself by its own row. */
function parameterCard({ catalog }: State, key: string): Card | null {
  const methods = ["optimizers", "schedules"].flatMap((table) =>
    rowsOf(catalog, table).flatMap(({ parameters = [] }) => parameters),
  );
  const parameter = [...rowsOf(catalog, "run_settings"), ...methods].find(
    ({ name }) => name === key,
  ) as Parameter | undefined;
  if (!parameter) return null;
  const { says, more } = explained(parameter);
  return {
    key,
    name: nameFor("settings", key),
    says,
    further: more,
    docs: "reference/methods.html",
    facts: {},
  };
}

/** The state of one run, as the table says it. */
function stateCard(state: State, run: string): Card | null {
  const on = stateOnView(state);
  const { word, says = "", formula } = stateOf(on.runs[run], on);
  return {
    key: "state",
    name: word || CARD_TEXTS.state,
    says,
    formula,
    further: formula?.includes("median") ? texts.lastIsTheNewestEighth : undefined,
    also: deadLayer(on.runs[run]) === null ? [] : ["dead"],
    docs: "reference/doctor.html#verdict",
    facts: {
      rows: rowsFor(state, (each) => stateOf(each, on).word || null),
    },
  };
}

/** @param run for a word about one run */
export function cardOf(state: State, key: string, run?: string): Card | null {
  if (key === "state") return run && state.runs[run] ? stateCard(state, run) : null;
  if (!isTerm(key)) return parameterCard(state, key);
  const { formula = TERMS[key].formula, ...facts } = state.experiment
    ? (FACTS[key]?.(state) ?? {})
    : {};
  return { ...TERMS[key], formula, key, facts };
}

/**
 * The line of a step that shows a term: "backward dW2". It is of the dead layer, else of the first
 * layer whose gradient is exactly 0, else of layer 1.
 */
export function lineOf(state: State, line: string): { run: string; line: string } | null {
  const run = stateOnView(state).runs[inspectedRun(state)?.name ?? ""];
  if (!run || !state.experiment) return null;
  const { weights } = state.experiment;
  const zero = weights.findIndex((name) => latest(run, `grad_l1/${name}`) === 0);
  const layer = deadLayer(run) ?? (zero < 0 ? 1 : zero + 1);
  return { run: run.name, line: /(W|z)$/.test(line) ? `${line}${layer}` : line };
}
