// Presenting: the caption over the picture, and the order of the pictures.

import assert from "node:assert/strict";
import { test } from "node:test";

import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { captionOf, pictureWords, toggledPresent } from "../../frontend/page/present-words.ts";
import { answer, catalog } from "./fake-server.ts";
import type { Json, Message, State } from "../../frontend/core/types.ts";

const { recipe } = answer();
const question = {
  id: "notebook",
  prompt: "Which one gets stuck?",
  kind: "choice",
  choices: [
    { id: "gd", text: "GD" },
    { id: "sgd", text: "SGD" },
  ],
};
const view = { x: "steps", measure: "grad_l1", speed: 60, pace: "steps", until: 500 };
const exhibits = [{ name: "notebook", title: "The notebook", line: "", question, recipe, view }];

/** The page at a step, with these losses of its runs. */
function at(step: number, losses: Record<string, number> = {}, ...more: Message[]): State {
  const opened = [
    { type: "catalog", catalog: { ...catalog, exhibits } },
    { type: "opened", answer: answer({ step }), token: "t" },
    ...more,
  ].reduce(reduce, initialState());
  const runs = Object.entries(losses).map(([name, value]) => [
    name,
    { ...opened.runs[name], latest: { train_loss: { step, value } } },
  ]);
  return { ...opened, runs: { ...opened.runs, ...Object.fromEntries(runs) } };
}

const finding = (rule: string, severity: string, title: string, since = 196): Json => ({
  id: `${rule} ${since}`,
  rule,
  severity,
  subject: {},
  since_step: since,
  until_step: null,
  found_at: since,
  seen_at: since,
  first_evidence: "4 of 4 units output 0.",
  evidence: "4 of 4 units output 0.",
  title,
  mark: "",
  remedies: [],
});

function found(state: State, run: string, ...findings: Json[]): State {
  return { ...state, runs: { ...state.runs, [run]: { ...state.runs[run], findings } as any } };
}

test("before the first step the question stands there, with its answers", () => {
  const { title, line, glyph } = captionOf(at(0));
  assert.deepEqual([title, line, glyph], ["Which one gets stuck?", "GD, SGD", null]);
});

test("the worst finding is the caption, with its step and its numbers", () => {
  const state = found(
    at(300, { gd: 0.1, sgd: 0.2 }),
    "sgd",
    finding("small_batch", "warning", "SGD: the batch is too noisy.", 20),
    finding("dead_layer", "problem", "SGD: layer 2 is dead."),
  );
  assert.deepEqual(captionOf(state), {
    glyph: "problem",
    tone: "bad",
    title: "SGD: layer 2 is dead since step 196.",
    line: "4 of 4 units output 0.",
  });
});

test("a title that has its own step stays as it is", () => {
  const state = found(
    at(300, { gd: 0.1 }),
    "gd",
    finding("diverged", "problem", "GD diverged at step 196."),
  );
  assert.equal(captionOf(state).title, "GD diverged at step 196.");
});

test("a finding that is over, or of a later step than the one on view, is no caption", () => {
  const dead = finding("dead_layer", "problem", "SGD: layer 2 is dead.");
  const over = found(at(300, { gd: 0.1, sgd: 0.8 }), "sgd", { ...dead, until_step: 250 });
  assert.equal(captionOf(over).title, "GD is 8 times lower.");
});

test("without a finding the losses are compared", () => {
  const cases: [number, number, string][] = [
    [0.001, 0.008, "GD is 8 times lower."],
    [0.0021, 0.001, "SGD is 2.1 times lower."],
    [0.001, 0.0011, "GD and SGD are level."],
    [0, 0.5, "GD has loss 0."],
    [0.000002, 0.5, "GD is 2.50e5 times lower."],
  ];
  for (const [gd, sgd, title] of cases) assert.equal(captionOf(at(300, { gd, sgd })).title, title);
  assert.equal(
    captionOf(at(300, { gd: 0.001, sgd: 0.008 })).line,
    "Loss: GD 0.00100 and SGD 0.00800.",
  );
});

test("hidden runs are not compared, and one run alone has its state", () => {
  const state = reduce(at(300, { gd: 0.001, sgd: 0.008 }), {
    type: "hidden",
    run: "sgd",
    hidden: true,
  });
  assert.match(captionOf(state).title, /^GD is /);
});

test("P begins with the picture on view", () => {
  const { view: before } = initialState();
  assert.deepEqual(toggledPresent(before), { hero: "loss" });
  assert.deepEqual(toggledPresent({ ...before, picture: "fall" }), { hero: "fall" });
  assert.deepEqual(toggledPresent({ ...before, hero: "gradients" }), { hero: null });
  assert.deepEqual(toggledPresent({ ...before, picture: "data" }), { hero: "data" });
});

test("words below the picture say what it shows", () => {
  const state = at(0);
  assert.match(pictureWords(state, "loss"), /^mean squared error over [\d,]+ samples, log scale$/);
  assert.match(pictureWords(state, "fall"), /^loss over/);
  assert.equal(pictureWords(state, "gradients"), "gradient by layer, log scale");
});
