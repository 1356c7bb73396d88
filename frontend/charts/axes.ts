/**
 * Axes drawn by the page instead of Plotly: grid, line, ticks and labels. Plotly would spend a
 * third of its draw on measuring labels whose widths are already known.
 * Owns: their places, in px. Pure. across-ticks.ts, loss-range.ts and shelf.ts choose the ticks.
 */

import { pxAcross, pxDown } from "./labels.ts";
import { isInside, px } from "./paths.ts";
import type { Axis, Frame } from "./labels.ts";
import type { Path } from "./paths.ts";

/** end or middle of its baseline */
export type Word = { name: string; left: number; top: number; text: string };

/**
 * Length of a tick, distance of labels below the plot, and of labels beside it from their grid
 * line, in px.
 */
const TICK = 4;
const UNDER = 18.2;
const BESIDE = 1;
const HALF = 3.85;

/** A Plotly axis with this range that Plotly does not draw. */
export const undrawn = (axis: Axis) => ({ ...axis, autorange: false, visible: false });

function acrossOf(frame: Frame) {
  const { tickvals = [], ticktext = [] } = frame.x;
  const bottom = frame.top + frame.height;
  return tickvals
    .map((value, i) => ({ left: px(pxAcross(frame, value)), text: ticktext[i] }))
    .filter(({ left }) => isInside(frame, left, bottom));
}

function downOf(frame: Frame) {
  const { tickvals = [], ticktext = [] } = frame.y;
  return tickvals
    .map((value, i) => ({ top: px(pxDown(frame, value)), text: ticktext[i] ?? "" }))
    .filter(({ top }) => isInside(frame, frame.left, top));
}

export function axesOf(frame: Frame): { grid: Path; line: Path; words: Word[] } {
  const [across, down] = [acrossOf(frame), downOf(frame)];
  const [left, right, bottom] = [
    px(frame.left),
    px(frame.left + frame.width),
    px(frame.top + frame.height),
  ];
  return {
    grid: { name: "grid", d: down.map(({ top }) => `M${left},${top}H${right}`).join("") },
    line: {
      name: "axis",
      d: `M${left},${bottom + 0.5}H${right}${across.map((tick) => `M${tick.left},${bottom + 1}v${TICK}`).join("")}`,
    },
    words: [
      ...across
        .filter(({ text }) => text)
        .map((tick) => ({
          name: "tick",
          left: tick.left,
          top: px(bottom + UNDER),
          text: tick.text,
        })),
      ...down
        .filter(({ text }) => text)
        .map(({ top, text }) => ({
          name: "tick beside",
          left: left - BESIDE,
          top: px(top + HALF),
          text,
        })),
    ],
  };
}
