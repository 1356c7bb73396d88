// Words of the printed sheet.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answerWords, storyKey } from "../../frontend/core/questions.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { lossTitle, seedWords, sheetTitle } from "../../frontend/page/print-words.ts";
import { answer, catalog } from "./fake-server.ts";
import type { Experiment, Json, State } from "../../frontend/core/types.ts";

const { recipe } = answer();
const view = { x: "steps", measure: "grad_l1", speed: 60, pace: "steps", until: 500 };

const choices = [
  { id: "gd", text: "GD" },
  { id: "none", text: "Neither" },
];

function ended(question: Json, outcome: Json | null): State {
  const exhibits = [
    {
      name: "notebook",
      title: "The notebook",
      line: "",
      question: { id: "q", ...question },
      recipe,
      view,
    },
  ];
  const state = [
    { type: "catalog", catalog: { ...catalog, exhibits } },
    { type: "opened", answer: answer({ step: 500 }), token: "t" },
  ].reduce(reduce, initialState());
  const story: any = outcome && {
    id: "q",
    answer: { rule: "verdict" },
    explain: [],
    outcome,
    exhibit: "notebook",
    key: storyKey(state),
  };
  return { ...state, story };
}

const chosen = { prompt: "Which one gets stuck?", kind: "choice", choices };
const counted = { prompt: "How many steps?", kind: "number", choices: [], unit: "steps" };

test("the heading is the question, at the end with its answer", () => {
  const cases: [Json, Json | null, string][] = [
    [chosen, null, "Which one gets stuck?"],
    [chosen, { choice: "gd" }, "Which one gets stuck? GD."],
    [chosen, { choice: "none" }, "Which one gets stuck? Neither."],
    [chosen, { choice: null }, "Which one gets stuck?"],
    [counted, { number: 1234 }, "How many steps? 1,234 steps."],
  ];
  for (const [question, outcome, title] of cases)
    assert.equal(sheetTitle(ended(question, outcome)), title);
});

test("an own experiment is headed by its runs, and has no answer", () => {
  const state = [{ type: "opened", answer: answer({ step: 9 }), token: "t" }].reduce(
    reduce,
    initialState(),
  );
  assert.equal(sheetTitle(state), "GD and SGD");
  assert.equal(answerWords(state), null);
  const named = (letters: number) =>
    sheetTitle({
      ...state,
      runs: Object.fromEntries(
        state.order.map((name) => [name, { ...state.runs[name], label: "x".repeat(letters) }]),
      ),
    });
  assert.equal(named(30), `${"x".repeat(30)} and ${"x".repeat(30)}`);
  assert.equal(named(60), "2 runs", "the table has long names");
});

test("the seeds and each run's method make the numbers again", () => {
  const state = ended(chosen, null);
  const [shared, gd, sgd, last] = seedWords(state);
  assert.equal(shared, `Data seed ${recipe.data.seed}, network seed ${recipe.network.seed}.`);
  assert.match(gd, /^GD: full batch, rate [\d.]+, seed \d+\.$/);
  assert.match(sgd, /^SGD: batch of 1, rate [\d.]+, seed \d+\.$/);
  assert.equal(last, "The recipe makes every number again.");
  assert.match(
    lossTitle(state.experiment as Experiment),
    /^Loss: mean squared error over \d+ samples$/,
  );
});
