/**
 * Instrument answers of a run while they are open: the last one whole, earlier ones as a trail of
 * numbers.
 * Owns: which instruments belong to a view, the length of trails, and the words for measurements.
 * Pure.
 */

import { isStandardized } from "./data-recipe.ts";
import { integer, number, percent, short } from "./format.ts";
import { inspectedRun } from "./inspected.ts";
import { minimizedWords } from "./losses.ts";
import { stepOf } from "./state-on-view.ts";
import { TERMS } from "./terms.ts";
import * as texts from "../words/english.ts";
import type { Experiment, Json, Measured, Run, State } from "./types.ts";

/**
 * - `query` holds further parameters
 * - `key` says how to read its lines
 * - `legend` names the classes whose shapes it draws, if they are not the run's
 * - `units` names the part that may be standardized
 * - `brief` and `least` are name and value where there is little room, in the unit of the marker
 * - `value` changes with every measurement, `says` only with the story
 */
export type Gauge = {
  figure: string;
  instrument: string;
  name: string;
  brief: string;
  query?: string;
  key?: string;
  legend?: (answer: Json) => string[];
  units?: "inputs" | "targets";
  isEven?: boolean; // a unit is as long across as up
  value: (answer: Json) => string;
  least: (answer: Json) => string;
  says: (answer: Json) => string;
};
/** a gauge without its figure, if it is named like the gauge, and without values, if it has none */
type Row = Omit<Gauge, "figure" | "value" | "least"> & Partial<Gauge>;
type Choice = {
  value: string;
  text: string;
  gauges: Gauge[];
  isFor?: ((experiment: Experiment) => boolean) | undefined;
};

/** Distance from the edge of stability within which a run is at it. */
const NEAR = 0.1;

/** null before the first step of optimizers that scale theirs; and for those without a limit. */
const unknownBend = (limit: number | null) => (limit === null ? texts.noLimit : texts.notKnownYet);

export const bendValue = (bend: number | null, limit: number | null) => {
  if (bend === null) return unknownBend(limit);
  return limit === null ? texts.xNoLimit(number(bend)) : texts.xOfY(number(bend), number(limit));
};

const edgeWords = ({ edge, limit }: Json) =>
  edge === null
    ? unknownBend(limit)
    : edge > 1 + NEAR
      ? texts.beyondTheEdgeOfStability
      : edge >= 1 - NEAR
        ? texts.atTheEdgeOfStability
        : texts.belowTheEdgeOfStability;

const alphaWords = (alpha: number | null) =>
  alpha === null
    ? texts.noStep
    : alpha > 1
      ? texts.theStepGoesUphill
      : alpha > 0
        ? texts.theStepGoesBeyondTheLowest
        : alpha >= -1
          ? texts.theStepEndsBeforeTheLowest
          : texts.theLowestPointLiesBehindThe;

/** The value; one below the chart's scale says why. */
const alphaValue = (alpha: number | null) =>
  alpha !== null && alpha < -1 ? texts.xLowestPointBehind(number(alpha)) : number(alpha);

const noiseWords = (scale: number | null, batch: number) =>
  scale === null
    ? texts.noSignal
    : scale > batch
      ? texts.aBatchHasMoreNoiseThan
      : texts.aBatchHasMoreSignalThan;

const alongWords = (losses: number[] | null) =>
  losses === null
    ? texts.noStep
    : losses[1] < losses[0]
      ? texts.theStepGoesDown
      : texts.theStepGoesUp;

const below = (eigenvalues: number[]) => eigenvalues.filter((value) => value < 0).length;

function zeroWords(parameters: Record<string, Json>) {
  const zero = Object.keys(parameters).filter((name) => parameters[name].l1 === 0);
  return zero.length ? texts.exactly0InX(zero.join(", ")) : texts.noGradientIsExactly0;
}

const cosineWords = (cosine: number | null) =>
  cosine === null
    ? texts.noDirection
    : cosine > 0.7
      ? texts.batchAndFullGradientAgree
      : cosine > 0
        ? texts.batchAndFullGradientRoughlyAgree
        : texts.batchAndFullGradientDisagree;

const outsideWords = (outside: number | null) =>
  outside === null ? texts.notFiniteHere : texts.outsideThisPlaneX(percent(outside));

const calibrationWords = (error: number | null) =>
  error === null ? texts.noProbabilities : texts.expectedErrorX(percent(error));

const ofSplit = ({ split }: Json) =>
  texts.ofTheXSamples(split === "test" ? texts.test : texts.training);

const slice = (query: string, name: string): Row => ({
  figure: "slice",
  query,
  instrument: "slice",
  name,
  brief: texts.fallLine,
  key: texts.contoursPowersOfTenOfThe,
  value: ({ outside }) => outsideWords(outside),
  least: ({ outside }) => (outside === null ? "" : percent(outside)),
  says: ({ outside }) => outsideWords(outside),
});

const ROWS: Record<string, Row> = {
  edge: {
    instrument: "curvature",
    name: TERMS.edge.name,
    brief: texts.edge,
    least: ({ edge }) => short(edge, 2),
    value: ({ sharpness, limit }) => bendValue(sharpness, limit),
    says: edgeWords,
  },
  batch_edge: {
    instrument: "batch_sharpness",
    name: TERMS.batch_edge.name,
    brief: texts.batchEdge,
    least: ({ edge }) => short(edge, 2),
    value: ({ batch_sharpness: sharpness, limit }) => bendValue(sharpness, limit),
    says: edgeWords,
  },
  alpha: {
    instrument: "alpha",
    name: TERMS.alpha.name,
    brief: texts.stepAlpha,
    least: ({ batch }) => short(batch.alpha, 2),
    value: ({ batch }) => alphaValue(batch.alpha),
    says: ({ batch }) => alphaWords(batch.alpha),
  },
  noise: {
    instrument: "noise",
    name: TERMS.noise.name,
    brief: texts.noise,
    least: ({ noise_scale: scale }) => short(scale, 2),
    value: ({ noise_scale: scale, batch_size: batch }) =>
      texts.xBatchY(number(scale), integer(batch)),
    says: ({ noise_scale: scale, batch_size: batch }) => noiseWords(scale, batch),
  },
  along: {
    instrument: "along",
    name: texts.lossAlongTheStep,
    brief: texts.alongTheStep,
    key: texts.solidAllSamplesDashedTheBatch,
    value: ({ descended }) => minimizedWords(descended),
    says: ({ train }) => alongWords(train.losses),
  },
  spectrum: {
    instrument: "curvature",
    name: texts.eigenvaluesOfTheHessian,
    brief: texts.eigenvalues,
    key: texts.byRankHollowBelow0Their,
    value: ({ eigenvalues, trace }) =>
      texts.xYBelow0TraceZ(integer(eigenvalues.length), integer(below(eigenvalues)), number(trace)),
    least: ({ eigenvalues }) => integer(eigenvalues.length),
    says: edgeWords,
  },
  histogram: {
    instrument: "gradients",
    name: texts.entriesOfTheGradient,
    brief: texts.entries,
    value: ({ batch_size: batch }) => texts.batchX(integer(batch)),
    says: ({ parameters }) => zeroWords(parameters),
  },
  ratios: {
    instrument: "gradients",
    name: texts.updateOverWeight,
    brief: texts.updateOverWeightLabel,
    key: texts.filledNormChangeNormPHollowSdChange,
    says: ({ parameters }) => zeroWords(parameters),
  },
  cosine: {
    instrument: "gradients",
    name: texts.cosineWithTheFullGradient,
    brief: texts.cosine,
    value: ({ cosine }) => number(cosine),
    least: ({ cosine }) => short(cosine, 2),
    says: ({ cosine }) => cosineWords(cosine),
  },
  cosines: {
    instrument: "gradients",
    name: texts.ofEachParameter,
    brief: texts.each,
    says: ({ cosine }) => cosineWords(cosine),
  },
  layers: {
    instrument: "noise",
    name: texts.signalOverNoiseOfEachLayer,
    brief: texts.signalOverNoise,
    key: texts.signalOfOneSample,
    value: ({ signal_to_noise: ratio }) => number(ratio),
    least: ({ signal_to_noise: ratio }) => short(ratio, 2),
    says: ({ noise_scale: scale, batch_size: batch }) => noiseWords(scale, batch),
  },
  residuals: {
    instrument: "residuals",
    name: texts.residuals,
    brief: texts.residuals,
    key: texts.truePredictedOverThePrediction,
    units: "targets",
    value: ({ mean, rmse, mae }) => texts.rmseXMAEYMeanZ(number(rmse), number(mae), number(mean)),
    least: ({ rmse }) => short(rmse, 2),
    says: ofSplit,
  },
  confusion: {
    instrument: "confusion",
    name: texts.confusionMatrix,
    brief: texts.confusion,
    key: texts.rowsTheTrueClassColumnsThe,
    value: ({ right }) => texts.xRight(percent(right ?? 0)),
    least: ({ right }) => percent(right ?? 0),
    says: ofSplit,
  },
  metrics: {
    instrument: "metrics",
    name: texts.scoresOfEachClass,
    brief: texts.scores,
    key: texts.dotsPrecisionHollowRecallDiamondsF1,
    value: ({ accuracy }) => texts.xRight(percent(accuracy ?? 0)),
    least: ({ accuracy }) => percent(accuracy ?? 0),
    says: ofSplit,
  },
  calibration: {
    instrument: "calibration",
    name: texts.calibration,
    brief: texts.calibration,
    key: texts.accuracyOverConfidenceDashedEqual,
    value: ({ expected_error: error }) => calibrationWords(error),
    least: ({ expected_error: error }) => (error === null ? "" : percent(error)),
    says: ofSplit,
  },
  decision: {
    instrument: "decision",
    name: texts.decisionMap,
    brief: texts.decisions,
    key: texts.shadePredictedClassShapesSamplesBy,
    units: "inputs",
    isEven: true,
    value: ({ classes }) => (classes ?? []).join(", "),
    legend: ({ classes }) => classes ?? [],
    says: ({ inputs }) => texts.overX((inputs ?? []).join(texts.andBetween)),
  },
  slice: slice("", texts.lossOverTheMainPlaneOfLabel),
  "slice-eigen": slice("plane=eigenvectors", texts.lossOverTheTwoSharpestDirections),
  "slice-filter": slice("normalize=filter", texts.lossOverThePathsPlaneFilter),
};

const none = () => "";
export const GAUGES: Record<string, Gauge> = Object.fromEntries(
  Object.entries(ROWS).map(([figure, row]) => [
    figure,
    { figure, value: none, least: none, ...row },
  ]),
);

/** The first choice: the three gauges. */
export const FIRST = "gauges";

/** A choice of gauges, by default of the one with its name. */
const choice = (value: string, text: string, isFor?: Choice["isFor"], kinds = [value]): Choice => ({
  value,
  text,
  isFor,
  gauges: kinds.map((kind) => GAUGES[kind]),
});

const isClassified = ({ classes }: Experiment) => classes.length > 0;

export const CHOICES: Choice[] = [
  choice(FIRST, texts.edgeStepNoise, undefined, ["edge", "alpha", "noise"]),
  choice("batch_edge", TERMS.batch_edge.name),
  choice("along", texts.lossAlongTheStep),
  choice("spectrum", texts.eigenvalues),
  choice("histogram", texts.histogramOfGradients),
  choice("ratios", texts.updateOverWeight),
  choice("cosine", texts.cosineWithTheFullGradient, undefined, ["cosine", "cosines"]),
  choice("layers", texts.signalAndNoiseByLayer),
  choice("slice", texts.fallLine),
  choice("slice-filter", texts.fallLineFilterNormalised),
  choice("slice-eigen", texts.fallLineAlongTopEigenvectors),
  choice("residuals", texts.residuals, (experiment) => !isClassified(experiment)),
  choice("confusion", texts.confusionMatrix, isClassified),
  choice("metrics", texts.scoresOfEachClass, isClassified),
  choice("calibration", texts.calibration, isClassified),
  choice(
    "decision",
    texts.decisionMap,
    (experiment) => isClassified(experiment) && experiment.features === 2,
  ),
];

/** The choices for this experiment. */
export const choicesFor = ({ experiment }: State) =>
  CHOICES.filter(({ isFor }) => !isFor || (experiment !== null && isFor(experiment)));

export const choiceOf = (state: State) =>
  choicesFor(state).find(({ value }) => value === state.view.instruments) ?? CHOICES[0];

/** The kind of its chart. */
export const kindOf = (gauge: Gauge) =>
  Object.keys(GAUGES).find((name) => GAUGES[name] === gauge) ?? "";

/** How to read it, and whether its numbers are standardized. */
export const keyWords = ({ experiment }: State, { key = "", units }: Gauge) =>
  units && isStandardized(experiment, units) ? texts.xSemicolonStandardized(key) : key;

/** The request of a gauge: the instrument and its query, if any. */
export const requestOf = ({ instrument, query }: Gauge) =>
  query ? `${instrument}?${query}` : instrument;

/** The open instruments, each once. */
export const openInstruments = (state: State) =>
  state.view.panel === "instruments" ? [...new Set(choiceOf(state).gauges.map(requestOf))] : [];

export type Place = { run: Run; step: number; isPast: boolean };

/** The place at which a run is measured: its present step, or the step on view. */
export const placeOf = ({ looking }: State, run: Run): Place => ({
  run,
  step: looking ? stepOf(run, looking.step) : run.step,
  isPast: looking !== null && looking.step < run.step,
});

/** The measured run, whose network is drawn, and its place. */
export function measuredAt(state: State) {
  const run = inspectedRun(state);
  return run ? placeOf(state, run) : null;
}

/** Answers kept for an instrument; beyond that every second of the older ones goes. */
export const MOST = 300;

const TRAILED = new Set(Object.values(GAUGES).map(requestOf));

/** Numbers and their names: the parts of an answer that a trail can show. */
function light(answer: Json): Json {
  const numbers = Object.entries(answer).map(([key, value]) => [
    key,
    value !== null && typeof value === "object" && !Array.isArray(value) ? light(value) : value,
  ]);
  return Object.fromEntries(numbers.filter(([, value]) => !Array.isArray(value)));
}

/** @param trail by step */
function thinned(trail: Json[]) {
  return trail.length > MOST
    ? trail.filter((_, k) => k % 2 === 0 || k === trail.length - 1)
    : trail;
}

/** Adds an answer. One of another generation or an unknown run changes nothing. */
export function withMeasured(
  state: State,
  { run, name, answer }: { run: string; name: string; answer: Json },
): State {
  const { generation } = answer;
  if (state.runs[run]?.generation !== generation) return state;
  const stored: Measured =
    state.instruments[run]?.generation === generation
      ? state.instruments[run]
      : { generation, last: {}, trails: {} };
  const others = (stored.trails[name] ?? []).filter(({ step }) => step !== answer.step);
  // only instruments with a figure of trails keep one
  const trail = !TRAILED.has(name)
    ? []
    : thinned([...others, light(answer)].sort((a, b) => a.step - b.step));
  return {
    ...state,
    instruments: {
      ...state.instruments,
      [run]: {
        generation,
        last: { ...stored.last, [name]: answer },
        trails: { ...stored.trails, [name]: trail },
      },
    },
  };
}

/** An instrument's answers for a run in this generation. */
export function answersOf(
  state: State,
  run: string,
  name: string,
): { last: Json | undefined; trail: Json[] } {
  const stored = state.instruments[run];
  const isOfNow = stored?.generation === state.runs[run]?.generation;
  return {
    last: isOfNow ? stored.last[name] : undefined,
    trail: isOfNow ? (stored.trails[name] ?? []) : [],
  };
}

/** A gauge in one sentence, rewritten when its story changes. */
export function gaugeSummary(state: State, gauge: Gauge) {
  const { name, says } = gauge;
  const at = measuredAt(state);
  const last = at ? answersOf(state, at.run.name, requestOf(gauge)).last : undefined;
  return last && at
    ? texts.xOfYZSentence(name, at.run.label, says(last))
    : texts.xNotMeasuredYet(name);
}

/** Why a gauge has no measurement yet; empty if the server cannot answer, which the strip shows. */
export function waitingWords(state: State, gauge: Gauge) {
  const at = measuredAt(state);
  if (
    !at ||
    !["ready", "live"].includes(state.connection.status) ||
    answersOf(state, at.run.name, requestOf(gauge)).last
  )
    return "";
  return state.playback.playing && !at.isPast
    ? texts.notMeasuredYetPlayingRunsGo
    : texts.beingMeasured;
}

/** All numbers of the open gauges in words, as the charts show them. */
export function readingWords(state: State) {
  const at = measuredAt(state);
  if (!at) return "";
  const readings = choiceOf(state).gauges.map((gauge) => {
    const { last } = answersOf(state, at.run.name, requestOf(gauge));
    return last ? `${gauge.name} ${gauge.value(last)}` : null;
  });
  return [at.run.label, ...readings.filter(Boolean)].join(", ");
}

/** The cost of the open instruments: "takes 12 ms, every 0.4 s". */
export function costWords(state: State) {
  const at = measuredAt(state);
  const answers = at
    ? openInstruments(state).map((name) => answersOf(state, at.run.name, name).last)
    : [];
  if (!answers.length || answers.some((one) => !one)) return "";
  const sum = (field: string) => answers.reduce((all, one) => all + (one?.[field] ?? 0), 0);
  const cost = sum("cost_seconds");
  const takes = texts.takesX(
    cost < 0.9995 ? texts.xMs(integer(Math.max(1, 1000 * cost))) : texts.xS(number(cost)),
  );
  return state.playback.playing && !state.looking
    ? texts.xEveryYS(takes, Math.max(0.1, cost + sum("again_seconds")).toFixed(1))
    : takes;
}
