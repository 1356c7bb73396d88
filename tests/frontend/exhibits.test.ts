// The exhibit on the page, its words, opening and leaving it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { exhibitAfter, exhibitOf } from "../../frontend/core/exhibits.ts";
import { OWN, startWords, titleOf } from "../../frontend/features/exhibits/exhibits.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { answer, catalog } from "./fake-server.ts";
import type { Json, Message } from "../../frontend/core/types.ts";
import type { Exhibit } from "../../frontend/core/exhibits.ts";

const VIEW = { x: "steps", measure: "grad_l1", speed: 60, pace: "steps" };
const { recipe } = answer();
const deep = { ...recipe, data: { ...recipe.data, seed: 5 }, runs: recipe.runs.slice(0, 1) };
const exhibits = [
  {
    name: "notebook",
    title: "The notebook",
    line: "two ways down",
    recipe,
    view: VIEW,
  },
  {
    name: "deep",
    title: "Deep",
    line: "one way down",
    recipe: deep,
    view: VIEW,
  },
];

const base = [
  { type: "catalog", catalog: { ...catalog, exhibits } },
  { type: "opened", answer: answer(), token: "t" },
];
const after = (...messages: Message[]) => [...base, ...messages].reduce(reduce, initialState());
/** An answer with another recipe. */
const opened = (changed: Json) => ({
  type: "opened",
  answer: answer({ id: "e2", recipe: { ...recipe, ...changed } }),
  token: "t",
});
const edit = {
  type: "event",
  event: "edit",
  experiment: "e1",
  run: "gd",
  step: 7,
  generation: 0,
  at_step: 7,
  learning_rate: 0.01,
};

test("an experiment with an exhibit's recipe is that exhibit, in any order of fields and runs", () => {
  assert.equal(exhibitOf(after())?.name, "notebook");
  const shuffled = Object.fromEntries(Object.entries(recipe.data).reverse());
  assert.equal(
    exhibitOf(after(opened({ data: shuffled, runs: [...recipe.runs].reverse() })))?.name,
    "notebook",
  );
  assert.equal(
    exhibitOf(after(opened({ runs: recipe.runs.map((run) => ({ ...run, label: "Mine" })) })))?.name,
    "notebook",
  );
});

test("any change of numbers makes it an own experiment: data, network, loss, a rate, a run less, an edit", () => {
  const [gd, sgd] = recipe.runs;
  for (const changed of [
    { data: { ...recipe.data, seed: 6 } },
    { network: { ...recipe.network, weights: "zeros" } },
    { loss: "huber" },
    { runs: [{ ...gd, learning_rate: 0.2 }, sgd] },
    { runs: [gd, { ...sgd, edits: [{ at_step: 5, learning_rate: 0.2 }] }] },
  ])
    assert.equal(titleOf(after(opened(changed))), OWN, JSON.stringify(changed));
  assert.equal(titleOf(after(edit)), OWN);
  assert.equal(
    titleOf(
      after({
        type: "event",
        event: "run_removed",
        experiment: "e1",
        run: "sgd",
        step: 0,
        generation: 0,
      }),
    ),
    OWN,
  );
});

test("a reset keeps an exhibit, and does not restore an edited one", () => {
  const reset = (settings: Json) => ({
    type: "event",
    event: "reset",
    experiment: "e1",
    run: "gd",
    step: 0,
    generation: 1,
    settings,
  });
  assert.equal(titleOf(after(reset({}))), "The notebook");
  const edited = after(edit, reset({ learning_rate: 0.01 }));
  assert.deepEqual([edited.runs.gd.edits, edited.runs.gd.generation], [[], 1]);
  assert.equal(titleOf(edited), OWN);
});

test("the page shows no title before it is known", () => {
  assert.equal(titleOf(initialState()), "");
  assert.equal(titleOf([base[1]].reduce(reduce, initialState())), "");
  assert.equal(exhibitOf([base[1]].reduce(reduce, initialState())), null);
});

test("the exhibit after the last is the first", () => {
  assert.equal(exhibitAfter(after(), "notebook").name, "deep");
  assert.equal(exhibitAfter(after(), "deep").name, "notebook");
});

test("the notice names the runs that start", () => {
  const runs = (count: number) => ({
    ...exhibits[0],
    recipe: { ...recipe, runs: Array(count).fill(recipe.runs[0]) },
  });
  assert.deepEqual(
    [1, 2, 3].map((count) => startWords(runs(count) as Exhibit)),
    [
      "The notebook: the run starts at step 0.",
      "The notebook: both runs start at step 0.",
      "The notebook: all 3 runs start at step 0.",
    ],
  );
  const asks = { ...runs(3), title: "How high may the rate be?" } as Exhibit;
  assert.equal(startWords(asks), "How high may the rate be? All 3 runs start at step 0.");
});
