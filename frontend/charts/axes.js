/**
 * The axes of a plot as the page draws them: grid, line, ticks and their words, where Plotly draws none. Measuring and
 * placing words is a third of what a chart costs it; here they are known.
 * Owns: their places, in px. Pure. Which ticks there are is said by across-ticks.js, loss-range.js and shelf.js.
 */

import { pxAcross, pxDown } from "./labels.js";
import { isInside, px } from "./paths.js";

/** @typedef {import("./labels.js").Frame} Frame */
/** @typedef {import("./paths.js").Path} Path */
/** @typedef {{name: string, left: number, top: number, text: string}} Word  where its line stands, centred or ending there */

/** How long a tick is, how far under the plot the words stand, and how far under a grid line those beside it, in px. */
const TICK = 4;
const UNDER = 18.2;
const BESIDE = 1;
const HALF = 3.85;

/** What Plotly is told of an axis: where it is, and that the page draws it. @param {import("./labels.js").Axis} axis */
export const undrawn = (axis) => ({ ...axis, autorange: false, visible: false });

/** @param {Frame} frame */
function acrossOf(frame) {
  const { tickvals = [], ticktext = [] } = frame.x;
  const bottom = frame.top + frame.height;
  return tickvals.map((value, i) => ({ left: px(pxAcross(frame, value)), text: ticktext[i] })).filter(({ left }) => isInside(frame, left, bottom));
}

/** @param {Frame} frame */
function downOf(frame) {
  const { tickvals = [], ticktext = [] } = frame.y;
  return tickvals.map((value, i) => ({ top: px(pxDown(frame, value)), text: ticktext[i] ?? "" })).filter(({ top }) => isInside(frame, frame.left, top));
}

/**
 * @param {Frame} frame
 * @returns {{grid: Path, line: Path, words: Word[]}}
 */
export function axesOf(frame) {
  const [across, down] = [acrossOf(frame), downOf(frame)];
  const [left, right, bottom] = [px(frame.left), px(frame.left + frame.width), px(frame.top + frame.height)];
  return {
    grid: { name: "grid", d: down.map(({ top }) => `M${left},${top}H${right}`).join("") },
    line: { name: "axis", d: `M${left},${bottom + 0.5}H${right}${across.map((tick) => `M${tick.left},${bottom + 1}v${TICK}`).join("")}` },
    words: [
      ...across.filter(({ text }) => text).map((tick) => ({ name: "tick", left: tick.left, top: px(bottom + UNDER), text: tick.text })),
      ...down.filter(({ text }) => text).map(({ top, text }) => ({ name: "tick beside", left: left - BESIDE, top: px(top + HALF), text })),
    ],
  };
}
