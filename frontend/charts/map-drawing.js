/**
 * A decision map as pixels and paths: a pixel a cell, the border between classes, the samples by class.
 * Owns: that geometry, and the shapes of classes. Pure. Colours are given, or come from styles/inspection.css by class.
 */

import { px, symbol } from "./paths.js";
import { NONE } from "../state/decision-map.js";

/** @typedef {import("../state/decision-map.js").DecisionMap} DecisionMap */
/** @typedef {[number, number, number]} Colour  0..255 */
/** @typedef {{name: "right"|"wrong", kind: number, d: string}} Dots  of one class, by the place of its colour */

/** The drawing's own units, of a side. */
export const SPAN = 144;

/** As many colours as tokens.css has for classes. */
export const COLOURS = 6;

/** One after the other they differ most; there is one less than colours, so that both together tell 30 classes apart. */
const SHAPES = ["a", "d", "b", "c", "x"];
/** What makes them look alike in size. @type {Record<string, number>} */
const SIZES = { a: 1, b: 0.9, c: 0.84, d: 1.08, x: 1 };

/** @param {number} place  of a class @param {number} size @param {number} left @param {number} top */
export function classShape(place, size, left, top) {
  const shape = SHAPES[place % SHAPES.length];
  // a triangle's weight lies below the middle of its circle
  return symbol(shape, size * SIZES[shape], left, shape === "d" ? top + size * 0.09 : top);
}

/** How much of its colour a cell takes: where nothing is sure still enough to be seen, and never so much that samples are not. */
const TINT = { least: 0.1, most: 0.66 };

/**
 * The cells as an image of `side` x `side` pixels, red, green, blue and opacity, the highest row first. What is not finite stays clear.
 * @param {DecisionMap} map
 * @param {Colour[]} colours  by class, repeating
 * @param {Colour} paper
 */
export function pixelsOf({ side, predicted, sureness }, colours, paper) {
  const pixels = new Uint8ClampedArray(4 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const cell = row * side + column;
      const place = predicted[cell];
      if (place === NONE) continue;
      const tint = TINT.least + (TINT.most - TINT.least) * (sureness ? sureness[cell] : 1);
      const colour = colours[place % colours.length];
      const at = 4 * ((side - 1 - row) * side + column);
      for (let part = 0; part < 3; part++) pixels[at + part] = Math.round(paper[part] + tint * (colour[part] - paper[part]));
      pixels[at + 3] = 255;
    }
  }
  return pixels;
}

/** Along the cells where another class begins, in the drawing's units. @param {DecisionMap} map */
export function borderOf({ side, predicted }) {
  const cell = SPAN / side;
  /** Each stretch of cells whose neighbour is of another class is one line. @param {number} one @param {number} along @param {(from: number, to: number, at: number) => string} line */
  const lines = (one, along, line) => {
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
  const upright = lines(1, side, (from, to, at) => `M${px(at * cell)},${px(SPAN - from * cell)}V${px(SPAN - to * cell)}`);
  const level = lines(side, 1, (from, to, at) => `M${px(from * cell)},${px(SPAN - at * cell)}H${px(to * cell)}`);
  return upright + level;
}

/** A frame around a cell is so wide, in the drawing's units: a cell alone is hardly seen. */
const FRAME = 8;

/** A frame around a cell, and a hairline to each edge of the map. @param {number} side @param {[number, number]} cell  column and row */
export function cursorOf(side, [column, row]) {
  const [left, top] = [(SPAN * (column + 0.5)) / side, SPAN - (SPAN * (row + 0.5)) / side];
  const [west, east, north, south] = [left - FRAME / 2, left + FRAME / 2, top - FRAME / 2, top + FRAME / 2].map(px);
  const [x, y] = [px(left), px(top)];
  return `M${west},${north}H${east}V${south}H${west}ZM0,${y}H${west}M${east},${y}H${SPAN}M${x},0V${north}M${x},${south}V${SPAN}`;
}

/** Of many samples each is drawn smaller. */
const SIZE = { few: 5.4, many: 4 };
const MANY = { from: 100, to: 400 };
const WRONG = 1.3;

/** @param {number} count */
const sizeFor = (count) => SIZE.few + (SIZE.many - SIZE.few) * Math.min(1, Math.max(0, (count - MANY.from) / (MANY.to - MANY.from)));

/** Where a sample lies, in the drawing's units. @param {DecisionMap} map @param {number} k */
function placeOf({ edges, samples }, k) {
  const share = (/** @type {number} */ value, /** @type {[number, number]} */ [low, high]) => (value - low) / (high - low);
  return { left: SPAN * share(samples.x[k], edges[0]), top: SPAN * (1 - share(samples.y[k], edges[1])) };
}

/** The samples, a path a class of those that are right, and over all of them those that are wrong. @param {DecisionMap} map @returns {Dots[]} */
export function dotsOf(map) {
  const { true: truth, predicted } = map.samples;
  const size = sizeFor(truth.length);
  /** @type {Map<string, Dots>} */
  const dots = new Map();
  for (let k = 0; k < truth.length; k++) {
    const name = truth[k] === predicted[k] ? "right" : "wrong";
    const key = `${name} ${truth[k]}`;
    const { left, top } = placeOf(map, k);
    const d = classShape(truth[k], name === "wrong" ? size * WRONG : size, left, top);
    dots.set(key, { name, kind: truth[k], d: (dots.get(key)?.d ?? "") + d });
  }
  return [...dots.values()].sort((a, b) => Number(a.name === "wrong") - Number(b.name === "wrong") || a.kind - b.kind);
}
