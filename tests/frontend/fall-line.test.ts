// The fall line's state and words, and when the page requests it, by the test's clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  fallLineWords,
  grown,
  joined,
  planeWords,
  shareWords,
  spotsOnView,
} from "../../frontend/core/fall-line.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createStore } from "../../frontend/core/store.ts";
import { createFallLineRequests } from "../../frontend/features/fallline/fall-line-requests.ts";
import { answer, beatAt } from "./fake-server.ts";
import { part } from "./world.ts";
import type { Api } from "../../frontend/core/net/api.ts";
import type { Region } from "../../frontend/core/fall-line.ts";
import type { Environment, Json, State } from "../../frontend/core/types.ts";

const settle = () => new Promise((go) => setImmediate(go));
const packed = (values: number[], shape: string) => ({
  dtype: "f4",
  bdata: Buffer.from(new Float32Array(values).buffer).toString("base64"),
  shape,
});

/** The instrument's answer; without `heights` for points only. */
function measured(
  step: number,
  { of = step, terrain = true, generation = 0, far = 2, again = 0.9 }: Json = {},
) {
  const point = (run: string, s: number) => ({
    run,
    generation,
    step,
    s,
    t: 0.5,
    distance: Math.abs(s),
    outside: run === "gd" ? 0.031 : 0.0042,
    path: { steps: [0, step], s: [0, s], t: [0, 0.5], outside: [0, 0.01] },
  });
  const ground = {
    region: [-1, 3, -1, 1],
    heights: packed([0, 1, 2, 3, 4, 5], "2, 3"),
    lens: null,
  };
  return {
    plane: "points",
    plane_steps: { gd: of, sgd: of },
    points: [point("gd", 1), point("sgd", far)],
    again_seconds: again,
    cost_seconds: 0.02,
    ...(terrain ? ground : {}),
  };
}

/** A state in which both runs stand at a step. */
function standing(step: number): State {
  const opened = answer({ step });
  for (const run of opened.runs) run.latest = { train_loss: { step, value: 0.25 } };
  return reduce(initialState(), { type: "opened", answer: opened });
}
const frameAt = (run: string, step: number) => ({
  type: "frame",
  runs: {
    [run]: { status: "playing", step, epoch: 0, samples_seen: 0, generation: 0, latest: {} },
  },
});
const with_ = (state: State, reply: Json, at: number | null = null) =>
  reduce(state, { type: "fall line", answer: reply, at });

test("a terrain replaces everything; points move on it and add to the paths", () => {
  const first = with_(standing(20), measured(20));
  const { fallLine } = first;
  assert.deepEqual(fallLine?.terrain.region, [-1, 3, -1, 1]);
  assert.deepEqual([fallLine?.terrain.columns, fallLine?.terrain.rows], [3, 2]);
  assert.deepEqual(Array.from(fallLine?.terrain.values ?? []), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(fallLine?.spots.gd, { step: 20, s: 1, t: 0.5, distance: 1, outside: 0.031 });
  const moved = with_(first, measured(24, { of: 20, terrain: false }));
  assert.equal(moved.fallLine?.terrain, fallLine?.terrain);
  assert.equal(moved.fallLine?.spots.sgd.step, 24);
  assert.deepEqual(moved.fallLine?.traces.gd.steps, [0, 20, 24]);
});

test("points on another plane, or of another generation, are left out", () => {
  const first = with_(standing(20), measured(20));
  assert.equal(with_(first, measured(24, { of: 23, terrain: false })), first);
  assert.equal(with_(first, measured(24, { of: 20, terrain: false, generation: 1 })), first);
  assert.equal(
    with_(first, { ...measured(1), plane_steps: null, points: [], heights: undefined }),
    first,
  );
  assert.equal(with_(standing(20), measured(24, { terrain: false })).fallLine, null);
});

test("the view grows at once when a run leaves it, in the same shape", () => {
  const region: Region = [-1, 3, -1, 1];
  assert.equal(grown(region, [{ step: 1, s: 2.9, t: 0, distance: 1, outside: 0 }]), region);
  const [west, east, south, north] = grown(region, [
    { step: 1, s: 5, t: 0, distance: 1, outside: 0 },
  ]);
  assert.ok(west <= -1 && east >= 5.5 && south <= -1 && north >= 1);
  assert.ok(Math.abs((east - west) / (north - south) - 2) < 1e-12);
  const first = with_(standing(20), measured(20));
  const left = with_(first, measured(24, { of: 20, terrain: false, far: 9 }));
  assert.ok((left.fallLine?.region[1] ?? 0) > 9);
  const diverged = reduce(first, {
    type: "event",
    event: "diverged",
    run: "sgd",
    step: 24,
    generation: 0,
    diverged_at: 24,
  });
  const far = with_(diverged, measured(24, { of: 20, terrain: false, far: 9 }));
  assert.equal(far.fallLine?.region, first.fallLine?.region, "a diverged run does not widen it");
});

test("looking back shows the places of that step, once they are there", () => {
  const now = with_(standing(20), measured(20));
  const back = reduce(now, { type: "look", step: 7 });
  assert.equal(spotsOnView(back), null);
  const there = with_(back, measured(7, { of: 20, terrain: false }), 7);
  assert.equal(spotsOnView(there)?.gd.step, 7);
  assert.deepEqual(there.fallLine?.traces, now.fallLine?.traces, "the path stays whole");
  assert.equal(spotsOnView(reduce(there, { type: "look", step: 8 })), null);
  assert.equal(spotsOnView(reduce(there, { type: "look", step: null }))?.gd.step, 20);
});

test("long paths are thinned, and the latest points stay", () => {
  const long = Array.from({ length: 5000 }, (_, k) => k).reduce(
    (trace, step) => joined(trace, { steps: [step], s: [step], t: [0] }),
    { steps: [], s: [], t: [] } as Parameters<typeof joined>[0],
  );
  assert.ok(long.steps.length <= 2001);
  assert.equal(long.steps.at(-1), 4999);
  assert.equal(long.steps[0], 0);
  assert.deepEqual(long.steps, long.s);
});

test("words say where the runs are, and how much of their paths lies outside", () => {
  const state = with_(standing(20), measured(20));
  assert.equal(
    fallLineWords(state),
    "Fall line at step 20. GD went 1.00 units, loss 12.3 to 0.250. SGD went 2.00 units, to 0.250. 3 % and 0.4 % of the paths lie outside.",
  );
  assert.match(
    fallLineWords(with_(standing(0), measured(0))),
    /^Fall line at step 0\. All runs are at the start, loss /,
  );
  assert.equal(fallLineWords(standing(5)), "Fall line, not measured yet.");
  const atBeat = reduce(state, beatAt(20, { gd: {}, sgd: {} }));
  const later = ["gd", "sgd"].reduce((before, run) => reduce(before, frameAt(run, 33)), atBeat);
  assert.match(
    fallLineWords(later),
    /^Fall line at step 20\..*outside\.$/,
    "losses are those of the beat",
  );
  const ahead = reduce(later, beatAt(33, { gd: {}, sgd: {} }));
  assert.match(
    fallLineWords(ahead),
    /^Fall line at step 33\..* outside\. Distances and shares are those of step 20\.$/,
  );
  assert.deepEqual([0, 0.000004, 0.00004, 0.0042, 0.031, 0.4242, 1, null].map(shareWords), [
    "0 %",
    "0 %",
    "0.004 %",
    "0.4 %",
    "3 %",
    "42 %",
    "100 %",
    "–",
  ]);
  assert.equal(planeWords(state), "loss over the plane of the start and both runs");
});

// ---------------------------------------------------------------- requests

/** @param takes ms until an answer comes */
function watching({
  frame = { aspect: 1.8, lens: 0.2 } as Json | null,
  takes = 0,
  again = 0.9,
} = {}) {
  const store = createStore(initialState(), reduce);
  const clock = { now: 0, due: Infinity, run: null as (() => void) | null };
  const calls: string[] = [];
  let planeAt: number | null = null;
  const api = part<Api>({
    sharedInstrument: async (_, name, text) => {
      const query = new URLSearchParams(text);
      const terrain = query.get("terrain") !== "false";
      const step = Number(query.get("step") ?? store.get().runs.gd.step);
      const playing = store.get().playback.playing;
      if (
        terrain &&
        !(playing && planeAt && Math.floor(Math.log2(step)) === Math.floor(Math.log2(planeAt)))
      )
        planeAt = step;
      calls.push(
        `${name} ${terrain ? "terrain" : "points"}${query.has("step") ? ` of ${step}` : ""}`,
      );
      queries.push(query);
      asked.push(clock.now);
      clock.now += takes;
      return measured(step, { of: planeAt, terrain, far: far.at, again });
    },
  });
  const queries: URLSearchParams[] = [];
  const asked: number[] = [];
  const far = { at: 2 };
  const environment = part<Environment>({
    now: () => clock.now,
    hidden: () => false,
    clearTimeout: () => void Object.assign(clock, { run: null, due: Infinity }),
    setTimeout: (run, ms) => Object.assign(clock, { run, due: clock.now + ms }),
  });
  const requests = createFallLineRequests({ api, store, environment });
  for (const message of [
    { type: "opened", answer: answer({ step: 0 }) },
    { type: "connection", status: "ready" },
    { type: "view", part: { fallFrame: frame } },
  ])
    store.dispatch(message);
  async function until(ms: number) {
    await settle();
    while (clock.run && clock.due <= ms) {
      const { run } = clock;
      clock.now = Math.max(clock.now, clock.due);
      Object.assign(clock, { run: null, due: Infinity });
      run();
      await settle();
    }
    clock.now = Math.max(clock.now, ms);
  }
  const go = (step: number, status = "paused") =>
    store.dispatch({
      type: "frame",
      runs: Object.fromEntries(
        ["gd", "sgd"].map((name) => [
          name,
          { status, step, epoch: 0, samples_seen: 0, generation: 0, latest: {} },
        ]),
      ),
    });
  return { store, calls, queries, asked, far, clock, until, go, stop: requests.stop };
}

test("nothing is requested while the picture is out of sight", async () => {
  const one = watching({ frame: null });
  await one.until(5_000);
  assert.deepEqual(one.calls, []);
  one.store.dispatch({ type: "view", part: { fallFrame: { aspect: 1.5, lens: 0 } } });
  await one.until(5_100);
  assert.deepEqual(one.calls, ["fall_line terrain"]);
  assert.equal(one.queries[0].get("aspect"), "1.5");
  assert.equal(one.queries[0].has("lens"), false);
  assert.deepEqual(one.queries[0].getAll("runs"), ["gd", "sgd"]);
});

test("resting runs are measured once at each step", async () => {
  const one = watching();
  await one.until(1_000);
  assert.deepEqual(one.calls, ["fall_line terrain"]);
  one.go(5);
  await one.until(2_000);
  one.go(6);
  await one.until(3_000);
  assert.deepEqual(one.calls, Array(3).fill("fall_line terrain"));
});

test("during play points come at least twice a second, and terrains when the step number has doubled", async () => {
  const one = watching();
  await one.until(100);
  one.calls.length = 0;
  const times: number[] = [];
  for (let ms = 100; ms <= 20_000; ms += 50) {
    one.go(Math.round(0.06 * (ms - 100)) + 1, "playing");
    const before = one.calls.length;
    await one.until(ms);
    for (let k = before; k < one.calls.length; k++) times.push(ms);
  }
  const gaps = times.slice(1).map((time, k) => time - times[k]);
  assert.ok(Math.max(...gaps) <= 500, `${Math.max(...gaps)} ms`);
  const terrains = one.calls.filter((what) => what.includes("terrain")).length;
  assert.ok(terrains >= 6 && terrains <= 11, `${terrains} terrains in 1,200 steps`);
  const first = times.filter((_, k) => one.calls[k].includes("terrain"));
  for (const [k, time] of first.slice(1).entries())
    assert.ok(time - first[k] >= 850, "no sooner than the server allows");
  // a pause measures at once
  const count = one.calls.length;
  one.go(1_195);
  await one.until(20_200);
  assert.equal(one.calls[count], "fall_line terrain");
});

test("a pause has its terrain at once, however long the next one of play would wait", async () => {
  const one = watching({ again: 12 });
  one.go(40, "playing");
  await one.until(1_000);
  one.calls.length = 0;
  one.go(60);
  await one.until(1_200);
  assert.deepEqual(one.calls, ["fall_line terrain"]);
});

test("a busy server answers late, and points still come twice a second", async () => {
  const one = watching({ takes: 150 });
  await one.until(100);
  for (let ms = 100; ms <= 4_000; ms += 10) {
    one.go(ms, "playing");
    await one.until(ms);
  }
  const gaps = one.asked.slice(2).map((time, k) => time - one.asked[k + 1]);
  assert.ok(gaps.length >= 7 && Math.max(...gaps) <= 500, gaps.join(" "));
  assert.ok(Math.min(...gaps) >= 250, "each waits for its answer and for 100 ms more");
});

test("fast play has its first terrain at step 16, slow play at step 1", async () => {
  for (const [speed, first] of [
    [60, 16],
    ["max", 16],
    [2, 1],
  ] as [number | "max", number][]) {
    const one = watching();
    await one.until(100);
    one.store.dispatch({ type: "playback", part: { speed } });
    one.calls.length = 0;
    for (let step = 1; step <= 20 && !one.calls.includes("fall_line terrain"); step++) {
      one.go(step, "playing");
      await one.until(100 + 500 * step);
    }
    assert.equal(one.store.get().runs.gd.step, first, `at ${speed}`);
    one.stop();
  }
});

test("a run that leaves the view gets a larger terrain, and key 0 one that fits", async () => {
  const one = watching();
  await one.until(100);
  one.go(20);
  await one.until(300);
  one.far.at = 50;
  one.go(21, "playing");
  await one.until(3_000);
  const regions = one.queries.map((query) => query.get("region"));
  assert.ok(
    regions.some((region) => region && Number(region.split(",")[1]) > 50),
    regions.join(" "),
  );
  one.go(30);
  await one.until(4_000);
  assert.ok(one.queries.at(-1)?.has("region"));
  one.store.dispatch({ type: "view", part: { fallFits: 1 } });
  await one.until(5_000);
  assert.equal(one.queries.at(-1)?.has("region"), false);
});

test("looking back requests the points of that step on the same plane, once", async () => {
  const one = watching();
  one.go(40);
  await one.until(1_000);
  one.calls.length = 0;
  one.store.dispatch({ type: "look", step: 12 });
  await one.until(2_000);
  assert.deepEqual(one.calls, ["fall_line points of 12"]);
  assert.equal(one.store.get().fallLine?.past?.step, 12);
  one.store.dispatch({ type: "look", step: null });
  await one.until(3_000);
  assert.deepEqual(one.calls, ["fall_line points of 12"]);
});
