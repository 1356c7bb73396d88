// The page under a path: names in storage, and problems by their address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isReadOnlyProblem } from "../../frontend/core/problem-kinds.ts";
import { storedName } from "../../frontend/core/stored-names.ts";

test("each path of one origin has names of its own in storage, and the root the plain ones", () => {
  const names = ["/", "/check", "/fallline/", "/fallline/check", "/user/ann/fallline/"].map(
    (path) => storedName("fallline.view", path),
  );
  assert.deepEqual(names, [
    "fallline.view",
    "fallline.view",
    "fallline.view@/fallline",
    "fallline.view@/fallline",
    "fallline.view@/user/ann/fallline",
  ]);
});

test("a problem is known by the end of its address, under any path", () => {
  for (const [type, isIt] of [
    ["/problems/read-only", true],
    ["/fallline/problems/read-only", true],
    ["/problems/not-found", false],
    ["/problems/not-read-only", false],
    [undefined, false],
  ] as const)
    assert.equal(isReadOnlyProblem({ type }), isIt, type);
  assert.equal(isReadOnlyProblem(null), false);
});
