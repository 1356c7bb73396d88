// A number that follows another at the screen's rate.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createGlide } from "../../frontend/core/glide.ts";

/** @param targets time and value */
function glided(...targets: [number, number][]) {
  const glide = createGlide();
  for (const [now, target] of targets) glide.toward(target, now);
  return glide;
}

test("it reaches a target when the next one is expected, and is never ahead of it", () => {
  const glide = glided([0, 100], [33, 102]);
  assert.deepEqual(
    [33, 49.5, 66, 200].map((now) => glide.at(now)),
    [100, 101, 102, 102],
  );
  assert.deepEqual([glide.isThere(65), glide.isThere(66)], [false, true]);
});

test("a new target is approached from where it is", () => {
  const glide = glided([0, 100], [40, 104], [60, 112]);
  assert.deepEqual(
    [60, 70, 80].map((now) => glide.at(now)),
    [102, 107, 112],
  );
});

test("after a long time without a target it is there soon", () => {
  const glide = glided([0, 10], [5_000, 20]);
  assert.deepEqual([glide.at(5_060), glide.isThere(5_120)], [15, true]);
});

test("it jumps at first, backwards, and where nothing moves", () => {
  assert.ok(glided([0, 100]).isThere(0));
  const back = glided([0, 100], [30, 110], [40, 3]);
  assert.deepEqual([back.at(40), back.isThere(40)], [3, true]);
  const still = glided([0, 100]);
  still.toward(500, 30, true);
  assert.ok(still.isThere(30));
});

test("rounding moves no target", () => {
  const glide = glided([0, 10], [40, 20], [50, 20 * (1 - 1e-15)]);
  assert.deepEqual([glide.at(60), glide.at(80)], [15, 20]);
});

test("it leaps where there is nothing between, and a target that is no number changes nothing", () => {
  const glide = createGlide(1);
  for (const [now, target] of [
    [0, 10],
    [1000, 11],
  ])
    glide.toward(target, now);
  assert.ok(glide.isThere(1000));
  glide.toward(Number.NaN, 1_500);
  glide.toward(20, 2_000);
  assert.ok(!glide.isThere(2_010) && glide.isThere(2_120));
  assert.equal(glide.at(2_120), 20);
});
