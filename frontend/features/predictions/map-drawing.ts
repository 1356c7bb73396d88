/**
 * A decision map as pixels and paths: a pixel a cell, borders between classes, samples by class.
 * Owns: that geometry, and the shapes of classes. Pure. Colours come from the caller or
 * predictions.css.
 */

import { px, symbol } from "../../charts/paths.ts";
import { NONE } from "../../core/decision-map.ts";
import type { DecisionMap } from "../../core/decision-map.ts";

/** 0..255 */
export type Colour = [number, number, number];
/** of one class, by the place of its colour */
type Dots = { name: "right" | "wrong"; kind: number; d: string };

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

/** Opacity of a cell's colour: visible where the network is unsure, never hiding samples. */
const TINT = { least: 0.1, most: 0.66 };

/**
 * The cells as `side` x `side` RGBA pixels, highest row first. A cell that is not finite stays
 * transparent.
 * @param colours by class, repeating
 */
export function pixelsOf(
  { side, predicted, sureness }: DecisionMap,
  colours: Colour[],
  paper: Colour,
) {
  const pixels = new Uint8ClampedArray(4 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const cell = row * side + column;
      const place = predicted[cell];
      if (place === NONE) continue;
      const tint = TINT.least + (TINT.most - TINT.least) * (sureness ? sureness[cell] : 1);
      const colour = colours[place % colours.length];
      const at = 4 * ((side - 1 - row) * side + column);
      for (let part = 0; part < 3; part++)
        pixels[at + part] = Math.round(paper[part] + tint * (colour[part] - paper[part]));
      pixels[at + 3] = 255;
    }
  }
  return pixels;
}

/** The borders between cells of different classes, in the drawing's units. */
export function borderOf({ side, predicted }: DecisionMap) {
  const cell = SPAN / side;
  /** each row of neighbouring border cells is one line */
  const lines = (
    one: number,
    along: number,
    line: (from: number, to: number, at: number) => string,
  ) => {
    let d = "";
    for (let at = 1; at < side; at++) {
      let from = -1;
      for (let k = 0; k <= side; k++) {
        const here = at * one + k * along;
        const differs = k < side && predicted[here] !== predicted[here - one];
        if (differs && from < 0) from = k;
        if (!differs && from >= 0) {
          d += line(from, k, at);
          from = -1;
        }
      }
    }
    return d;
  };
  const upright = lines(
    1,
    side,
    (from, to, at) => `M${px(at * cell)},${px(SPAN - from * cell)}V${px(SPAN - to * cell)}`,
  );
  const level = lines(
    side,
    1,
    (from, to, at) => `M${px(from * cell)},${px(SPAN - at * cell)}H${px(to * cell)}`,
  );
  return upright + level;
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

/** Size of a sample by number of samples. */
const SIZE = { few: 5.4, many: 4 };
const MANY = { from: 100, to: 400 };
const WRONG = 1.3;

const sizeFor = (count: number) =>
  SIZE.few +
  (SIZE.many - SIZE.few) * Math.min(1, Math.max(0, (count - MANY.from) / (MANY.to - MANY.from)));

/** Place of a sample, in the drawing's units. */
function placeOf({ edges, samples }: DecisionMap, k: number) {
  const share = (value: number, [low, high]: [number, number]) => (value - low) / (high - low);
  return {
    left: SPAN * share(samples.x[k], edges[0]),
    top: SPAN * (1 - share(samples.y[k], edges[1])),
  };
}

/** The samples: a path for each class of correct ones, with the wrong ones on top. */
export function dotsOf(map: DecisionMap): Dots[] {
  const { true: truth, predicted } = map.samples;
  const size = sizeFor(truth.length);
  const dots: Map<string, Dots> = new Map();
  for (let k = 0; k < truth.length; k++) {
    const name = truth[k] === predicted[k] ? "right" : "wrong";
    const key = `${name} ${truth[k]}`;
    const { left, top } = placeOf(map, k);
    const d = classShape(truth[k], name === "wrong" ? size * WRONG : size, left, top);
    dots.set(key, { name, kind: truth[k], d: (dots.get(key)?.d ?? "") + d });
  }
  return [...dots.values()].sort(
    (a, b) => Number(a.name === "wrong") - Number(b.name === "wrong") || a.kind - b.kind,
  );
}
