/**
 * The data's own picture. One input: the curve of every run beside the samples. Two inputs: the map
 * of the run that is looked at.
 * Owns: which runs it shows, how answers are read, and its words. Pure.
 */

import { decode } from "./columns.ts";
import { mapSentences } from "./map-words.ts";
import { integer, listed, percent, plural, score } from "./format.ts";
import { extent } from "./numbers.ts";
import { inspectedRun } from "./inspected.ts";
import { answersOf } from "./instruments.ts";
import { dataPictureOf } from "./pictures.ts";
import { shownRuns, shownStep, stateOnView } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Json, Run, State } from "./types.ts";

/** The instrument of the curves. */
export const CURVE = "curve";

/** places of samples: inputs and targets; classes lie between 0, the first, and 1, the last */
export interface Points {
  x: number[];
  y: number[];
}
/** training samples on the plane of two inputs, without a map */
export interface Ground {
  edges: [number, number][];
  samples: { x: number[]; y: number[]; true: number[]; predicted: number[] };
}
export interface Samples {
  experiment: string;
  train: Points;
  test: Points;
  ground: Ground | null;
}

export interface Curve {
  step: number;
  edges: [number, number];
  values: ArrayLike<number>; // at even places from edge to edge
}

/** Room around the samples in the server's maps, as a share, and their cells a side. */
const MARGIN = 0.06;
const CELLS = 48;

/** Most samples drawn of a split, chosen evenly. */
const MOST_DOTS = 600;

/** The runs on the map, the one looked at first: as many as have room. */
export function picturedRuns(state: State): Run[] {
  const visible = shownRuns(state);
  const looked = inspectedRun(state)?.name;
  const first = visible.filter(({ name }) => name === looked);
  const others = visible.filter(({ name }) => name !== looked);
  return [...first, ...others].slice(0, Math.max(1, state.view.maps));
}

/** The runs whose map is in sight; diverged runs have none. */
export function stageMaps(state: State): Run[] {
  if (!state.view.maps || dataPictureOf(state.experiment) !== "map") return [];
  return picturedRuns(stateOnView(state)).filter(({ status }) => status !== "diverged");
}

/** True if the map in sight is one of a diverged run: only its samples are drawn. */
const showsGround = (state: State) =>
  state.view.maps > 0 &&
  dataPictureOf(state.experiment) === "map" &&
  picturedRuns(stateOnView(state)).some(({ status }) => status === "diverged");

/** The runs whose curve is in sight. */
export function curvedRuns(state: State): Run[] {
  if (!state.view.maps || dataPictureOf(state.experiment) !== "fit") return [];
  return shownRuns(stateOnView(state)).filter(({ status }) => status !== "diverged");
}

export const lastCurve = (state: State, run: string): Json | undefined =>
  answersOf(state, run, CURVE).last;

export const readCurve = ({ step, edges, y_pred: values }: Json): Curve => ({
  step,
  edges,
  values: decode(values),
});

/** Even choice of rows. */
function some(rows: number[]) {
  const every = Math.ceil(rows.length / MOST_DOTS) || 1;
  return rows.filter((_, k) => k % every === 0);
}

/** The range of an input on a map: half a cell beyond the margin around all samples. */
function edgesOf(values: number[]): [number, number] {
  const [low, high] = extent(values) ?? [0, 1];
  const around = MARGIN * (high - low || 1);
  const half = (high - low + 2 * around) / (CELLS - 1) / 2;
  return [low - around - half, high + around + half];
}

function groundOf({ X, y }: Json, rows: number[]): Ground {
  const truth = rows.map((row) => y[row][0]);
  const [across, up] = [0, 1].map((place) => rows.map((row) => X[row][place]));
  return {
    edges: [0, 1].map((place) => edgesOf(X.map((row: number[]) => row[place]))),
    samples: { x: across, y: up, true: truth, predicted: truth },
  };
}

/** The samples of an experiment of one or two inputs, of its data. */
export function samplesOf(state: State, { X, y, train, test }: Json): Samples {
  const highest = Math.max(1, (state.experiment?.classes.length ?? 0) - 1);
  const points = (rows: number[]): Points => ({
    x: some(rows).map((row) => X[row][0]),
    y: some(rows).map((row) => y[row][0] / highest),
  });
  return {
    experiment: state.experiment?.id ?? "",
    train: points(train),
    test: points(test),
    ground: state.experiment?.features === 2 ? groundOf({ X, y }, some(train)) : null,
  };
}

/** True if the samples are missing. */
export const lacksSamples = (state: State) =>
  (curvedRuns(state).length > 0 || showsGround(state)) &&
  state.samples?.experiment !== state.experiment?.id;

/** The samples for a map that does not exist. */
export const groundIn = ({ samples, experiment }: State): Ground | undefined =>
  (samples?.experiment === experiment?.id && samples?.ground) || undefined;

/** The share of right predictions over which split: "90 % of test right". */
export const rightWords = ({ right, split }: Json) =>
  texts.xOfYRight(percent(right), split === "test" ? texts.test : texts.training);

/** "R² 0.95 on test" of a run; accuracy for classes. */
export function scoreWords({ experiment }: State, { latest }: Run) {
  const split = experiment?.testSamples ? "test" : "train";
  const value = latest[`${split}_${experiment?.score}`]?.value;
  const name = experiment?.score === "accuracy" ? texts.accuracyWord : "R²";
  return `${name} ${score(value)}${split === "test" ? texts.onTestTail : ""}`;
}

/** The fit in words: "Fit at step 1,000, 90 training and 30 test samples. GD: R² 0.95 on test." */
export function fitWords(present: State, off: string[]) {
  const state = stateOnView(present);
  const { trainSamples = 0, testSamples = 0 } = state.experiment ?? {};
  const samples = testSamples
    ? texts.xTrainingAndYTestSamples(integer(trainSamples), integer(testSamples))
    : plural(trainSamples, "trainingSample");
  const runs = shownRuns(state).map((run) =>
    texts.xColonY(run.label, off.includes(run.name) ? texts.offTheAxis : scoreWords(state, run)),
  );
  return [texts.fitAtStepXY(integer(shownStep(state)), samples), ...runs].join(" ");
}

/**
 * The map in words: "Map at step 750, Adam: 90 % of test right. Wrong: ... Plane of x1 and x2: ..."
 * @param isStandard its inputs are standardized
 */
export function mapWords(run: Run, answer: Json | undefined, isStandard: boolean, state: State) {
  const { label, status, divergedAt, step } = run;
  if (status === "diverged")
    return texts.noMapOfXDivergedAtStepY(
      label,
      integer(divergedAt ?? step),
      plural(state.experiment?.trainSamples ?? 0, "trainingSample"),
    );
  if (!answer) return texts.mapOfXNoPredictions(label);
  const result = answer.classes.length ? rightWords(answer) : scoreWords(state, run);
  return mapSentences(texts.mapAtStepXYZ(integer(answer.step), label, result), answer, isStandard);
}

/** The words for the picture while presenting. */
export function dataWords({ experiment }: State) {
  const inputs = listed(experiment?.inputs ?? []);
  const what = experiment?.classes.length ? texts.predictedClass : texts.predictedValue;
  return texts.xOverY(what, inputs);
}

/** "step 1,230" of an answer that is not of the step on view; else nothing. */
export const whenWords = (run: Run, step: number | undefined) =>
  step === undefined || step === run.step ? "" : texts.stepX(integer(step));
