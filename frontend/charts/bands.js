/**
 * Bands from least to greatest as paths of the page's own: a filled trace costs Plotly twice what a line does.
 * Owns: their outlines, cut at the edges of their plot. Pure.
 */

import { shareOf } from "./labels.js";
import { px } from "./paths.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./labels.js").Frame} Frame */
/** @typedef {import("./paths.js").Path} Path */
/** @typedef {[number, number]} Point  px */

/** @param {Json} trace */
const isEdge = ({ meta }) => meta?.role === "band";

/** What is left for Plotly. @param {Json[]} data @returns {Json[]} */
export const withoutBands = (data) => data.filter((trace) => !isEdge(trace));

/**
 * Where the least is the greatest everywhere, as where every step is drawn, there is nothing to fill.
 * @param {Json[]} data  filled; a band's upper edge, then its lower one
 * @param {(trace: Json) => Frame} frameOf
 * @returns {Path[]}
 */
export function bandsOf(data, frameOf) {
  return data.flatMap((lower, place) => {
    const upper = data[place - 1];
    if (!lower.fill || !isEdge(lower) || !upper || lower.y.every((/** @type {number} */ value, /** @type {number} */ i) => value === upper.y[i])) return [];
    const frame = frameOf(lower);
    const outline = [...edgeOf(upper, frame), ...edgeOf(lower, frame).reverse()];
    const isFlat = outline.every(([, y]) => y === outline[0][1]);
    return isFlat ? [] : [{ name: "band", lane: lower.meta.lane, run: lower.meta.run, d: `M${outline.map(([x, y]) => `${px(x)},${px(y)}`).join("L")}Z` }];
  });
}

/**
 * An edge as far as it is in the plot: cut where it enters and leaves, and along the border where it is beyond it.
 * @param {Json} trace
 * @param {Frame} frame
 * @returns {Point[]}
 */
function edgeOf({ x, y }, frame) {
  const { left, top, width, height } = frame;
  let isInside = true;
  // beyond the plot so far away that a line to there is upright, and near enough for arithmetic
  const near = (/** @type {number} */ share) => {
    if (share >= 0 && share <= 1) return share;
    isInside = false;
    return Math.max(-1e4, Math.min(1e4, share));
  };
  /** @type {Point[]} */
  const points = x.map((/** @type {number} */ place, /** @type {number} */ i) => [left + width * near(shareOf(place, frame.x)), top + height * (1 - near(shareOf(y[i], frame.y)))]);
  if (isInside) return points;
  const across = cut(cut(points, 0, left, false), 0, left + width, true);
  return [top, top + height].reduce((edge, border) => crossed(edge, border), across).map(([a, b]) => [a, Math.min(top + height, Math.max(top, b))]);
}

/** The point of a stroke at which one of its coordinates is so much. @param {Point} from @param {Point} to @param {0|1} which @param {number} border @returns {Point} */
function meeting(from, to, which, border) {
  const share = (border - from[which]) / (to[which] - from[which]);
  return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
}

/** @param {Point} from @param {Point} to @param {0|1} which @param {number} border */
const isAcross = (from, to, which, border) => (from[which] - border) * (to[which] - border) < 0;

/** The points on one side of a border, and where the stroke meets it. @param {Point[]} points @param {0|1} which @param {number} border @param {boolean} before @returns {Point[]} */
const cut = (points, which, border, before) => points.flatMap((point, i) => [
  ...(i && isAcross(points[i - 1], point, which, border) ? [meeting(points[i - 1], point, which, border)] : []),
  ...((before ? point[which] <= border : point[which] >= border) ? [point] : []),
]);

/** All points, and where the stroke crosses a height. @param {Point[]} points @param {number} border @returns {Point[]} */
const crossed = (points, border) => points.flatMap((point, i) => (i && isAcross(points[i - 1], point, 1, border) ? [meeting(points[i - 1], point, 1, border), point] : [point]));
