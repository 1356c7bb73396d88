/**
 * The decision map: the predicted class at each place of two inputs, with the samples on top.
 * Owns: when there is one, for which runs, how an answer is read, and its description in words.
 * Pure.
 */

import { decode } from "./columns.ts";
import { stageMaps } from "./data-picture.ts";
import { integer, number, percent } from "./format.ts";
import { shownRuns, stateOnView } from "./state-on-view.ts";
import { placeOf, answersOf } from "./instruments.ts";
import { hasOthers, mapSentences } from "./map-words.ts";
import * as texts from "../words/english.ts";
import type { Experiment, Json, Run, State } from "./types.ts";

export interface DecisionMap {
  side: number; // cells a side
  /** classes, row by row, the lowest first, NONE where nothing is finite; of a regression values */
  predicted: ArrayLike<number>;
  /**
   * the predicted class's probability, scaled from 0 (chance) to 1; null if the loss has no
   * probabilities
   */
  sureness: ArrayLike<number> | null;
  edges: [number, number][]; // of both inputs
  samples: {
    x: ArrayLike<number>;
    y: ArrayLike<number>;
    true: ArrayLike<number>;
    predicted: ArrayLike<number>;
  };
}

/** The instrument's name. */
export const MAP = "map";

/** shares of a map's width and height, from the lower left */
export type At = [number, number];

/** No class: the prediction is not finite. */
export const NONE = 255;

/** The byte for a probability of 1. */
const SURE = 255;

export const hasMap = (experiment: Experiment | null): experiment is Experiment =>
  experiment !== null && experiment.classes.length > 0 && experiment.features >= 2;

/** Places of the map's two inputs; null until they are chosen among more than two. */
export function mapInputs({ experiment, view }: State): [number, number] | null {
  if (!hasMap(experiment)) return null;
  if (experiment.features === 2) return [0, 1];
  return view.mapInputs?.every((place) => place < experiment.features) ? view.mapInputs : null;
}

/** The map is chosen and exists. */
export const showsMap = (state: State) =>
  state.view.predicted === "map" && mapInputs(state) !== null;

/** The map's request: its instrument, and its inputs if there are more. */
export function mapRequest(state: State) {
  const [inputs, chosen] = [state.experiment?.inputs ?? [], mapInputs(state)];
  if (!chosen || inputs.length === 2) return MAP;
  const [x, y] = chosen.map((place) => encodeURIComponent(inputs[place]));
  return `${MAP}?x=${x}&y=${y}`;
}

/** The inputs after a choice of one, across (0) or up (1): the same one twice changes places. */
export function withInput(inputs: [number, number], side: 0 | 1, place: number): [number, number] {
  const [x, y] = inputs;
  if (inputs[1 - side] === place) return [y, x];
  return side === 0 ? [place, y] : [x, place];
}

/** The small maps of all runs are in sight. */
export const areMapsSeen = (state: State) => state.view.isMapSeen && showsMap(state);

/** Runs with a map in sight; diverged runs have none. */
export function mappedRuns(state: State): Run[] {
  if (!areMapsSeen(state)) return stageMaps(state);
  return shownRuns(stateOnView(state)).filter(({ status }) => status !== "diverged");
}

/** The last answer for a run. */
export const lastMap = (state: State, run: string): Json | undefined =>
  answersOf(state, run, mapRequest(state)).last;

/** True if a visible map is missing, or not of the step where its run stands. */
export const isMapOld = (state: State) =>
  mappedRuns(state).some((run) => {
    const answer = lastMap(state, run.name);
    return (
      !answer ||
      ((!state.playback.playing || state.looking !== null) &&
        answer.step !== placeOf(state, state.runs[run.name]).step)
    );
  });

/** @param samples those to draw */
export function readMap(
  { cells, edges, classes, samples: own }: Json,
  samples: Json = own,
): DecisionMap {
  const predicted = decode(cells.predicted);
  const chance = 1 / classes.length;
  const sureness =
    cells.probability &&
    Float32Array.from(decode(cells.probability), (byte) =>
      Math.max(0, (byte / SURE - chance) / (1 - chance)),
    );
  const [x, y, truth, guess] = [samples.x, samples.y, samples.true, samples.predicted].map(decode);
  return {
    side: Math.round(Math.sqrt(predicted.length)),
    predicted,
    sureness,
    edges,
    samples: { x, y, true: truth, predicted: guess },
  };
}

/**
 * The map in words for screen readers: "GD at step 400: 96 of 100 test samples correct. Wrong: 3 of
 * 52 upper (as lower). Plane of x1 and x2: upper 48 %, lower 52 %."
 * @param isStandard its inputs are standardized
 */
export function mapWords(
  { label, status, divergedAt, step }: Run,
  answer: Json | undefined,
  isStandard: boolean,
) {
  if (status === "diverged") return texts.xDivergedAtStepYOff(label, integer(divergedAt ?? step));
  if (!answer) return texts.xNoPredictionsYet(label);
  const all = answer.counts.flat().reduce((sum: number, count: number) => sum + count, 0);
  const result = texts.xAtStepYZOf(
    label,
    integer(answer.step),
    integer(Math.round(answer.right * all)),
    integer(all),
    answer.split === "test" ? texts.test : texts.training,
  );
  return mapSentences(result, answer, isStandard);
}

/** Column and row of the nearest cell. */
export function cellAt(side: number, at: At): [number, number] {
  const [column, row] = at.map((share) =>
    Math.min(side - 1, Math.max(0, Math.floor(share * side))),
  );
  return [column, row];
}

const MOVES: Record<string, (cell: [number, number], last: number) => [number, number]> = {
  ArrowLeft: ([column, row]) => [column - 1, row],
  ArrowRight: ([column, row]) => [column + 1, row],
  ArrowDown: ([column, row]) => [column, row - 1],
  ArrowUp: ([column, row]) => [column, row + 1],
  Home: ([, row]) => [0, row],
  End: ([, row], last) => [last, row],
  PageDown: ([column]) => [column, 0],
  PageUp: ([column], last) => [column, last],
};

export const isMove = (key: string) => Object.hasOwn(MOVES, key);

/**
 * The middle of the cell to which a key moves. The first key enters in the middle; no key leaves
 * the map.
 */
export function moved(side: number, at: At | null, key: string): At {
  const middle = (one: number) => (Math.min(side - 1, Math.max(0, one)) + 0.5) / side;
  const [column, row] = at ? MOVES[key](cellAt(side, at), side - 1) : cellAt(side, [0.5, 0.5]);
  return [middle(column), middle(row)];
}

/**
 * The prediction at a place: "x1 0.52, x2 −0.31: upper, 97 %".
 * @param isStandard its inputs are standardized
 */
export function placeWords(
  { inputs, classes, cells }: Json,
  { side, predicted, edges }: DecisionMap,
  at: At,
  isStandard: boolean,
) {
  const [column, row] = cellAt(side, at);
  const cell = row * side + column;
  // the prediction is for the cell's middle, so name that place
  const place = [column, row]
    .map(
      (one, k) =>
        `${inputs[k]} ${number(edges[k][0] + ((one + 0.5) / side) * (edges[k][1] - edges[k][0]))}`,
    )
    .join(", ");
  const value = predicted[cell];
  const isKnown = classes.length ? value !== NONE : Number.isFinite(value);
  const name = !isKnown ? texts.nothingFinite : classes.length ? classes[value] : number(value);
  const share =
    cells.probability && isKnown ? `, ${percent(decode(cells.probability)[cell] / SURE)}` : "";
  return `${place}${isStandard ? texts.standardizedTail : ""}: ${name}${share}`;
}

/**
 * "Across: x1, −1.06 to 1.07. Up: x2, −0.59 to 0.6."
 * @param isStandard its inputs are standardized
 */
export function axisWords(answer: Json, isStandard: boolean) {
  const { inputs, edges } = answer;
  const others = hasOthers(answer) ? texts.othersAtTheirMeanTail : "";
  const [across, up] = edges.map(
    (ends: [number, number], place: number) =>
      `${inputs[place]}, ${ends.map((end) => number(end)).join(texts.toBetween)}`,
  );
  return texts.acrossXUpYZU(across, up, isStandard ? texts.bothStandardizedSentence : "", others);
}
