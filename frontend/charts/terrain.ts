/**
 * A terrain of losses as pixels and contours: height is a power of ten of the loss.
 * Owns: its colours, its light from the north-west, and the lines of equal loss. Pure.
 */

import { extent, firstFrom } from "../core/numbers.ts";

export interface Heights {
  columns: number;
  rows: number;
  /** row by row, the southern one first; NaN where the loss is not finite */
  values: ArrayLike<number>;
}

/** 0..255 */
export type Colour = [number, number, number];

export interface Tint {
  low: Colour; // of the deepest valley
  high: Colour; // of the highest ridge
  sun: number; // strength of the light, 0..1
}

/** Shade of a slope that rises by a power of ten over the whole width. */
const RELIEF = 0.0264;
/** How far the light changes a colour towards white, and the shade towards black. */
const LIGHT = 0.75;
const SHADE = 0.42;

/** Lines a power of ten, and the most lines of each kind. */
const A_DECADE = 4;
const MOST_LINES = 48;

const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** The lowest and the highest finite value; [0, 0] without any. */
export const rangeOf = ({ values }: Heights) => extent(values) ?? [0, 0];

/** The height between the points of the grid, along straight lines; NaN beside one without. */
export function heightAt({ columns, rows, values }: Heights, column: number, row: number) {
  const x = within(column, 0, columns - 1);
  const y = within(row, 0, rows - 1);
  const [i, j] = [Math.min(Math.floor(x), columns - 2), Math.min(Math.floor(y), rows - 2)];
  const [u, v] = [x - i, y - j];
  const at = j * columns + i;
  const south = values[at] * (1 - u) + values[at + 1] * u;
  const north = values[at + columns] * (1 - u) + values[at + columns + 1] * u;
  return south * (1 - v) + north * v;
}

/** Weights of four neighbours of a place `u` behind the second (Catmull and Rom 1974). */
const weightsAt = (u: number) => [
  0.5 * u * (u * (2 - u) - 1),
  0.5 * (u * u * (3 * u - 5) + 2),
  0.5 * u * (u * (4 - 3 * u) + 1),
  0.5 * u * u * (u - 1),
];

/** A row of numbers at more places, along smooth curves through all of them. */
function stretched(count: number, more: number, value: (place: number) => number) {
  const result = new Float64Array(more);
  for (let k = 0; k < more; k++) {
    const x = (k / (more - 1)) * (count - 1);
    const i = Math.min(Math.floor(x), count - 2);
    const [a, b] = [value(i), value(i + 1)];
    const u = x - i;
    const smooth = weightsAt(u).reduce(
      (sum, weight, place) => sum + weight * value(within(i - 1 + place, 0, count - 1)),
      0,
    );
    // beside a missing value the line is straight
    result[k] = Number.isNaN(smooth) ? (u === 0 ? a : a * (1 - u) + b * u) : smooth;
  }
  return result;
}

/** The same terrain on a finer grid; a grid that is fine enough stays. */
export function finer(heights: Heights, columns: number, rows: number): Heights {
  if (heights.columns >= columns && heights.rows >= rows) return heights;
  const [wide, high] = [Math.max(columns, heights.columns), Math.max(rows, heights.rows)];
  const across = Array.from({ length: heights.rows }, (_, row) =>
    stretched(heights.columns, wide, (k) => heights.values[row * heights.columns + k]),
  );
  const values = new Float32Array(wide * high);
  for (let column = 0; column < wide; column++) {
    const upright = stretched(heights.rows, high, (row) => across[row][column]);
    for (let row = 0; row < high; row++) values[row * wide + column] = upright[row];
  }
  return { columns: wide, rows: high, values };
}

/**
 * The terrain as RGBA pixels, northern row first: colour by height, with light from the north-west.
 * Pixels without a height stay transparent.
 * @param range heights of both colours
 */
export function pixelsOf(
  heights: Heights,
  { width, height }: { width: number; height: number },
  { low, high, sun }: Tint,
  range: [number, number] = rangeOf(heights),
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * width * height);
  const [perX, perY] = [(heights.columns - 1) / (width - 1), (heights.rows - 1) / (height - 1)];
  const drawn = new Float32Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      drawn[y * width + x] = heightAt(heights, x * perX, (height - 1 - y) * perY);
  // slopes are measured over a cell of the grid, else its facets would show
  const [stepX, stepY] = [Math.max(1, Math.round(1 / perX)), Math.max(1, Math.round(1 / perY))];
  const span = range[1] - range[0] || 1;
  for (let y = 0; y < height; y++) {
    const [north, south] = [Math.max(0, y - stepY), Math.min(height - 1, y + stepY)];
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const value = drawn[at];
      if (Number.isNaN(value)) continue;
      const [west, east] = [Math.max(0, x - stepX), Math.min(width - 1, x + stepX)];
      const eastward = (drawn[y * width + east] - drawn[y * width + west]) / (east - west);
      const northward = (drawn[north * width + x] - drawn[south * width + x]) / (south - north);
      const slope = (eastward - northward) * width * RELIEF;
      const light = (Number.isNaN(slope) ? 0 : within(slope, -1, 1)) * sun;
      const share = within((value - range[0]) / span, 0, 1);
      for (let part = 0; part < 3; part++) {
        const tint = low[part] + (high[part] - low[part]) * share;
        pixels[4 * at + part] =
          light > 0 ? tint + (255 - tint) * light * LIGHT : tint + tint * light * SHADE;
      }
      pixels[4 * at + 3] = 255;
    }
  }
  return pixels;
}

/** Heights of the contours: four a power of ten; of a high terrain only powers of ten, or some. */
export function levelsOf([low, high]: [number, number]): { level: number; isTen: boolean }[] {
  const decades = high - low;
  const step =
    decades * A_DECADE <= MOST_LINES ? 1 / A_DECADE : Math.max(1, Math.ceil(decades / MOST_LINES));
  const levels = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++)
    levels.push({ level: k * step, isTen: Number.isInteger(k * step) });
  return levels;
}

/** The place of a level between two values, as a share of the way. */
const crossing = (a: number, b: number, level: number) => (level - a) / (b - a);

/**
 * The contours of rising levels as straight pieces (x, y, x, y), in columns and rows of the grid:
 * marching squares. Cells with a missing corner have none.
 */
export function contoursOf({ columns, rows, values }: Heights, levels: number[]): number[][] {
  const lines: number[][] = levels.map(() => []);
  for (let row = 0; row + 1 < rows; row++) {
    for (let column = 0; column + 1 < columns; column++) {
      const at = row * columns + column;
      const [a, b] = [values[at], values[at + 1]];
      const [d, c] = [values[at + columns], values[at + columns + 1]];
      if (Number.isNaN(a + b + c + d)) continue;
      const [low, high] = [Math.min(a, b, c, d), Math.max(a, b, c, d)];
      for (let k = firstFrom(levels, low); k < levels.length && levels[k] < high; k++)
        addPieces(lines[k], levels[k], column, row, a, b, c, d);
    }
  }
  return lines;
}

/** Sides of a cell, and the pairs of them that a contour joins, by the corners above its level. */
const [SOUTH, EAST, NORTH, WEST] = [0, 1, 2, 3];
const JOINED: number[][] = [
  [],
  [SOUTH, WEST],
  [SOUTH, EAST],
  [WEST, EAST],
  [EAST, NORTH],
  [SOUTH, EAST, NORTH, WEST],
  [SOUTH, NORTH],
  [NORTH, WEST],
  [NORTH, WEST],
  [SOUTH, NORTH],
  [SOUTH, WEST, EAST, NORTH],
  [EAST, NORTH],
  [WEST, EAST],
  [SOUTH, EAST],
  [SOUTH, WEST],
  [],
];

/** Adds the pieces of a level in the cell with these corners: a is south-west, b south-east. */
function addPieces(
  line: number[],
  level: number,
  x: number,
  y: number,
  a: number,
  b: number,
  c: number,
  d: number,
) {
  let code = (a > level ? 1 : 0) + (b > level ? 2 : 0) + (c > level ? 4 : 0) + (d > level ? 8 : 0);
  // two opposite corners are above: a low middle keeps them apart
  if ((code === 5 || code === 10) && (a + b + c + d) / 4 <= level) code = 15 - code;
  for (const side of JOINED[code]) {
    if (side === SOUTH) line.push(x + crossing(a, b, level), y);
    else if (side === EAST) line.push(x + 1, y + crossing(b, c, level));
    else if (side === NORTH) line.push(x + crossing(d, c, level), y + 1);
    else line.push(x, y + crossing(a, d, level));
  }
}
