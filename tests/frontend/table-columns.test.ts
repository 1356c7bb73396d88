// Rows stand in two columns only where every name, and the switch beside it, has room.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  areLong,
  columnsOf,
  lowRoom,
  nameRoom,
  phoneRoom,
} from "../../frontend/features/runs/table-columns.ts";

const rows = (...names: number[]) => names.map((name) => ({ name, isPenalized: false }));
const [one, two] = [{ isTwo: false }, { isTwo: true }].map((columns) => ({
  all: { ...columns, isBrief: false, hasSamples: false },
  brief: { ...columns, isBrief: true, hasSamples: false },
}));

test("few runs stand in one column", () => {
  assert.deepEqual(columnsOf(rows(20, 20, 20), 1240, false), one.all);
});

test("every name fits into its column, or all rows stand in one", () => {
  assert.deepEqual(columnsOf(rows(20, 30, 40, 118), 836, false), two.brief);
  assert.deepEqual(columnsOf(rows(20, 30, 40, 200), 836, false), one.all);
});

test("the switch needs room beside the name, as does the minimized value", () => {
  assert.deepEqual(columnsOf(rows(20, 20, 20, 20), 836, true), one.all);
  assert.deepEqual(columnsOf(rows(20, 20, 20, 118), 1256, true), two.brief);
  const penalized = [...rows(20, 20, 20), { name: 20, isPenalized: true }];
  assert.deepEqual(columnsOf(penalized, 836, false), one.all);
});

test("samples seen and the test loss leave before a name breaks", () => {
  assert.deepEqual(columnsOf(rows(20, 20, 20, 118), 1256, false), two.all);
  assert.deepEqual(columnsOf(rows(20, 20, 20, 300), 1256, false), two.brief);
  assert.deepEqual(columnsOf(rows(20, 20), 660, true), one.all);
  assert.deepEqual(columnsOf(rows(20, 118), 660, true), one.brief);
});

test("samples seen stay in brief rows where runs differ in samples a step, if there is room", () => {
  const batches = rows(24, 30, 52, 52);
  assert.deepEqual(columnsOf(batches, 836, false, true), { ...two.brief, hasSamples: true });
  assert.deepEqual(columnsOf(batches, 836, false), two.brief);
  assert.deepEqual(columnsOf(rows(20, 20, 20, 110), 836, false, true), two.brief);
  assert.deepEqual(columnsOf(batches, 1256, false, true), two.all);
});

test("a name has the room that its switch and numbers leave", () => {
  assert.equal(nameRoom(652, true, false), 196);
  assert.equal(nameRoom(652, false, false), 376);
  assert.equal(nameRoom(652, true, true), 56);
  assert.equal(phoneRoom(99, false), 62);
  assert.equal(phoneRoom(80, true), 49, "parts stand closer");
  assert.deepEqual([812, 635, 568].map(lowRoom), [94, 83.5, 74]);
});

test("states make room on a phone where a name needs more than two lines beside them", () => {
  assert.ok(!areLong([20, 66, 95]));
  assert.ok(areLong([20, 122]));
  assert.ok(!areLong([]));
});
