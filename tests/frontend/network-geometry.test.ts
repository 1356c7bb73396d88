import assert from "node:assert/strict";
import { test } from "node:test";

import { tickWidth } from "../../frontend/charts/letter-widths.ts";
import {
  columnsOf,
  edgePath,
  footWords,
  HEIGHT,
  heightUnder,
  inputFoot,
  inputWords,
  leastShown,
  partOf,
  shadesOf,
  sizeWithin,
  strokeOf,
  WIDTH,
} from "../../frontend/features/network/network-geometry.ts";

test("the notebook's network has the places of the design", () => {
  const columns = columnsOf([5, 4, 4, 1]);
  assert.deepEqual(
    columns.map(({ x }) => x),
    [22, 108, 194, 272],
  );
  assert.deepEqual(
    columns.map(({ radius }) => radius),
    [9, 13.5, 13.5, 13.5],
  );
  assert.deepEqual(
    columns[1].ys.map((y) => Number(y.toFixed(1))),
    [25.4, 71.8, 118.2, 164.6],
  );
  assert.equal(columns[3].ys[0], 95);
});

test("no unit of any network leaves the drawing or overlaps its neighbour", () => {
  for (const [units, height] of [1, 2, 3, 7, 12, 16, 17, 64].flatMap((each) =>
    [2, 3, 8].map((runs) => [each, heightUnder(runs)]),
  )) {
    for (const { ys, radius, half, isStrip, x } of columnsOf(
      [64, units, units, units, units, units, units, 1],
      0,
      height,
    )) {
      assert.ok(x - radius >= 0 && x + radius <= WIDTH);
      assert.ok(
        Math.min(...ys) - half >= 0 && Math.max(...ys) + half <= height - 26,
        "over their feet",
      );
      const pitch = ys.length > 1 ? ys[1] - ys[0] : Infinity;
      assert.ok(
        pitch >= 2 * half * 0.99,
        `${units} units${isStrip ? " in a strip" : ""}: ${pitch} apart`,
      );
    }
  }
});

test("below a switch of two lines the drawing is lower and as wide", () => {
  const heights = [1, 2, 3, 4, 5, 8].map(heightUnder);
  assert.deepEqual(
    heights,
    [...heights].sort((a, b) => b - a),
  );
  assert.deepEqual(heights.slice(0, 2), [HEIGHT, HEIGHT]);
  const [whole, low] = [HEIGHT, heightUnder(8)].map((height) => columnsOf([5, 4, 4, 1], 0, height));
  assert.deepEqual(
    low.map(({ x }) => x),
    whole.map(({ x }) => x),
  );
  assert.ok(low[1].radius >= 9.5, "its numbers have room");
});

test("inputs show their names in the circles, beside them, or as numbers where there is no room", () => {
  assert.deepEqual(inputWords(["x1", "x2", "x12"], 4), {
    letters: 0,
    words: [["x1"], ["x2"], ["x12"]],
    hasKey: false,
  });
  assert.deepEqual(inputWords(["x1", "x2"], 4).words, [[""], [""]], "numbers alone say nothing");
  const named = ["age", "sepal_length", "colour=red"];
  assert.deepEqual(inputWords(named, 5), {
    letters: 11,
    words: [["age"], ["sepal_", "length"], ["colour=red"]],
    hasKey: false,
  });
  const long = ["mean radius of cells", "concavityofpoints", "worst fractal dimension", "age"];
  assert.deepEqual(inputWords(long, 4), {
    letters: 17,
    words: [
      ["mean radius", "of cells"],
      ["concavityofpoints"],
      ["worst fractal", "dimension"],
      ["age"],
    ],
    hasKey: false,
  });
  const numbered = (count: number) => ({
    letters: 0,
    words: Array.from({ length: count }, (_, k) => [`x${k + 1}`]),
    hasKey: true,
  });
  assert.deepEqual(inputWords(long, 5), numbered(4), "no name is cut: a key has them whole");
  assert.deepEqual(inputWords(["a".repeat(40), "b"], 4), numbered(2));
  assert.deepEqual(
    inputWords([...named, ..."abcd"], 5),
    numbered(7),
    "seven names have a line each",
  );
  assert.deepEqual(inputWords(named, 6), numbered(3));
  assert.equal(
    inputWords(
      Array.from({ length: 13 }, (_, k) => `column ${k}`),
      3,
    ).letters,
    0,
  );
  for (const [letters, sizes] of [
    [11, [3, 4, 4, 4, 1]],
    [18, [3, 4, 4, 1]],
  ] as [number, number[]][]) {
    const columns = columnsOf(sizes, letters);
    assert.ok(columns[0].x - columns[0].radius - 4 >= letters * 6.2);
    for (const [k, { x, radius }] of columns.slice(1).entries())
      assert.ok(x - radius > columns[k].x + columns[k].radius + 10 && x + radius <= WIDTH);
  }
});

test("a layer of more than 16 units is a strip with a cell for each, and 16 groups of edges", () => {
  const [column] = columnsOf([37, 1]);
  const counts = new Array(column.drawn).fill(0);
  for (let unit = 0; unit < 37; unit++) counts[partOf(unit, 37, column.drawn)]++;
  assert.equal(column.drawn, 16);
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    37,
  );
  assert.ok(counts.every((count) => count === 2 || count === 3));
  assert.equal(column.cells.length, 37);
  assert.equal(2 * column.radius, 16);
  for (const [k, { top, height }] of column.cells.slice(1).entries())
    assert.ok(Math.abs(top - column.cells[k].top - height) < 1e-9);
  assert.equal(columnsOf([16, 1])[0].cells.length, 0);
  assert.equal(columnsOf([500, 1])[0].cells.length, 64, "of very many only so many");
});

test("a strip of inputs has its count below, and circles the word alone", () => {
  const [wide] = columnsOf([64, 4, 1]);
  const [few] = columnsOf([5, 4, 1]);
  assert.deepEqual([inputFoot(wide), inputFoot(few)], ["64 inputs", "input"]);
});

test("a number stays within its circle, with letters as large as they may be", () => {
  const sizeOf = (text: string, outputs: number) =>
    sizeWithin(text, columnsOf([4, 4, outputs])[2].radius);
  assert.ok(sizeOf("0.3", 3) > 13.6);
  assert.ok(sizeOf("−1.0", 3) > 11);
  const size = sizeOf("−1.0", 7);
  assert.ok(size < 10.5 && size > 9, `${size} px`);
  const { radius } = columnsOf([4, 4, 7])[2];
  assert.ok((tickWidth("−1.0") * size) / 11 < 2 * radius - 2);
});

test("only the largest 30 % of more than 60 edges are drawn", () => {
  const shares = Array.from({ length: 100 }, (_, k) => (k % 2 ? -1 : 1) * ((k + 1) / 100));
  const least = leastShown(shares);
  assert.equal(shares.filter((share) => Math.abs(share) >= least).length, 30);
  assert.equal(leastShown(shares.slice(0, 60)), 0);
});

test("units of six layers and more are small", () => {
  assert.equal(columnsOf([5, ...new Array(6).fill(4), 1])[1].radius, 8.5);
  assert.equal(columnsOf([5, ...new Array(5).fill(4), 1])[1].radius, 13.5);
});

test("a fill is relative to the largest activation of its layer, and nearly 0 looks empty", () => {
  assert.deepEqual(shadesOf([4, -2, 0]), [1, 0.5, 0]);
  assert.ok(Math.max(...shadesOf([0.04, 0.02])) <= 0.1);
  assert.deepEqual(shadesOf([Number.NaN, 1]), [0, 1]);
});

test("the largest weight has the widest edge, and edges of a dead unit are faint", () => {
  assert.deepEqual(strokeOf(1, false), { width: "4.70", opacity: "0.86" });
  assert.deepEqual(strokeOf(0, true), { width: "0.50", opacity: "0.13" });
});

test("an edge runs from the rim of one unit to the rim of the other", () => {
  const [from, to] = columnsOf([1, 1]);
  assert.equal(edgePath(from, 0, to, 0), "M31 95.0C147 95.0 147 95.0 258.5 95.0");
});

test("labels below the layers fit side by side, for any number of layers", () => {
  const widest = 6.4; // px a letter, bold, 11 px
  for (const hidden of [1, 2, 3, 4, 5, 6]) {
    const [one, next] = columnsOf([5, ...new Array(hidden).fill(64), 1]);
    const pitch = next.x - one.x;
    for (const dead of [0, 7, 64])
      assert.ok(
        footWords(dead, 64, pitch).length * widest <= pitch,
        `${hidden} layers: ${footWords(dead, 64, pitch)}`,
      );
  }
  assert.deepEqual(
    [86, 51, 37].map((pitch) => footWords(4, 4, pitch)),
    ["4 of 4 dead", "4 dead", "4"],
  );
  assert.equal(footWords(0, 6, 37), "");
});
