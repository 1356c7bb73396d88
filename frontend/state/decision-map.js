/**
 * The decision map: the predicted class at each place of two inputs, with the samples on top.
 * Owns: when there is one, for which runs, how an answer is read, and its description in words. Pure.
 */

import { decode } from "./columns.js";
import { integer, number, percent } from "./format.js";
import { stateOnView } from "./moments.js";
import { placeOf, answersOf } from "./instruments.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Experiment} Experiment */
/** @typedef {import("./types.js").Json} Json */
/**
 * @typedef {object} DecisionMap
 * @property {number} side  cells a side
 * @property {ArrayLike<number>} predicted  classes, row by row, the lowest first; NONE where nothing is finite
 * @property {ArrayLike<number>|null} sureness  the predicted class's probability, scaled from 0 (chance) to 1; null if the loss has no probabilities
 * @property {[number, number][]} edges  of both inputs
 * @property {{x: ArrayLike<number>, y: ArrayLike<number>, true: ArrayLike<number>, predicted: ArrayLike<number>}} samples
 */

/** The instrument's name. */
export const MAP = "map";

/** @typedef {[number, number]} At  shares of a map's width and height, from the lower left */

/** No class: the prediction is not finite. */
export const NONE = 255;

/** The byte for a probability of 1. */
const SURE = 255;

/** @param {Experiment|null} experiment */
export const hasMap = (experiment) => experiment !== null && experiment.classes.length > 0 && experiment.features === 2;

/** The map is chosen and exists. @param {State} state */
export const showsMap = ({ experiment, view }) => hasMap(experiment) && view.predicted === "map";

/** Runs with a visible map; diverged runs have none. @param {State} state @returns {Run[]} */
export function mappedRuns(state) {
  if (!state.view.isMapSeen || !showsMap(state)) return [];
  const { order, runs } = stateOnView(state);
  return order.map((name) => runs[name]).filter(({ hidden, status }) => !hidden && status !== "diverged");
}

/** The last answer for a run. @param {State} state @param {string} run @returns {Json|undefined} */
export const lastMap = (state, run) => answersOf(state, run, MAP).last;

/** True if a visible map is missing, or not of the step where its run stands. @param {State} state */
export const isMapOld = (state) => mappedRuns(state).some((run) => {
  const answer = lastMap(state, run.name);
  return !answer || ((!state.playback.playing || state.looking !== null) && answer.step !== placeOf(state, state.runs[run.name]).step);
});

/**
 * @param {Json} answer
 * @returns {DecisionMap}
 */
export function readMap({ cells, edges, classes, samples }) {
  const predicted = decode(cells.predicted);
  const chance = 1 / classes.length;
  const sureness = cells.probability && Float32Array.from(decode(cells.probability), (byte) => Math.max(0, (byte / SURE - chance) / (1 - chance)));
  const [x, y, truth, guess] = [samples.x, samples.y, samples.true, samples.predicted].map(decode);
  return { side: Math.round(Math.sqrt(predicted.length)), predicted, sureness, edges, samples: { x, y, true: truth, predicted: guess } };
}

/** "3 of 52 upper (as lower)", for each class with errors. @param {Json} answer */
function wrongWords({ counts, classes }) {
  return counts.flatMap((/** @type {number[]} */ row, /** @type {number} */ truth) => {
    const all = row.reduce((sum, count) => sum + count, 0);
    const mistakes = row.map((count, guess) => ({ count, guess })).filter(({ count, guess }) => count && guess !== truth);
    const wrong = all - row[truth];
    const as = mistakes.map(({ count, guess }) => (mistakes.length > 1 ? `${integer(count)} as ${classes[guess]}` : `as ${classes[guess]}`)).join(", ");
    return wrong ? [`${integer(wrong)} of ${integer(all)} ${classes[truth]} (${as})`] : [];
  });
}

/** Share of the plane of each class. @param {Json} answer */
function shareWords({ cells, classes }) {
  const predicted = Array.from(decode(cells.predicted));
  return classes.map((/** @type {string} */ name, /** @type {number} */ place) => `${name} ${percent(predicted.filter((one) => one === place).length / predicted.length)}`).join(", ");
}

/**
 * The map in words for screen readers: "GD at step 400: 96 of 100 test samples correct. Wrong: 3 of 52 upper
 * (as lower). Plane of x1 and x2: upper 48 %, lower 52 %."
 * @param {Run} run
 * @param {Json|undefined} answer
 * @param {boolean} isStandard  its inputs are standardized
 */
export function mapWords({ label, status, divergedAt, step }, answer, isStandard) {
  if (status === "diverged") return `${label} diverged at step ${integer(divergedAt ?? step)}: off the axis.`;
  if (!answer) return `${label}: no predictions yet.`;
  const { counts, inputs, split } = answer;
  const all = counts.flat().reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0);
  const wrong = wrongWords(answer);
  return [
    `${label} at step ${integer(answer.step)}: ${integer(Math.round(answer.right * all))} of ${integer(all)} ${split === "test" ? "test" : "training"} samples correct.`,
    wrong.length ? `Wrong: ${wrong.join("; ")}.` : "",
    `Plane of ${inputs.join(" and ")}${isStandard ? ", both standardized" : ""}: ${shareWords(answer)}.`,
  ].filter(Boolean).join(" ");
}

/** Column and row of the nearest cell. @param {number} side @param {At} at @returns {[number, number]} */
export function cellAt(side, at) {
  const [column, row] = at.map((share) => Math.min(side - 1, Math.max(0, Math.floor(share * side))));
  return [column, row];
}

/** @type {Record<string, (cell: [number, number], last: number) => [number, number]>} */
const MOVES = {
  ArrowLeft: ([column, row]) => [column - 1, row],
  ArrowRight: ([column, row]) => [column + 1, row],
  ArrowDown: ([column, row]) => [column, row - 1],
  ArrowUp: ([column, row]) => [column, row + 1],
  Home: ([, row]) => [0, row],
  End: ([, row], last) => [last, row],
  PageDown: ([column]) => [column, 0],
  PageUp: ([column], last) => [column, last],
};

/** @param {string} key */
export const isMove = (key) => Object.hasOwn(MOVES, key);

/**
 * The middle of the cell to which a key moves. The first key enters in the middle; no key leaves the map.
 * @param {number} side
 * @param {At|null} at
 * @param {string} key
 * @returns {At}
 */
export function moved(side, at, key) {
  const middle = (/** @type {number} */ one) => (Math.min(side - 1, Math.max(0, one)) + 0.5) / side;
  const [column, row] = at ? MOVES[key](cellAt(side, at), side - 1) : cellAt(side, [0.5, 0.5]);
  return [middle(column), middle(row)];
}

/**
 * The prediction at a place: "x1 0.52, x2 −0.31: upper, 97 %".
 * @param {Json} answer
 * @param {DecisionMap} map
 * @param {At} at
 * @param {boolean} isStandard  its inputs are standardized
 */
export function placeWords({ inputs, classes, cells }, { side, predicted, edges }, at, isStandard) {
  const [column, row] = cellAt(side, at);
  const cell = row * side + column;
  // the prediction is for the cell's middle, so name that place
  const place = [column, row].map((one, k) => `${inputs[k]} ${number(edges[k][0] + ((one + 0.5) / side) * (edges[k][1] - edges[k][0]))}`).join(", ");
  const name = classes[predicted[cell]] ?? "nothing finite";
  const share = cells.probability && predicted[cell] !== NONE ? `, ${percent(decode(cells.probability)[cell] / SURE)}` : "";
  return `${place}${isStandard ? ", standardized" : ""}: ${name}${share}`;
}

/** "Across: x1, −1.06 to 1.07. Up: x2, −0.59 to 0.6." @param {Json} answer @param {boolean} isStandard  its inputs are standardized */
export function axisWords({ inputs, edges }, isStandard) {
  const [across, up] = edges.map((/** @type {[number, number]} */ ends, /** @type {number} */ place) => `${inputs[place]}, ${ends.map((end) => number(end)).join(" to ")}`);
  return `Across: ${across}. Up: ${up}.${isStandard ? " Both standardized." : ""}`;
}
