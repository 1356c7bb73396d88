import assert from "node:assert/strict";
import { test } from "node:test";

import {
  evenScale,
  logScale,
  nextSpeed,
  ninesScale,
  positionOfSpeed,
  powersOfTwo,
  SPEED,
  speedAt,
} from "../../frontend/ui/scales.ts";

const RATES = logScale(1e-5, 4);

test("a rate's slider has sixty positions a decade and ends at both bounds", () => {
  assert.equal(RATES.valueAt(0), 1e-5);
  assert.equal(RATES.valueAt(RATES.positions), 4);
  assert.equal(RATES.valueAt(60), 1e-4);
  assert.equal(RATES.page, 60);
});

test("every position of every scale maps back to itself", () => {
  for (const scale of [RATES, evenScale(0, 0.99, 0.01), powersOfTwo(512), ninesScale(5)]) {
    for (let position = 0; position <= scale.positions; position++) {
      assert.equal(Math.round(scale.positionOf(scale.valueAt(position))), position);
    }
  }
});

test("a value outside a slider's range stands at its end", () => {
  assert.equal(RATES.positionOf(1e-9), 0);
  assert.equal(RATES.positionOf(1e6), RATES.positions);
  assert.equal(powersOfTwo(512).positionOf(1), 0);
});

test("a batch size's slider goes through the powers of two from 2 to 512", () => {
  const scale = powersOfTwo(512);
  const values = Array.from({ length: scale.positions + 1 }, (_, position) =>
    scale.valueAt(position),
  );
  assert.deepEqual(values, [2, 4, 8, 16, 32, 64, 128, 256, 512]);
});

test("the scale of nines reaches Adam's 0.999 and never 1", () => {
  const scale = ninesScale(5);
  assert.equal(scale.valueAt(0), 0);
  assert.equal(scale.valueAt(60), 0.999);
  assert.ok(scale.valueAt(scale.positions) < 1);
});

test("the speed's last position is as fast as possible, after 1,000 steps a second", () => {
  assert.equal(speedAt(0), 1);
  assert.equal(speedAt(SPEED.positions), 1000);
  assert.equal(speedAt(SPEED.positions + 1), "max");
  assert.equal(positionOfSpeed("max"), SPEED.positions + 1);
});

test("a key goes to the next round speed, up to max and down to 1", () => {
  assert.equal(nextSpeed(60, 1), 100);
  assert.equal(nextSpeed(60, -1), 30);
  assert.equal(nextSpeed(70, 1), 100);
  assert.equal(nextSpeed(1000, 1), "max");
  assert.equal(nextSpeed("max", 1), "max");
  assert.equal(nextSpeed("max", -1), 1000);
  assert.equal(nextSpeed(1, -1), 1);
});
