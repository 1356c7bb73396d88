/**
 * Fills a figure with columns, by the names in its traces' `meta`.
 * Owns: how a bucket becomes a point. Twin of backend figures/binding.py; tests/golden holds both to the same figure.
 * The order of arithmetic must stay the same on both sides. Knows no figure and no Plotly.
 */

import { shelfScale } from "./shelf.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Stat4} Stat4 */
/**
 * @typedef {object} Bound  decoded columns of one run
 * @property {ArrayLike<number>} first
 * @property {ArrayLike<number>} last
 * @property {ArrayLike<number>} samples_seen
 * @property {ArrayLike<number>} seconds
 * @property {Record<string, Stat4>} series
 */

/**
 * @param {Json} figure
 * @param {Record<string, Bound>} columns
 * @param {number} trainSamples
 * @returns {Json}  a new figure; the argument is not changed
 */
export function fill(figure, columns, trainSamples) {
  /** @type {(Points|null)[]} */
  const points = figure.data.map((/** @type {Json} */ trace) =>
    trace.meta?.run === undefined ? null : pointsOf(trace.meta, columns[trace.meta.run], trainSamples));
  const shelf = figure.layout.meta?.shelf;
  const needed = shelf && !(shelf.only_for_zero && !points.some(hasZero));
  const scale = needed ? scaleOver(shelf.measure, points) : null;
  const data = figure.data.map((/** @type {Json} */ trace, /** @type {number} */ place) => {
    const curve = points[place];
    if (!curve) return trace;
    const { x, y, upper } = curve;
    return { ...trace, x, y: scale ? y.map((value, i) => scale.place(value, upper[i])) : y };
  });
  return { ...figure, data, layout: scale ? laidOut(figure.layout, scale) : figure.layout };
}

/** @typedef {{x: number[], y: number[], upper: number[]}} Points */

/**
 * The buckets that hold a value, as points.
 * @param {Json} meta  series, statistic and axis
 * @param {Bound|undefined} columns
 * @param {number} trainSamples
 * @returns {Points}
 */
export function pointsOf(meta, columns, trainSamples) {
  const points = /** @type {Points} */ ({ x: [], y: [], upper: [] });
  const stat = columns?.series[meta.y];
  if (!columns || !stat) return points;
  const x = middles(columns, meta.x, trainSamples);
  const y = stat[/** @type {"min"|"max"|"mean"|"last"} */ (meta.stat)];
  for (let i = 0; i < x.length; i++) {
    const value = y[i];
    if (value === null || !Number.isFinite(value)) continue;
    points.x.push(x[i]);
    points.y.push(value);
    points.upper.push(/** @type {number} */ (stat.max[i]));
  }
  return points;
}

/**
 * Place of each bucket on an axis: the mean place of its records. A record stands where its step begins.
 * @param {Bound} columns
 * @param {string} axis  step, epoch, samples_seen, seconds
 * @param {number} trainSamples
 */
export function middles(columns, axis, trainSamples) {
  const { first, last } = columns;
  const end = endsOf(columns, axis, trainSamples);
  const x = new Float64Array(end.length);
  for (let i = 0; i < x.length; i++) {
    const start = i ? end[i - 1] : (end[0] * first[0]) / (last[0] + 1);
    const count = last[i] - first[i] + 1;
    x[i] = start + ((end[i] - start) * (count - 1)) / (2 * count);
  }
  return x;
}

/**
 * End of each bucket on an axis.
 * @param {Bound} columns
 * @param {string} axis
 * @param {number} trainSamples
 * @returns {ArrayLike<number>}
 */
export function endsOf({ last, samples_seen: samples, seconds }, axis, trainSamples) {
  if (axis === "seconds") return seconds;
  if (axis === "samples_seen") return samples;
  if (axis === "epoch") return Float64Array.from(samples, (count) => count / trainSamples);
  return Float64Array.from(last, (step) => step + 1);
}

/** @param {Points|null} points */
const hasZero = (points) => points?.y.some((value, i) => value === 0 && points.upper[i] === 0) ?? false;

/**
 * @param {string} measure
 * @param {(Points|null)[]} points
 */
function scaleOver(measure, points) {
  let least = Infinity;
  let greatest = 0;
  for (const curve of points) {
    for (const value of curve?.y ?? []) {
      if (value > 0 && value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  return shelfScale(measure, least, greatest);
}

/**
 * @param {Json} layout
 * @param {import("./shelf.js").ShelfScale} scale
 */
function laidOut(layout, scale) {
  const { values, texts } = scale.ticks();
  const [y0, y1] = scale.tint;
  /** @type {Json} */
  const placed = { ...layout };
  placed.shapes = layout.shapes.map((/** @type {Json} */ shape) => (shape.name === "shelf" ? { ...shape, y0, y1, visible: true } : shape));
  for (const name of Object.keys(layout)) {
    if (name.startsWith("yaxis")) placed[name] = { ...layout[name], range: scale.range, tickvals: values, ticktext: texts };
  }
  return placed;
}
