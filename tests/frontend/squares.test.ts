import assert from "node:assert/strict";
import { test } from "node:test";

import { arrangementOf, cellsOf, lettersOver } from "../../frontend/charts/squares.ts";

const RAIL = { width: 291, height: 160 };

test("up to eight runs have square plots in the room of two, and one more moves none", () => {
  for (const count of [3, 4, 5, 6, 7, 8]) {
    const cells = cellsOf(count, RAIL, false);
    assert.equal(cells.length, count);
    cells.forEach(({ left, top, width, height, title, apart }, k) => {
      assert.equal(width, height, "the same axes");
      assert.ok(
        width > 50 && left + width <= RAIL.width && top + height <= RAIL.height,
        `${count}: ${width}`,
      );
      assert.ok(apart && title.top >= 0 && title.left + title.width <= RAIL.width + 4);
      const beside = cells[k + 1];
      if (beside?.top === top)
        assert.ok(left + width < beside.left && title.left + title.width < beside.title.left);
      const below = cells[k + 4];
      if (below) assert.ok(top + height < below.title.top);
    });
  }
  assert.deepEqual(
    [3, 4, 5, 8]
      .map((count) => arrangementOf(count, false))
      .map(({ columns, rows }) => [columns, rows]),
    [
      [3, 1],
      [4, 1],
      [4, 2],
      [4, 2],
    ],
  );
  assert.deepEqual(cellsOf(8, RAIL, false).slice(0, 5), cellsOf(5, RAIL, false));
});

test("one or two runs have large squares, as on a phone, where there is room below", () => {
  const [one] = cellsOf(1, RAIL, false);
  assert.deepEqual(cellsOf(2, RAIL, false)[0], one);
  assert.ok(one.isRoomy && !one.apart && !one.isLow);
  const { rows } = arrangementOf(5, true);
  assert.equal(rows, 3);
  const tall = cellsOf(5, { ...RAIL, height: rows * RAIL.height }, true);
  assert.deepEqual(tall[0], one);
  assert.deepEqual(
    tall.map(({ top }) => top),
    [18, 18, 178, 178, 338],
  );
});

test("small squares have tick labels once a row, and with two rows none below", () => {
  const [first, second] = cellsOf(4, RAIL, false);
  assert.deepEqual(
    [first.isInner, second.isInner, first.isLow, first.isRoomy],
    [false, true, false, false],
  );
  assert.ok(cellsOf(8, RAIL, false).every(({ isLow }) => isLow));
});

test("a name over a map has as many letters as fit, and never too few to distinguish it", () => {
  assert.equal(lettersOver(arrangementOf(2, false), 291), Infinity);
  assert.equal(lettersOver(arrangementOf(8, true), 291), Infinity);
  assert.ok(lettersOver(arrangementOf(3, false), 291) > lettersOver(arrangementOf(4, false), 291));
  assert.equal(lettersOver(arrangementOf(4, false), 0), 4);
});
