// When the page requests its runs' instruments, by the test's clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createPastView } from "../../frontend/features/transport/past-view.ts";
import { createRunRequests } from "../../frontend/core/net/run-requests.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createStore } from "../../frontend/core/store.ts";
import { answer } from "./fake-server.ts";
import { part } from "./world.ts";
import type { Api } from "../../frontend/core/net/api.ts";
import type { Environment, Json } from "../../frontend/core/types.ts";

/** The server's answer about paused runs. */
function resting(step: number) {
  const state = answer({ step });
  for (const run of state.runs) run.latest = { train_loss: { step, value: 0.25 } };
  return state;
}
const settle = () => new Promise((go) => setImmediate(go));

/** An answer with classes over a plane, which have a map. */
const { recipe } = answer();
const MAPPED = {
  classes: ["lower", "upper"],
  recipe: { ...recipe, data: { ...recipe.data, features: 2 } },
};

function watching({ units = 4, of = { recipe } } = {}) {
  const store = createStore(initialState(), reduce);
  const layers = [{ units, activation: "relu" }];
  for (const message of [
    {
      type: "opened",
      answer: answer({ ...of, recipe: { ...of.recipe, network: { ...recipe.network, layers } } }),
    },
    { type: "connection", status: "ready" },
  ])
    store.dispatch(message);
  const clock = { now: 0, due: 0, run: null as (() => void) | null, takes: 0 };
  const looks: string[] = [];
  const api = part<Api>({
    instrument: async (_, run, name, __, query = "") => {
      const params = new URLSearchParams(query);
      const parts = [
        ...(params.has("weights") ? ["weights"] : []),
        ...(params.get("predictions") === "pairs" ? ["predictions"] : []),
      ];
      looks.push(name === "units" ? `${run} units` : `${run} ${["units", ...parts].join(", ")}`);
      clock.now += clock.takes;
      const { step } = store.get().runs[run];
      const answers: Json = {
        units: { layers: [] },
        predictions: { split: "train", y: [], y_pred: [] },
        weights: {},
      };
      return name === "units"
        ? { step, ...answers.units }
        : { step, ...Object.fromEntries(["units", ...parts].map((part) => [part, answers[part]])) };
    },
    experiment: async () => (looks.push("experiment"), resting(store.get().runs.gd.step)),
  });
  const environment = part<Environment>({
    now: () => clock.now,
    hidden: () => false,
    clearTimeout: () => void (clock.run = null),
    setTimeout: (run, ms) => Object.assign(clock, { run, due: clock.now + ms }),
  });
  const observer = createRunRequests({ api, store, environment });
  async function pass(ms: number) {
    clock.now += ms;
    while (clock.run && clock.due <= clock.now) {
      const { run } = clock;
      clock.run = null;
      run();
      await settle();
    }
    return looks.splice(0);
  }
  const stand = (step: number, status = "paused") =>
    store.dispatch({
      type: "frame",
      runs: Object.fromEntries(
        ["gd", "sgd"].map((name) => [
          name,
          { status, step, epoch: step, samples_seen: step, generation: 0, latest: {} },
        ]),
      ),
    });
  return { store, observer, pass, stand, clock };
}

test("stopped runs are requested at once, and standing ones only once", async () => {
  const { observer, pass, stand, store } = watching();
  observer.start();
  await settle();
  await pass(1000);
  stand(10, "playing");
  assert.equal((await pass(200)).length, 0);
  stand(12);
  assert.deepEqual(
    (await pass(0)).filter((look) => look !== "experiment"),
    ["gd units, weights, predictions", "sgd units, weights, predictions"],
  );
  const { units, predictions, weights } = store.get().runs.gd;
  assert.deepEqual([units!.step, predictions!.step, weights!.step], [12, 12, 12]);
  assert.equal((await pass(1000)).length, 0);
});

test("single steps are requested ten times a second at most, the last one always", async () => {
  const { observer, pass, stand, store } = watching();
  observer.start();
  await settle();
  await pass(1000);
  let count = 0;
  for (let step = 1; step <= 10; step++) {
    stand(step);
    count += (await pass(20)).filter((look) => look.startsWith("gd")).length;
  }
  count += (await pass(100)).filter((look) => look.startsWith("gd")).length;
  assert.ok(count <= 4, `${count} looks in 0.3 s`);
  assert.equal(store.get().runs.sgd.predictions!.step, 10);
});

test("a slow server gets fewer requests", async () => {
  const { observer, pass, stand, clock } = watching();
  observer.start();
  await settle();
  await pass(1000);
  clock.takes = 100; // two questions, one after the other
  stand(1, "playing");
  await pass(250);
  clock.takes = 0;
  stand(2, "playing");
  assert.equal((await pass(700)).length, 0);
  assert.equal((await pass(100)).length, 2);
});

test("a large network's weights are requested for the drawn run, at once after a switch", async () => {
  const { observer, pass, stand, store } = watching({ units: 200 });
  observer.start();
  await settle();
  await pass(1000);
  stand(1, "playing");
  assert.deepEqual(await pass(250), ["gd units, weights, predictions", "sgd units, predictions"]);
  store.dispatch({ type: "hidden", run: "sgd", hidden: true });
  await pass(250);
  stand(2, "playing");
  assert.deepEqual(await pass(250), ["gd units, weights, predictions", "sgd units"]);
  store.dispatch({ type: "view", part: { networkRun: "sgd" } });
  assert.deepEqual(await pass(100), ["gd units, predictions", "sgd units, weights"]);
});

test("predictions are requested where visible: not beside a map, which has its own, nor for hidden runs", async () => {
  const { observer, pass, stand, store } = watching({ of: MAPPED });
  observer.start();
  await settle();
  await pass(1000);
  stand(1, "playing");
  assert.deepEqual(await pass(250), ["gd units, weights", "sgd units, weights"]);
  assert.equal(store.get().runs.gd.predictions, null);
  store.dispatch({ type: "view", part: { predicted: "table" } });
  assert.deepEqual(await pass(100), [
    "gd units, weights, predictions",
    "sgd units, weights, predictions",
  ]);
  store.dispatch({ type: "hidden", run: "gd", hidden: true });
  await pass(250);
  stand(2, "playing");
  assert.deepEqual(await pass(250), ["gd units, weights", "sgd units, weights, predictions"]);
  assert.equal(
    store.get().runs.gd.predictions!.step,
    1,
    "what is held stays, and says of which step it is",
  );
});

test("runs stopped by another page get the losses of their step", async () => {
  const { observer, pass, stand, store } = watching();
  observer.start();
  await settle();
  await pass(1000);
  stand(12);
  assert.ok((await pass(100)).includes("experiment"));
  assert.deepEqual(store.get().runs.sgd.latest.train_loss, { step: 12, value: 0.25 });
  stand(13);
  store.dispatch({ type: "sent", id: "r", do: "reset", run: null, body: {} });
  await pass(200);
  assert.equal(store.get().runs.sgd.latest.train_loss.step, 12);
});

test("so do runs that were requested before they were known to stand", async () => {
  const { observer, pass, stand, store } = watching();
  observer.start();
  await settle();
  stand(12, "playing");
  assert.ok(!(await pass(2000)).includes("experiment"));
  stand(12);
  assert.ok((await pass(200)).includes("experiment"));
  assert.deepEqual(store.get().runs.sgd.latest.train_loss, { step: 12, value: 0.25 });
});

test("a run being removed is not requested any more", async () => {
  const { observer, pass, stand, store } = watching();
  observer.start();
  await settle();
  await pass(1000);
  store.dispatch({ type: "sent", id: "r", do: "remove_run", run: "sgd", body: {} });
  stand(12);
  assert.deepEqual(
    (await pass(250)).filter((look) => look !== "experiment"),
    ["gd units, weights, predictions"],
  );
});

test("a past step is one request a run: with weights for the drawn run, without predictions beside a map", async () => {
  const store = createStore(initialState(), reduce);
  for (const message of [
    { type: "opened", answer: answer({ step: 20, ...MAPPED }) },
    { type: "connection", status: "ready" },
  ])
    store.dispatch(message);
  const requests: string[] = [];
  const api = part<Api>({
    instrument: async (_, run, name, step, query = "") => {
      requests.push(`${run} ${name} ${query}`);
      const predictions = query.includes("pairs") ? { predictions: { y: [1], y_pred: [2] } } : {};
      return {
        step,
        latest: {},
        units: {},
        ...predictions,
        ...(query.includes("weights") ? { weights: { W1: {} } } : {}),
      };
    },
  });
  const pastView = createPastView({
    api,
    store,
    environment: part<Environment>({ setTimeout() {}, clearTimeout() {} }),
  });
  store.dispatch({ type: "look", step: 12 });
  await settle();
  assert.deepEqual(requests.splice(0), [
    "gd moment weights=16&predictions=none",
    "sgd moment predictions=none",
  ]);
  const { moments } = store.get().looking!;
  assert.deepEqual(
    [moments.gd.weights!.of, moments.gd.weights!.step, moments.sgd.weights],
    [{ W1: {} }, 12, null],
  );
  store.dispatch({ type: "view", part: { predicted: "table" } });
  await settle();
  assert.deepEqual(requests.splice(0), [
    "gd moment weights=16&predictions=pairs",
    "sgd moment predictions=pairs",
  ]);
  assert.equal(store.get().looking!.moments.sgd.predictions!.step, 12);
  pastView.stop();
});

test("returning to the same past step before its answer arrives shows it", async () => {
  const store = createStore(initialState(), reduce);
  for (const message of [
    { type: "opened", answer: answer({ step: 20 }) },
    { type: "connection", status: "ready" },
  ])
    store.dispatch(message);
  const waiting: (() => void)[] = [];
  const api = part<Api>({
    instrument: (_, __, ___, step) =>
      new Promise((go) => waiting.push(() => go({ step, generation: 1, latest: {}, units: {} }))),
  });
  const answered = async () => {
    for (const go of waiting.splice(0)) go();
    await settle();
  };
  const pastView = createPastView({
    api,
    store,
    environment: part<Environment>({ setTimeout() {}, clearTimeout() {} }),
  });
  for (const again of ["after the answer", "before it"]) {
    store.dispatch({ type: "look", step: 12 });
    await settle();
    store.dispatch({ type: "look", step: null });
    if (again === "after the answer") await answered();
    store.dispatch({ type: "look", step: 12 });
    for (let k = 0; k < 3; k++) await answered();
    assert.equal(store.get().looking!.moments.gd?.step, 12, again);
    store.dispatch({ type: "look", step: null });
  }
  pastView.stop();
});
