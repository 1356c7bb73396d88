// When the page requests a step line by line, by the test's clock; what opens, moves and closes it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createStepRequests } from "../../frontend/features/inspector/step-requests.ts";
import { openedAt, WHOLE } from "../../frontend/core/inspected.ts";
import {
  inspectionOf,
  lineFrom,
  samplesFrom,
  shownLine,
  toggledInspector,
} from "../../frontend/features/inspector/inspection.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createStore } from "../../frontend/core/store.ts";
import { answer } from "./fake-server.ts";
import { live, part, settle } from "./world.ts";
import type { Environment, Json } from "../../frontend/core/types.ts";
import type { Api } from "../../frontend/core/net/api.ts";
import type { Entry, Sheet } from "../../frontend/core/wire-types.ts";

const entry = (name: string, values: number): Entry => ({
  name,
  values,
  shape: [],
  zeros: Number(values === 0),
  negative: 0,
  largest: values,
});
const sheet = (step: number, batch = [7]): Sheet => ({
  step,
  generation: 0,
  batch,
  functions: {},
  given: [entry("m", batch.length)],
  lines: [
    { ...entry("loss", 2), part: "forward", expression: "m * 2" },
    { ...entry("share", 0), part: "update", expression: "m - m" },
  ],
});

type Given = { takes?: number; batch?: number[] };
function watching({ takes = 0, batch }: Given = {}) {
  const store = createStore(initialState(), reduce);
  for (const message of [
    { type: "opened", answer: answer({ step: 3 }) },
    { type: "connection", status: "ready" },
  ])
    store.dispatch(message);
  const clock = { now: 0, due: 0, run: null as (() => void) | null };
  const requests: string[] = [];
  const api = part<Api>({
    inspect: async (_, run, { step, first, rows, block }) => {
      assert.equal(block, WHOLE, "no more than is shown");
      requests.push(`${run} ${step ?? "now"} ${first}+${rows}`);
      clock.now += takes;
      return sheet(step ?? store.get().runs[run].step, batch);
    },
  });
  const environment = part<Environment>({
    now: () => clock.now,
    hidden: () => false,
    clearTimeout: () => void (clock.run = null),
    setTimeout: (run, ms) => Object.assign(clock, { run, due: clock.now + ms }),
  });
  const inspector = createStepRequests({ api, store, environment });
  async function pass(ms: number) {
    const end = clock.now + ms;
    while (clock.run && clock.due <= end) {
      const { run } = clock;
      clock.now = Math.max(clock.now, clock.due);
      clock.run = null;
      run();
      await settle();
    }
    clock.now = Math.max(clock.now, end);
    return requests.splice(0);
  }
  const view = (part: Json) => store.dispatch({ type: "view", part });
  const moved = (step: number) =>
    store.dispatch({
      type: "frame",
      runs: {
        gd: { status: "playing", step, epoch: step, samples_seen: step, generation: 0, latest: {} },
      },
    });
  return { store, pass, view, moved, inspector };
}

const back = (step: number | null) => ({ type: "look", step });

test("a closed step inspector requests nothing, and closing drops its answer", async () => {
  const { store, pass, view } = watching();
  store.dispatch(back(2));
  assert.deepEqual(await pass(5000), []);
  view({ inspector: true });
  assert.deepEqual(await pass(0), ["gd 2 0+4"]);
  assert.equal(inspectionOf(store.get())!.step, 2);
  assert.deepEqual(await pass(5000), []);
  view({ inspector: false });
  assert.equal(store.get().inspection, null);
  view({ inspector: true });
  assert.deepEqual(await pass(0), ["gd 2 0+4"]);
});

test("the present step comes with the beat: nothing is requested for it", async () => {
  const { store, pass, view, moved } = watching();
  view({ inspector: true });
  moved(10);
  assert.deepEqual(await pass(1000), []);
  const inspection = { experiment: "e1", run: "gd", sheet: sheet(10) };
  store.dispatch({ type: "beat", runs: {}, sheet: inspection });
  store.dispatch(back(4));
  assert.deepEqual(await pass(0), ["gd 4 0+4"]);
  store.dispatch(back(null));
  assert.deepEqual(await pass(1000), []);
  assert.equal(inspectionOf(store.get())!.step, 4, "until the next beat");
});

test("another run, past step or rows are requested at once", async () => {
  const { store, pass, view } = watching({ batch: [5, 6, 7, 8, 9, 10] });
  view({ inspector: true });
  store.dispatch(back(2));
  await pass(0);
  view({ networkRun: "sgd" });
  assert.equal(inspectionOf(store.get()), null);
  assert.deepEqual(await pass(0), ["sgd 2 0+4"]);
  store.dispatch(back(1));
  assert.deepEqual(await pass(0), ["sgd 1 0+4"]);
  view(samplesFrom(store.get(), 1));
  assert.deepEqual(await pass(0), ["sgd 1 4+4"]);
  assert.deepEqual(samplesFrom(store.get(), 1), { firstSample: 4 });
  assert.deepEqual(samplesFrom(store.get(), -1), { firstSample: 0 });
});

test("the inspector opens and closes", () => {
  const { store, view } = watching();
  view(toggledInspector(store.get()));
  assert.equal(store.get().view.inspector, true);
  assert.deepEqual(toggledInspector(store.get()), { inspector: false });
});

test("lines are selected one by one, and nothing lies beyond the ends", async () => {
  const { store, pass, view } = watching();
  view({ inspector: true });
  store.dispatch(back(1));
  await pass(0);
  assert.equal(shownLine(store.get(), inspectionOf(store.get())!), 0);
  assert.deepEqual(lineFrom(store.get(), -1), {});
  view(lineFrom(store.get(), 1));
  assert.equal(store.get().view.line, "update share");
  assert.deepEqual(lineFrom(store.get(), 1), {});
});

test("an answer for another experiment is dropped", async () => {
  const { store, pass, view } = watching();
  view({ inspector: true });
  store.dispatch(back(1));
  await pass(0);
  store.dispatch({ type: "opened", answer: answer({ id: "other", step: 8 }) });
  assert.equal(inspectionOf(store.get()), null);
  const late = { experiment: "e1", run: "gd", sheet: sheet(3) };
  store.dispatch({ type: "beat", runs: {}, sheet: late });
  assert.equal(inspectionOf(store.get()), null);
});

test("stepping with the step inspector open pauses play; with it closed play goes on", async () => {
  const { app } = await live();
  const isPlaying = () => app.store.get().playback.playing;
  app.play();
  app.back(1);
  assert.equal(isPlaying(), true);
  for (const step of [() => app.back(1), () => app.forward(1)]) {
    app.setView({ inspector: true });
    step();
    assert.equal(isPlaying(), false);
    app.setView({ inspector: false });
    app.play();
    assert.equal(isPlaying(), true);
  }
  app.stop();
});

test("a line that the Doctor names opens in its run", () => {
  assert.deepEqual(openedAt("sgd", "dz2 = da2 * (z2 > 0)"), {
    networkRun: "sgd",
    line: "backward dz2",
    inspector: true,
  });
  assert.deepEqual(openedAt("gd", "W2 -= lr * dW2"), {
    networkRun: "gd",
    line: "update W2",
    inspector: true,
  });
  assert.equal(openedAt("gd", "loss = np.mean((y - y_pred)**2)").line, "forward loss");
});
