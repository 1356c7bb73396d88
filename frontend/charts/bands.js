/**
 * Bands between minimum and maximum as SVG paths: a filled trace costs Plotly twice as much as a line.
 * Owns: their outlines, clipped to their plot. Pure.
 */

import { shareOf } from "./labels.js";
import { px } from "./paths.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./labels.js").Frame} Frame */
/** @typedef {import("./paths.js").Path} Path */
/** @typedef {[number, number]} Point  px */

/** @param {Json} trace */
const isEdge = ({ meta }) => meta?.role === "band";

/** The traces that Plotly still draws. @param {Json[]} data @returns {Json[]} */
export const withoutBands = (data) => data.filter((trace) => !isEdge(trace));

/** The bands that have an area. There is none if every step is drawn, because minimum and maximum are equal.
 * @param {Json[]} data  filled traces; a band's upper edge comes before its lower one
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
 * One edge of a band, clipped to the plot and led along its border outside.
 * @param {Json} trace
 * @param {Frame} frame
 * @returns {Point[]}
 */
function edgeOf({ x, y }, frame) {
  const { left, top, width, height } = frame;
  let isInside = true;
  // far enough outside to make the connecting line vertical, near enough for exact arithmetic
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

/** The point where a segment meets a border. @param {Point} from @param {Point} to @param {0|1} which @param {number} border @returns {Point} */
function meeting(from, to, which, border) {
  const share = (border - from[which]) / (to[which] - from[which]);
  return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
}

/** @param {Point} from @param {Point} to @param {0|1} which @param {number} border */
const isAcross = (from, to, which, border) => (from[which] - border) * (to[which] - border) < 0;

/** The points on one side of a border, and the crossings with it. @param {Point[]} points @param {0|1} which @param {number} border @param {boolean} before @returns {Point[]} */
const cut = (points, which, border, before) => points.flatMap((point, i) => [
  ...(i && isAcross(points[i - 1], point, which, border) ? [meeting(points[i - 1], point, which, border)] : []),
  ...((before ? point[which] <= border : point[which] >= border) ? [point] : []),
]);

/** All points, and those where the line crosses a height. @param {Point[]} points @param {number} border @returns {Point[]} */
const crossed = (points, border) => points.flatMap((point, i) => (i && isAcross(points[i - 1], point, 1, border) ? [meeting(points[i - 1], point, 1, border), point] : [point]));
