// A terrain as pixels and contours, against formulas.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  contoursOf,
  finer,
  heightAt,
  levelsOf,
  pixelsOf,
  rangeOf,
} from "../../frontend/charts/terrain.ts";
import type { Colour, Heights } from "../../frontend/charts/terrain.ts";

/** Heights by a formula of column and row. */
function heights(columns: number, rows: number, at: (x: number, y: number) => number): Heights {
  const values = Array.from({ length: columns * rows }, (_, k) =>
    at(k % columns, Math.floor(k / columns)),
  );
  return { columns, rows, values };
}

const contourOf = (grid: Heights, level: number) => contoursOf(grid, [level])[0];

const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];
const GREY: Colour = [120, 120, 120];
const size = { width: 60, height: 40 };

/** The red of a pixel, counted from the north-west. */
const red = (pixels: Uint8ClampedArray, x: number, y: number) => pixels[4 * (y * size.width + x)];

test("without light the colour follows the height, from the valley's to the ridge's", () => {
  const slope = heights(31, 21, (x) => x / 10);
  const pixels = pixelsOf(slope, size, { low: WHITE, high: BLACK, sun: 0 });
  assert.equal(red(pixels, 0, 20), 255);
  assert.equal(red(pixels, 59, 20), 0);
  const middle = red(pixels, 30, 7);
  assert.ok(Math.abs(middle - 255 * (1 - 30 / 59)) <= 1, String(middle));
  const north = pixelsOf(
    heights(31, 21, (_, y) => y),
    size,
    { low: WHITE, high: BLACK, sun: 0 },
  );
  assert.equal(red(north, 5, 0), 0, "the first row of pixels is the northern one");
  assert.equal(red(north, 5, 39), 255);
});

test("slopes that face the north-west are lighter than flat ground, slopes that face the south-east darker", () => {
  const shade = (at: (x: number, y: number) => number) =>
    red(pixelsOf(heights(31, 21, at), size, { low: GREY, high: GREY, sun: 1 }), 30, 20);
  const flat = shade(() => 1);
  assert.equal(flat, 120);
  // a slope faces away from where it rises to
  assert.ok(shade((x, y) => x - y) > flat + 10, "faces north-west");
  assert.ok(shade((x, y) => y - x) < flat - 10, "faces south-east");
  assert.ok(shade((x) => x) > flat, "faces west");
  assert.ok(shade((_, y) => y) < flat, "faces south");
  assert.ok(Math.abs(shade((x, y) => x + y) - flat) < 10, "faces south-west");
});

test("points without a height stay transparent, and their neighbours are drawn", () => {
  const holed = heights(7, 5, (x, y) => (x === 3 && y === 2 ? NaN : x));
  const pixels = pixelsOf(holed, size, { low: WHITE, high: BLACK, sun: 1 });
  const alpha = (x: number, y: number) => pixels[4 * (y * size.width + x) + 3];
  assert.equal(alpha(30, 20), 0);
  assert.equal(alpha(2, 2), 255);
  assert.deepEqual(rangeOf(holed), [0, 6]);
  assert.deepEqual(rangeOf(heights(2, 2, () => NaN)), [0, 0]);
});

test("heights between points are on straight lines, heights of a finer grid on smooth curves", () => {
  const grid = heights(4, 3, (x, y) => 2 * x + 10 * y);
  assert.equal(heightAt(grid, 1.5, 0.25), 5.5);
  assert.equal(heightAt(grid, 3, 2), 26);
  assert.equal(heightAt(grid, 9, -4), 6, "at the edge beyond it");
  const fine = finer(
    heights(21, 16, (x, y) => Math.sin(x / 4) + Math.cos(y / 3)),
    81,
    61,
  );
  assert.deepEqual([fine.columns, fine.rows], [81, 61]);
  for (let row = 6; row < 55; row++)
    for (let column = 6; column < 75; column++) {
      const exact = Math.sin(column / 16) + Math.cos(row / 12);
      assert.ok(Math.abs(fine.values[row * 81 + column] - exact) < 0.004);
    }
  const own = finer(grid, 7, 5);
  for (const [x, y] of [
    [0, 0],
    [2, 1],
    [3, 2],
  ])
    assert.ok(Math.abs(own.values[2 * y * 7 + 2 * x] - (2 * x + 10 * y)) < 1e-6, "points stay");
  assert.equal(finer(grid, 3, 2), grid);
});

test("a contour is where the surface crosses its level", () => {
  const cone = heights(61, 61, (x, y) => Math.hypot(x - 30, y - 30));
  const pieces = contourOf(cone, 12);
  assert.ok(pieces.length > 200);
  let length = 0;
  for (let k = 0; k < pieces.length; k += 4) {
    const [x, y, right, up] = pieces.slice(k, k + 4);
    assert.ok(Math.abs(Math.hypot(x - 30, y - 30) - 12) < 0.03);
    length += Math.hypot(right - x, up - y);
  }
  assert.ok(Math.abs(length - 2 * Math.PI * 12) < 0.3, "its pieces make a whole circle");
});

test("contours of a saddle do not cross, and cells with a missing corner have none", () => {
  // opposite corners high: the middle decides
  const high = contourOf(
    heights(2, 2, (x, y) => (x === y ? 3 : 0)),
    1,
  );
  const low = contourOf(
    heights(2, 2, (x, y) => (x === y ? 1.2 : -1)),
    1,
  );
  const ends = (pieces: number[]) =>
    [pieces.slice(0, 4), pieces.slice(4)].map((piece) => piece.join()).sort();
  assert.equal(high.length, 8);
  assert.equal(low.length, 8);
  // a high middle keeps the low corners apart: each line goes around one of them
  const around = (piece: number[], corner: [number, number]) =>
    Math.abs((piece[0] + piece[2]) / 2 - corner[0]) < 0.5 &&
    Math.abs((piece[1] + piece[3]) / 2 - corner[1]) < 0.5;
  assert.ok(around(high.slice(0, 4), [1, 0]) && around(high.slice(4), [0, 1]), String(ends(high)));
  assert.ok(around(low.slice(0, 4), [0, 0]) && around(low.slice(4), [1, 1]), String(ends(low)));
  assert.deepEqual(
    contourOf(
      heights(2, 2, (x, y) => (x + y === 2 ? NaN : x)),
      0.5,
    ),
    [],
  );
});

test("all levels at once are each level alone", () => {
  const grid = heights(23, 17, (x, y) => Math.sin(x / 3) * Math.cos(y / 4) + x / 40);
  const levels = [-2, -0.5, 0, 0.25, 0.9, 7];
  assert.deepEqual(
    contoursOf(grid, levels),
    levels.map((level) => contourOf(grid, level)),
  );
});

test("there are four contours a power of ten, and fewer where they would be too many", () => {
  const levels = levelsOf([-1.1, 1.1]);
  assert.deepEqual(
    levels.map(({ level }) => level),
    [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1],
  );
  assert.deepEqual(
    levels.filter(({ isTen }) => isTen).map(({ level }) => level),
    [-1, 0, 1],
  );
  for (const range of [
    [-300, 300],
    [-20, 3],
    [0, 0],
  ] as [number, number][])
    assert.ok(levelsOf(range).length <= 60);
  assert.ok(levelsOf([-20, 3]).every(({ isTen }) => isTen));
});
