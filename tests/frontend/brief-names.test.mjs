// Names that are cut: what tells them apart stays.

import assert from "node:assert/strict";
import { test } from "node:test";

import { withBriefNames } from "../../frontend/charts/end-labels.js";
import { briefName } from "../../frontend/state/brief-names.js";

test("forks of one run are told apart by their steps, and no step is cut in two", () => {
  const all = ["SGD", "SGD from 214", "SGD from 1,200", "GD"];
  assert.deepEqual(all.map((name) => briefName(name, all, 7)), ["SGD", "SGD…214", "S…1,200", "GD"]);
  assert.deepEqual(all.map((name) => briefName(name, all, 6)), ["SGD", "SG…214", "…1,200", "GD"]);
  assert.equal(briefName("SGD from 170", ["GD", "SGD", "SGD from 170"], 7), "SGD…170");
  const twice = ["SGD from 200", "SGD from 200, 2"];
  assert.deepEqual(twice.map((name) => briefName(name, twice, 7)), ["SGD…200", "SGD f…2"]);
});

test("a name that nothing resembles is cut at its end, and one that fits not at all", () => {
  assert.equal(briefName("Adam, batches of 32", ["Adam, batches of 32", "GD"], 8), "Adam, b…");
  assert.equal(briefName("SGD", ["SGD", "SGD from 9"], 3), "SGD");
});

test("whatever the room, names that differ within it are not shown alike", () => {
  for (let most = 4; most < 14; most++) {
    const all = ["SGD from 214", "SGD from 215", "SGD from 314"];
    assert.equal(new Set(all.map((name) => briefName(name, all, most))).size, 3, String(most));
  }
});

test("the words at the ends of lines are cut by the room that their number leaves, and known in full", () => {
  const end = { lane: "b", bad: false, goesOn: false, x: 1, y: 1, left: 0, top: 0, gutter: true, side: null, most: 95 };
  const placed = withBriefNames([{ ...end, run: "a", name: "SGD from 214", value: "0.0439" }, { ...end, run: "b", name: "SGD from 200", value: "" }, { ...end, run: "c", name: "GD", value: "0.1" }]);
  assert.deepEqual(placed.map(({ name, whole }) => `${name} (${whole})`), ["S…214 (SGD from 214)", "SGD from 200 (SGD from 200)", "GD (GD)"]);
});
