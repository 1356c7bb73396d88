// The page's state: changes by each message, and its words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  confusionOf,
  confusionWords,
  headsOf,
} from "../../frontend/features/predictions/confusion.ts";
import { fittingLosses, keepsLoss, lossWords, takesLogits } from "../../frontend/core/losses.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import {
  changedRecipe,
  freshWords,
  joinedChanges,
  recipeNow,
  seriesFor,
} from "../../frontend/core/recipes.ts";
import { descendedWords, editWords, runSentence } from "../../frontend/core/run-words.ts";
import {
  lossSummary,
  stateOf,
  viewSteps,
  viewWords,
  whereWords,
} from "../../frontend/core/selectors.ts";
import { createStore } from "../../frontend/core/store.ts";
import {
  counter,
  epochs,
  every,
  number,
  score,
  setting,
  tick,
} from "../../frontend/core/format.ts";
import { answer, beatAt, catalog, dead, findingEvent, frameOf, play } from "./fake-server.ts";
import { part } from "./world.ts";
import type { Method } from "../../frontend/core/catalog.ts";
import type { Differences } from "./fake-server.ts";
import type { Finding, Json, Message, Recipe, Run, State } from "../../frontend/core/types.ts";

const after = (messages: Message[], state = initialState()) => messages.reduce(reduce, state);
const opened = (changes: Differences = {}) =>
  after([
    { type: "catalog", catalog },
    { type: "opened", answer: answer(changes), token: "t" },
  ]);

test("an experiment brings its runs with labels, colours and settings in force", () => {
  const { runs, order, experiment, view } = opened();
  assert.deepEqual(order, ["gd", "sgd"]);
  assert.deepEqual(
    [runs.gd.label, runs.gd.lane, runs.sgd.label, runs.sgd.lane],
    ["GD", "a", "SGD", "b"],
  );
  assert.equal(runs.sgd.settings.batch_size, 1);
  assert.deepEqual(experiment!.weights, ["W1", "W2", "W3"]);
  assert.deepEqual(experiment!.shapes.W2, [4, 4]);
  assert.equal(experiment!.parameters, 49);
  assert.equal(view.networkRun, "gd");
});

test("a planned edit applies from its step on, a new one at once although its step is on its way", () => {
  const recipe = answer().recipe;
  recipe.runs[0].edits = [{ at_step: 121, batch_size: 32 }];
  const size = (state: State) => state.runs.gd.settings.batch_size;
  const planned = after([frameOf("gd", { step: 120 })], opened({ recipe }));
  assert.equal(size(planned), null);
  assert.match(runSentence(planned.runs.gd), /^full batch, rate 0\.1/);
  assert.equal(size(after([frameOf("gd", { step: 121 })], planned)), 32);
  assert.equal(size(after([frameOf("gd", { step: 900 })], planned)), 32);
  const event = {
    type: "event",
    event: "edit",
    run: "gd",
    step: 140,
    generation: 0,
    edit: { at_step: 140, batch_size: 1 },
  };
  assert.equal(size(after([event], planned)), 1);
});

test("an edit shows at once, is settled by its answer and marked once, in any order of answer and event", () => {
  const command = { type: "sent", id: "c1", do: "edit", run: "gd", body: { batch_size: 1 } };
  const ack = { type: "ack", id: "c1", answer: { run: "gd", at_step: 7, batch_size: 1 } };
  const event = {
    type: "event",
    event: "edit",
    run: "gd",
    step: 7,
    generation: 0,
    edit: { at_step: 7, batch_size: 1 },
  };
  const pending = after([command], opened());
  assert.equal(pending.runs.gd.settings.batch_size, 1);
  assert.deepEqual(pending.runs.gd.edits, []);
  for (const order of [
    [ack, event],
    [event, ack],
  ]) {
    const settled = after(order, pending);
    assert.deepEqual(settled.runs.gd.edits, [{ at_step: 7, batch_size: 1 }]);
    assert.equal(settled.runs.gd.settings.batch_size, 1);
    assert.deepEqual(settled.pending, {});
  }
});

test("a refused edit is reverted with a message", () => {
  const problem = { title: "No", status: 422 };
  const state = after(
    [
      { type: "sent", id: "c1", do: "edit", run: "gd", body: { learning_rate: -1 } },
      { type: "error", id: "c1", problem },
    ],
    opened(),
  );
  assert.equal(state.runs.gd.settings.learning_rate, 0.1);
  assert.deepEqual([state.problem, state.pending], [problem, {}]);
});

test("another optimizer brings its own defaults and drops the previous ones", () => {
  const state = after(
    [
      {
        type: "event",
        event: "edit",
        run: "gd",
        edit: { at_step: 3, optimizer: "momentum", momentum: 0.5 },
      },
      { type: "event", event: "edit", run: "gd", edit: { at_step: 5, optimizer: "adam" } },
    ],
    opened(),
  );
  const { momentum, beta1, beta2, learning_rate: rate } = state.runs.gd.settings;
  assert.deepEqual([momentum, beta1, beta2, rate], [undefined, 0.9, 0.999, 0.1]);
});

test("edits at one step merge and the later wins", () => {
  const state = after(
    [0.2, 0.3].map((rate) => ({
      type: "event",
      event: "edit",
      run: "gd",
      edit: { at_step: 4, learning_rate: rate },
    })),
    opened(),
  );
  assert.deepEqual(state.runs.gd.edits, [{ at_step: 4, learning_rate: 0.3 }]);
});

test("an optimizer that replaces another at the same step keeps none of its settings", () => {
  const edit = (edit: Json) => ({
    type: "event",
    event: "edit",
    run: "gd",
    edit: { at_step: 4, ...edit },
  });
  const state = after(
    [
      edit({ optimizer: "momentum", momentum: 0.5, l2: 0.1 }),
      edit({ optimizer: "adam", beta1: 0.9 }),
    ],
    opened(),
  );
  assert.deepEqual(state.runs.gd.edits, [{ at_step: 4, optimizer: "adam", beta1: 0.9, l2: 0.1 }]);
});

test('all samples of one is "the one sample"', () => {
  assert.deepEqual(
    [every(900, "sample"), every(1, "trainingSample")],
    ["all 900 samples", "the one training sample"],
  );
});

test("play shows at once and then follows the status of the runs", () => {
  const ready = after([{ type: "connection", status: "ready" }], opened());
  const pending = after(
    [{ type: "sent", id: "p", do: "play", body: { speed: 30, pace: "steps" } }],
    ready,
  );
  assert.deepEqual(
    [pending.playback.playing, pending.playback.speed, pending.connection.status],
    [true, 30, "live"],
  );
  const stopped = after([{ type: "ack", id: "p", answer: answer({ status: "paused" }) }], pending);
  assert.deepEqual([stopped.playback.playing, stopped.connection.status], [false, "ready"]);
});

test("another page's speed shows here too, unless this page is about to play at its own", () => {
  const played = { ...play, speed: 300, pace: "samples" };
  const ready = after([{ type: "connection", status: "ready" }], opened());
  const { playback, connection, runs } = after([played], ready);
  assert.deepEqual(
    [playback.playing, playback.speed, playback.pace, connection.status, runs.gd.status],
    [true, 300, "samples", "live", "playing"],
  );
  const stopped = after([played, { ...played, playing: false }], ready);
  assert.deepEqual([stopped.playback.playing, stopped.playback.speed], [false, 300]);
  const own = { type: "sent", id: "p", do: "play", body: { speed: 30, pace: "steps" } };
  assert.equal(after([own, played], ready).playback.speed, 30);
  assert.equal(
    after([{ type: "experiment", state: { ...answer(), speed: 12, pace: "steps" } }], ready)
      .playback.speed,
    12,
  );
});

test("a speed chosen while paused stays until played, even if an answer has another speed", () => {
  const reply = { type: "experiment", state: { ...answer(), speed: 60, pace: "steps" } };
  const chosen = after([{ type: "playback", part: { speed: 500 } }, reply], opened());
  assert.equal(chosen.playback.speed, 500);
  const played = after(
    [
      { type: "sent", id: "p", do: "play", body: { speed: 500, pace: "steps" } },
      { type: "ack", id: "p", answer: { ...reply.state, speed: 500 } },
    ],
    chosen,
  );
  assert.equal(
    after([{ type: "experiment", state: { ...reply.state, speed: 7 } }], played).playback.speed,
    7,
  );
});

test("a reset keeps the settings in force, drops edits and starts a generation", () => {
  const state = after(
    [
      frameOf("gd", { step: 9, latest: { train_loss: { step: 8, value: 1 } } }),
      { type: "event", event: "edit", run: "gd", edit: { at_step: 5, learning_rate: 0.2 } },
      { type: "event", event: "reset", run: "gd", step: 0, generation: 1 },
    ],
    opened(),
  );
  const { step, edits, generation, settings, latest } = state.runs.gd;
  assert.deepEqual([step, edits, generation, settings.learning_rate, latest], [0, [], 1, 0.2, {}]);
  assert.equal(recipeNow(state)!.runs[0].learning_rate, 0.2);
});

test("an answer from before a reset changes nothing", () => {
  const faster = {
    type: "event",
    event: "edit",
    run: "gd",
    generation: 0,
    edit: { at_step: 4, learning_rate: 0.2 },
  };
  const reset = { type: "event", event: "reset", run: "gd", step: 0, generation: 1 };
  const late = { type: "ack", id: "c1", answer: answer({ step: 900 }) };
  const state = after(
    [{ type: "sent", id: "c1", do: "step", body: { steps: 900 } }, faster, reset, late],
    opened(),
  );
  const { gd, sgd } = state.runs;
  assert.deepEqual([gd.step, gd.generation, gd.settings.learning_rate, gd.edits], [0, 1, 0.2, []]);
  assert.deepEqual([sgd.step, sgd.generation, state.pending], [900, 0, {}]);
});

test("an answer older than a frame does not move the counter back", () => {
  const state = after(
    [frameOf("gd", { step: 50 }), { type: "experiment", state: answer() }],
    opened(),
  );
  assert.equal(state.runs.gd.step, 50);
});

test("the loss at the step of a pause is not replaced by the loss of the step before", () => {
  const paused = answer({ status: "paused", step: 9 });
  paused.runs[0].latest = {
    train_loss: { step: 9, value: 0.5 },
    "grad_l1/W1": { step: 8, value: 3 },
  };
  const late = frameOf("gd", {
    status: "paused",
    step: 9,
    latest: { train_loss: { step: 8, value: 0.6 }, "grad_l1/W1": { step: 8, value: 3 } },
  });
  const messages = [
    { type: "sent", id: "p", do: "pause", body: {} },
    { type: "ack", id: "p", answer: paused },
    late,
  ];
  const state = after(messages, opened());
  assert.deepEqual(state.runs.gd.latest.train_loss, { step: 9, value: 0.5 });
  assert.equal(state.runs.gd.latest["grad_l1/W1"].step, 8);
  const on = after(
    [frameOf("gd", { step: 12, latest: { train_loss: { step: 11, value: 0.4 } } })],
    state,
  );
  assert.deepEqual(on.runs.gd.latest.train_loss, { step: 11, value: 0.4 });
  const anew = after(
    [frameOf("gd", { step: 2, generation: 1, latest: { train_loss: { step: 1, value: 10 } } })],
    on,
  );
  assert.deepEqual(anew.runs.gd.latest, { train_loss: { step: 1, value: 10 } });
});

test("a frame older than an answer moves neither counter nor state back", () => {
  const state = after(
    [{ type: "experiment", state: answer({ step: 9 }) }, frameOf("gd", { step: 7 })],
    opened(),
  );
  assert.deepEqual([state.runs.gd.step, state.runs.gd.status], [9, "paused"]);
});

test("a diverged run keeps its last step", () => {
  const state = after(
    [
      { type: "event", event: "diverged", run: "gd", step: 12, diverged_at: 12 },
      frameOf("gd", { status: "diverged", step: 12 }),
    ],
    opened(),
  );
  assert.equal(state.runs.gd.divergedAt, 12);
  assert.equal(stateOf(state.runs.gd, state).word, "diverged");
});

test("a diverged run shows the loss of its last step while others play", () => {
  const event = {
    type: "event",
    event: "diverged",
    run: "gd",
    step: 12,
    generation: 0,
    diverged_at: 12,
    latest: { train_loss: { step: 12, value: 9e6 } },
  };
  const late = frameOf("gd", {
    status: "diverged",
    step: 12,
    latest: { train_loss: { step: 11, value: 5e3 } },
  });
  assert.deepEqual(after([event, late], opened()).runs.gd.latest.train_loss, {
    step: 12,
    value: 9e6,
  });
  const again = after(
    [{ type: "event", event: "reset", run: "gd", step: 0, generation: 1 }, event],
    opened(),
  );
  assert.equal(again.runs.gd.status, "paused");
});

test("an answer older than the divergence does not revive the run", () => {
  const diverged = { type: "event", event: "diverged", run: "gd", step: 0, diverged_at: 0 };
  const state = after(
    [
      { type: "sent", id: "c1", do: "play", body: {} },
      diverged,
      { type: "ack", id: "c1", answer: answer() },
    ],
    opened(),
  );
  assert.deepEqual(
    [state.runs.gd.status, state.runs.gd.divergedAt, state.runs.sgd.status],
    ["diverged", 0, "paused"],
  );
});

test("runs come and go, and the remaining ones keep their colours", () => {
  const added = {
    type: "event",
    event: "run_added",
    run: "run-3",
    added: { ...answer().runs[0], name: "run-3" },
    recipe: { ...answer().recipe.runs[0], name: "run-3", label: "Mini" },
  };
  const three = after([added, added], opened());
  assert.deepEqual(
    [three.order, three.runs["run-3"].lane, three.runs["run-3"].label],
    [["gd", "sgd", "run-3"], "g", "Mini"],
  );
  const first = after([{ ...added, place: 0 }], opened());
  assert.deepEqual(first.order, ["run-3", "gd", "sgd"], "a run comes back to its place");
  assert.deepEqual(
    first.experiment?.recipe.runs.map(({ name }) => name),
    first.order,
  );
  const two = after([{ type: "event", event: "run_removed", run: "gd" }], three);
  assert.deepEqual(
    [two.order, two.runs["run-3"].lane, two.view.networkRun],
    [["sgd", "run-3"], "g", "sgd"],
  );
});

test("measurements of an old generation are dropped", () => {
  const late = beatAt(0, { gd: { units: { layers: [] } } });
  const state = after(
    [{ type: "event", event: "reset", run: "gd", generation: 1 }, late],
    opened(),
  );
  assert.equal(state.runs.gd.units, null);
});

test("a listener is called for its own slice only, with arrays compared item by item", () => {
  const store = createStore(opened(), reduce);
  const heard: unknown[] = [];
  const stop = store.watch(
    (state) => [state.view.x, state.view.y],
    (value) => heard.push(value),
  );
  store.dispatch({ type: "view", part: { measure: "ratio" } });
  store.dispatch({ type: "view", part: { x: "epochs" } });
  stop();
  store.dispatch({ type: "view", part: { x: "steps" } });
  assert.deepEqual(heard, [["epochs", "log"]]);
});

test("an answer without news changes neither the experiment nor the view: charts would be drawn at once", () => {
  const before = opened();
  const repeat = after([{ type: "experiment", state: answer({ step: 5 }) }], before);
  assert.equal(repeat.runs.gd.step, 5);
  assert.equal(repeat.experiment, before.experiment);
  assert.equal(repeat.view, before.view);
  const same = after([{ type: "view", part: { y: before.view.y } }], before);
  assert.equal(same.view, before.view);
  const other = after([{ type: "experiment", state: { ...answer(), kernel: "compiled" } }], before);
  assert.equal(other.experiment?.kernel, "compiled");
});

test("a new experiment takes the changes, the settings in force, and no edits", () => {
  const state = after(
    [{ type: "event", event: "edit", run: "sgd", edit: { at_step: 1, batch_size: 32 } }],
    opened(),
  );
  const recipe = changedRecipe(state, { network: { layers: [{ units: 8, activation: "tanh" }] } });
  assert.deepEqual(recipe.network.layers, [{ units: 8, activation: "tanh" }]);
  assert.equal(recipe.network.seed, 0);
  assert.deepEqual(
    recipe.runs.map(({ batch_size: batch, edits }) => [batch, edits]),
    [
      [null, []],
      [32, []],
    ],
  );
  assert.equal(
    freshWords({ network: { layers: [] } }, 2),
    "New shape, new weights: both runs start again at step 0.",
  );
});

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/${name}.json`, import.meta.url), "utf8"));

test("the servers' measurements ask for the same series of the notebook's experiment", () => {
  const notebook = opened({ test_samples: 0, test_fraction: 0 }).experiment!;
  assert.deepEqual(seriesFor(notebook, "grad_l1"), golden("page_series"));
});

test("only drawn series are requested, and none that the server lacks", () => {
  const whole = ["grad_norm", "grad_norm_clipped", "learning_rate"];
  assert.deepEqual(seriesFor(opened().experiment!, "whole"), ["train_loss", "test_loss", ...whole]);
  const untested = opened({ test_samples: 0, test_fraction: 0 }).experiment!;
  assert.deepEqual(seriesFor(untested, "whole"), ["train_loss", ...whole]);
  const { weights } = untested;
  const ratios = weights.map((weight) => `ratio/${weight}`);
  assert.deepEqual(seriesFor(untested, "ratio"), ["train_loss", ...ratios]);
});

test("an experiment with classes has its outputs, a regression has one", () => {
  const { experiment } = opened({ classes: ["a", "b", "c"], outputs: 3, score: "accuracy" });
  assert.deepEqual(
    [experiment!.shapes.W3, experiment!.parameters, experiment!.classes.length],
    [[4, 3], 24 + 20 + 15, 3],
  );
  assert.deepEqual(
    [opened().experiment!.shapes.W3, opened().experiment!.classes, opened().experiment!.score],
    [[4, 1], [], "r2"],
  );
});

test("the confusion matrix counts by true and predicted class", () => {
  const confusion = confusionOf(
    { split: "test", y: [0, 0, 0, 1, 2, 2], y_pred: [0, 1, 0, 1, 0, 2] },
    3,
  );
  assert.deepEqual(confusion, {
    counts: [
      [2, 1, 0],
      [0, 1, 0],
      [1, 0, 1],
    ],
    totals: [3, 1, 2],
    right: 4,
    all: 6,
  });
  assert.equal(
    confusionWords("GD", confusion, true),
    "GD: 4 of 6 test samples correct. Rows are true classes, columns predicted ones.",
  );
  assert.equal(
    confusionWords("GD", confusionOf(null, 2), false),
    "GD: no predictions yet. Rows are true classes, columns predicted ones.",
  );
});

test("columns of a confusion table have names where all fit, else numbers", () => {
  const three = headsOf([33, 50, 45], 284, 39);
  assert.deepEqual([three.isNumbered, three.first, three.isTall], [false, 57, false]);
  const seven = headsOf([46, 60, 85, 36, 50, 42, 82], 284, 18);
  assert.deepEqual([seven.isNumbered, seven.isTall], [true, false]);
  assert.ok(seven.first >= 85 && seven.first < 110, `${seven.first} px`);
  const digits = headsOf(new Array(10).fill(7), 284, 14);
  assert.deepEqual([digits.isNumbered, digits.first], [false, 14]);
});

test("counts keep their room, so that very long names of rows take two lines", () => {
  const { first, isTall, isNumbered } = headsOf(new Array(10).fill(200), 284, 400);
  assert.ok(isTall && isNumbered);
  assert.ok((284 - first) / 10 > 20, "room for three figures");
});

test("a run's rule, edits and state have the words of the design", () => {
  const state = opened();
  assert.equal(runSentence(state.runs.gd), "full batch, rate 0.1");
  assert.equal(
    runSentence({
      settings: { optimizer: "momentum", momentum: 0.9, batch_size: 1, learning_rate: 0.006 },
    }),
    "batch of 1, momentum 0.9, rate 0.006",
  );
  assert.equal(editWords({ learning_rate: 0.006 }, { learning_rate: 0.03 }), "rate 0.03 → 0.006");
  assert.equal(
    editWords({ optimizer: "momentum", momentum: 0.9 }, { optimizer: "sgd" }),
    "momentum 0.9",
  );
  assert.equal(editWords({ batch_size: 32 }, { batch_size: 1 }), "SGD → mini-batch 32");
  assert.equal(
    editWords({ stop: [{ when: "test_r2", above: 0.9 }, { when: "layer_dies" }] }, {}),
    "stops when test R² is above 0.9 or when a layer dies",
  );
  assert.equal(editWords({ stop: [] }, {}), "no stop condition");
  const adam = { at_step: 3, optimizer: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
  assert.equal(editWords(adam, { optimizer: "sgd" }, catalog), "Adam");
  assert.equal(
    editWords({ ...adam, beta2: 0.99 }, { optimizer: "momentum", momentum: 0.9 }, catalog),
    "Adam, beta 2 0.99",
  );
  assert.equal(editWords({ beta1: 0.5 }, { ...adam }, catalog), "beta 1 0.5");
  assert.equal(editWords({ optimizer: "momentum" }, { optimizer: "sgd" }, catalog), "momentum 0.9");
  assert.equal(
    editWords(
      { optimizer: "sgd", batch_size: 1 },
      { optimizer: "adam", batch_size: null },
      catalog,
    ),
    "GD → SGD, plain",
  );
  assert.equal(
    editWords(
      { learning_rate: 0.1, batch_size: 1 },
      { learning_rate: 0.1, batch_size: 1 },
      catalog,
    ),
    "",
  );
  assert.equal(
    editWords({ redraw: { layers: [2], weights: "he" } }, {}),
    "layer 2 reinitialized, He",
  );
  assert.equal(
    editWords(
      { redraw: { layers: [1, 2], weights: "normal" }, learning_rate: 0.01 },
      { learning_rate: 0.1 },
    ),
    "rate 0.1 → 0.01, layers 1, 2 reinitialized, normal",
  );
  assert.equal(
    editWords({ optimizer: "nesterov" }, { optimizer: "adam", beta1: 0.9 }, catalog),
    "Nesterov 0.9",
  );
  assert.equal(stateOf(state.runs.gd, state).word, "waiting");
  const dead = {
    ...state.runs.sgd,
    step: 300,
    units: {
      layers: [
        { mean: [], active_share: [], dead: [false] },
        { mean: [], active_share: [], dead: [true, true] },
      ],
    },
  };
  assert.equal(stateOf(dead, state).word, "layer 2 dead");
  assert.match(lossSummary(state), /^Loss by step\. GD starts at 12\.3\./);
});

test("runs at different steps are named, unless their answers are only of different moments", () => {
  const at = (gd: number, sgd: number, status: string) =>
    after([frameOf("gd", { step: gd, status }), frameOf("sgd", { step: sgd, status })], opened());
  assert.equal(whereWords(at(1284, 1284, "paused")), "1,284");
  assert.equal(whereWords(at(184, 900, "paused")), "900 (GD at 184)");
  assert.equal(whereWords(at(899, 900, "paused")), "900 (GD at 899)");
  assert.equal(whereWords(at(899, 900, "playing")), "900");
  assert.equal(whereWords(at(13, 11700, "playing")), "11,700 (GD at 13)");
});

test("a view updated now and then names its step, unless all runs stand there", () => {
  const pairs = (step: number) => ({ step, split: "test", y: [], y_pred: [] });
  const at = (step: number, status: string, steps: Record<string, number>) => {
    const runs = Object.fromEntries(
      ["gd", "sgd"].map((name) => [
        name,
        { predictions: steps[name] === undefined ? null : pairs(steps[name]) },
      ]),
    );
    const state = after(
      [frameOf("gd", { step, status }), frameOf("sgd", { step, status }), beatAt(step, runs)],
      opened(),
    );
    return [viewWords, viewSteps].map((words) =>
      words(state, Object.values(state.runs), "predictions"),
    );
  };
  assert.deepEqual(at(900, "paused", { gd: 900, sgd: 900 }), ["", ""]);
  assert.deepEqual(at(900, "paused", { gd: 900, sgd: 884 }), [
    "step 900 (SGD at 884)",
    "steps 884 to 900",
  ]);
  assert.deepEqual(at(900, "paused", { gd: 880, sgd: 880 }), ["step 880", "step 880"]);
  assert.deepEqual(at(900, "playing", { gd: 900, sgd: 899 }), ["step 900", "step 900"]);
  assert.deepEqual(at(1900, "playing", { gd: 1900, sgd: 884 }), [
    "step 1,900 (SGD at 884)",
    "steps 884 to 1,900",
  ]);
  assert.deepEqual(at(900, "playing", { sgd: 884 }), ["step 884", "step 884"]);
  assert.deepEqual(at(900, "playing", {}), ["", ""]);
});

test("the table shows the server's verdict, paused or playing, with a sentence for each", () => {
  const verdicts = ["learning", "overfitting", "on_the_way", "flat", "dead"] as const;
  const words = ["learning", "overfitting", "on its way", "flat", "dead"];
  for (const status of ["playing", "paused", "finished"] as const)
    for (const [place, verdict] of verdicts.entries()) {
      const state = after([frameOf("gd", { step: 600, status, verdict })], opened({ status }));
      const { word, says } = stateOf(state.runs.gd, state);
      assert.equal(word, words[place], status);
      assert.match(says ?? "", /^It.* .*\.$|^A hidden layer .*\.$/);
    }
  const reply = answer({ step: 600 });
  reply.runs[0].verdict = "overfitting";
  const later = after([{ type: "experiment", state: reply }], opened());
  assert.equal(stateOf(later.runs.gd, later).word, "overfitting", "an answer carries it too");
});

test("a loss that does not fall and will diverge is diverging, not flat", () => {
  const forecast = dead({ rule: "will_diverge", id: "will_diverge@9", mark: "about to diverge" });
  const word = (verdict: string, ...findings: Finding[]) => {
    const events = findings.map((finding) => findingEvent("gd", finding));
    const state = after(
      [frameOf("gd", { step: 600, verdict, findings_complete_to: 600 }), ...events],
      opened(),
    );
    const { word, tone } = stateOf(state.runs.gd, state);
    return [word, tone];
  };
  assert.deepEqual(word("flat", forecast), ["diverging", "bad"]);
  assert.deepEqual(word("flat", { ...forecast, until_step: 300 }), ["flat", "warn"]);
  assert.deepEqual(word("learning", forecast), ["learning", "ok"], "the forecast may be far ahead");
});

test("a verdict from an earlier step names it, and none is made before the first examination", () => {
  const at = (complete: number, verdict: string) => {
    const more = { step: 1500, verdict, findings_complete_to: complete };
    const state = after([frameOf("gd", more)], opened({ status: "playing" }));
    return stateOf(state.runs.gd, state);
  };
  assert.match(at(1234, "flat").says ?? "", /does not fall\. As of step 1,234\.$/);
  assert.match(at(1488, "flat").says ?? "", /does not fall\.$/);
  assert.equal(at(0, "waiting").word, "");
});

test("a layer that is dead on view is named, also while the Doctor is behind", () => {
  const state = after(
    [frameOf("gd", { step: 300, verdict: "on_the_way", findings_complete_to: 40 })],
    opened({ status: "playing" }),
  );
  const layers = [{ mean: [], active_share: [], dead: [true, true] }];
  const run = { ...state.runs.gd, units: { step: 300, layers } };
  assert.equal(stateOf(run, state).word, "layer 1 dead");
  assert.equal(stateOf({ ...run, findingsCompleteTo: 300 }, state).word, "on its way");
});

test("a verdict that is far behind the run is muted, and its step is in its words", () => {
  const state = after(
    [frameOf("gd", { step: 1200, verdict: "learning", findings_complete_to: 1000 })],
    opened({ status: "playing" }),
  );
  const { gd } = state.runs;
  const far = stateOf(gd, state);
  assert.deepEqual([far.word, far.tone], ["learning", "muted"]);
  assert.match(far.says ?? "", /As of step 1,000\.$/);
  const near = stateOf({ ...gd, findingsCompleteTo: 1100 }, state);
  assert.equal(near.tone, "ok");
  assert.match(near.says ?? "", /As of step 1,100\.$/);
  assert.equal(stateOf({ ...gd, findingsCompleteTo: 1200 }, state).tone, "ok");
});

test("a verdict ends with its generation, and a diverged run needs none", () => {
  const state = after(
    [
      frameOf("gd", { step: 600, verdict: "flat" }),
      frameOf("sgd", { step: 600, status: "diverged", verdict: "learning" }),
    ],
    opened({ status: "playing" }),
  );
  assert.equal(stateOf(state.runs.sgd, state).word, "diverged");
  const again = after(
    [{ type: "event", event: "reset", run: "gd", step: 0, generation: 1 }],
    state,
  );
  assert.deepEqual(
    [again.runs.gd.verdict, stateOf(again.runs.gd, again).word],
    ["waiting", "waiting"],
  );
  assert.match(lossSummary(state), /GD started at 12\.3: flat\. SGD started at 12\.3 and diverged/);
});

test("without a verdict there is no word, neither in the table nor in a sentence", () => {
  const state = after(
    [frameOf("gd", { step: 1, status: "playing" }), frameOf("sgd", { step: 1, status: "playing" })],
    opened(),
  );
  assert.deepEqual(stateOf(state.runs.gd, state), { word: "", glyph: null, tone: "muted" });
  assert.equal(lossSummary(state), "Loss by step. GD started at 12.3. SGD started at 12.3.");
});

test("numbers read as people write them", () => {
  assert.deepEqual([0.04391, 12.34, 0, 1284, 1.9e7, 0.00001, 1.8e-5, null, -0.5].map(number), [
    "0.0439",
    "12.3",
    "0",
    "1,284",
    "1.90e7",
    "1.00e−5",
    "1.80e−5",
    "–",
    "−0.500",
  ]);
  assert.deepEqual([12345, 123400, 1230000].map(counter), ["12,345", "123.4 k", "1.23 M"]);
  assert.deepEqual([1284, 1.43].map(epochs), ["1,284", "1.43"]);
  assert.deepEqual([-0.001, 0.876, null].map(score), ["0.00", "0.88", "–"]);
  assert.deepEqual([0.03, 1e-5, 1.25e-5, 0.006].map(setting), ["0.03", "1e−5", "1.25e−5", "0.006"]);
  assert.deepEqual([1e6, 2.5e7, 999_999, 1000, 1234.5, -0.5, -2000, 0].map(setting), [
    "1e6",
    "2.5e7",
    "999,999",
    "1,000",
    "1,234.5",
    "−0.5",
    "−2,000",
    "0",
  ]);
  assert.deepEqual([-4, -2, 0, 3].map(tick), ["1e−4", "0.01", "1", "1,000"]);
});

test("an answer older than an edit does not revert it", () => {
  const edit = {
    type: "event",
    event: "edit",
    run: "gd",
    step: 30,
    generation: 0,
    edit: { at_step: 30, batch_size: 32 },
  };
  const state = after([edit, { type: "experiment", state: answer() }], opened());
  assert.deepEqual(state.runs.gd.edits, [{ at_step: 30, batch_size: 32 }]);
  assert.equal(state.runs.gd.settings.batch_size, 32);
});

test("schedules, penalties and bounds appear in an edit's flag and a run's sentence", () => {
  const plain = { optimizer: "sgd", learning_rate: 0.1, batch_size: 1, order: "shuffle" };
  const cosine = { name: "cosine", steps: 1000, least: 0.01 };
  assert.equal(editWords({ schedule: cosine }, plain, catalog), "schedule cosine");
  assert.equal(editWords({ schedule: "inverse_time" }, plain, catalog), "schedule 1/t");
  assert.equal(
    editWords({ schedule: { ...cosine, steps: 500 } }, { ...plain, schedule: cosine }, catalog),
    "schedule cosine, steps 500",
  );
  // a schedule in an edit starts anew
  assert.equal(
    editWords({ schedule: cosine }, { ...plain, schedule: cosine }, catalog),
    "schedule cosine",
  );
  const sequence = { name: "inverse_time", steps: 1000, next: { ...cosine, least: 0.2 } };
  assert.equal(
    editWords({ schedule: sequence }, { ...plain, schedule: sequence }, catalog),
    "schedule 1/t, then cosine, least 0.2",
  );
  assert.equal(
    runSentence({ settings: { ...plain, schedule: sequence } }),
    "batch of 1, rate 0.1, 1/t then cosine",
  );
  assert.equal(editWords({ l1: 0.001, l2: 0 }, plain, catalog), "L1 0.001");
  assert.equal(editWords({ clip_norm: 1 }, plain, catalog), "clip norm 1");
  assert.equal(
    editWords({ clip_norm: null, clip_value: null }, { ...plain, clip_norm: 1 }, catalog),
    "clip norm off",
  );
  assert.equal(editWords({ order: "sequential" }, plain, catalog), "in order");
  const settings = { ...plain, schedule: cosine, l2: 0.001, l1: 0, clip_norm: 1, clip_value: null };
  assert.equal(runSentence({ settings }), "batch of 1, rate 0.1, cosine, L2 0.001, clip norm 1");
});

test("the minimized value is shown beside the loss only with a penalty", () => {
  const latest = { objective: { step: 4, value: 0.123 } };
  const { settings } = opened().runs.sgd;
  assert.equal(
    descendedWords(part<Run>({ settings: { ...settings, l2: 0.01 }, latest })),
    "minimized: 0.123",
  );
  assert.equal(descendedWords(part<Run>({ settings: { ...settings, l1: 0.01 }, latest: {} })), "");
  assert.equal(descendedWords(part<Run>({ settings: { ...settings, l1: 0, l2: 0 }, latest })), "");
});

test("schedule and penalties stay when the optimizer changes; its own settings are dropped", () => {
  const edit = (edit: Json) => ({ type: "event", event: "edit", run: "gd", edit });
  const state = after(
    [
      edit({ at_step: 1, schedule: "cosine", l2: 0.01, clip_norm: 1 }),
      edit({ at_step: 2, optimizer: "adam" }),
      edit({ at_step: 3, optimizer: "sgd" }),
    ],
    opened(),
  );
  const { schedule, l2, clip_norm: norm, beta1 } = state.runs.gd.settings;
  assert.deepEqual([schedule, l2, norm, beta1], ["cosine", 0.01, 1, undefined]);
});

test("a loss is named in either form of the recipe", () => {
  assert.deepEqual(
    ["mse", { name: "huber", delta: 0.5 }, "softmax_cross_entropy", "another_one"].map(lossWords),
    ["mean squared error", "Huber loss, delta 0.5", "softmax cross-entropy", "another one"],
  );
  assert.deepEqual(
    ["mse", "huber", "binary_cross_entropy", "softmax_cross_entropy"].map(takesLogits),
    [false, false, true, true],
  );
});

const TASKS = {
  datasets: [
    { name: "linear", task: "regression", classes: [] },
    { name: "sine", task: "regression", classes: [] },
    { name: "moons", task: "classification", classes: ["a", "b"] },
    { name: "iris", task: "classification", classes: ["a", "b", "c"] },
  ],
  losses: [
    { name: "mse", most_classes: 2 },
    { name: "binary_cross_entropy", most_classes: 2 },
    { name: "softmax_cross_entropy", most_classes: null },
  ],
};

test("other data of the same kind keep the loss, others get their own", () => {
  const keeps = (loss: Method, before: string, after: string) =>
    keepsLoss(TASKS, loss, { name: before }, { name: after });
  assert.ok(keeps("mse", "linear", "sine"));
  assert.ok(keeps("softmax_cross_entropy", "moons", "iris"));
  assert.ok(keeps({ name: "huber", delta: 2 }, "moons", "moons"));
  assert.ok(!keeps("mse", "linear", "moons"));
  assert.ok(!keeps("softmax_cross_entropy", "moons", "linear"));
  assert.ok(!keeps("binary_cross_entropy", "moons", "iris"));
  assert.ok(!keeps("mse", "linear", "a set that the catalog does not know"));
});

test("a recipe with classes names no loss, and its output is linear", () => {
  const state = after([{ type: "catalog", catalog: { ...catalog, ...TASKS } }], opened());
  state.experiment!.recipe = {
    ...state.experiment!.recipe,
    data: part<Recipe["data"]>({ name: "linear" }),
    network: { ...state.experiment!.recipe.network, layers: [], output: "tanh" },
  };
  const { loss, network } = changedRecipe(state, { data: { name: "moons" } });
  assert.deepEqual([loss, network.output], [undefined, "identity"]);
  const recipe = changedRecipe(state, { data: { name: "sine" } });
  assert.deepEqual([recipe.loss, recipe.network.output], ["mse", "tanh"]);
  assert.equal(changedRecipe(state, { data: { name: "moons" }, loss: "mse" }).loss, "mse");
});

const SETS = {
  datasets: [
    {
      name: "log_linear",
      task: "regression",
      features: null,
      samples: null,
      classes: [],
      parameters: [],
    },
    {
      name: "polynomial",
      task: "regression",
      features: 1,
      samples: null,
      classes: [],
      parameters: [{ name: "degree", default: 3 }],
    },
    {
      name: "moons",
      task: "classification",
      features: 2,
      samples: null,
      classes: ["a", "b"],
      parameters: [],
    },
    {
      name: "iris",
      task: "classification",
      features: 4,
      samples: 150,
      classes: ["a", "b", "c"],
      parameters: [],
    },
    {
      name: "diabetes",
      task: "regression",
      features: 10,
      samples: 442,
      classes: [],
      parameters: [],
    },
  ],
  losses: TASKS.losses,
};

test("other data drop what they fix themselves and what only the old data had", () => {
  const state = after([{ type: "catalog", catalog: { ...catalog, ...SETS } }], opened());
  const from = (data: Json) => (change: Json) => {
    state.experiment!.recipe = { ...state.experiment!.recipe, data: data as Recipe["data"] };
    return changedRecipe(state, { data: change }).data;
  };
  const linear = {
    name: "log_linear",
    samples: 1200,
    features: 5,
    noise: 0.1,
    test_fraction: 0.25,
    standardize: "none",
    seed: 4,
  };
  assert.deepEqual(from(linear)({ name: "moons" }), {
    name: "moons",
    samples: 1200,
    noise: 0.1,
    test_fraction: 0.25,
    standardize: "none",
    seed: 4,
  });
  // measured data have units of their own
  assert.deepEqual(from(linear)({ name: "iris" }), {
    name: "iris",
    noise: 0.1,
    test_fraction: 0.25,
    standardize: "inputs",
    seed: 4,
  });
  assert.equal(from(linear)({ name: "diabetes" }).standardize, "both");
  const iris = {
    name: "iris",
    samples: 150,
    features: 4,
    test_fraction: 0.2,
    standardize: "inputs",
    label_noise: 0.1,
    seed: 4,
  };
  assert.deepEqual(from(iris)({ name: "log_linear" }), {
    name: "log_linear",
    test_fraction: 0.2,
    seed: 4,
  });
  assert.equal(from(iris)({ name: "moons" }).label_noise, 0.1);
  assert.deepEqual(
    from({ name: "polynomial", degree: 7, features: 1, samples: 40 })({ name: "moons" }),
    { name: "moons", samples: 40 },
  );
  assert.deepEqual(from(linear)({ noise: 0.2 }), { ...linear, noise: 0.2 });
  const csv = {
    name: "csv",
    dataset: "d1",
    target: "price",
    samples: 80,
    features: 3,
    standardize: "both",
    seed: 4,
  };
  assert.deepEqual(from(csv)({ name: "log_linear" }), { name: "log_linear", seed: 4 });
  assert.deepEqual(
    from(csv)({ name: "csv", dataset: "d2", target: "size", standardize: "inputs" }),
    { name: "csv", dataset: "d2", target: "size", standardize: "inputs", seed: 4 },
  );
});

test("settings for one data set are not kept for the next", () => {
  const data = (change: Json) => ({ data: change });
  assert.deepEqual(
    joinedChanges(data({ degree: 7 }), data({ name: "moons" })),
    data({ name: "moons" }),
  );
  assert.deepEqual(
    joinedChanges(data({ name: "moons" }), data({ noise: 1 })),
    data({ name: "moons", noise: 1 }),
  );
  assert.deepEqual(
    joinedChanges({ runs: { gd: { seed: 1 } } }, { runs: { sgd: { seed: 2 } } }).runs,
    { gd: { seed: 1 }, sgd: { seed: 2 } },
  );
});

test("only losses that suit the data are offered", () => {
  const losses = [
    { name: "mse", task: "regression", most_classes: 2 },
    ...["binary", "softmax"].map((name, k) => ({
      name,
      task: "classification",
      most_classes: k ? null : 2,
    })),
  ];
  const offered = (classes: number) => fittingLosses({ losses }, classes).map(({ name }) => name);
  assert.deepEqual([0, 2, 3].map(offered), [["mse"], ["mse", "binary", "softmax"], ["softmax"]]);
});

test("another seed of one run is another experiment, with a notice", () => {
  const recipe = changedRecipe(opened(), { runs: { sgd: { seed: 9 } } });
  assert.deepEqual(
    recipe.runs.map(({ seed }) => seed),
    [0, 9],
  );
  assert.equal(
    freshWords({ runs: { sgd: { seed: 9 } } }, 2),
    "Another order of the samples: both runs start again at step 0.",
  );
});

test("a loss of logits gets a linear output", () => {
  const state = opened();
  const { recipe } = state.experiment!;
  recipe.network = { ...recipe.network, layers: [], output: "tanh" };
  assert.equal(changedRecipe(state, { loss: "softmax_cross_entropy" }).network.output, "identity");
  assert.equal(changedRecipe(state, { loss: "huber" }).network.output, "tanh");
});
