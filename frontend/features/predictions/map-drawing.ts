/**
 * Parts of every map.
 * Owns: its own units, the shapes of classes, and the frame of the cursor's cell. Pure.
 */

import { px, symbol } from "../../charts/paths.ts";

/** 0..255 */
export type Colour = [number, number, number];

/** Side of the drawing, in its own units. */
export const SPAN = 144;

/** Number of class colours in tokens.css. */
export const COLOURS = 6;

/** Neighbours differ most. One fewer than colours: both together distinguish 30 classes. */
const SHAPES = ["a", "d", "b", "c", "x"];
/** Factors that make shapes look equal in size. */
const SIZES: Record<string, number> = { a: 1, b: 0.9, c: 0.84, d: 1.08 };

/** @param place of a class */
export function classShape(place: number, size: number, left: number, top: number) {
  const shape = SHAPES[place % SHAPES.length];
  // a triangle's visual centre lies below its circle's
  return symbol(shape, size * (SIZES[shape] ?? 1), left, shape === "d" ? top + size * 0.09 : top);
}

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
