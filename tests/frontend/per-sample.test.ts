// Losses after as many samples: what the page says of two and more runs, and when it says nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { perSampleWords } from "../../frontend/core/per-sample.ts";
import { reduce } from "../../frontend/core/reduce.ts";
import { answer, columns } from "./fake-server.ts";
import { scene } from "./scenes.ts";
import type { Json } from "../../frontend/core/types.ts";

/** Records of a run: samples seen and loss of each step. */
function records(each: number, losses: number[]) {
  const stat = { min: losses, max: losses, mean: losses, last: losses };
  const samples_seen = losses.map((_, k) => each * (k + 1));
  return { ...columns(0, losses.length - 1), samples_seen, series: { train_loss: stat } };
}

/** Runs by label: samples each step, the loss of each step, and the present one. */
type Runs = Record<string, { each: number; losses: number[]; now: number }>;

function words(runs: Runs, { width = 1 } = {}) {
  const drawn = scene();
  drawn.series.clear();
  let state = drawn.state;
  for (const [label, { each, losses, now }] of Object.entries(runs)) {
    const step = losses.length;
    const name = label.toLowerCase();
    if (!state.runs[name]) {
      const recipe = { ...answer().recipe.runs[0], name, label };
      const added = { ...answer().runs[0], name, label };
      state = reduce(state, { type: "event", event: "run_added", run: name, recipe, added });
    }
    const latest = { train_loss: { step, value: now } };
    const run: Json = { status: "paused", step, epoch: 0, samples_seen: each * step, latest };
    state = reduce(state, { type: "frame", runs: { [name]: { ...run, generation: 0 } } });
    drawn.series.take(name, wide(records(each, losses), width));
  }
  return perSampleWords(state, drawn.series);
}

/** The records in buckets of so many steps. */
function wide(given: ReturnType<typeof records>, width: number): any {
  if (width === 1) return given;
  const starts = given.first.filter((_: unknown, k: number) => k % width === 0);
  const part = (k: number) => given.series.train_loss.mean.slice(k, k + width);
  const last = starts.map((k: number) => k + width - 1);
  const [min, max] = [Math.min, Math.max].map((of) => starts.map((k: number) => of(...part(k))));
  const stat = { min, max, mean: max, last: min, count: starts.map(() => width) };
  const samples_seen = last.map((k: number) => given.samples_seen[k]);
  return {
    ...given,
    first: starts,
    last,
    samples_seen,
    seconds: last,
    series: { train_loss: stat },
  };
}

test("two runs have both losses, in the order of the table, when they had seen as many samples", () => {
  // after 3 samples GD has made no step: its loss is that of its start
  const gd = { each: 900, losses: [7, 5, 3], now: 0.001 };
  const sgd = { each: 1, losses: [7, 6, 2], now: 0.5 };
  assert.equal(words({ GD: gd, SGD: sgd }), "After 3 samples each: GD 7.00, SGD 0.500");
  const mini = { each: 2, losses: [7, 6, 0.25, 8], now: 9 };
  assert.equal(
    words({ GD: { each: 4, losses: [7], now: 1 }, SGD: mini }),
    "After 4 samples each: GD 1.00, SGD 0.250",
  );
});

test("of more runs the lowest is named, with the runs that show the same number", () => {
  const runs = {
    GD: { each: 2, losses: [7, 5, 3], now: 2 },
    SGD: { each: 1, losses: [7, 6, 2, 4], now: 3 },
    Adam: { each: 2, losses: [7, 6, 0.50000001, 8], now: 9 },
  };
  assert.equal(words(runs), "After 4 samples each, lowest: Adam");
  runs.SGD.now = 0.5;
  assert.equal(words(runs), "After 4 samples each, lowest: SGD and Adam");
});

test("nothing is said of one run, before a first step, or at about equal samples", () => {
  const gd = { each: 2, losses: [7, 5], now: 2 };
  assert.equal(words({ GD: gd }), "");
  assert.equal(words({ GD: gd, SGD: { each: 1, losses: [], now: 7 } }), "");
  assert.equal(words({ GD: gd, SGD: { each: 1, losses: [7, 6, 2, 4], now: 3 } }), "");
  const many = Array.from({ length: 100 }, (_, k) => 9 / (k + 1));
  const close = { each: 1, losses: many.slice(0, 92), now: 3 };
  assert.equal(words({ GD: { each: 1, losses: many, now: 1 }, SGD: close }), "");
});

test("nothing is said where a loss was not measured, or is one of several steps", () => {
  const sgd = { each: 1, losses: [7, 6, 5, 4, 4, 4, 4, 4, 1, 2, 3, 4], now: 3 };
  const runs: Runs = { GD: { each: 8, losses: [7], now: 3 }, SGD: sgd };
  assert.equal(words(runs), "After 8 samples each: GD 3.00, SGD 1.00");
  assert.equal(words(runs, { width: 4 }), "", "SGD was somewhere between 1 and 4");
  for (const at of [8, 5]) {
    const losses = sgd.losses.map((loss, k) => (k === at ? Number.NaN : loss));
    assert.equal(
      words({ ...runs, SGD: { ...sgd, losses } }),
      "",
      "not at step 8, or not at each step",
    );
  }
});
