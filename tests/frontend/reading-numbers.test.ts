import assert from "node:assert/strict";
import { test } from "node:test";

import { readNumber } from "../../frontend/ui/controls.ts";

test("numbers are read as people type them", () => {
  for (const [text, value] of [
    ["3e-4", 3e-4],
    [" 0.03 ", 0.03],
    ["0,03", 0.03],
    ["0,003", 0.003],
    ["1,234,567.5", 1234567.5],
    ["1,200", 1200],
    ["1 200", 1200],
    ["\u22125", -5],
    ["1e\u22124", 1e-4],
    [".5", 0.5],
  ] as const) {
    assert.equal(readNumber(text), value, text);
  }
});

test("text that is no number is refused", () => {
  for (const text of ["", " ", "abc", "1.2.3", "--1", "0x", "1,2,3"])
    assert.ok(!Number.isFinite(readNumber(text)), text);
});
