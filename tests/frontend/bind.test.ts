// Python and JavaScript fill a figure alike, to the last digit: the browser's half.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fill, middles } from "../../frontend/charts/bind.ts";
import { shelfScale } from "../../frontend/charts/shelf.ts";
import { createRunSeries } from "../../frontend/core/series.ts";
import { thin } from "../../frontend/core/thinning.ts";
import type { Columns, Json } from "../../frontend/core/types.ts";

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/figures/${name}.json`, import.meta.url), "utf8"));

/** Columns of the wire, decoded. */
function decoded(columns: Columns) {
  const series = createRunSeries();
  assert.equal(series.take(columns), "taken");
  return thin(series, series.names(), 10_000, false);
}

const heldOf = (columns: Record<string, Columns>) =>
  Object.fromEntries(Object.entries(columns).map(([run, wire]) => [run, decoded(wire)]));
const plain = (figure: Json) => JSON.parse(JSON.stringify(figure));

for (const name of ["loss", "gradients"]) {
  test(`the ${name} figure filled in the browser is the one filled by the server`, () => {
    const { figure, columns, train_samples: samples, filled } = golden(name);
    assert.deepEqual(plain(fill(figure, heldOf(columns), samples)), filled);
  });

  test(`a wrong digit in the ${name} figure is noticed`, () => {
    const { figure, columns, train_samples: samples, filled } = golden(name);
    columns.gd.series[figure.data[0].meta.y].max[3] *= 1 + 2 ** -50;
    assert.notDeepEqual(plain(fill(figure, heldOf(columns), samples)), filled);
  });
}

test("filling leaves the specification unchanged", () => {
  const { figure, columns, train_samples: samples } = golden("gradients");
  const before = JSON.stringify(figure);
  fill(figure, heldOf(columns), samples);
  assert.equal(JSON.stringify(figure), before);
});

test("a run without columns is drawn empty, not left out", () => {
  const { figure } = golden("loss");
  const filled = fill(figure, {}, 900);
  assert.equal(filled.data.length, figure.data.length);
  assert.ok(filled.data.every((trace: Json) => trace.x.length === 0));
});

test("a bucket stands in the middle of its records on every axis", () => {
  const columns = {
    first: [0, 4],
    last: [3, 7],
    samples_seen: [3600, 7200],
    seconds: [4, 8],
    series: {},
  };
  assert.deepEqual([...middles(columns, "step", 900)], [1.5, 5.5]);
  assert.deepEqual([...middles(columns, "epoch", 900)], [1.5, 5.5]);
  assert.deepEqual([...middles(columns, "samples_seen", 900)], [1350, 4950]);
  assert.deepEqual([...middles(columns, "seconds", 900)], [1.5, 5.5]);
});

test("exactly 0 is on the shelf, a small value on the floor, and a zero among others is not on the shelf", () => {
  const scale = shelfScale("grad_l1", Infinity, 0);
  assert.ok(scale.place(0, 0) < 1e-4);
  assert.equal(scale.place(1e-9, 1e-9), 1e-4);
  assert.equal(scale.place(0, 2), 1e-4);
});
