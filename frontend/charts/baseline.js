/**
 * Where the words of the baseline stand: at its left or right end, under or over it, where least is in the way.
 * Owns: that choice, and that it does not change at every draw. Pure.
 */

import { pxAcross, pxDown } from "./labels.js";
import { number } from "../state/format.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./labels.js").Frame} Frame */
/** @typedef {{left: number, right: number, top: number, bottom: number}} Box  px */
/**
 * @typedef {object} Drawn  what may be in the way
 * @property {Json[]} curves  traces, the filled ones too
 * @property {{x: number}[]} flags
 * @property {{name: string, value: string, x: number, y: number}[]} ends
 * @property {{from: number, to: number}|null} missing
 * @property {boolean} isBegun
 */

const LETTER = 6.3;
const HEIGHT = 17;
const OFF = 3;
const SIDES = { left: 10, right: 14 };
/** In this order where all are alike: at the right end lines are calm, and under the baseline is what beats it. */
const CORNERS = ["right under", "right over", "left under", "left over"];
/** A curve is looked at in so many places of a corner. */
const LOOKS = 24;
/** Another corner has to be this much better. */
const WORTH_MOVING = 4;

/**
 * @param {Scene} scene
 * @param {Frame} frame
 * @param {Drawn} drawn
 * @returns {{left: number, top: number, text: string, corner: string|null}|null}  none where the line itself is out of sight
 */
export function baselineLabel({ state, held }, frame, drawn) {
  const mean = state.experiment?.baseline?.train;
  if (!mean) return null;
  const line = pxDown(frame, mean);
  if (line < frame.top || line > frame.top + frame.height) return null;
  const text = `predicting the ${state.experiment?.classes.length ? "majority" : "mean"}: ${number(mean)}`;
  const boxes = CORNERS.map((corner) => ({ corner, box: boxOf(corner, line, text.length * LETTER, frame) }));
  const inside = boxes.filter(({ box }) => box.top >= frame.top - 1 && box.bottom <= frame.top + frame.height + 1);
  const ready = paths(drawn.curves, frame);
  const costs = inside.map(({ corner, box }) => ({ corner, box, cost: costOf(box, ready, frame, drawn) }));
  const best = costs.reduce((a, b) => (b.cost < a.cost ? b : a));
  const stays = costs.find(({ corner }) => corner === held.corner);
  const chosen = stays && stays.cost < best.cost + WORTH_MOVING ? stays : best;
  // what is chosen before there are lines must not hold when they come
  return { left: chosen.box.left, top: chosen.box.top, text, corner: drawn.isBegun ? chosen.corner : null };
}

/** @param {string} corner @param {number} line @param {number} width @param {Frame} frame @returns {Box} */
function boxOf(corner, line, width, frame) {
  const left = corner.startsWith("left") ? frame.left + SIDES.left : frame.left + frame.width - SIDES.right - width;
  const top = corner.endsWith("under") ? line + OFF : line - OFF - HEIGHT;
  return { left, right: left + width, top, bottom: top + HEIGHT };
}

/** Curves as px; what is filled is only a shade. @param {Json[]} curves @param {Frame} frame */
const paths = (curves, frame) => curves
  .filter(({ meta, x }) => meta.role !== "band" && x.length > 1)
  .map(({ x, y }) => ({ x: x.map((/** @type {number} */ place) => pxAcross(frame, place)), y: y.map((/** @type {number} */ value) => pxDown(frame, value)) }));

/** @param {Box} box @param {{x: number[], y: number[]}[]} ready @param {Frame} frame @param {Drawn} drawn */
function costOf(box, ready, frame, { flags, ends, missing }) {
  const curves = ready.reduce((sum, path) => sum + crossings(path, box), 0);
  const edits = flags.filter(({ x }) => within(pxAcross(frame, x), box.left - 2, box.right + 2)).length;
  const words = ends.filter((end) => touch(box, { left: pxAcross(frame, end.x), top: pxDown(frame, end.y) - 21, bottom: pxDown(frame, end.y) + 6, right: pxAcross(frame, end.x) + LETTER * (end.name.length + end.value.length + 2) })).length;
  const unknown = missing && touch(box, centred((pxAcross(frame, missing.from) + frame.left + frame.width) / 2, frame.top + frame.height / 2)) ? 1 : 0;
  return curves + 3 * edits + LOOKS * (words + unknown);
}

/** @param {number} x @param {number} y @returns {Box} */
const centred = (x, y) => ({ left: x - 50, right: x + 50, top: y - 8, bottom: y + 8 });

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => value >= low && value <= high;

/** @param {Box} a @param {Box} b */
const touch = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * In how many of the places that are looked at a curve is in a box, or jumps over it.
 * @param {{x: number[], y: number[]}} path
 * @param {Box} box
 */
function crossings({ x, y }, { left, right, top, bottom }) {
  let found = 0;
  let next = 1;
  let before = null;
  for (let look = 0; look <= LOOKS; look++) {
    const place = left + ((right - left) * look) / LOOKS;
    while (next < x.length && x[next] < place) next++;
    if (next >= x.length) break;
    if (place < x[next - 1]) continue;
    const here = y[next - 1] + ((y[next] - y[next - 1]) * (place - x[next - 1])) / (x[next] - x[next - 1] || 1);
    const side = here < top - 2 ? -1 : here > bottom + 2 ? 1 : 0;
    if (side === 0 || (before !== null && before === -side)) found++;
    before = side;
  }
  return found;
}
