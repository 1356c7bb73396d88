// Ticks along the horizontal axis: as many as there is room for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { acrossTicks } from "../../frontend/charts/across-ticks.js";
import { gradientChart } from "../../frontend/charts/gradient-chart.js";
import { figures, scene } from "./scenes.mjs";

const LETTER = 6.2;
const room = (width, out = 6) => ({ width, before: Math.max(4, out), after: out, most: 5 });

/** Left and right ends of the words, px. */
const spans = ({ type, range: [low, high] }, width, { tickvals, ticktext }) => tickvals.map((value, i) => {
  const across = (((type === "log" ? Math.log10(value) : value) - low) / (high - low)) * width;
  return [across - (ticktext[i].length * LETTER) / 2, across + (ticktext[i].length * LETTER) / 2];
});

test("words neither touch each other nor leave their panel, at any width and any length of a run", () => {
  for (const width of [60, 90, 110, 180, 260, 650]) {
    for (const end of [1, 7, 42, 200, 999, 1500, 123_456, 9_999_999]) {
      const axis = { type: "linear", range: [0, end] };
      const ticks = acrossTicks(axis, room(width, 0), width < 100);
      const words = spans(axis, width, ticks);
      words.forEach(([left, right], i) => assert.ok(right <= width && left >= -4 && (!i || left - words[i - 1][1] >= 8), `${width} ${end}: ${ticks.ticktext}`));
      assert.ok(ticks.tickvals.length >= 1 && ticks.tickvals.length <= 6, `${width} ${end}: ${ticks.ticktext}`);
    }
  }
});

test("ticks are round and read as written", () => {
  const read = (range, width, brief = false) => acrossTicks({ type: "linear", range }, room(width), brief).ticktext;
  assert.deepEqual(read([-4, 200], 180), ["0", "50", "100", "150"]);
  assert.deepEqual(read([0, 3000], 260), ["0", "1,000", "2,000"]);
  assert.deepEqual(read([0, 3000], 90, true), ["0", "1k", "2k"]);
  assert.deepEqual(read([0, 1.4], 180), ["0", "0.5", "1.0"]);
  assert.deepEqual(read([1000, 1040], 260), ["1,010", "1,020", "1,030"]);
});

test("on a log axis 2 and 5 stand between powers of ten only where there is room", () => {
  const read = (range, width) => acrossTicks({ type: "log", range }, { ...room(width), most: 12 }, false).ticktext;
  assert.deepEqual(read([-0.06, 2.06], 650), ["1", "2", "5", "10", "20", "50", "100"]);
  assert.deepEqual(read([-0.06, 7.2], 650), ["1", "10", "100", "1k", "10k", "100k", "1M", "10M"]);
  assert.deepEqual(read([-0.06, 7.2], 130), ["1", "1k", "1M"]);
  assert.deepEqual(read([-3.3, 0.06], 200), ["0.001", "0.01", "0.1", "1"]);
  assert.deepEqual(acrossTicks({ type: "log", range: [2.1, 2.2] }, room(650), false), {});
});

test("an axis without an extent, or without a width, is left to Plotly", () => {
  assert.deepEqual([[5, 5], [0, Infinity], [NaN, 1]].map((range) => acrossTicks({ type: "linear", range }, room(100), false)), [{}, {}, {}]);
  assert.deepEqual(acrossTicks({ type: "linear", range: [0, 1] }, room(0), false), {});
});

test("all gradient panels have the same ticks, inside their panels", () => {
  const { layout } = gradientChart(figures.gradients, scene({ gd: 1000, sgd: 1000 }));
  assert.ok(layout.xaxis.ticktext.length >= 2);
  assert.deepEqual(layout.xaxis3.tickvals, layout.xaxis.tickvals);
});
