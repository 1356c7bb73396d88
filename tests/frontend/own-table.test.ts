// Words about an uploaded table, and the recipe that uses it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  boundWords,
  dataOf,
  guessOf,
  inputWords,
  refusalWords,
  skippedWords,
  targetWords,
  tasksOf,
  tooLarge,
} from "../../frontend/features/recipe/own-table.ts";
import type { Table, TableColumn } from "../../frontend/core/wire-types.ts";

const catalog = { bounds: { csv_bytes: 1048576, csv_rows: 5000, csv_columns: 32, classes: 32 } };
const column = (
  name: string,
  kind: TableColumn["kind"],
  distinct: number,
  task: TableColumn["task"],
  reason: string | null = null,
): TableColumn => ({
  name,
  kind,
  distinct,
  task,
  reason,
  used: reason === null,
});
const table: Table = {
  id: "d1",
  rows: 60,
  target: "kind",
  preview: [],
  skipped: [],
  skipped_count: 0,
  columns: [
    column("length", "number", 60, "regression"),
    column("rooms", "number", 5, "classification"),
    column("colour", "category", 2, "classification"),
    column("note", "text", 60, null, "text with 60 different values"),
    column("kind", "category", 3, "classification"),
  ],
};

test("the tasks of a column depend on its values, and the suggestion equals the server's", () => {
  assert.deepEqual(tasksOf(table, "length", catalog), ["regression"]); // 60 classes are too many
  assert.deepEqual(tasksOf(table, "rooms", catalog), ["regression", "classification"]);
  assert.deepEqual(tasksOf(table, "colour", catalog), ["classification"]);
  assert.deepEqual(
    ["length", "rooms", "kind"].map((name) => guessOf(table, name, catalog)),
    ["regression", "classification", "classification"],
  );
  assert.equal(
    guessOf(
      { ...table, columns: [column("many", "number", 40, "classification")] },
      "many",
      catalog,
    ),
    "regression",
  );
});

test("inputs are all used columns but the target, and unused ones have a reason", () => {
  assert.equal(
    inputWords(table, "kind"),
    "Inputs: length, rooms, colour (2 values). Not used: note (text with 60 different values).",
  );
  assert.equal(
    inputWords({ ...table, columns: table.columns.slice(0, 2) }, "rooms"),
    "Inputs: length.",
  );
});

test("skipped rows are listed with their lines, and further ones are counted", () => {
  assert.equal(skippedWords(table), null);
  const one = { ...table, skipped: [{ line: 62, reason: "no value in length" }], skipped_count: 1 };
  assert.deepEqual(skippedWords(one), {
    says: "1 row is left out",
    lines: ["Line 62: no value in length"],
  });
  assert.deepEqual(skippedWords({ ...one, skipped_count: 1234 })!.lines, [
    "Line 62: no value in length",
    "and 1,233 more",
  ]);
});

test("a refused file gives words for the person who chose it", () => {
  assert.equal(
    boundWords(catalog),
    "At most 1 MiB, 5,000 rows and 32 columns, as text in UTF-8. It stays on this server.",
  );
  assert.equal(tooLarge(1048576, catalog), null);
  assert.equal(tooLarge(1500000, catalog), "The file has 1.4 MiB; the limit is 1 MiB.");
  // the two numbers never look alike
  assert.equal(tooLarge(1048577, catalog), "The file has more than 1 MiB; the limit is 1 MiB.");
  assert.equal(
    refusalWords({
      title: "Above a limit of this server",
      bound: "csv_rows",
      limit: 5000,
      asked: 5001,
    }),
    "Too many rows: 5,001; the limit is 5,000.",
  );
  assert.equal(
    refusalWords({ title: "The CSV cannot be used", status: 422, detail: "line 3: a quote" }),
    "Line 3: a quote.",
  );
  assert.equal(
    refusalWords({
      title: "The body is too large",
      status: 413,
      detail: "at most 1,048,576 bytes",
    }),
    "The file is too large.",
  );
  assert.equal(
    refusalWords({ title: "The server does not answer." }),
    "The server does not answer.",
  );
  const fields = [{ pointer: "/data/target", detail: "must be a column that can be learnt: a, b" }];
  assert.equal(
    refusalWords({ title: "The request is not valid", detail: "data/target: ...", errors: fields }),
    "Must be a column that can be learnt: a, b.",
  );
});

test("a recipe names table, target and task, and numbers with units are standardized", () => {
  assert.deepEqual(dataOf(table, "length", "regression"), {
    name: "csv",
    dataset: "d1",
    target: "length",
    task: "regression",
    standardize: "both",
  });
  assert.equal(dataOf(table, "kind", "classification").standardize, "inputs");
  assert.equal(targetWords({ target: "kind", task: "classification" }), "kind, as classes");
});
