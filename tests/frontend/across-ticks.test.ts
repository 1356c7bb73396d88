// Ticks: as many as fit, and their places.

import assert from "node:assert/strict";
import { test } from "node:test";

import { acrossTicks, fewTicks } from "../../frontend/charts/across-ticks.ts";
import { axesOf } from "../../frontend/charts/axes.ts";
import { gradientChart } from "../../frontend/charts/gradient-chart.ts";
import { downAxis, roomBeside } from "../../frontend/charts/instrument-axes.ts";
import { tickWidth } from "../../frontend/charts/letter-widths.ts";
import { evenTicks, lossTicks } from "../../frontend/charts/loss-range.ts";
import { briefTicks } from "../../frontend/core/format.ts";
import { figures, scene } from "./scenes.ts";
import type { Frame } from "../../frontend/charts/labels.ts";

const room = (width: number, out = 6) => ({ width, before: Math.max(4, out), after: out, most: 5 });

/** Left and right ends of the labels, px. */
type Across = Parameters<typeof acrossTicks>[0];
const spans = (
  { type, range: [low, high] }: Across,
  width: number,
  { tickvals = [], ticktext = [] }: ReturnType<typeof acrossTicks>,
) =>
  tickvals.map((value, i) => {
    const across = (((type === "log" ? Math.log10(value) : value) - low) / (high - low)) * width;
    return [across - tickWidth(ticktext[i]) / 2, across + tickWidth(ticktext[i]) / 2];
  });

test("tick labels never touch or leave their panel, at any width and run length", () => {
  for (const width of [60, 90, 110, 180, 260, 650]) {
    for (const end of [1, 7, 42, 200, 999, 1500, 123_456, 9_999_999]) {
      const axis: Across = { type: "linear", range: [0, end] };
      const ticks = acrossTicks(axis, room(width, 0), width < 100);
      const words = spans(axis, width, ticks);
      words.forEach(([left, right], i) =>
        assert.ok(
          right <= width && left >= -4 && (!i || left - words[i - 1][1] >= 8),
          `${width} ${end}: ${ticks.ticktext}`,
        ),
      );
      assert.ok(
        ticks.tickvals!.length >= 1 && ticks.tickvals!.length <= 6,
        `${width} ${end}: ${ticks.ticktext}`,
      );
    }
  }
});

test("axes of steps and samples have whole ticks, or none if no whole number is in view", () => {
  const read = (range: [number, number], least: number) =>
    acrossTicks({ type: "linear", range }, { ...room(650), most: 8, least }, false).ticktext;
  assert.deepEqual(read([0, 1], 1), ["0", "1"]);
  assert.deepEqual(read([0, 3], 1), ["0", "1", "2", "3"]);
  assert.deepEqual(read([0, 1], 0), ["0", "0.2", "0.4", "0.6", "0.8"]);
  assert.deepEqual(read([0.2, 0.8], 1), []);
});

test("an axis of predictions has three to five ticks for any range", () => {
  assert.deepEqual(fewTicks([2.63, 3.31]).ticktext, ["2.8", "3", "3.2"]);
  assert.deepEqual(fewTicks([-1.1, 1.1]).ticktext, ["−1", "0", "1"]);
  assert.deepEqual(fewTicks([90_000, 460_000]).ticktext, ["100k", "200k", "300k", "400k"]);
  assert.deepEqual(fewTicks([0.9, 1.9]).ticktext, ["1", "1.2", "1.4", "1.6", "1.8"]);
  assert.deepEqual(fewTicks([3, 3]), {});
  for (let k = 0; k < 2000; k++) {
    const low = Math.sin(k) * 10 ** ((k % 13) - 6);
    const [first, ...others] = fewTicks([low, low + 10 ** (((k * 7) % 90) / 15 - 3)]).ticktext!;
    assert.ok(
      others.length >= 2 &&
        others.length <= 4 &&
        new Set([first, ...others]).size === others.length + 1,
      `${low}: ${[first, ...others]}`,
    );
  }
});

test("ticks are round numbers, and their labels match them", () => {
  const read = (range: [number, number], width: number, brief = false) =>
    acrossTicks({ type: "linear", range }, room(width), brief).ticktext;
  assert.deepEqual(read([-4, 200], 180), ["0", "50", "100", "150"]);
  assert.deepEqual(read([0, 3000], 260), ["0", "1,000", "2,000"]);
  assert.deepEqual(read([0, 3000], 90, true), ["0", "1k", "2k"]);
  assert.deepEqual(read([0, 1.4], 180), ["0", "0.5", "1.0"]);
  assert.deepEqual(read([1000, 1040], 260), ["1,010", "1,020", "1,030"]);
});

test("two ticks never have the same label, and small numbers become powers of ten that fit", () => {
  const steps = (range: [number, number]) =>
    acrossTicks({ type: "linear", range }, { ...room(220), least: 1 }, true).ticktext;
  assert.deepEqual(steps([4281, 4291]), ["4,282", "4,284", "4,286", "4,288", "4,290"]);
  assert.deepEqual(steps([4000, 4291]), ["4.1k", "4.2k"]);
  assert.deepEqual(fewTicks([-1.5e-6, 5e-7]).ticktext, ["−1.5e−6", "−1e−6", "−5e−7", "0", "5e−7"]);
  assert.deepEqual(fewTicks([2.6e-5, 2.7e-5]).ticktext, ["2.6e−5", "2.65e−5", "2.7e−5"]);
  for (let k = 0; k < 2000; k++) {
    const low = 10 ** ((k % 61) / 10);
    const texts = steps([low, low + 10 ** (((k * 7) % 50) / 10)]);
    assert.equal(new Set(texts).size, texts!.length, `${low}: ${texts}`);
  }
});

test("a nearly constant loss along a step is drawn nearly level, with labels that fit beside the plot", () => {
  const data = [{ y: [2.6792345e-5, 2.6792325e-5], meta: { role: "line" } }];
  assert.deepEqual(downAxis({}, data).ticktext, ["2.6791e−5", "2.6792e−5", "2.6793e−5"]);
  assert.ok(
    roomBeside({}, data, 40) > 9 * 5.5 && roomBeside({}, [{ y: [0, 1], meta: {} }], 40) === 40,
  );
});

test("a log axis has 2 and 5 between powers of ten only where they fit", () => {
  const read = (range: [number, number], width: number) =>
    acrossTicks({ type: "log", range }, { ...room(width), most: 12 }, false).ticktext;
  assert.deepEqual(read([-0.06, 2.06], 650), ["1", "2", "5", "10", "20", "50", "100"]);
  assert.deepEqual(read([-0.06, 7.2], 650), ["1", "10", "100", "1k", "10k", "100k", "1M", "10M"]);
  assert.deepEqual(read([-0.06, 7.2], 130), ["1", "1k", "1M"]);
  assert.deepEqual(read([-3.3, 0.06], 200), ["0.001", "0.01", "0.1", "1"]);
  assert.deepEqual(
    read([2.1, 2.2], 650),
    ["130", "135", "140", "145", "150", "155"],
    "even ones where there are no two such",
  );
});

test("an axis without a range or a width has no ticks", () => {
  assert.deepEqual(
    [
      [5, 5],
      [0, Infinity],
      [NaN, 1],
    ].map((range) => acrossTicks({ type: "linear", range }, room(100), false)),
    [{}, {}, {}],
  );
  assert.deepEqual(acrossTicks({ type: "linear", range: [0, 1] }, room(0), false), {});
});

test("a linear axis upwards has round ticks, 40 px apart, that fit beside it", () => {
  const read = (range: [number, number], height: number, compact = false) =>
    evenTicks(range, height, compact).ticktext;
  assert.deepEqual(read([0, 12.9], 400), ["0", "2", "4", "6", "8", "10", "12"]);
  assert.deepEqual(read([0, 0.35], 160), ["0", "0.1", "0.2", "0.3"]);
  assert.deepEqual(read([0, 45_000], 200), ["0", "10,000", "20,000", "30,000", "40,000"]);
  assert.deepEqual(read([0, 45_000], 200, true), ["0", "10k", "20k", "30k", "40k"]);
  assert.deepEqual(
    [read([5, 5], 100), read([0, Infinity], 100), read([0, 1], 0)],
    [undefined, undefined, undefined],
  );
});

test("a log axis of less than a decade has round ticks, and so a scale", () => {
  assert.deepEqual(lossTicks([-2, 1]).ticktext, ["0.01", "0.1", "1", "10"]);
  // under two decades 2 and 5 stand between
  assert.deepEqual(lossTicks([-1.9, -0.2]).ticktext, ["0.02", "0.05", "0.1", "0.2", "0.5"]);
  assert.deepEqual(lossTicks([-5.5, -3.9]).ticktext, ["5e−6", "1e−5", "2e−5", "5e−5", "1e−4"]);
  assert.deepEqual(lossTicks([2.9, 4.1]).ticktext, ["1,000", "2,000", "5,000", "10,000"]);
  assert.deepEqual(lossTicks([0.1, 0.9]).ticktext, ["2", "4", "6"]);
  assert.deepEqual(lossTicks([-4.5, -3.8]).ticktext, ["5e−5", "1e−4", "1.5e−4"]);
  const { tickvals, ticktext } = lossTicks([-1.95, -1.88]);
  assert.deepEqual(
    [ticktext, briefTicks(tickvals, ticktext)],
    [
      ["0.0115", "0.012", "0.0125", "0.013"],
      ["0.0115", "0.012", "0.0125", "0.013"],
    ],
  );
  assert.deepEqual(briefTicks([10_000, 1e-4], ["10,000", "0.0001"]), ["1e4", "1e−4"]);
});

test("the page's axes stand where the data do: labels below ticks and beside grid lines, none outside", () => {
  const frame: Frame = {
    left: 46,
    top: 26,
    width: 650,
    height: 346,
    beyond: 104,
    x: {
      type: "linear",
      range: [0, 100],
      tickvals: [0, 50, 100, 150],
      ticktext: ["0", "50", "100", "150"],
    },
    y: { type: "log", range: [-2, 0], tickvals: [0.001, 0.01, 0.1], ticktext: ["x", "", "0.1"] },
  };
  const { grid, line, words } = axesOf(frame);
  assert.equal(grid.d, "M46,372H696M46,199H696");
  assert.equal(line.d, "M46,372.5H696M46,373v4M371,373v4M696,373v4");
  assert.deepEqual(
    words.map(({ left, top, text }) => [left, top, text]),
    [
      [46, 390.2, "0"],
      [371, 390.2, "50"],
      [696, 390.2, "100"],
      [45, 202.85, "0.1"],
    ],
  );
});

test("all gradient panels have the same ticks, inside their panels", () => {
  const { plots } = gradientChart(figures.gradients, scene({ gd: 1000, sgd: 1000 }));
  const [first, , third] = plots.map(({ layout }) => layout.xaxis);
  assert.ok((first.ticktext?.length ?? 0) >= 2);
  assert.deepEqual(third.tickvals, first.tickvals);
});
