// A zoom into an old range of a long run: which steps are requested again, and that the chart shows
// each.

import assert from "node:assert/strict";
import { test } from "node:test";

import { rangesToRefine } from "../../frontend/charts/finer-ranges.ts";
import { lossChart } from "../../frontend/charts/loss-chart.ts";
import { axisOf, columnsFor } from "../../frontend/charts/scene.ts";
import { createSeriesStore } from "../../frontend/core/series.ts";
import { answer, columns } from "./fake-server.ts";
import type { Lists } from "./fake-server.ts";
import { figures, scene } from "./scenes.ts";
import { live, settle } from "./world.ts";
import type { Json } from "../../frontend/core/types.ts";
import type { ColumnStore } from "../../frontend/core/series.ts";
import type { Given } from "./scenes.ts";
import type { RunStatus } from "../../frontend/core/wire-types.ts";
import type { Scene } from "../../frontend/charts/scene.ts";

const LONG = 40_000;
const WIDTH = 64;

/** Buckets of a run that became coarse; the loss falls as 1 / (1 + step). */
function coarse(per = 900) {
  const first = Array.from({ length: LONG / WIDTH }, (_, k) => k * WIDTH);
  const last = first.map((step) => step + WIDTH - 1);
  const stat = (of: number[]) => first.map((_, k) => 1 / (1 + of[k]));
  return {
    generation: 0,
    first,
    last,
    samples_seen: last.map((step) => per * (step + 1)),
    seconds: last.map((step) => (step + 1) * 1e-4),
    series: {
      train_loss: {
        min: stat(last),
        max: stat(first),
        mean: stat(first),
        last: stat(last),
        count: first.map(() => WIDTH),
      },
    },
  };
}

/** GD paused after all these steps, SGD hidden or at step 0. */
function long({
  zoom = null,
  status = "paused",
  view = {},
}: Pick<Given, "zoom" | "view"> & { status?: RunStatus } = {}) {
  const result = scene({
    zoom,
    view: { logSteps: false, ...view },
    messages: [
      {
        type: "frame",
        runs: {
          gd: {
            status,
            step: LONG,
            epoch: LONG,
            samples_seen: 900 * LONG,
            generation: 0,
            latest: {},
          },
        },
      },
    ],
  });
  result.series.take("gd", coarse());
  return result;
}
const pointsIn = (figure: { data: Json[] }, [low, high]: [number, number]) =>
  figure.data
    .find(({ meta }) => meta.run === "gd" && meta.role === "train")!
    .x.filter((x: number) => x >= low && x <= high);

test("only ranges that could be finer are requested, with a margin", () => {
  assert.deepEqual(rangesToRefine(long()), {});
  assert.deepEqual(rangesToRefine(long({ zoom: [20_000, 20_200] })), {
    gd: { since: 19_989, until: 20_211 },
  });
  assert.deepEqual(rangesToRefine(long({ zoom: [10, 60] })), { gd: { since: 6, until: 64 } });
  assert.deepEqual(
    rangesToRefine(long({ zoom: [-10, LONG + 50] })),
    {},
    "of so many steps the server has nothing finer to tell",
  );
  assert.deepEqual(
    rangesToRefine(scene({ gd: 3_000, zoom: [1_000, 1_100] })),
    {},
    "every step is held",
  );
});

test("steps of a playing run arrive without a request", () => {
  const zoom: [number, number] = [LONG - 200, LONG + 10];
  assert.deepEqual(rangesToRefine(long({ zoom, status: "playing" })), {});
  assert.deepEqual(rangesToRefine(long({ zoom })), { gd: { since: LONG - 212, until: LONG - 1 } });
  assert.deepEqual(
    Object.keys(rangesToRefine(long({ zoom: [20_000, 20_200], status: "playing" }))),
    ["gd"],
  );
});

test("a range means the same steps on every axis", () => {
  for (const [x, unit] of [
    ["steps", 1],
    ["epochs", 1],
    ["samples", 900],
    ["seconds", 1e-4],
  ] as const) {
    const { since, until } = rangesToRefine(
      long({ zoom: [20_000 * unit, 20_200 * unit], view: { x } }),
    ).gd;
    assert.ok(
      Math.abs(since - 19_989) <= 1 && Math.abs(until - 20_211) <= 1,
      `${x}: ${since} to ${until}`,
    );
  }
});

test("the chart shows every step of a loaded range, and the whole as before", () => {
  const zoom: [number, number] = [20_000, 20_200];
  const close = long({ zoom });
  assert.ok(pointsIn(lossChart(figures.loss, close), zoom).length <= 4);
  close.series.keepCloser("gd", columns(19_989, 20_211));
  assert.deepEqual(
    pointsIn(lossChart(figures.loss, close), zoom),
    Array.from({ length: 201 }, (_, k) => 20_000 + k),
  );
  const elsewhere: Scene = { ...close, zoom: { x: [30_000, 30_200], y: null } };
  assert.ok(pointsIn(lossChart(figures.loss, elsewhere), [30_000, 30_200]).length <= 4);
  for (const part of [columns(20_100, 20_211), columns(19_989, 20_100)]) {
    close.series.keepCloser("gd", part);
    assert.ok(
      pointsIn(lossChart(figures.loss, close), zoom).length <= 4,
      "half of it is not the stretch",
    );
  }
  assert.deepEqual(
    lossChart(figures.loss, { ...close, zoom: { x: null, y: null } }).data,
    lossChart(figures.loss, long()).data,
  );
});

test("while another measure loads, the range on hand stays on view", () => {
  const zoom: [number, number] = [20_000, 20_200];
  const close = long({ zoom });
  const loss = coarse().series.train_loss;
  close.series.take("gd", {
    ...coarse(),
    generation: 1,
    series: { train_loss: loss, "ratio/W1": loss },
  });
  close.series.keepCloser("gd", columns(19_989, 20_211, 1));
  const columnsOf = (names: string[]) => columnsFor(close, axisOf(close), names, 800).gd;
  assert.ok(columnsOf(["train_loss"]).first.length > 200);
  assert.ok("ratio/W1" in columnsOf(["ratio/W1"]).series);
  assert.ok(columnsOf(["ratio/W1"]).first.length < 10);
});

test("a range from before a reset is not shown", () => {
  const close = long({ zoom: [20_000, 20_200] });
  close.series.keepCloser("gd", columns(19_989, 20_211));
  close.series.take("gd", columns(0, 9, 1));
  assert.equal(close.series.closer("gd"), null);
});

test("the page requests a range once, again for another measure, and drops it when out of view", async () => {
  const { app, server } = await live();
  const requests: Json[] = [];
  const respond = server.history;
  server.history = (query) => (requests.push(Object.fromEntries(query)), respond(query));
  (app.series as ColumnStore).take("gd", columns(0, 9));
  const before = app.store.get().finer;
  for (let draws = 0; draws < 5; draws++) app.lookCloser({ gd: { since: 3, until: 8 } });
  await settle();
  assert.equal(requests.length, 1);
  assert.deepEqual(
    [requests[0].since, requests[0].until, requests[0].encoding],
    ["3", "8", "bdata"],
  );
  assert.equal(app.store.get().finer, before + 1);
  assert.deepEqual([...app.series.closer("gd")!.first], [3, 4, 5, 6, 7, 8]);
  app.setView({ measure: "ratio" });
  app.lookCloser({ gd: { since: 3, until: 8 } });
  await settle();
  assert.equal(requests.length, 2);
  app.lookCloser({});
  assert.equal(app.series.closer("gd"), null);
  app.stop();
});

test("an answer for a range out of view is dropped, and a refusal keeps the columns", async () => {
  const { app, server } = await live();
  (app.series as ColumnStore).take("gd", columns(0, 9));
  const respond = server.history;
  let late = () => {};
  server.history = (query) =>
    query.get("since") === "3"
      ? new Promise((answer) => (late = () => answer(respond(query))))
      : respond(query);
  app.lookCloser({ gd: { since: 3, until: 8 } });
  app.lookCloser({ gd: { since: 5, until: 6 } });
  await settle();
  late();
  await settle();
  assert.deepEqual([...app.series.closer("gd")!.first], [5, 6]);
  server.history = () => Response.json({ title: "No" }, { status: 503 });
  app.lookCloser({ gd: { since: 1, until: 2 } });
  await settle();
  assert.deepEqual([[...app.series.closer("gd")!.first], app.store.get().problem], [[5, 6], null]);
  app.stop();
});

/** Buckets of a width over so many steps. */
function even(steps: number, width: number): Lists {
  const first = Array.from({ length: Math.ceil(steps / width) }, (_, k) => k * width);
  const last = first.map((step) => Math.min(steps, step + width) - 1);
  const loss = first.map((step) => 1 / (1 + step));
  return {
    ...columns(0, 0),
    first,
    last,
    samples_seen: last.map((step) => 900 * (step + 1)),
    seconds: last.map((step) => step * 1e-4),
    series: {
      train_loss: { min: loss, max: loss, mean: loss, last: loss, count: first.map(() => width) },
    },
  };
}

test("the first steps of a long run are requested one by one, once, and stay beside what follows", async () => {
  const { app, server } = await live();
  const series = app.series as ColumnStore;
  const requests: Json[] = [];
  const respond = server.history;
  server.history = (query) => (requests.push(Object.fromEntries(query)), respond(query));
  series.take("gd", even(20_000, 16));
  app.lookCloser({});
  assert.equal(requests.length, 0, "only of long runs");
  const run = {
    status: "paused",
    step: 20_000,
    epoch: 0,
    samples_seen: 0,
    generation: 0,
    latest: {},
  };
  app.store.dispatch({ type: "frame", runs: { gd: run } });
  assert.deepEqual(series.coarseBeginning("gd"), { until: 1_023, buckets: 64 });
  for (let draws = 0; draws < 3; draws++) app.lookCloser({});
  await settle();
  assert.deepEqual(
    requests.map(({ since, until, buckets }) => [since, until, buckets]),
    [["0", "1023", "2048"]],
  );
  const { first, last, length } = series.of("gd")!;
  assert.equal(length, 1_024 + (20_000 - 1_024) / 16);
  assert.deepEqual([...first.slice(1_022, 1_026)], [1_022, 1_023, 1_024, 1_040]);
  assert.ok(first.slice(1).every((step, k) => step === last[k] + 1));
  const { mean } = series.of("gd")!.values("train_loss")!;
  assert.deepEqual([mean[41], mean[1_025]], [1 / 42, 1 / 1_041]);
  // later frames join, and a beginning that is there is not requested again
  series.take("gd", { ...columns(20_000, 20_003) });
  assert.equal(series.of("gd")!.last.at(-1), 20_003);
  assert.equal(series.coarseBeginning("gd"), null);
  app.lookCloser({});
  await settle();
  assert.equal(requests.length, 1);
  app.stop();
});

test("a beginning that is not finer, of another time, or does not fit changes nothing", () => {
  const store = createSeriesStore();
  store.take("gd", even(20_000, 16));
  const before = [...store.of("gd")!.first];
  store.refine("gd", even(1_024, 16));
  store.refine("gd", { ...columns(0, 1_023), generation: 1 });
  store.refine("gd", columns(0, 1_000));
  store.refine("gd", columns(16, 1_023));
  store.refine("gd", { ...columns(0, 1_023), series: {} }); // it would blank the losses
  assert.deepEqual([...store.of("gd")!.first], before);
});

test("while more than four runs play they share the points of four, and in a pause each has its own", () => {
  const drawn = scene({ gd: 2_000 });
  const names = Array.from({ length: 8 }, (_, k) => `run-${k}`);
  for (const name of names) drawn.series.take(name, columns(0, 1_999));
  const runs = Object.fromEntries(names.map((name) => [name, { ...drawn.state.runs.gd, name }]));
  const points = (isLive: boolean, count: number) => {
    const state = { ...drawn.state, order: names.slice(0, count), runs };
    const from = { ...drawn, state, isLive };
    return columnsFor(from, axisOf(from), ["train_loss"], 800, 900)["run-0"].last.length;
  };
  assert.ok(points(true, 8) <= 400);
  assert.ok(points(true, 4) > 400);
  assert.equal(points(false, 8), points(true, 4));
});

test("a fork's line begins at its step's own loss, which is requested where a bucket hides it", async () => {
  const { app, server } = await live();
  const series = app.series as ColumnStore;
  const requests: Json[] = [];
  let names: string[] = [];
  let until: Promise<void> | null = null;
  server.history = async (query) => {
    requests.push(Object.fromEntries(query));
    names = query.getAll("series");
    const wanted = names;
    await until;
    const record = columns(Number(query.get("since")), Number(query.get("until")));
    const { train_loss } = record.series;
    return Response.json({
      ...record,
      series: Object.fromEntries(wanted.map((each) => [each, train_loss])),
    });
  };
  const forked = 1_510;
  const [name, origin] = ["sgd-1510", { run: "sgd", at_step: forked }];
  app.store.dispatch({
    type: "event",
    event: "run_added",
    run: name,
    recipe: { ...answer().recipe.runs[0], name, origin },
    added: { ...answer().runs[0], name, step: forked },
  });
  series.take(name, columns(0, forked + 3));
  app.lookCloser({});
  await settle();
  assert.equal(requests.length, 0, "where each step has a bucket of its own");
  series.clear();
  for (const each of ["gd", name]) series.take(each, even(8_000, 32));
  for (let draws = 0; draws < 3; draws++) app.lookCloser({});
  await settle();
  assert.deepEqual(
    requests.map(({ since, until }) => [since, until]),
    [[String(forked), String(forked)]],
    "once, and of the fork only",
  );
  const drawn: Scene = { ...scene(), state: app.store.get(), series };
  const fork = columnsFor(drawn, axisOf(drawn), ["train_loss"], 800, 900)[name];
  const { mean, count } = fork.series.train_loss;
  assert.deepEqual([...fork.last.slice(0, 2)], [forked, 1_535]);
  assert.deepEqual([mean[0], count[0]], [1 / (1 + forked), 1]);
  app.setView({ measure: "ratio" });
  app.lookCloser({});
  await settle();
  assert.equal(requests.length, 2, "again for another measure");
  assert.ok(names.includes("ratio/W1") && !names.includes("grad_l1/W1"));
  app.setView({ measure: "grad_l1" });
  app.lookCloser({});
  await settle();
  assert.equal(requests.length, 3, "and for the first one, whose record was replaced");
  let release = () => {};
  until = new Promise((resolve) => (release = resolve));
  app.setView({ measure: "ratio" });
  app.lookCloser({});
  until = null;
  app.setView({ measure: "grad_l1" });
  app.lookCloser({});
  await settle();
  release();
  await settle();
  assert.ok(series.origin(name)?.values("grad_l1/W1"), "no answer for a measure before is kept");
  // another experiment was on view meanwhile
  series.clear();
  for (const each of ["gd", name]) series.take(each, even(8_000, 32));
  app.lookCloser({});
  await settle();
  assert.equal(requests.length, 6, "again for other columns");
  assert.equal(series.origin(name)?.first[0], forked);
  app.stop();
});
