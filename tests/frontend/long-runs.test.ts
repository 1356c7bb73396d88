// Long runs: the overview, log steps, zooms, and that no spike is lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { lossChart } from "../../frontend/charts/loss-chart.ts";
import { BOX, overviewBands } from "../../frontend/charts/overview-bands.ts";
import { axisOf } from "../../frontend/charts/scene.ts";
import { briefNameOf, nameOf, zoomedRange } from "../../frontend/charts/horizontal.ts";
import type { Horizontal } from "../../frontend/charts/horizontal.ts";
import { rangesToRefine } from "../../frontend/charts/finer-ranges.ts";
import {
  isLogSteps,
  isLong,
  shareOf,
  shownRange,
  stepAt,
  trackOf,
  zoomAround,
  zoomThatShows,
  zoomTo,
  zoomToFall,
} from "../../frontend/core/long-runs.ts";
import { reduce } from "../../frontend/core/reduce.ts";
import { figures, scene } from "./scenes.ts";
import type { Lists } from "./fake-server.ts";
import type { Json, Message, State, View } from "../../frontend/core/types.ts";

/** A message that GD, or another run, stands at a step. */
const at = (step: number, generation = 0): Message => ({
  type: "frame",
  runs: {
    gd: { status: "paused", step, epoch: step, samples_seen: 900 * step, generation, latest: {} },
  },
});
const standing = (step: number, view: Partial<View> = {}): State =>
  scene({ view, messages: [at(step)] }).state;

const MILLION = 1_000_000;
const SPIKE = { step: 41, loss: 102 };

/** Buckets as the page keeps them: single steps at first, later at most 1/128 of those before. */
function million() {
  const first: number[] = [];
  for (let step = 0; step < MILLION; ) {
    first.push(step);
    step += 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, step / 128))));
  }
  const last = first.map((_, k) => (first[k + 1] ?? MILLION) - 1);
  const mean = first.map((step) => (step === SPIKE.step ? SPIKE.loss : 5 / (1 + step / 50) + 0.01));
  const stat = {
    min: mean,
    max: mean,
    mean,
    last: mean,
    count: first.map((step, k) => last[k] - step + 1),
  };
  return {
    generation: 0,
    first,
    last,
    samples_seen: last.map((step) => step + 1),
    seconds: last.map((step) => (step + 1) * 1e-6),
    series: { train_loss: stat },
  };
}

/** GD after a million steps, with a spike in the first hundred. */
function long(view: Partial<View> = {}, zoom: [number, number] | null = null) {
  const built = scene({ view, messages: [at(MILLION)] });
  built.series.take("gd", million());
  const axis = axisOf(built);
  return zoom ? { ...built, zoom: { x: zoomedRange(zoom, axis), y: null } } : built;
}

const line = ({ data }: { data: Json[] }) =>
  data.find(({ meta }) => meta.run === "gd" && meta.role === "train") as Json;

test("above 2,000 steps the timeline is an overview, from 20,000 on steps are logarithmic", () => {
  assert.deepEqual(
    [2_000, 2_001].map((step) => isLong(standing(step))),
    [false, true],
  );
  assert.deepEqual(
    [2_001, 19_999, 20_000].map((step) => isLogSteps(standing(step))),
    [false, false, true],
  );
  // as chosen, at any length
  assert.deepEqual(
    [standing(300, { logSteps: true }), standing(MILLION, { logSteps: false })].map(isLogSteps),
    [true, false],
  );
});

test("at full speed the page shows most of a long run: steps are logarithmic", () => {
  const max: Message = { type: "playback", part: { speed: "max" } };
  assert.deepEqual(
    [2_000, 2_001].map((step) => isLogSteps(reduce(standing(step), max))),
    [false, true],
  );
});

test("a step has a place on the timeline, and a place its step", () => {
  for (const log of [false, true]) {
    const track = { end: 50_000, log };
    for (const step of [0, 7, 196, 20_000, 50_000])
      assert.equal(stepAt(track, shareOf(track, step)), step, `${step}, log: ${log}`);
    assert.deepEqual([stepAt(track, -1), stepAt(track, 2)], [0, 50_000]);
  }
  assert.equal(shareOf({ end: 0, log: false }, 0), 0);
  const log = { end: 1e6, log: true };
  assert.equal(shareOf(log, 1000), 0.5);
});

test("a zoom stays inside the timeline, has some steps, and is none if it shows all", () => {
  const track = { end: 5_000, log: false };
  assert.deepEqual(zoomTo(track, 900, 100), [100, 900]);
  assert.deepEqual(zoomTo(track, -50, 100), [0, 100]);
  assert.deepEqual(zoomTo(track, 4_999, 9_000), [4_990, 5_000]);
  assert.deepEqual(zoomTo(track, 30, 31), [30, 40]);
  assert.equal(zoomTo(track, 0, 5_000), null);
});

test("an event has 100 steps on either side, and the view follows a step out of the zoom", () => {
  const state = standing(5_000, { zoom: [1_000, 1_200] });
  assert.deepEqual(zoomAround(state, 196), [96, 296]);
  assert.deepEqual(zoomAround(state, 6), [0, 106]);
  assert.equal(zoomAround(state, 5_000), null);
  assert.deepEqual(zoomThatShows(state, 1_100), [1_000, 1_200]);
  assert.deepEqual(zoomThatShows(state, 3_000), [2_900, 3_100]);
  assert.deepEqual(zoomThatShows(state, 0), [0, 200]);
  assert.deepEqual(shownRange(state, trackOf(state)), [1_000, 1_200]);
  assert.deepEqual(shownRange(standing(5_000), { end: 5_000, log: false }), [0, 5_000]);
});

test("a zoom ends with its axis, its experiment, and a reset of all runs", () => {
  const zoomed = standing(5_000, { zoom: [1_000, 1_200], logSteps: true });
  const view = (part: Partial<View>) => reduce(zoomed, { type: "view", part }).view;
  assert.equal(view({ x: "epochs" }).zoom, null);
  assert.deepEqual(view({ x: "steps" }).zoom, [1_000, 1_200]);
  assert.deepEqual(view({ x: "epochs", zoom: [1, 2] }).zoom, [1, 2]);
  assert.deepEqual(reduce(zoomed, at(5_001)).view.zoom, [1_000, 1_200]);
  const reset = ["gd", "sgd"].reduce(
    (state, run) => reduce(state, { type: "event", event: "reset", run, step: 0, generation: 1 }),
    zoomed,
  );
  assert.deepEqual([reset.view.zoom, reset.view.logSteps], [null, null]);
});

test("a press zooms to the steps in which the losses fall", () => {
  const { state, series } = long();
  const zoom = zoomToFall(state, series) as [number, number];
  assert.equal(zoom[0], 0);
  // nine tenths of the fall, on a log scale, are done at about step 13,000
  assert.ok(zoom[1] > 5_000 && zoom[1] < 50_000, String(zoom));
  const flat = (_: unknown, wire: Lists) => wire.series.train_loss.mean.fill(5);
  for (const [change, end] of [
    [() => {}, 2_669], // 1.25 times the step at which 1 / (1 + step) has done nine tenths
    [flat, 200],
  ] as const) {
    const built = scene({ gd: 5_000, change });
    assert.deepEqual(zoomToFall(built.state, built.series), [0, end]);
  }
});

test("a spike of the first hundred steps is in the line or its band after a million, at every zoom", () => {
  for (const view of [{ logSteps: true }, { logSteps: false }] as Partial<View>[])
    for (const zoom of [null, [0, 100], [0, 5_000], [1, 400_000]] as ([number, number] | null)[]) {
      const { data, ground } = lossChart(figures.loss, long(view, zoom));
      const drawn = line({ data });
      const band = ground.find(({ name, run }) => name === "band" && run === "gd");
      const top = Math.max(...drawn.y);
      assert.ok(top === SPIKE.loss || band, `${JSON.stringify(view)} ${zoom}: ${top}`);
      assert.ok(drawn.x.length <= 801);
      if (view.logSteps) assert.equal(top, SPIKE.loss, "each of the first steps has a point");
    }
});

test("a long line starts at its first loss, not at the mean of its first bucket", () => {
  const { data } = lossChart(figures.loss, long({ logSteps: false }));
  const { x, y } = line({ data });
  assert.deepEqual([x[0], y[0]], [0, 5.01]);
});

test("a log axis never takes even buckets that hide its beginning", () => {
  assert.deepEqual(rangesToRefine(long({ logSteps: true }, [1, 400_000])), {});
  assert.deepEqual(Object.keys(rangesToRefine(long({ logSteps: true }, [300_000, 300_200]))), [
    "gd",
  ]);
});

test("even buckets held for a linear axis are not drawn on a log axis", () => {
  const zoom: [number, number] = [0, 400_000];
  const even = million();
  const first = Array.from({ length: 800 }, (_, k) => 512 * k);
  const last = first.map((step) => step + 511);
  const flat = first.map(() => 1);
  const closer = {
    ...even,
    first,
    last,
    samples_seen: last,
    seconds: last,
    series: {
      train_loss: { min: flat, max: flat, mean: flat, last: flat, count: first.map(() => 512) },
    },
  };
  const drawn = (logSteps: boolean) => {
    const built = long({ logSteps }, zoom);
    built.series.keepCloser("gd", closer);
    return line(lossChart(figures.loss, built)).y;
  };
  assert.ok(drawn(true).includes(SPIKE.loss));
  assert.ok(drawn(false).every((loss: number) => loss === 1));
});

test("log steps are named, and a zoom to step 0 begins at the first place of the axis", () => {
  const { labels, layout } = lossChart(figures.loss, long({}, [0, 106]));
  assert.equal(labels.axis, "steps, log");
  const samples = (log: boolean): Horizontal => ({ axis: "samples", range: [0, 6], end: 1e6, log });
  assert.deepEqual([true, false].map(samples).map(nameOf), ["samples seen, log", "samples seen"]);
  assert.deepEqual([true, false].map(samples).map(briefNameOf), ["samples, log", "samples"]);
  assert.equal(layout.xaxis.type, "log");
  const [low, high] = layout.xaxis.range;
  assert.ok(low > -0.1 && low <= 0 && Math.abs(high - Math.log10(106)) < 1e-9);
});

test("the overview shows the least and the greatest loss of every run, over all steps", () => {
  for (const log of [false, true]) {
    const { state, series } = long({ logSteps: log });
    const track = trackOf(state);
    const [{ run, d }] = overviewBands(state, series, track);
    assert.equal(run, "gd");
    const points = [...d.matchAll(/([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
    const spike = points.reduce((a, b) => (b[1] < a[1] ? b : a));
    assert.ok(
      Math.abs(spike[0] - BOX.width * shareOf(track, SPIKE.step)) < (log ? 4 : 6),
      String(spike),
    );
    assert.ok(spike[1] < 0.1 * BOX.height);
    assert.ok(points.every(([x, y]) => x >= 0 && x <= BOX.width && y >= 0 && y <= BOX.height));
    assert.ok(points.length <= 2 * 251);
  }
  const hidden = long();
  const without = reduce(hidden.state, { type: "hidden", run: "gd", hidden: true });
  assert.deepEqual(overviewBands(without, hidden.series, trackOf(without)), []);
});
