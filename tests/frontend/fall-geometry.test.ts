// Places of paths, labels and lenses of the fall line, in px.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cutAt,
  dotsOf,
  frameOf,
  glided,
  labelBoxes,
  leadTo,
  latestOf,
  lensCorner,
  lineOf,
  numberPlace,
  pointsAlong,
  trackOf,
} from "../../frontend/features/fallline/fall-geometry.ts";
import type { Area } from "../../frontend/charts/labels.ts";

const frame = frameOf([-10, 30, -10, 10], { width: 800, height: 400 });
const range = (count: number) => Array.from({ length: count }, (_, k) => k);

test("units are equal both ways, north is up, and a narrower frame shows the whole region", () => {
  assert.deepEqual([frame.x(-10), frame.x(30), frame.y(10), frame.y(-10)], [0, 800, 0, 400]);
  const narrow = frameOf([-10, 30, -10, 10], { width: 200, height: 400 });
  assert.equal(narrow.unit, 0.2);
  assert.deepEqual([narrow.x(-10), narrow.x(30)], [0, 200]);
  assert.deepEqual([narrow.y(10), narrow.y(0)], [150, 200]);
});

test("a track that goes out of sight has numbers that can be drawn", () => {
  const { x, y } = trackOf({ steps: [0, 1], s: [0, 1e300], t: [0, -1e300] }, frame);
  assert.deepEqual([x[0], y[0]], [200, 200]);
  assert.ok(x[1] > 800 && x[1] <= 1e5 && y[1] > 400 && y[1] <= 1e5);
});

test("a track is cut at the step on view, whether or not it has a point there", () => {
  const track = { steps: [0, 10, 20], x: [0, 10, 20], y: [0, 0, 0] };
  assert.deepEqual(cutAt(track, 10, [10, 0]), {
    before: { steps: [0, 10], x: [0, 10], y: [0, 0] },
    after: { steps: [10, 20], x: [10, 20], y: [0, 0] },
  });
  assert.deepEqual(cutAt(track, 13, [13, 1]), {
    before: { steps: [0, 10, 13], x: [0, 10, 13], y: [0, 0, 1] },
    after: { steps: [13, 20], x: [13, 20], y: [1, 0] },
  });
  assert.deepEqual(cutAt(track, 25, [25, 0]).before.steps, [0, 10, 20, 25]);
});

test("the latest 30 steps widen, and dots are at least 9 px apart", () => {
  const track = { steps: range(101), x: range(101).map((k) => 4 * k), y: range(101).map(() => 50) };
  assert.equal(lineOf(track).split("L").length, 101);
  assert.deepEqual(
    latestOf(track).map((d) => d.split("L").length),
    [31, 21, 11],
  );
  const dots = dotsOf(track, 2).split("M").length - 1;
  assert.equal(dots, Math.floor(100 / 3) + 1);
  assert.equal(dotsOf({ steps: [0, 1], x: [5, 5], y: [5, 5] }, 2).split("M").length - 1, 1);
  assert.equal(lineOf({ steps: [0], x: [1], y: [1] }), "");
});

test("points along a track fill its long pieces, inside the frame only", () => {
  const points = pointsAlong({ steps: [0, 1], x: [100, 900], y: [200, 200] }, frame);
  assert.ok(points.length >= 55 && points.every(([x, y]) => x <= 800 && y === 200));
  const gaps = points.slice(1).map(([x], k) => x - points[k][0]);
  assert.ok(Math.max(...gaps) <= 12.01);
});

test("steps that share a place are one point, so that labels of long runs cost little", () => {
  const near = {
    steps: range(5000),
    x: range(5000).map((k) => 400 + (k % 3)),
    y: Array(5000).fill(90),
  };
  const points = pointsAlong(near, frame);
  assert.ok(points.length >= 1 && points.length <= 4, `${points.length} points`);
  const back = { steps: range(3), x: [10, 60, 10], y: [20, 20, 20] };
  assert.equal(pointsAlong(back, frame).length, 6, "one for each place");
});

test("a new plane does not make points jump: they glide from where their steps were", () => {
  const from = { steps: [0, 10, 20], x: [0, 10, 20], y: [0, 0, 0] };
  const to = { steps: [0, 5, 20, 30], x: [0, 105, 120, 130], y: [0, 0, 0, 0] };
  assert.deepEqual(glided(from, to, 0).x, [0, 5, 20, 20]);
  assert.deepEqual(glided(from, to, 0.5).x, [0, 55, 70, 75]);
  assert.equal(glided(from, to, 1), to);
  assert.equal(glided(undefined, to, 0), to);
});

const touch = (a: Area, b: Area) =>
  a.left < b.left + b.width &&
  b.left < a.left + a.width &&
  a.top < b.top + b.height &&
  b.top < a.top + a.height;

test("labels of eight runs stay inside the frame and off each other, wherever the runs are", () => {
  const corners = [
    [3, 3],
    [797, 3],
    [3, 397],
    [797, 397],
  ];
  const crowds = [
    range(8).map((k) => ({ x: 100 + 90 * k, y: 200, width: 80 })),
    range(4).map((k) => ({ x: 400 + 25 * (k % 2), y: 200 + 25 * Math.floor(k / 2), width: 90 })),
    corners.map(([x, y]) => ({ x, y, width: 100 })),
    range(8).map((k) => ({ x: 400 + 4 * k, y: 200 + 2 * (k % 3), width: 130 })),
    range(9).map((k) => ({ x: 780 - 3 * k, y: 390 - k, width: 130 })),
  ];
  for (const labels of crowds) {
    const boxes = labelBoxes(labels, frame);
    for (const [k, box] of boxes.entries()) {
      assert.ok(box.left >= 0 && box.top >= 0, JSON.stringify(box));
      assert.ok(box.left + box.width <= 800 && box.top + box.height <= 400, JSON.stringify(box));
      for (const other of boxes.slice(k + 1)) assert.ok(!touch(box, other));
    }
  }
});

test("the frame of a low picture cuts no label of eight runs", () => {
  const low = frameOf([-10, 30, -10, 10], { width: 400, height: 150 });
  const labels = range(8).map((k) => ({ x: 180 + 4 * k, y: 60 + 9 * k, width: 230 }));
  for (const { left, top, width, height } of labelBoxes(labels, low))
    assert.ok(left >= 0 && top >= 0 && left + width <= 400 && top + height <= 150);
});

test("a label away from its run has a line that leads there, one beside it has none", () => {
  const box = { left: 413, top: 191, width: 80, height: 18 };
  assert.equal(leadTo(400, 200, box), null);
  assert.equal(leadTo(400, 200, { ...box, top: 260 }), "M400,200L413,260");
  assert.equal(leadTo(440, 200, { ...box, top: 120 }), "M440,200L440,138");
});

test("a label keeps off the path, and off things that are there already", () => {
  const path = range(30).map((k): [number, number] => [400 + 8 * k, 200]);
  const [beside] = labelBoxes([{ x: 400, y: 200, width: 80 }], frame, path);
  assert.ok(
    !path.some(
      ([x, y]) => x > beside.left && x < beside.left + 80 && y > beside.top && y < beside.top + 18,
    ),
  );
  // dots just over the words are as disturbing as dots under them
  const over = range(20).map((k): [number, number] => [410 + 5 * k, 187]);
  const [clear] = labelBoxes([{ x: 400, y: 200, width: 80 }], frame, over);
  assert.ok(
    !over.some(
      ([x, y]) =>
        x > clear.left - 4 && x < clear.left + 84 && y > clear.top - 4 && y < clear.top + 22,
    ),
  );
  const legend = { left: 0, top: 340, width: 300, height: 60 };
  const [above] = labelBoxes([{ x: 150, y: 330, width: 80 }], frame, [], [legend]);
  assert.ok(!touch(above, legend));
});

test("a contour's number stands on it, away from runs, labels and edges, or not at all", () => {
  const line = range(99).flatMap((k) => [8 * k, 100, 8 * (k + 1), 100]);
  const at = numberPlace(
    line,
    frame,
    [[200, 100]],
    [{ left: 500, top: 0, width: 300, height: 200 }],
  );
  assert.ok(at && at[1] === 100 && at[0] > 24 && at[0] < 478 && Math.abs(at[0] - 200) > 26);
  assert.equal(numberPlace(line, frame, [], [{ left: 0, top: 80, width: 800, height: 40 }]), null);
  assert.equal(numberPlace([0, 2, 800, 2], frame, [], []), null);
});

test("the closer view stands where it hides no run", () => {
  const at = (...points: [number, number][]) => lensCorner(184, 10, frame, points).name;
  assert.equal(at(), "top right");
  assert.equal(at([700, 100]), "top left");
  assert.equal(at([700, 100], [100, 100]), "bottom right");
});
