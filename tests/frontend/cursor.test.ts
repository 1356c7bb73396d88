// Reading a chart by keyboard: the cursor's places and words. No DOM.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  binsOf,
  isMove,
  moved,
  nearest,
  pointedAt,
  readoutAt,
} from "../../frontend/charts/cursor.ts";
import { gradientChart } from "../../frontend/charts/gradient-chart.ts";
import { lossChart } from "../../frontend/charts/loss-chart.ts";
import { frameOf } from "./fake-server.ts";
import { figures, scene } from "./scenes.ts";
import type { Lists } from "./fake-server.ts";
import type { Given } from "./scenes.ts";
import type { Panel } from "../../frontend/charts/cursor.ts";

/** A chart with its cursor: keys in, the last readout out. */
function read(kind: string, options: Given = {}) {
  const from = scene(options);
  const { readable } =
    kind === "loss" ? lossChart(figures.loss, from) : gradientChart(figures.gradients, from);
  const bins = binsOf(readable, from);
  const press = (...keys: string[]) =>
    keys.reduce((at: number | null, key) => moved(bins, at, key), null);
  return {
    bins,
    press,
    at: (place: number) => readoutAt(readable, from, place),
    readout: (...keys: string[]) => readoutAt(readable, from, press(...keys)!),
  };
}

test("the first arrow enters from its own side, later ones move by one bin and stop at the ends", () => {
  const { press } = read("loss", { gd: 50, sgd: 50 });
  assert.deepEqual([press("ArrowLeft"), press("ArrowRight")], [49, 0]);
  assert.deepEqual([press("End", "ArrowLeft", "ArrowLeft"), press("Home", "ArrowRight")], [47, 1]);
  assert.deepEqual([press("End", "ArrowRight"), press("Home", "ArrowLeft")], [49, 0]);
  assert.deepEqual(["ArrowUp", "PageUp", "toString"].map(isMove), [false, false, false]);
});

test("a pointer reads the value below it in any panel, linear or log, and nothing outside", () => {
  const linear: Panel = {
    name: "",
    left: 46,
    top: 26,
    width: 100,
    height: 50,
    x: { type: "linear", range: [0, 200] },
    lines: [],
  };
  const log: Panel = {
    ...linear,
    left: 200,
    x: { type: "log", range: [0, 4] },
  };
  const at = (left: number, top: number) =>
    pointedAt({ columns: {}, panels: [linear, log] }, left, top);
  assert.deepEqual([at(46, 30), at(96, 30), at(146, 76), at(250, 30)], [0, 100, 200, 100]);
  assert.deepEqual([at(170, 30), at(96, 10), at(96, 90), at(10, 30)], [null, null, null, null]);
});

test("the pointer's values use the page's formats: 1e-4 below 0.0001, and exactly 0 as 0", () => {
  const small = (_: unknown, wire: Lists) =>
    Object.values(wire.series["grad_l1/W1"]).forEach(
      (column) => ((column[3] = 0.0000251), (column[4] = 0)),
    );
  const { at } = read("gradients", { gd: 10, sgd: 10, change: small });
  assert.deepEqual(
    [at(3)!, at(4)!].map(({ panels }) => panels[0].rows[0].values),
    [["2.51e−5"], ["0"]],
  );
});

test("a bin of several steps is one stop, and says which steps", () => {
  const { bins, readout } = read("loss", { gd: 3000, sgd: 3000 });
  const last = bins[bins.length - 1];
  assert.ok(bins.length <= 650 && last.to > last.from);
  assert.match(readout("End")!.spoken, /^Steps 2,992 to 2,999\. GD /);
  assert.match(readout("Home")!.spoken, /^Step 0\. GD /, "the first step is always by itself");
});

test("the readout has all runs, train and test, and skips runs that have not come that far", () => {
  const tested = (_: unknown, wire: Lists) =>
    (wire.series.test_loss = structuredClone(wire.series.train_loss));
  const { readout } = read("loss", { gd: 10, sgd: 4, change: tested });
  assert.equal(readout("Home")!.spoken, "Step 0. GD 1.00, test 1.00. SGD 1.00, test 1.00.");
  assert.equal(readout("End")!.spoken, "Step 9. GD 0.100, test 0.100. SGD nothing, test nothing.");
  assert.deepEqual(
    readout("End")!.panels[0].rows.map(({ lane, values }) => [lane, values]),
    [
      ["a", ["0.100", "test 0.100"]],
      ["b", ["–", "test –"]],
    ],
  );
});

test("exactly 0 reads 0, wherever the shelf draws it", () => {
  const dead = (run: string, wire: Lists) =>
    run === "sgd" && Object.values(wire.series["grad_l1/W1"]).forEach((column) => column.fill(0));
  const { readout } = read("gradients", { gd: 20, sgd: 20, change: dead });
  assert.match(
    readout("Home")!.spoken,
    /^Step 0\. W1: GD 1\.00, SGD 0\. W2: GD 1\.00, SGD 1\.00\. W3: /,
  );
  assert.equal(readout("Home")!.panels.length, 3);
});

test("each run is read at its own place on a shared axis", () => {
  const { at } = read("loss", { gd: 100, sgd: 100, view: { x: "samples" } });
  const { name, panels } = at(900)!;
  assert.equal(name, "900 samples seen");
  assert.deepEqual(
    panels[0].rows.map(({ values }) => values[0]),
    ["0.500", "–"],
  );
});

test("a paused run ends at its present parameters", () => {
  const now = frameOf("gd", {
    status: "paused",
    step: 20,
    epoch: 20,
    samples_seen: 18_000,
    latest: { train_loss: { step: 20, value: 0.25 } },
  });
  assert.match(
    read("loss", { gd: 20, messages: [now] }).readout("End")!.spoken,
    /^Step 20\. GD 0\.250/,
  );
});

test("the cursor skips hidden runs and stays inside a zoom", () => {
  assert.equal(
    read("loss", {
      gd: 9,
      sgd: 9,
      messages: [{ type: "hidden", run: "gd", hidden: true }],
    }).readout("Home")!.panels[0].rows.length,
    1,
  );
  const { press } = read("loss", { gd: 3000, zoom: [1000, 1100] });
  assert.ok(press("Home")! >= 1000 && press("End")! <= 1100);
});

test("the cursor stays when bins merge", () => {
  const { bins, at } = read("loss", { gd: 3000 });
  assert.ok(Math.abs(bins[nearest(bins, 41)].x - 41) <= 4);
  assert.ok(Math.abs(at(41)!.at - 41) <= 4);
});

test("before the first step there is nothing to read", () => {
  const { press, at } = read("loss");
  assert.deepEqual([press("Home"), at(0)], [null, null]);
});
