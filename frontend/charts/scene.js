/**
 * The input of a chart: state, columns, look and room.
 * Owns: how many buckets a chart may show, and which part of the past. Pure.
 */

import { BOUND, bucketsWithin, horizontal, placeNow, placeOfFirst, stepsWithin } from "./horizontal.js";
import { shownRuns } from "./looks.js";
import { thin } from "../state/thinning.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").SeriesStore} SeriesStore */
/** @typedef {import("../state/types.js").RunSeries} RunSeries */
/** @typedef {import("./bind.js").Bound} Bound */
/** @typedef {import("./horizontal.js").Horizontal} Horizontal */
/**
 * @typedef {object} Scene
 * @property {State} state
 * @property {SeriesStore} series
 * @property {import("./looks.js").Look} look
 * @property {{width: number, height: number, left: number, right: number}} room  px; left and right margins of the plot
 * @property {{x: [number, number]|null, y: [number, number]|null}} zoom  the person's choice, as Plotly reports it
 * @property {{y: [number, number]|null, corner?: string|null, sides?: Record<string, string>}} previous  of the last draw: the vertical range, which only grows, and the places of the baseline's and line ends' labels
 */

/** Most points of a trace, at any width. */
export const MOST_POINTS = 800;

/** True if the drawn columns of a run include its newest step. @param {Bound|undefined} columns @param {Scene} scene @param {import("../state/types.js").Run} run */
export function reachesNow(columns, { series }, run) {
  const whole = series.of(run.name);
  return !columns || !whole?.length || columns.last[columns.last.length - 1] === whole.last[whole.length - 1];
}

/** @param {Scene} scene @param {number} [reach] */
export function axisOf({ state, series }, reach = 0) {
  const { x } = state.view;
  const samples = state.experiment?.trainSamples ?? 1;
  const places = shownRuns(state).map((run) => ({
    now: placeNow(run, series.of(run.name), x),
    first: x === "steps" ? 1 : placeOfFirst(series.of(run.name), x, samples),
  }));
  return horizontal(x, places, reach);
}

/**
 * The columns of visible runs in the range on view, at most one bucket a pixel.
 * @param {Scene} scene
 * @param {Horizontal} axis
 * @param {string[]} names
 * @param {number} pixels
 */
export function columnsFor({ state, series, zoom }, axis, names, pixels) {
  const samples = state.experiment?.trainSamples ?? 1;
  const atMost = Math.max(16, Math.min(MOST_POINTS, Math.floor(pixels)));
  /** @type {Record<string, Bound>} */
  const columns = {};
  for (const { name } of shownRuns(state)) {
    const [whole, closer] = [series.of(name), series.closer(name)];
    const run = whole?.length && closer && zoom.x && shows(closer, whole, names, stepsWithin(whole, axis, samples, zoom.x)) ? closer : whole;
    if (!run?.length) continue;
    const part = ownPart(run, zoom.x ? bucketsWithin(run, axis, samples, zoom.x) : [0, run.length], originOf(state, name));
    columns[name] = thin(run, names, atMost, axis.log, part);
  }
  return columns;
}

/**
 * True if the finer columns cover the range on view; another measure may still be loading.
 * @param {RunSeries} closer
 * @param {RunSeries} whole
 * @param {string[]} names
 * @param {[number, number]} steps
 */
function shows(closer, whole, names, [from, to]) {
  const isWide = closer.first[0] <= Math.max(0, from) && closer.last[closer.length - 1] >= Math.min(Math.floor(to), whole.last[whole.length - 1]);
  return isWide && names.every((name) => closer.values(name) || !whole.values(name));
}

/** The step at which a fork leaves its parent; 0 for other runs. @param {State} state @param {string} name */
const originOf = ({ experiment }, name) => experiment?.recipe.runs.find((recipe) => recipe.name === name)?.origin?.at_step ?? 0;

/**
 * Limits a fork to its own part: before it, its line would cover its parent's.
 * @param {RunSeries} run
 * @param {[number, number]} part  buckets
 * @param {number} origin
 * @returns {[number, number]}
 */
function ownPart({ last }, [from, to], origin) {
  if (origin === 0) return [from, to];
  const own = last.findIndex((step) => step >= origin);
  // a fork without own steps shows the last bucket of its parent
  return [Math.max(from, own < 0 ? last.length - 1 : own), to];
}

/** @param {Scene} scene */
export const boundTo = ({ state }) => BOUND[state.view.x];

/**
 * Drops points at 0, where a run stands before its first step, from a log axis.
 * @param {import("../state/types.js").Json} trace
 * @param {Horizontal} axis
 */
export function withinAxis(trace, { log }) {
  const skip = log ? trace.x.findIndex((/** @type {number} */ place) => place > 0) : 0;
  if (skip === 0) return trace;
  return skip < 0 ? { ...trace, x: [], y: [] } : { ...trace, x: trace.x.slice(skip), y: trace.y.slice(skip) };
}
