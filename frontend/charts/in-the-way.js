/**
 * How much a label on a plot would cover: curves and other labels.
 * Owns: that count. Pure.
 */

import { pxAcross, pxDown } from "./labels.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./labels.js").Frame} Frame */
/** @typedef {{left: number, right: number, top: number, bottom: number}} Box  px */
/** @typedef {{x: number[], y: number[]}} Curve  px, from left to right */

/** Places of a box at which curves are tested. */
export const TESTED_PLACES = 24;

/** Lines as px; filled traces do not count. @param {Json[]} traces @param {Frame} frame @returns {Curve[]} */
export const curvesOf = (traces, frame) => traces
  .filter(({ meta, x }) => meta.role !== "band" && x.length > 1)
  .map(({ x, y }) => ({ x: x.map((/** @type {number} */ place) => pxAcross(frame, place)), y: y.map((/** @type {number} */ value) => pxDown(frame, value)) }));

/** @param {Box} a @param {Box} b */
export const touch = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** @param {Curve[]} curves @param {Box} box */
export const covered = (curves, box) => curves.reduce((sum, curve) => sum + crossings(curve, box), 0);

/** The first point at or after a place. @param {number[]} x @param {number} place */
function firstFrom(x, place) {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x[middle] < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** At how many tested places a curve is in the box or jumps across it. @param {Curve} curve @param {Box} box */
function crossings({ x, y }, { left, right, top, bottom }) {
  let count = 0;
  let next = Math.max(1, firstFrom(x, left));
  let before = null;
  for (let look = 0; look <= TESTED_PLACES; look++) {
    const place = left + ((right - left) * look) / TESTED_PLACES;
    while (next < x.length && x[next] < place) next++;
    if (next >= x.length) break;
    if (place < x[next - 1]) continue;
    const here = y[next - 1] + ((y[next] - y[next - 1]) * (place - x[next - 1])) / (x[next] - x[next - 1] || 1);
    const side = here < top ? -1 : here > bottom ? 1 : 0;
    if (side === 0 || (before !== null && before === -side)) count++;
    before = side;
  }
  return count;
}
