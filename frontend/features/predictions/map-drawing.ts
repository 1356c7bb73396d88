/**
 * Parts of every map.
 * Owns: its own units, and the frame of the cursor's cell. Pure.
 */

import { px } from "../../charts/paths.ts";

/** 0..255 */
export type Colour = [number, number, number];

/** Side of the drawing, in its own units. */
export const SPAN = 144;

/** Number of class colours in tokens.css. */
export const COLOURS = 6;

/** Width of the frame around a cell, in the drawing's units. */
const FRAME = 8;

/**
 * A frame around a cell, and thin lines to the edges of the map.
 * @param cell column and row
 */
export function cursorOf(side: number, [column, row]: [number, number]) {
  const [left, top] = [(SPAN * (column + 0.5)) / side, SPAN - (SPAN * (row + 0.5)) / side];
  const [west, east, north, south] = [
    left - FRAME / 2,
    left + FRAME / 2,
    top - FRAME / 2,
    top + FRAME / 2,
  ].map(px);
  const [x, y] = [px(left), px(top)];
  return `M${west},${north}H${east}V${south}H${west}ZM0,${y}H${west}M${east},${y}H${SPAN}M${x},0V${north}M${x},${south}V${SPAN}`;
}
