// When the page requests its instruments, which answers it keeps, and their words.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createInstrumentRequests } from "../../frontend/features/figures/instrument-requests.ts";
import {
  costWords,
  gaugeSummary,
  GAUGES,
  keyWords,
  MOST,
  openInstruments,
  readingWords,
  answersOf,
  waitingWords,
} from "../../frontend/core/instruments.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createStore } from "../../frontend/core/store.ts";
import { answer, classified } from "./fake-server.ts";
import type { Environment, Json, State } from "../../frontend/core/types.ts";
import { part } from "./world.ts";
import type { Api } from "../../frontend/core/net/api.ts";

const settle = () => new Promise((go) => setImmediate(go));
const answerAt = (step: number, more = {}) => ({
  step,
  generation: 0,
  sharpness: 9,
  limit: 10,
  edge: 0.9,
  eigenvalues: [9, 1],
  batch: { alpha: 0.2, losses: [1, 2] },
  train: { alpha: 0.1 },
  noise_scale: 4,
  batch_size: 1,
  cost_seconds: 0.004,
  again_seconds: 0.096,
  ...more,
});

function page({ takes = 5, fails = () => false as boolean, opened = answer() } = {}) {
  const store = createStore(initialState(), reduce);
  for (const message of [
    { type: "opened", answer: opened, token: "t" },
    { type: "connection", status: "ready" },
  ])
    store.dispatch(message);
  const clock = { now: 0, due: 0, run: null as (() => void) | null, hidden: false };
  const requests: string[] = [];
  const api = part<Api>({
    figure: async (_, name, how) => (
      requests.push(`figure ${name} ${how?.filled}`), { data: [], layout: {} }
    ),
    async instrument(_, run, name, step) {
      requests.push(`${clock.now} ${run} ${name} ${step ?? "now"}`);
      clock.now += takes;
      if (fails()) throw new Error("no answer");
      return answerAt(step ?? store.get().runs[run].step);
    },
  });
  const environment = part<Environment>({
    now: () => clock.now,
    hidden: () => clock.hidden,
    clearTimeout: () => void (clock.run = null),
    setTimeout: (run, ms) => Object.assign(clock, { run, due: clock.now + ms }),
  });
  const gauges = createInstrumentRequests({ api, store, environment });
  async function pass(ms: number) {
    const until = clock.now + ms;
    while (clock.run && clock.due <= until) {
      const { run } = clock;
      clock.now = Math.max(clock.now, clock.due);
      clock.run = null;
      run();
      for (let k = 0; k < 8; k++) await settle();
    }
    clock.now = Math.max(clock.now, until);
    return requests.splice(0);
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
  const open = (part = {}) =>
    store.dispatch({ type: "view", part: { panel: "instruments", ...part } });
  return { store, gauges, pass, stand, open, clock };
}

test("closed instruments request nothing, and each of the three is requested once for paused runs", async () => {
  const { pass, stand, open, store } = page();
  stand(7);
  assert.deepEqual(await pass(5_000), []);
  open();
  const requests = await pass(5_000);
  assert.deepEqual(
    requests.filter((line) => line.startsWith("figure")),
    ["figure edge false", "figure alpha false", "figure noise false"],
  );
  assert.deepEqual(
    requests
      .filter((line) => !line.startsWith("figure"))
      .map((line) => line.split(" ").slice(1).join(" ")),
    ["gd curvature now", "gd alpha now", "gd noise now"],
  );
  stand(8);
  assert.equal((await pass(5_000)).length, 3, "another moment");
  open({ networkRun: "sgd" });
  const others = await pass(5_000);
  assert.ok(others.length === 3 && others.every((line) => line.includes("sgd")), "another run");
  open({ panel: "gradients" });
  stand(9);
  assert.deepEqual([await pass(5_000), openInstruments(store.get())], [[], []]);
});

test("the drawn run is measured: the one in trouble, until another is chosen", async () => {
  const { pass, stand, open, store } = page();
  stand(7);
  open({ selectedRun: "gd" });
  await pass(5_000);
  const finding = {
    id: "dead_layer@5",
    rule: "dead_layer",
    severity: "problem",
    since_step: 5,
    until_step: null,
    found_at: 7,
    seen_at: 7,
    title: "",
    evidence: "",
    first_evidence: "",
    remedies: [],
  };
  store.dispatch({ type: "event", event: "finding", run: "sgd", step: 7, generation: 0, finding });
  const requests = await pass(5_000);
  assert.ok(requests.length === 3 && requests.every((line) => line.includes("sgd")), `${requests}`);
  open({ networkRun: "gd" });
  stand(8);
  assert.ok((await pass(5_000)).every((line) => line.includes("gd")));
});

test("another figure of a measured instrument loads its specification without measuring again", async () => {
  const { pass, stand, open } = page();
  stand(7);
  open();
  await pass(5_000);
  open({ instruments: "spectrum" });
  assert.deepEqual(await pass(5_000), ["figure spectrum false"]);
  open({ instruments: "layers" });
  assert.deepEqual(await pass(5_000), ["figure layers false"]);
});

test("during training requests are sequential and keep to the server's share", async () => {
  const { pass, stand, open } = page();
  stand(7, "playing");
  open();
  const times = (await pass(3_000))
    .filter((line) => !line.startsWith("figure"))
    .map((line) => line.split(" "));
  assert.deepEqual(
    [...new Set(times.map(([, , name]) => name))],
    ["curvature", "alpha", "noise"],
    "in turn",
  );
  assert.deepEqual(
    times.slice(0, 3).map(([, , name]) => name),
    times.slice(3, 6).map(([, , name]) => name),
  );
  const gaps = times.slice(1).map(([at], k) => Number(at) - Number(times[k][0]));
  assert.ok(
    gaps.length > 20 && gaps.every((gap) => gap >= 100),
    "96 ms after each answer, but not before 100",
  );
  const spent = times.length * 4;
  assert.ok(spent / 3_000 <= 0.041, "milliseconds of a processor in three seconds");
});

test("the past view measures that step; a hidden page measures nothing", async () => {
  const past = page();
  past.stand(70);
  past.store.dispatch({ type: "look", step: 12 });
  past.open();
  assert.ok(
    (await past.pass(2_000))
      .filter((line) => !line.startsWith("figure"))
      .every((line) => line.endsWith(" 12")),
  );
  const hidden = page();
  hidden.clock.hidden = true;
  hidden.open();
  assert.deepEqual(await hidden.pass(2_000), []);
  hidden.clock.hidden = false;
  assert.equal((await hidden.pass(2_000)).length, 6);
});

test("a request without an answer is repeated later", async () => {
  let down = true;
  const { pass, open } = page({ fails: () => down });
  open();
  assert.equal((await pass(1_900)).filter((line) => line.includes("curvature")).length, 1);
  down = false;
  assert.equal((await pass(3_000)).filter((line) => !line.startsWith("figure")).length, 3);
});

const isOfMaps = (line: string) => line.split(" ")[2] === "map";

test("visible maps of visible runs are requested at a past step, once each", async () => {
  const { pass, stand, store, clock } = page({ opened: classified(3) });
  const show = (part: Json) => store.dispatch({ type: "view", part });
  const mapCount = async () => (await pass(2_000)).filter(isOfMaps).length;
  stand(70);
  show({ isMapSeen: true, mapInputs: [0, 1] });
  assert.equal(await mapCount(), 0, "the present has them with the beat");
  store.dispatch({ type: "look", step: 12 });
  assert.equal(await mapCount(), 2);
  show({ mapInputs: [2, 1] });
  assert.equal(await mapCount(), 2);
  show({ mapInputs: [0, 1] });
  assert.equal(await mapCount(), 0);
  store.dispatch({ type: "hidden", run: "gd", hidden: true });
  store.dispatch({ type: "look", step: 13 });
  assert.equal(await mapCount(), 1);
  show({ isMapSeen: false });
  store.dispatch({ type: "look", step: 14 });
  assert.equal(await mapCount(), 0, "out of sight");
  show({ isMapSeen: true });
  clock.hidden = true;
  store.dispatch({ type: "look", step: 15 });
  assert.equal(await mapCount(), 0, "a hidden page");
});

test("the past view shows maps of that step", async () => {
  const { pass, stand, store } = page({ opened: classified() });
  stand(70);
  store.dispatch({ type: "view", part: { isMapSeen: true } });
  store.dispatch({ type: "look", step: 12 });
  const lines = (await pass(1_000)).map((line) => line.split(" "));
  assert.deepEqual(
    lines.map(([, run, name, step]) => `${run} ${name} ${step}`),
    ["gd map 12", "sgd map 12"],
  );
  assert.equal(answersOf(store.get(), "gd", "map").last!.step, 12);
  assert.deepEqual(answersOf(store.get(), "gd", "map").trail, [], "no figure draws its trail");
});

const measured = (state: State, name: string, answer: Json) =>
  reduce(state, { type: "instrument", run: "gd", name, answer });

test("a trail holds numbers by step, has a limit, and ends with a run's generation", () => {
  const { store } = page();
  let state = [30, 10, 20, 10].reduce(
    (before, step) => measured(before, "curvature", answerAt(step)),
    store.get(),
  );
  assert.deepEqual(
    answersOf(state, "gd", "curvature").trail.map(({ step }) => step),
    [10, 20, 30],
  );
  assert.equal(
    answersOf(state, "gd", "curvature").last!.step,
    10,
    "the one that was asked for last is shown",
  );
  assert.deepEqual(answersOf(state, "gd", "curvature").trail[0].eigenvalues, undefined);
  assert.deepEqual(answersOf(state, "gd", "curvature").trail[0].batch, { alpha: 0.2 });
  for (let step = 100; step < 2_000; step++) state = measured(state, "curvature", answerAt(step));
  const { trail } = answersOf(state, "gd", "curvature");
  assert.ok(
    trail.length <= MOST &&
      trail.length > MOST / 3 &&
      trail[0].step === 10 &&
      trail.at(-1)!.step === 1_999,
  );
  assert.equal(
    measured(state, "curvature", answerAt(5, { generation: 3 })),
    state,
    "of another life",
  );
  const reset = reduce(state, {
    type: "frame",
    runs: {
      gd: { status: "paused", step: 0, epoch: 0, samples_seen: 0, generation: 1, latest: {} },
    },
  });
  assert.deepEqual(answersOf(reset, "gd", "curvature"), { last: undefined, trail: [] });
  assert.deepEqual(
    reduce(state, { type: "opened", answer: answer({ id: "another" }), token: null }).instruments,
    {},
  );
});

test("measurements in words: the story in the chart's name, numbers and cost beside it", () => {
  const { store, open, stand } = page();
  open();
  stand(7);
  const { label } = store.get().runs.gd;
  assert.deepEqual(
    [gaugeSummary(store.get(), GAUGES.edge), costWords(store.get())],
    ["Steepest bend, not measured yet.", ""],
  );
  const state = ["curvature", "alpha", "noise"].reduce(
    (before, name) => measured(before, name, answerAt(7)),
    store.get(),
  );
  assert.equal(
    gaugeSummary(state, GAUGES.edge),
    `Steepest bend of ${label}: at the edge of stability.`,
  );
  assert.equal(
    gaugeSummary(state, GAUGES.alpha),
    `Step length α of ${label}: the step goes beyond the lowest point.`,
  );
  assert.equal(
    gaugeSummary(state, GAUGES.noise),
    `Noise scale of ${label}: a batch has more noise than signal.`,
  );
  assert.equal(
    readingWords(state),
    `${label}, Steepest bend 9.00 of 10.0, Step length α 0.200, Noise scale 4.00, batch 1`,
  );
  const offline = reduce(store.get(), { type: "connection", status: "offline" });
  const moving = reduce(store.get(), {
    type: "frame",
    runs: {
      gd: { ...store.get().runs.gd, status: "playing", samples_seen: 7, generation: 0, latest: {} },
    },
  });
  assert.deepEqual(
    [store.get(), moving, offline, state].map((now) => waitingWords(now, GAUGES.edge)),
    ["Being measured.", "Not measured yet: playing runs go first.", "", ""],
  );
  assert.equal(costWords(state), "takes 12 ms");
  const playing = reduce(state, {
    type: "frame",
    runs: {
      gd: { ...state.runs.gd, status: "playing", samples_seen: 7, generation: 0, latest: {} },
    },
  });
  assert.equal(costWords(playing), "takes 12 ms, every 0.3 s");
  for (const [edge, words] of [
    [0.2, "below"],
    [1.3, "beyond"],
  ]) {
    assert.match(
      gaugeSummary(measured(state, "curvature", answerAt(8, { edge })), GAUGES.edge),
      new RegExp(`${words} the edge`),
    );
  }
  const none = measured(
    measured(state, "curvature", answerAt(9, { edge: null, sharpness: null })),
    "alpha",
    answerAt(9, { batch: { alpha: null } }),
  );
  assert.match(gaugeSummary(none, GAUGES.edge), /not known yet/);
  assert.match(gaugeSummary(none, GAUGES.alpha), /no step/);
  const behind = measured(state, "alpha", answerAt(9, { batch: { alpha: -7.25 } }));
  assert.match(gaugeSummary(behind, GAUGES.alpha), /the lowest point lies behind the step/);
  assert.match(readingWords(behind), /Step length α [-−]7\.25, lowest point behind/);
});

test("a gauge says that its numbers are standardized if the data are", () => {
  const keys = (standardize: string, reply = answer()) => {
    const recipe = { ...reply.recipe, data: { ...reply.recipe.data, standardize } };
    const state = reduce(initialState(), {
      type: "opened",
      answer: { ...reply, recipe },
      token: "t",
    });
    return [GAUGES.residuals, GAUGES.decision, GAUGES.layers].map((gauge) =>
      keyWords(state, gauge).endsWith("; standardized"),
    );
  };
  assert.deepEqual(
    [keys("none"), keys("inputs"), keys("targets"), keys("both")],
    [
      [false, false, false],
      [false, true, false],
      [true, false, false],
      [true, true, false],
    ],
  );
  assert.deepEqual(
    keys("both", classified()),
    [false, true, false],
    "the index of a class stays what it is",
  );
});

test("a bend without a limit, or not known yet, says so", () => {
  const { edge, batch_edge: batchEdge } = GAUGES;
  assert.equal(edge.value({ sharpness: 9, limit: 10, edge: 0.9 }), "9.00 of 10.0");
  assert.equal(edge.value({ sharpness: null, limit: 10, edge: null }), "not known yet");
  assert.equal(edge.value({ sharpness: null, limit: null, edge: null }), "no limit");
  assert.equal(
    batchEdge.value({ batch_sharpness: 26.1, limit: null, edge: null }),
    "26.1, no limit",
  );
  assert.equal(batchEdge.says({ batch_sharpness: 26.1, limit: null, edge: null }), "no limit");
  assert.equal(edge.says({ sharpness: null, limit: 10, edge: null }), "not known yet");
});

test("the loss along a step is named in words", () => {
  const words = (descended: string) => GAUGES.along.value({ descended });
  assert.equal(words("mse / 2"), "half of the mean squared error");
  assert.equal(words("mse / 2 + penalties"), "half of the mean squared error, and penalties");
  assert.equal(words("binary_cross_entropy"), "binary cross-entropy");
  assert.equal(words("huber + penalties"), "Huber loss, and penalties");
});
