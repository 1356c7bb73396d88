// Stop conditions: the choices, their words, and the words after one is met.

import assert from "node:assert/strict";
import { test } from "node:test";

import { stripFor } from "../../frontend/page/strips.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { editWords } from "../../frontend/core/run-words.ts";
import { choices, chosen, conditionsOf, numberOf, stopWords } from "../../frontend/core/stops.ts";
import { answer, dead, findingEvent } from "./fake-server.ts";
import { part } from "./world.ts";
import type { Condition } from "../../frontend/core/stops.ts";
import type { App, Message } from "../../frontend/core/types.ts";

const after = (...messages: Message[]) =>
  [
    { type: "opened", answer: answer(), token: "t" },
    { type: "connection", status: "ready" },
    ...messages,
  ].reduce(reduce, initialState());
const finished = (condition: Condition) => ({
  type: "event",
  event: "finished",
  run: "sgd",
  step: 214,
  condition,
  latest: { train_loss: { step: 214, value: 0.5 } },
});

test("the page offers conditions on series that exist", () => {
  const offered = (experiment: Parameters<typeof choices>[0]) =>
    choices(experiment, []).map(({ value }) => value);
  assert.deepEqual(offered({ score: "r2", testSamples: 0 }), [
    "never",
    "layer_dies",
    "loss_stalls",
    "train_r2",
    "train_loss",
  ]);
  assert.deepEqual(offered({ score: "accuracy", testSamples: 3 }).slice(3), [
    "test_accuracy",
    "test_loss",
    "train_accuracy",
    "train_loss",
  ]);
});

test("the choice equals the condition in force, and choosing it again sets the same", () => {
  for (const choice of ["never", "layer_dies", "loss_stalls", "test_r2", "train_loss"])
    assert.equal(chosen(conditionsOf(choice)!), choice);
  const odd = [{ when: "train_loss", above: 3 }];
  assert.equal(chosen(odd), "several");
  assert.equal(conditionsOf("several"), null);
  assert.equal(choices({ score: "r2", testSamples: 0 }, odd).at(-1)!.value, "several");
});

test("a condition's number changes without its other parts", () => {
  assert.equal(numberOf({ when: "layer_dies" }), null);
  const stalls = numberOf({ when: "loss_stalls", below: 0.1 });
  assert.equal(stalls!.value, 500);
  assert.deepEqual(stalls!.change(40), { when: "loss_stalls", below: 0.1, steps: 40 });
  assert.deepEqual(numberOf({ when: "test_r2", above: 0.9 })!.change(0.5), {
    when: "test_r2",
    above: 0.5,
  });
});

test("an edit's words name the condition", () => {
  assert.equal(
    editWords({ stop: [{ when: "test_r2", above: 0.9 }, { when: "layer_dies" }] }, {}),
    "stops when test R² is above 0.9 or when a layer dies",
  );
  assert.equal(editWords({ stop: [] }, {}), "no stop condition");
  assert.equal(
    stopWords([{ when: "loss_stalls", steps: 1500 }]),
    "stops when the loss stalls for 1,500 steps",
  );
  assert.equal(
    stopWords([{ when: "loss_stalls", steps: 1 }]),
    "stops when the loss stalls for 1 step",
  );
});

test("a stopped run says where and why, and can continue", () => {
  const state = after(
    {
      type: "frame",
      frame: 1,
      runs: {
        sgd: {
          status: "playing",
          step: 214,
          epoch: 1,
          samples_seen: 214,
          generation: 0,
          columns: null,
        },
      },
    },
    finished({ when: "layer_dies" }),
  );
  const strip = stripFor(state);
  assert.equal(state.runs.sgd.status, "finished");
  assert.equal(state.runs.sgd.latest.train_loss.value, 0.5);
  assert.match(strip!.strong, /^SGD stopped at step [\d,]+, when a layer dies\.$/);
  const edits: unknown[] = [];
  strip!.act!.do(part<App>({ edit: (run, change) => void edits.push([run, change]) }));
  assert.deepEqual(edits, [["sgd", { stop: [] }]]);
});

test("a condition set after a layer died is met by the dead layer", () => {
  const frame = {
    type: "frame",
    frame: 1,
    runs: {
      sgd: {
        status: "playing",
        step: 254,
        epoch: 1,
        samples_seen: 254,
        generation: 0,
        columns: null,
      },
    },
  };
  const stopped = (since: number) =>
    stripFor(
      after(frame, findingEvent("sgd", dead({ since_step: since })), {
        ...finished({ when: "layer_dies" }),
        step: 254,
      }),
    )!.strong;
  assert.equal(stopped(196), "SGD stopped at step 254, when a layer is dead, since step 196.");
  assert.equal(stopped(254), "SGD stopped at step 254, when a layer dies.");
});
