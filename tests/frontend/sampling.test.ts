// Which batch sizes are GD, mini-batch and SGD.

import assert from "node:assert/strict";
import { test } from "node:test";

import { batchOf, miniBatch, samplingOf } from "../../frontend/core/sampling.ts";

const of = (batch_size: number | null, trainSamples: number, order = "shuffle") =>
  samplingOf({ batch_size, order }, { trainSamples });

test("a batch of every training sample is GD, also as a number", () => {
  assert.deepEqual([of(null, 900), of(1, 900), of(32, 900)], ["gd", "sgd", "mini"]);
  assert.deepEqual([of(899, 900), of(900, 900), of(1024, 900)], ["mini", "gd", "gd"]);
  assert.equal(of(900, 900, "replacement"), "mini", "some samples are drawn twice");
  assert.equal(of(1, 1), "sgd");
});

test("a mini-batch is 32, or less than all of few samples", () => {
  const sizes = [900, 33, 32, 20, 3].map((trainSamples) => miniBatch({ trainSamples }));
  assert.deepEqual(sizes, [32, 32, 16, 16, 2]);
  for (const trainSamples of [3, 20, 32, 900])
    for (const sampling of ["gd", "mini", "sgd"] as const) {
      const batch = batchOf(sampling, { trainSamples });
      assert.equal(of(batch, trainSamples), sampling, `${sampling} of ${trainSamples}`);
    }
});
