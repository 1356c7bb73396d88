import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { laneFor, lanesOf } from "../../frontend/core/lanes.ts";
import { forkLabel, newLabel } from "../../frontend/core/run-names.ts";
import { nextRun } from "../../frontend/core/recipes.ts";
import { dataLine, networkLine } from "../../frontend/features/recipe/recipe-words.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { answer, catalog } from "./fake-server.ts";
import type { Experiment, Message, State } from "../../frontend/core/types.ts";

const after = (messages: Message[], state = initialState()) => messages.reduce(reduce, state);
const opened = () =>
  after([
    { type: "catalog", catalog },
    { type: "opened", answer: answer(), token: "t" },
  ]);

const plain = (batch_size: number | null) => ({ optimizer: "sgd", batch_size });
const of = (optimizer: string, batch_size: number | null = 32) => ({ optimizer, batch_size });

test("each method has a lane of its own", () => {
  const methods = [plain(null), plain(1), plain(32), of("momentum"), of("adam"), of("rmsprop")];
  assert.deepEqual(lanesOf(methods), ["a", "b", "c", "d", "e", "f"]);
  for (const [kin, lane] of [
    ["nesterov", "d"],
    ["adamw", "e"],
    ["radam", "e"],
    ["adagrad", "f"],
    ["lion", "g"],
  ])
    assert.equal(laneFor(of(kin), []), lane, kin);
});

test("second runs of a method take the further lanes, then any free one; eight are all different", () => {
  assert.deepEqual(lanesOf([plain(1), plain(1), plain(1), plain(1)]), ["b", "g", "h", "a"]);
  assert.equal(laneFor(plain(null), ["a", "g"]), "h");
  for (const methods of [
    Array(8).fill(plain(null)),
    [...Array(4).fill(of("adam")), ...Array(4).fill(plain(8))],
  ])
    assert.equal(new Set(lanesOf(methods)).size, 8);
});

test("runs of figures and reports have the same lanes as on the page", () => {
  const golden = JSON.parse(readFileSync(new URL("../golden/lanes.json", import.meta.url), "utf8"));
  assert.ok(golden.length > 20);
  for (const { methods, lanes } of golden) assert.deepEqual(lanesOf(methods), lanes);
});

/** The state with another run. */
function withRun(state: State, name: string, label: string, settings: object = {}) {
  const recipe = { ...answer().recipe.runs[1], name, label, ...settings };
  const added = { ...answer().runs[1], name };
  return after([{ type: "event", event: "run_added", run: name, added, recipe }], state);
}

test("a run keeps its lane when others come and go, and when its method changes", () => {
  let state = withRun(opened(), "sgd-2", "SGD, rate 0.02");
  assert.equal(state.runs["sgd-2"].lane, "g");
  state = after([{ type: "event", event: "run_removed", run: "sgd" }], state);
  assert.equal(state.runs["sgd-2"].lane, "g");
  const edit = { at_step: 0, batch_size: 1 };
  state = after([{ type: "event", event: "edit", run: "gd", edit }], state);
  assert.equal(state.runs.gd.lane, "a");
  assert.equal(withRun(state, "new", "SGD").runs.new.lane, "b", "it is free again");
});

test("a fork has the lane of its own method, in an event and in an answer, and keeps it for life", () => {
  const origin = { run: "gd", at_step: 200 };
  const adam = { at_step: 200, optimizer: "adam", batch_size: 8 };
  const recipe = { ...answer().recipe.runs[0], name: "run-3", origin, edits: [adam] };
  const added = { ...answer().runs[0], name: "run-3", step: 200 };
  const state = after(
    [{ type: "event", event: "run_added", run: "run-3", added, recipe }],
    opened(),
  );
  assert.equal(state.runs["run-3"].lane, "e");
  const later = { ...recipe, edits: [adam, { at_step: 201, optimizer: "rmsprop" }] };
  const { recipe: whole, runs } = answer();
  const all = answer({
    recipe: { ...whole, runs: [...whole.runs, later] },
    runs: [...runs, added],
  });
  const reloaded = after([
    { type: "catalog", catalog },
    { type: "opened", answer: all, token: "t" },
  ]);
  assert.equal(reloaded.runs["run-3"].lane, "e", "a later edit is none of its beginning");
});

test("a name says what differs, with at most two changes, and a number only if two would be equal", () => {
  const state = opened();
  assert.equal(forkLabel(state, "sgd", { learning_rate: 0.02 }), "SGD, rate 0.02");
  assert.equal(forkLabel(state, "gd", { batch_size: 8 }), "GD, batch 8");
  assert.equal(forkLabel(state, "gd", { optimizer: "adam" }), "GD, Adam");
  assert.equal(forkLabel(state, "gd", {}), "GD 2");
  const fork = withRun(state, "sgd-9", "SGD, rate 0.02");
  const he = { redraw: { layers: [2], weights: "he" } };
  assert.equal(forkLabel(fork, "sgd-9", he), "SGD, rate 0.02, He");
  assert.equal(forkLabel(fork, "sgd", { learning_rate: 0.02 }), "SGD, rate 0.02 2");
  const twice = withRun(fork, "sgd-10", "SGD, rate 0.02, He");
  assert.equal(forkLabel(twice, "sgd-10", { batch_size: 4 }), "SGD, He, batch 4");
  const adam = { optimizer: "adam", batch_size: 8, learning_rate: 0.005 };
  assert.equal(forkLabel(state, "gd", adam), "GD, Adam, batch 8", "the method is no third change");
});

test("the server names runs without a name in the same way", () => {
  const golden = JSON.parse(
    readFileSync(new URL("../golden/run_names.json", import.meta.url), "utf8"),
  );
  assert.ok(golden.forks.length > 10);
  for (const { parent, settings, change, label } of golden.forks) {
    const known = { ...plain(null), learning_rate: 0.1, order: "shuffle", ...settings };
    const fork = forkLabel(withRun(opened(), "x", parent, known), "x", change);
    assert.equal(fork, label);
  }
  for (const { settings, label } of golden.new)
    assert.equal(newLabel(opened(), { learning_rate: 0.1, ...plain(null), ...settings }), label);
});

test("an added run is named by its method, else by batch or rate", () => {
  let state = opened();
  assert.equal(newLabel(state, { ...plain(32), learning_rate: 0.1 }), "Mini-batch");
  state = withRun(state, "mini", "Mini-batch", { batch_size: 32 });
  assert.equal(newLabel(state, { ...plain(8), learning_rate: 0.1 }), "Batch 8");
  assert.equal(newLabel(state, { ...plain(32), learning_rate: 0.2 }), "Rate 0.2");
  assert.equal(newLabel(state, { ...of("adam"), learning_rate: 0.01 }), "Adam");
  assert.equal(
    newLabel(state, { ...plain(null), learning_rate: state.runs.gd.settings.learning_rate }),
    "GD 2",
  );
  assert.equal(nextRun(opened()).label, "Mini-batch");
});

test("data and network have a line each", () => {
  const experiment = opened().experiment as Experiment;
  const layers = (...units: number[]) =>
    units.map((count) => ({ units: count, activation: "relu" }));
  const lineWith = (network: object) =>
    networkLine({
      ...experiment,
      recipe: { ...experiment.recipe, network: { ...experiment.recipe.network, ...network } },
    });
  assert.match(dataLine(experiment).detail, /^5 inputs, \d+ samples to train$/);
  assert.match(
    dataLine({ ...experiment, classes: ["a", "b", "c"] }).detail,
    /^3 classes, 5 inputs, /,
  );
  assert.equal(lineWith({ layers: layers(4, 4) }).value, "5 → 4 → 4 → 1, relu");
  assert.equal(
    lineWith({ layers: layers(...Array(8).fill(8)) }).value,
    "5 → 8 layers of 8 → 1, relu",
  );
  assert.equal(lineWith({ layers: [] }).value, "5 → 1");
  assert.match(lineWith({ weights: "he" }).detail, /^\d+ parameters, He weights$/);
  assert.match(lineWith({ start: "id" }).detail, /weights from a file$/);
});

test("after a reload runs have the lanes that this browser saw", async () => {
  const lanes = { gd: "a", sgd: "h" };
  const state = after([
    { type: "catalog", catalog },
    { type: "opened", answer: answer(), token: "t", lanes },
  ]);
  assert.deepEqual([state.runs.gd.lane, state.runs.sgd.lane], ["a", "h"]);
});

test("in an exhibit a run has its method's lane, even if another run had its name before", () => {
  const { recipe } = answer();
  const [gd, sgd] = recipe.runs;
  const open = (id: string, change: object, state?: State) =>
    after(
      [{ type: "opened", answer: answer({ id, recipe: { ...recipe, ...change } }), token: "t" }],
      state,
    );
  const exhibits = [{ name: "notebook", recipe }];
  const start = after([{ type: "catalog", catalog: { ...catalog, exhibits } }]);
  const own = open("e1", { runs: [gd, { ...sgd, batch_size: 32 }] }, start);
  assert.equal(own.runs.sgd.lane, "c");
  const others = { data: { ...recipe.data, seed: 9 } };
  assert.equal(open("e2", others, own).runs.sgd.lane, "c", "one's own runs keep it");
  assert.equal(open("e3", {}, own).runs.sgd.lane, "b");
});
