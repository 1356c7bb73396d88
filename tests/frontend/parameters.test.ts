// Words about a parameter from its catalog row alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { scaleOf } from "../../frontend/ui/scales.ts";
import { explained, rangeWords, refusalOf } from "../../frontend/core/parameters.ts";
import type { Json } from "../../frontend/core/types.ts";
import type { Parameter } from "../../frontend/core/catalog.ts";

const number = (name: string, limits: Json, more = {}) => ({
  name,
  default: 1,
  schema: { type: "number", ...limits },
  ...more,
});
const RATE = number("learning_rate", { exclusiveMinimum: 0, maximum: 1e6 }, { default: 0.1 });
const SHARE = number("momentum", { minimum: 0, exclusiveMaximum: 1 }, { default: 0.9 });
const PENALTY = number("l2", { minimum: 0, maximum: 1e6 }, { default: 0 });
const FACTOR = number("factor", { exclusiveMinimum: 0, maximum: 1 });
const TURNS = number("turns", { minimum: 0.25, maximum: 4 }, { unit: "turns" });
const DEGREE = { name: "degree", default: 3, schema: { type: "integer", minimum: 1, maximum: 12 } };
const CLIP = {
  name: "clip_norm",
  default: null,
  when_on: 1,
  schema: { type: ["number", "null"], exclusiveMinimum: 0, maximum: 1e6 },
};
/** A row without display words. */
const NEW = {
  name: "brand_new",
  default: 2,
  help: "what nobody knows yet",
  source: "Nobody 2030",
  schema: { type: "number", minimum: 0, maximum: 50 },
};

test("a value outside its range is refused in words that name the range", () => {
  const refusal = (parameter: Parameter, value: number) => refusalOf(parameter)(value);
  assert.equal(refusal(RATE, 0), "A rate is a number above 0.");
  assert.equal(refusal(RATE, 2e6), "At most 1,000,000.");
  assert.equal(refusal(SHARE, 1), "From 0 to just below 1.");
  assert.equal(refusal(PENALTY, -1), "L2 is 0 or more.");
  assert.equal(refusal(FACTOR, 0), "Above 0, up to 1.");
  assert.equal(refusal(TURNS, 5), "From 0.25 to 4.");
  assert.equal(refusal(DEGREE, 2.5), "A whole number from 1 to 12.");
  assert.equal(refusal(CLIP, 0), "Clip norm is a number above 0.");
  assert.equal(refusal(NEW, 51), "From 0 to 50.");
  for (const [parameter, value] of [
    [RATE, 1e6],
    [SHARE, 0],
    [PENALTY, 0],
    [FACTOR, 1],
    [TURNS, 0.25],
    [DEGREE, 12],
    [CLIP, 0.5],
  ] as [Parameter, number][]) {
    assert.equal(refusal(parameter, value), null, parameter.name);
  }
});

test("the help of a parameter has its range, unit and source", () => {
  assert.equal(rangeWords(TURNS), "From 0.25 to 4 turns");
  assert.equal(rangeWords(CLIP), "Above 0, up to 1,000,000; empty is off");
  assert.equal(
    rangeWords({ name: "test", default: 0, schema: { type: "integer", minimum: 0 } }),
    "A whole number, 0 or more",
  );
  assert.deepEqual(explained(NEW), {
    says: "What nobody knows yet.",
    more: "From 0 to 50. Source: Nobody 2030.",
  });
});

test("a slider's scale follows from the range, for new rows too", () => {
  const ends = (parameter: Parameter) => [
    scaleOf(parameter).valueAt(0),
    scaleOf(parameter).valueAt(scaleOf(parameter).positions),
  ];
  assert.deepEqual(ends(RATE), [1e-5, 4]);
  assert.deepEqual(ends(SHARE), [0, 0.99]);
  assert.deepEqual(ends({ ...SHARE, default: 0.999 }), [0, 0.99999]);
  assert.deepEqual(
    ends(number("weight_decay", { minimum: 0, maximum: 1000 }, { default: 0.01 })),
    [0, 1],
  );
  assert.deepEqual(ends(FACTOR), [0.01, 1]);
  assert.deepEqual(ends(DEGREE), [1, 12]);
  assert.deepEqual(ends(NEW), [0, 50]);
  for (const parameter of [
    SHARE,
    FACTOR,
    DEGREE,
    NEW,
    number("weight_decay", { minimum: 0, maximum: 1000 }, { default: 0.01 }),
  ]) {
    const scale = scaleOf(parameter);
    for (let position = 0; position <= scale.positions; position++) {
      const value = scale.valueAt(position);
      assert.equal(
        Math.round(scale.positionOf(value)),
        position,
        `${parameter.name} at ${position}`,
      );
      assert.equal(refusalOf(parameter)(value), null, `${parameter.name} ${value}`);
    }
  }
});
