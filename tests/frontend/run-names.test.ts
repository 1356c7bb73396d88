// Names that the page gave follow an edit; names that a person gave do not.

import assert from "node:assert/strict";
import { test } from "node:test";

import { forkOf } from "../../frontend/core/forks.ts";
import { requestFor, undoing, undoingNow } from "../../frontend/features/doctor/remedies.ts";
import { forkLabel, labelAfterReset, namedEdit } from "../../frontend/core/run-names.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { answer, catalog as plainCatalog } from "./fake-server.ts";
import { live, settle } from "./world.ts";
import type { Json, Message, Remedy, State } from "../../frontend/core/types.ts";

const catalog = { ...plainCatalog, initializers: [{ name: "he" }, { name: "normal" }] };
const after = (messages: Message[], state = initialState()) => messages.reduce(reduce, state);
const opened = () =>
  after([
    { type: "catalog", catalog },
    { type: "opened", answer: answer(), token: "t" },
  ]);

/** The state with another run. */
function withRun(state: State, name: string, label: string, settings: Json = {}) {
  const recipe = { ...answer().recipe.runs[0], name, label, ...settings };
  const added = { ...answer().runs[0], name };
  return after([{ type: "event", event: "run_added", run: name, added, recipe }], state);
}

/** As the server reports a page's edit. */
const edited = (state: State, run: string, edit: Json, at_step = 0) =>
  after([{ type: "event", event: "edit", run, edit: { at_step, ...edit } }], state);

const label = (state: State, run: string) => state.runs[run].label;
const rename = (run: string, name: string) => (state: State) => edited(state, run, { label: name });

/** The name of "x" after each edit, beside runs called GD and SGD. */
function names(first: string, settings: Json, ...changes: Json[]) {
  let state = withRun(opened(), "x", first, settings);
  return changes.map((change) => {
    state = edited(state, "x", namedEdit(state, "x", change));
    return label(state, "x");
  });
}

test("a method's name follows the method, there and back, and has a number beside its like", () => {
  assert.deepEqual(
    names(
      "GD 2",
      {},
      { batch_size: 1 },
      { batch_size: 32 },
      { batch_size: 8 },
      { optimizer: "adam" },
      { batch_size: 1 },
      { optimizer: "sgd" },
      { batch_size: null },
    ),
    ["SGD 2", "Mini-batch", "Mini-batch", "Adam", "Adam", "SGD 2", "GD 2"],
  );
  const batches = names("GD 2", {}, { batch_size: 900 }, { batch_size: 899 });
  assert.deepEqual(batches, ["GD 2", "Mini-batch"], "a batch of all samples is GD");
});

test("the runs of a recipe without names follow too: the page wrote GD and SGD", () => {
  let state = opened();
  state = edited(state, "gd", namedEdit(state, "gd", { batch_size: 1 }));
  assert.equal(label(state, "gd"), "SGD 2");
  state = edited(state, "sgd", namedEdit(state, "sgd", { batch_size: null }));
  assert.equal(label(state, "sgd"), "GD");
});

test("a rate and a batch size in a name follow, in exhibits too", () => {
  assert.deepEqual(
    names("Rate 0.2", { learning_rate: 0.2 }, { learning_rate: 0.3 }, { batch_size: 1 }),
    ["Rate 0.3", "Rate 0.3"],
  );
  const size = { batch_size: 8 };
  const sizes = [{ batch_size: 16 }, { learning_rate: 1 }, { batch_size: null }];
  assert.deepEqual(names("Batch 8", size, ...sizes), ["Batch 16", "Batch 16", "GD 2"]);
  assert.deepEqual(names("Mini 8", size, ...sizes), ["Mini 16", "Mini 16", "GD 2"]);
  assert.deepEqual(names("Plain", {}, { learning_rate: 1 }, { optimizer: "momentum" }), [
    "Plain",
    "Momentum",
  ]);
  const whole = { learning_rate: 1 };
  assert.deepEqual(names("Rate 1", whole, { learning_rate: 2 }), ["Rate 2"], "1 is no number here");
});

test("an edit that leaves the name true changes no name", () => {
  const state = withRun(opened(), "x", "GD, rate 0.01", { learning_rate: 0.01 });
  for (const change of [{ l2: 0.1 }, { learning_rate: 0.01 }, { batch_size: null }, { stop: [] }])
    assert.deepEqual(namedEdit(state, "x", change), change);
  assert.deepEqual(namedEdit(state, "gone", { batch_size: 1 }), { batch_size: 1 });
});

test("a fork's name follows in each of its parts", () => {
  const slow = { learning_rate: 0.01 };
  assert.deepEqual(
    names("GD, rate 0.01", slow, { learning_rate: 0.02 }, { batch_size: 1 }, { l2: 1 }),
    ["GD, rate 0.02", "SGD, rate 0.02", "SGD, rate 0.02"],
  );
  assert.deepEqual(names("GD, rate 0.01, He", slow, { learning_rate: 0.02 }), [
    "GD, rate 0.02, He",
  ]);
  assert.deepEqual(
    names("GD, batch 8", { batch_size: 8 }, { batch_size: 16 }, { batch_size: null }),
    ["GD, batch 16", "GD 2"],
  );
  const adam = { optimizer: "adam" };
  assert.deepEqual(names("GD, Adam", adam, { optimizer: "nesterov" }, { optimizer: "sgd" }), [
    "GD, Nesterov",
    "GD 2",
  ]);
  assert.deepEqual(names("GD, cosine", { schedule: "cosine" }, { schedule: "constant" }), [
    "GD, constant",
  ]);
  const stop = { stop: [{ when: "loss_stalls" }] };
  assert.deepEqual(names("GD, stop", stop, { stop: [] }), ["GD 2"]);
});

test("a name that a person gave stays, even in part", () => {
  for (const name of ["The careful one", "Rate 0.5", "GD of Anna", "Anna, rate 0.1", "GD, Anna"])
    assert.deepEqual(
      names(name, {}, { learning_rate: 0.3 }, { batch_size: 1 }, { optimizer: "adam" }),
      [name, name, name],
      name,
    );
  const state = rename("gd", "Anna")(opened());
  const change = { batch_size: 1 };
  assert.deepEqual(namedEdit(state, "gd", change), change);
});

test("a fork of a run with a person's name keeps that part", () => {
  const parent = rename("gd", "Anna")(opened());
  const origin = { run: "gd", at_step: 3 };
  const state = withRun(parent, "x", "Anna, rate 0.01", { learning_rate: 0.01, origin });
  const { label: name } = namedEdit(state, "x", { learning_rate: 0.02 });
  assert.equal(name, "Anna, rate 0.02");
});

test("a fork of the past has the name of the settings there, and says a setting once", () => {
  let state = after([{ type: "experiment", state: answer({ step: 80 }) }], opened());
  state = edited(state, "gd", namedEdit(state, "gd", { batch_size: 1 }), 40);
  assert.equal(label(state, "gd"), "SGD 2");
  const name = (step: number, change: Json = {}) => forkOf(state, "gd", step, change).label;
  assert.equal(name(40, { learning_rate: 0.5 }), "GD, rate 0.5", "the edit at 40 is left out");
  assert.equal(name(41, { learning_rate: 0.5 }), "SGD 2, rate 0.5");
  const slow = withRun(state, "x", "GD, rate 0.01", { learning_rate: 0.01 });
  assert.equal(forkLabel(slow, "x", { learning_rate: 0.5 }), "GD, rate 0.5");
});

test("a diverged run keeps its name beside what it did, and gets the new one when it starts again", async () => {
  const { app, socket } = await live();
  await settle();
  const fast = answer({ step: 85, status: "diverged" });
  const recipe = { ...fast.recipe.runs[0], label: "Rate 0.5", learning_rate: 0.5 };
  const [gd, ...others] = fast.runs;
  const state = {
    ...fast,
    id: app.store.get().experiment?.id ?? "",
    recipe: { ...fast.recipe, runs: [recipe, ...fast.recipe.runs.slice(1)] },
    runs: [{ ...gd, label: "Rate 0.5" }, ...others],
  };
  app.store.dispatch({ type: "experiment", state });
  app.edit("gd", { learning_rate: 0.05 });
  assert.equal(label(app.store.get(), "gd"), "Rate 0.5");
  assert.equal(labelAfterReset(app.store.get(), "gd"), "Rate 0.05");
  app.edit("gd", { learning_rate: 0.02 });
  for (const { id } of socket().commands()) socket().say({ type: "ack", id });
  app.reset("gd");
  const sent = () =>
    socket()
      .commands()
      .map(({ do: what, label: name }) => [what, name]);
  await settle();
  for (const { id } of socket().commands()) socket().say({ type: "ack", id });
  await settle();
  assert.deepEqual(sent().slice(-2), [
    ["reset", undefined],
    ["edit", "Rate 0.02"],
  ]);
  app.stop();
});

test("one command has the edit and its name; a refusal takes both back", async () => {
  const { app, socket } = await live();
  await settle();
  const now = () => app.store.get().runs.gd;
  const before = now().label;
  app.edit("gd", { batch_size: 1 });
  const [{ id, ...sent }] = socket().commands();
  assert.deepEqual([sent.batch_size, sent.label], [1, "SGD 2"]);
  assert.deepEqual([now().settings.batch_size, now().label], [1, "SGD 2"]);
  socket().say({ type: "error", id, problem: { title: "No." } });
  assert.deepEqual([now().settings.batch_size, now().label], [null, before]);
  app.stop();
});

test("undo of a remedy brings the former name back, unless a person has named the run since", () => {
  const state = withRun(opened(), "x", "Plain");
  const command = { do: "edit", run: "x", optimizer: "momentum" };
  const request = requestFor(state, { label: "Momentum", hint: "", command } as unknown as Remedy);
  assert.deepEqual(request.body, { optimizer: "momentum", label: "Momentum" });
  const undo = undoing(state, request);
  assert.deepEqual(undo.body, { optimizer: "sgd", label: "Plain" });
  const body = (now: State) => undoingNow(now, request, undo).body;
  const done = edited(state, "x", request.body);
  assert.deepEqual(body(done), { optimizer: "sgd", label: "Plain" });
  assert.deepEqual(body(rename("x", "Anna")(done)), { optimizer: "sgd" });
  const other = edited(done, "x", namedEdit(done, "x", { optimizer: "adam" }));
  assert.deepEqual(body(other), { optimizer: "sgd", label: "GD 2" }, "another edit came between");
});

test("a reset keeps the name with its settings, and its undo brings back the earlier name and settings", () => {
  const state = edited(opened(), "gd", namedEdit(opened(), "gd", { batch_size: 1 }), 7);
  const [before] = answer().recipe.runs;
  const reset = { type: "event", event: "reset", run: "gd" };
  const again = after(
    [{ ...reset, generation: 1, recipe: { ...before, batch_size: 1, label: "SGD 2" } }],
    state,
  );
  assert.deepEqual([label(again, "gd"), again.runs.gd.edits], ["SGD 2", []]);
  const back = after([{ ...reset, generation: 2, recipe: before, undone: true }], again);
  assert.equal(label(back, "gd"), "GD");
});

test("while a newer name waits, an older answer does not bring back its own", async () => {
  const { app, socket } = await live();
  app.edit("gd", { batch_size: 1 });
  app.edit("gd", { optimizer: "adam" });
  const [{ id }] = socket().commands();
  socket().say({
    type: "ack",
    id,
    answer: { run: "gd", at_step: 0, batch_size: 1, label: "SGD 2" },
  });
  assert.equal(app.store.get().runs.gd.label, "Adam");
  app.edit("gd", { optimizer: "nesterov" });
  assert.equal(app.store.get().runs.gd.label, "Nesterov");
  app.stop();
});
