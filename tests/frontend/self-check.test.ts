// Words for a run's self-check.

import assert from "node:assert/strict";
import { test } from "node:test";

import { checkWords, verdictOf } from "../../frontend/features/doctor/self-check-words.ts";

const check = (passed: boolean | null) => ({ name: "gradient", title: "", says: "", passed });

test("checks that do not apply are not counted", () => {
  const result = {
    step: 1284,
    kernel: "compiled",
    checks: [check(true), check(null), check(false), check(true)],
  };
  assert.equal(
    checkWords("SGD", result),
    "SGD at step 1,284, by the compiled kernel: 2 of 3 checks passed.",
  );
  assert.equal(
    checkWords("GD", { ...result, kernel: "numpy", checks: [check(true)] }),
    "GD at step 1,284, by NumPy's kernel: 1 of 1 checks passed.",
  );
});

test("a failed check has its own shape and word, not only a colour", () => {
  assert.deepEqual(
    [true, false, null].map((passed) => verdictOf(check(passed)).sign),
    ["check", "problem", "dot"],
  );
  assert.equal(verdictOf(check(false)).word, "failed");
});
