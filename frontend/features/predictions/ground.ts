/**
 * A map as pixels and paths, with samples on top. Classes have sides with smooth borders; a
 * regression has a surface with lines of equal value.
 * Owns: that geometry, and which shape and fill a class has. Pure. Colours come from the caller or
 * data-picture.css.
 */

import { SPAN } from "./map-drawing.ts";
import { roundTicks } from "../../charts/across-ticks.ts";
import { classShape, isFilled } from "../../charts/class-looks.ts";
import { px } from "../../charts/paths.ts";
import { contoursOf } from "../../charts/terrain.ts";
import { NONE } from "../../core/decision-map.ts";
import { extent } from "../../core/numbers.ts";
import type { Colour } from "./map-drawing.ts";
import type { Heights } from "../../charts/terrain.ts";
import type { DecisionMap } from "../../core/decision-map.ts";

/** Samples of one look: `kind` is the place of a class, or of a shade of values. */
export type Dots = { name: "filled" | "hollow" | "value"; wrong: boolean; kind: number; d: string };

/** Mixed from paper: least where the network is unsure. */
const TINT = { least: 0.25, rise: 1.25 };

/** The cells as RGBA pixels, highest row first. A cell that is not finite stays transparent. */
export function sidesOf(
  { side, predicted, sureness }: DecisionMap,
  colours: Colour[],
  paper: Colour,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * side * side);
  for (let cell = 0; cell < side * side; cell++) {
    if (predicted[cell] === NONE) continue;
    const sure = sureness ? Math.min(1, TINT.rise * sureness[cell]) : 1;
    const tint = TINT.least + (1 - TINT.least) * sure;
    const colour = colours[predicted[cell] % colours.length];
    const at = 4 * ((side - 1 - Math.floor(cell / side)) * side + (cell % side));
    for (let part = 0; part < 3; part++)
      pixels[at + part] = Math.round(paper[part] + tint * (colour[part] - paper[part]));
    pixels[at + 3] = 255;
  }
  return pixels;
}

/** The cells with a frame of the same values: lines end at the edge of the picture, not before it. */
function framed(side: number, value: (cell: number) => number): Heights {
  const wide = side + 2;
  const inside = (place: number) => Math.min(side - 1, Math.max(0, place - 1));
  const values = Float32Array.from({ length: wide * wide }, (_, k) =>
    value(inside(Math.floor(k / wide)) * side + inside(k % wide)),
  );
  return { columns: wide, rows: wide, values };
}

/** Pieces of lines in the framed grid, as a path in the drawing's units. */
function pathOf(pieces: number[], side: number) {
  const at = (value: number) => Math.min(SPAN, Math.max(0, (SPAN * (value - 0.5)) / side));
  let d = "";
  for (let k = 0; k < pieces.length; k += 4) {
    const [x1, y1, x2, y2] = pieces.slice(k, k + 4).map(at);
    d += `M${px(x1)},${px(SPAN - y1)}L${px(x2)},${px(SPAN - y2)}`;
  }
  return d;
}

/** A cell of a class this unsure still has a side. */
const LEAST = 0.02;

/** The borders between classes, where the network is as sure of one as of the other. */
export function bordersOf({ side, predicted, sureness }: DecisionMap, classes: number) {
  const size = (cell: number) => Math.max(LEAST, sureness ? sureness[cell] : 1);
  const heightFor = (kind: number) => (cell: number) =>
    predicted[cell] === NONE ? NaN : predicted[cell] === kind ? size(cell) : -size(cell);
  return Array.from({ length: classes - 1 }, (_, k) =>
    pathOf(contoursOf(framed(side, heightFor(k + 1)), [0])[0], side),
  ).join("");
}

/** About so many lines of equal value over the range of the samples. */
const LINES = 16;

/** Values at round distances over the range of the samples, and one such range beyond it. */
export function levelsOf([low, high]: [number, number]) {
  const span = high - low || 1;
  const [first, second] = roundTicks([low, low + span], LINES, false).tickvals ?? [];
  const step = Number((second - first).toPrecision(6));
  if (!(step > 0)) return { step: 0, levels: [] };
  const from = Math.ceil((low - span) / step);
  const to = Math.floor((high + span) / step);
  return { step, levels: Array.from({ length: to - from + 1 }, (_, k) => (from + k) * step) };
}

/** The lines of equal value of a regression. */
export function linesOf({ side, predicted }: DecisionMap, levels: number[]) {
  const heights = framed(side, (cell) => predicted[cell]);
  return contoursOf(heights, levels)
    .map((pieces) => pathOf(pieces, side))
    .join("");
}

/** The surface as heights. */
export const heightsOf = ({ side, predicted }: DecisionMap): Heights => ({
  columns: side,
  rows: side,
  values: Float32Array.from({ length: side * side }, (_, cell) =>
    Number.isFinite(predicted[cell]) ? predicted[cell] : NaN,
  ),
});

/** The range of the samples' values. */
export const valueRange = ({ samples }: Pick<DecisionMap, "samples">) =>
  extent(samples.true) ?? [0, 1];

/** Size of a sample by number of samples, in the drawing's units. */
const SIZE = { few: 3.4, many: 2.4 };
const MANY = { from: 100, to: 500 };
/** Number of shades of values. */
export const SHADES = 6;

/** The shape of a class, filled or hollow in turn. */
export const sampleLook = (kind: number, size: number, left: number, top: number) => ({
  name: isFilled(kind) ? ("filled" as const) : ("hollow" as const),
  d: classShape(kind, size, left, top),
});

/**
 * The samples: a path for each class, or each shade of values; wrong ones are on top.
 * @param scale of their size
 */
export function samplesOf(
  { edges, samples }: Pick<DecisionMap, "edges" | "samples">,
  classes: number,
  scale = 1,
): Dots[] {
  const { x, y, true: truth, predicted } = samples;
  const rise = Math.min(1, Math.max(0, (x.length - MANY.from) / (MANY.to - MANY.from)));
  const size = scale * (SIZE.few + (SIZE.many - SIZE.few) * rise);
  const share = (value: number, [low, high]: [number, number]) => (value - low) / (high - low);
  const range = valueRange({ samples });
  const dots: Map<string, Dots> = new Map();
  for (let k = 0; k < x.length; k++) {
    const [left, top] = [SPAN * share(x[k], edges[0]), SPAN * (1 - share(y[k], edges[1]))];
    const wrong = classes > 0 && truth[k] !== predicted[k];
    const kind = classes
      ? truth[k]
      : Math.min(SHADES - 1, Math.floor(SHADES * (share(truth[k], range) || 0)));
    const { name, d } = classes
      ? sampleLook(kind, size, left, top)
      : { name: "value" as const, d: classShape(0, size, left, top) };
    const key = `${wrong} ${kind}`;
    dots.set(key, { name, wrong, kind, d: (dots.get(key)?.d ?? "") + d });
  }
  return [...dots.values()].sort((a, b) => Number(a.wrong) - Number(b.wrong) || a.kind - b.kind);
}
