// Requests a few times a second, and reading the packed answer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { columnsOf } from "../../frontend/features/network/network-geometry.ts";
import { lookQuery, readLook, readRun, sharesOf } from "../../frontend/core/run-look.ts";

const packed =
  (
    Type: Float32ArrayConstructor | Float64ArrayConstructor | Int32ArrayConstructor,
    dtype: string,
  ) =>
  (...values: number[]) => ({
    dtype,
    bdata: Buffer.from(new Type(values).buffer).toString("base64"),
  });
const [f4, f8, i4] = [
  packed(Float32Array, "f4"),
  packed(Float64Array, "f8"),
  packed(Int32Array, "i4"),
];

test("the request names the cells to draw, and predictions where they are on view", () => {
  const [{ drawn }] = columnsOf([1000, 1]);
  assert.equal(
    lookQuery({ weights: true, predictions: true }),
    `weights=${drawn}&predictions=pairs`,
  );
  assert.equal(lookQuery({ weights: false, predictions: true }), "predictions=pairs");
  assert.equal(
    lookQuery({ weights: true, predictions: false }),
    `weights=${drawn}&predictions=none`,
  );
});

test("all parts of an answer have its step, and unrequested ones are absent", () => {
  const [units, weights] = [{ layers: [] }, { W1: { largest: 1, cells: f4(1) } }];
  const reply = {
    step: 7,
    units,
    weights,
    predictions: { split: "test", y: f8(0.1, 2), y_pred: f8(0.5, -1) },
  };
  assert.deepEqual(readLook(reply), {
    units: { layers: [], step: 7 },
    weights: { of: weights, step: 7 },
    predictions: { split: "test", y: [0.1, 2], y_pred: [0.5, -1], step: 7 },
  });
  assert.deepEqual(readLook({ step: 7, units }), { units: { layers: [], step: 7 } });
  const { predictions } = readLook({
    step: 7,
    units,
    predictions: { split: "train", y: i4(0, 2), y_pred: i4(1, 2) },
  });
  assert.deepEqual(
    [predictions.y, predictions.y_pred],
    [
      [0, 2],
      [1, 2],
    ],
    "classes",
  );
});

test("before the first step there are no gradients: nothing gives the answer of a bet away", () => {
  const latest = (step: number) => ({
    train_loss: { step, value: 2 },
    test_r2: { step, value: 0.5 },
    "grad_l1/W2": { step, value: 0 },
  });
  const namesAt = (step: number) =>
    Object.keys(readRun({ step, latest: latest(step), units: { layers: [] } }).shown.latest);
  assert.deepEqual(namesAt(0), ["train_loss", "test_r2"]);
  assert.deepEqual(namesAt(1), ["train_loss", "test_r2", "grad_l1/W2"]);
});

test("weights are drawn as signed shares of the largest one drawn; without weights there is none", () => {
  assert.deepEqual(sharesOf({ largest: 8, cells: f4(0.25, -0.5, 0) }), [0.5, -1, 0]);
  assert.deepEqual(sharesOf({ largest: 0, cells: f4(0, 0) }), [0, 0]);
});
