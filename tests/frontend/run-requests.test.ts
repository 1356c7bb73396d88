// When the page requests its runs' instruments, by the test's clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createPastView } from "../../frontend/features/transport/past-view.ts";
import { createRunRequests } from "../../frontend/core/net/run-requests.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createStore } from "../../frontend/core/store.ts";
import { Refused } from "../../frontend/core/net/api.ts";
import { lastMap } from "../../frontend/core/decision-map.ts";
import { countedStep, shownStep, stateOnView } from "../../frontend/core/state-on-view.ts";
import { WHOLE } from "../../frontend/core/inspected.ts";
import { answer, classified, dead, edge, findingEvent } from "./fake-server.ts";
import { part } from "./world.ts";
import type { Api } from "../../frontend/core/net/api.ts";
import type { Environment, Json } from "../../frontend/core/types.ts";

const settle = () => new Promise((go) => setImmediate(go));

/** An answer with classes over a plane, which have a map. */
const { recipe } = answer();
const MAPPED = {
  classes: ["lower", "upper"],
  recipe: { ...recipe, data: { ...recipe.data, features: 2 } },
};
const VIEWS = "weights=16&predictions=pairs";

/** The server: its runs stand where `at` says, or as far as the page knows. */
function watching({ units = 4, of = { recipe }, calm = false } = {}) {
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
  type Timer = { run: () => void; due: number };
  const clock = { now: 0, timers: new Set<Timer>(), takes: 0, again: 0, pace: 0, isDown: false };
  const server = { at: null as number | null, more: {} as Json };
  const looks: string[] = [];
  const answerNow = (query: string) => {
    const params = new URLSearchParams(query);
    const then = (name: string): Json => {
      const step = server.at ?? store.get().runs[name].step;
      const { status } = store.get().runs[name];
      return {
        status,
        step,
        epoch: step,
        samples_seen: step,
        generation: 0,
        latest: { train_loss: { step, value: 1 / step } },
        verdict: "learning",
        harm: 1,
        findings_complete_to: step,
        units: { layers: [] },
        ...(params.has("weights") && (params.get("drawn") ?? name) === name ? { weights: {} } : {}),
        ...(params.get("predictions") === "pairs"
          ? { predictions: { split: "train", y: [], y_pred: [] } }
          : {}),
        ...(params.has("map") ? { map: { step, generation: 0 } } : {}),
        ...(params.get("inspect") === name ? { sheet: { step, generation: 0, batch: [1] } } : {}),
        ...server.more,
      };
    };
    return {
      runs: Object.fromEntries(store.get().order.map((name) => [name, then(name)])),
      cost_seconds: 0,
      again_seconds: clock.again,
      pace_seconds: clock.pace,
    };
  };
  const api = part<Api>({
    async moment(_, query) {
      looks.push(decodeURIComponent(query));
      if (clock.isDown) throw new Refused({ title: "no" });
      const now = answerNow(query);
      if (clock.takes) await new Promise<void>((go) => environment.setTimeout(go, clock.takes));
      return now;
    },
  });
  const environment = part<Environment>({
    now: () => clock.now,
    hidden: () => false,
    calm: () => calm,
    clearTimeout: (timer) => void clock.timers.delete(timer),
    setTimeout(run, ms) {
      const timer = { run, due: clock.now + ms };
      clock.timers.add(timer);
      return timer;
    },
  });
  const observer = createRunRequests({ api, store, environment });
  async function pass(ms: number) {
    const end = clock.now + ms;
    for (;;) {
      const [next] = [...clock.timers].sort((a, b) => a.due - b.due);
      if (!next || next.due > end) break;
      clock.now = Math.max(clock.now, next.due);
      clock.timers.delete(next);
      next.run();
      await settle();
    }
    clock.now = end;
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
  const view = (part: Json) => store.dispatch({ type: "view", part });
  const shown = () => stateOnView(store.get()).runs.gd;
  return { store, observer, pass, stand, view, clock, server, shown };
}

const frameAt = (step: number) => ({
  status: "paused",
  step,
  epoch: step,
  samples_seen: step,
  generation: 0,
  latest: {},
});

async function started(more = {}) {
  const page = watching(more);
  page.observer.start();
  await settle();
  await page.pass(1000);
  return page;
}

test("stopped runs are requested at once, all in one request, and standing ones only once", async () => {
  const { pass, stand, store } = await started();
  stand(12);
  assert.deepEqual(await pass(0), [VIEWS]);
  const { units, predictions, weights } = store.get().runs.gd;
  assert.deepEqual([units!.step, predictions!.step, weights!.step], [12, 12, 12]);
  assert.deepEqual(store.get().runs.sgd.latest.train_loss, { step: 12, value: 1 / 12 });
  assert.deepEqual(await pass(1000), []);
});

test("each edit of a resting run is followed by a request, although edits at one step merge", async () => {
  const { pass, stand, store } = await started();
  stand(12);
  await pass(1000);
  for (const size of [5, 1]) {
    const edit = { at_step: 12, batch_size: size };
    store.dispatch({ type: "event", event: "edit", run: "gd", step: 12, edit });
    assert.deepEqual(await pass(1000), [VIEWS], `a batch of ${size}`);
  }
  assert.equal(store.get().runs.gd.edits.length, 1);
});

test("between two beats only the counter moves on, and all else stays at one step", async () => {
  const { pass, stand, store, server, shown, view } = await started({ of: MAPPED });
  view({ isMapSeen: true, inspector: true });
  stand(40, "playing");
  server.at = 38;
  await pass(250);
  stand(45, "playing");
  const state = store.get();
  assert.equal(shownStep(state), 45);
  assert.deepEqual(
    [
      shown().step,
      shown().latest.train_loss.step,
      shown().findingsCompleteTo,
      shown().units!.step,
      shown().weights!.step,
      lastMap(state, "gd")!.step,
      state.inspection!.sheet.step,
    ],
    Array(7).fill(38),
  );
  const before = shown();
  stand(46, "playing");
  assert.equal(shown(), before, "nothing is drawn again");
  server.at = 46;
  await pass(250);
  assert.deepEqual([shown().step, store.get().inspection!.sheet.step], [46, 46]);
});

test("the counter waits for the last beat where it is when runs stop, and never runs back", async () => {
  const { pass, stand, store, server } = await started();
  stand(40, "playing");
  server.at = 38;
  await pass(250);
  stand(45, "playing");
  const playing = store.get();
  const stopped = { ...playing, playback: { ...playing.playback, playing: false } };
  const counts = (state: typeof playing, last: number) => countedStep(state, last);
  const moving = { ...playing, playback: { ...playing.playback, playing: true } };
  assert.equal(counts(moving, 41), 45);
  assert.equal(counts(stopped, 45), 45, "it is not set back to the beat");
  assert.equal(counts(stopped, 42), 42, "nor ahead of it");
  assert.equal(counts(stopped, 0), 38, "of steps by hand it shows the beat");
  assert.equal(counts(stopped, 99), 45, "steps that are gone are not counted");
  server.at = 45;
  await pass(250);
  assert.equal(counts(store.get(), 42), 45);
});

test("beats come ten times a second while answers are quick, else four times, and calmly four times", async () => {
  for (const [takes, calm, least, most] of [
    [5, false, 9, 10],
    [30, false, 4, 4],
    [5, true, 4, 4],
    [100, false, 4, 4],
    [250, false, 2, 2],
  ] as const) {
    const { pass, stand, clock } = await started({ calm });
    clock.takes = takes;
    stand(1, "playing");
    await pass(250);
    const { length } = await pass(1000);
    assert.ok(length >= least && length <= most, `${length} with ${takes} ms`);
  }
});

test("in a class beats are as rare as the server says, and frames are shown meanwhile", async () => {
  const { pass, stand, clock, shown } = await started();
  clock.pace = 4;
  stand(10, "playing");
  await pass(100);
  for (const step of [20, 30, 40, 50]) {
    stand(step, "playing");
    assert.deepEqual(await pass(500), []);
    assert.equal(shown().step, step);
  }
  assert.equal((await pass(8_000)).length, 2);
  stand(60);
  assert.equal((await pass(100)).length, 1, "a run that rests is looked at at once");
});

test("at full speed maps slow training: they come as often as the server says, and the beat goes on", async () => {
  for (const [speed, many] of [
    ["max", 4],
    [60, 8],
  ] as const) {
    const { pass, stand, view, store, clock } = await started({ of: MAPPED, calm: true });
    view({ isMapSeen: true });
    store.dispatch({ type: "playback", part: { speed } });
    clock.again = 0.5;
    stand(1, "playing");
    await pass(500);
    const beats = await pass(2000);
    assert.equal(beats.length, 8);
    assert.equal(beats.filter((query) => query.includes("map")).length, many);
  }
});

test("a late answer holds nothing else up, and comes with the next beat", async () => {
  const { pass, stand, clock, shown } = await started();
  stand(10, "playing");
  await pass(250);
  clock.takes = 1_600;
  await pass(100);
  stand(70, "playing");
  await pass(750);
  assert.equal(shown().step, 10);
  await pass(250);
  assert.deepEqual([shown().step, shown().units!.step], [70, 10]);
  await pass(700);
  assert.deepEqual(
    [shown().step, shown().units!.step],
    [70, 10],
    "the answer is of an earlier step",
  );
});

test("the first answer after play may be late too: after a second frames are shown without it", async () => {
  const { pass, stand, clock, shown } = await started();
  clock.takes = 6000;
  stand(40, "playing");
  await pass(900);
  assert.equal(shown().step, 0);
  for (const step of [900, 1800]) {
    stand(step, "playing");
    await pass(1000);
    assert.equal(shown().step, step);
  }
});

test("while a server refuses, what frames bring is shown four times a second", async () => {
  const { pass, stand, clock, shown } = await started();
  clock.isDown = true;
  stand(10, "playing");
  await pass(300);
  for (const step of [20, 30, 40]) {
    stand(step, "playing");
    await pass(260);
    assert.equal(shown().step, step);
  }
});

test("a refused request shows what frames bring, and is made again later", async () => {
  const { pass, stand, clock, shown } = await started();
  clock.isDown = true;
  stand(30);
  assert.equal((await pass(0)).length, 1);
  assert.equal(shown().step, 30);
  clock.isDown = false;
  assert.equal((await pass(1_900)).length, 0);
  assert.equal((await pass(200)).length, 1);
  assert.equal(shown().units!.step, 30);
});

test("single steps are requested ten times a second at most, the last one always", async () => {
  const { pass, stand, store } = await started();
  let count = 0;
  for (let step = 1; step <= 10; step++) {
    stand(step);
    count += (await pass(20)).length;
  }
  count += (await pass(100)).length;
  assert.ok(count <= 4, `${count} looks in 0.3 s`);
  assert.equal(store.get().runs.sgd.predictions!.step, 10);
});

test("a large network's weights are requested for the drawn run, at once after a switch", async () => {
  const { pass, stand, view } = await started({ units: 200 });
  stand(1);
  assert.deepEqual(await pass(100), ["weights=16&drawn=gd&predictions=pairs"]);
  view({ networkRun: "sgd" });
  assert.deepEqual(await pass(100), ["weights=16&drawn=sgd&predictions=pairs"]);
});

test("maps and predictions are requested where they are visible", async () => {
  const { pass, view, store } = await started({ of: MAPPED });
  view({ isMapSeen: true });
  assert.deepEqual(await pass(100), ["weights=16&map=true"]);
  view({ predicted: "table" });
  assert.deepEqual(await pass(100), [VIEWS]);
  view({ predicted: "map", isMapSeen: false });
  assert.deepEqual(await pass(100), ["weights=16"]);
  view({ isMapSeen: true });
  for (const run of ["gd", "sgd"]) store.dispatch({ type: "hidden", run, hidden: true });
  assert.deepEqual(await pass(300), [], "no visible run: nothing else to request");
});

test("a map over chosen inputs names them", async () => {
  const { pass, view } = await started({ of: classified(3) });
  view({ isMapSeen: true });
  assert.deepEqual(await pass(300), [], "no inputs are chosen");
  view({ mapInputs: [2, 0] });
  assert.match((await pass(100))[0], /^weights=16&map=true&x=\S+&y=\S+$/);
});

test("the inspector's step comes with the beat, for its rows, and at once after another choice", async () => {
  const { pass, view, store, stand } = await started();
  view({ inspector: true });
  assert.deepEqual(await pass(100), [`${VIEWS}&inspect=gd&first=0&rows=4&block=${WHOLE}`]);
  assert.equal(store.get().inspection!.run, "gd");
  view({ networkRun: "sgd", firstSample: 4 });
  assert.deepEqual(await pass(100), [`${VIEWS}&inspect=sgd&first=4&rows=4&block=${WHOLE}`]);
  stand(3);
  await pass(100);
  assert.deepEqual([store.get().inspection!.run, store.get().inspection!.sheet.step], ["sgd", 3]);
});

test("the Doctor's findings at rest are shown, also when they come later than the beat", async () => {
  const { pass, stand, store, shown, server } = await started();
  server.more = { findings_complete_to: 12, verdict: "flat" };
  stand(120);
  await pass(100);
  store.dispatch(findingEvent("gd", edge({ found_at: 120, since_step: 100 })));
  store.dispatch({
    type: "frame",
    runs: { gd: { ...frameAt(120), verdict: "learning", findings_complete_to: 120 } },
  });
  const { findings, verdict, findingsCompleteTo } = shown();
  assert.deepEqual([findings.length, verdict, findingsCompleteTo], [1, "learning", 120]);
});

test("a look back ends the beat, and the present is requested again after it", async () => {
  const { pass, stand, store, shown } = await started();
  stand(12);
  await pass(100);
  store.dispatch({ type: "look", step: 5 });
  assert.equal(store.get().beat, null);
  assert.deepEqual(await pass(1000), []);
  store.dispatch({ type: "look", step: null });
  assert.equal(shown().step, 12);
  assert.equal((await pass(0)).length, 1);
});

test("without a connection every frame that is known is shown", async () => {
  const { pass, stand, store, shown } = await started();
  stand(12);
  await pass(100);
  stand(13);
  assert.equal(shown().step, 12);
  store.dispatch({ type: "connection", status: "reconnecting" });
  assert.equal(shown().step, 13);
  assert.deepEqual(await pass(1000), []);
});

test("a run that was reset is shown at once, the others with the beat", async () => {
  const { pass, stand, store } = await started();
  stand(12);
  await pass(100);
  stand(13);
  store.dispatch({ type: "event", event: "reset", run: "gd", step: 0, generation: 1 });
  const { gd, sgd } = stateOnView(store.get()).runs;
  assert.deepEqual([gd.step, sgd.step], [0, 12]);
});

test("the Doctor's findings come from the beat, with the evidence of then", async () => {
  const { pass, stand, store, server, shown } = await started();
  server.more = { findings: [{ id: "rate_at_edge@100", seen_at: 118, evidence: "Then." }] };
  store.dispatch(findingEvent("gd", edge()));
  stand(120, "playing");
  await pass(250);
  stand(140, "playing");
  store.dispatch(findingEvent("gd", edge({ seen_at: 136, evidence: "Later." })));
  store.dispatch(findingEvent("gd", dead({ found_at: 139, since_step: 110 })));
  const { findings } = shown();
  assert.deepEqual(
    findings.map(({ evidence, seen_at }) => [evidence, seen_at]),
    [["Then.", 118]],
  );
});

test("true values are requested once, and again when no run holds them", async () => {
  const { stand, server, pass, store } = await started();
  server.more = { predictions: { split: "train", y: [1, 2], y_pred: [3, 4] } };
  stand(12);
  assert.deepEqual(await pass(0), [VIEWS]);
  server.more = { predictions: { split: "train", y_pred: [5, 6] } };
  stand(13);
  assert.deepEqual(await pass(200), [VIEWS.replace("pairs", "predicted")]);
  const { step, y, y_pred } = store.get().runs.sgd.predictions!;
  assert.deepEqual({ step, y, y_pred }, { step: 13, y: [1, 2], y_pred: [5, 6] });
  store.dispatch({
    type: "opened",
    answer: answer({ id: "other" }),
  });
  assert.match((await pass(500))[0], /predictions=pairs/);
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
