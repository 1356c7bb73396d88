// The newest stretch of each line, between two draws of Plotly. No DOM, no Plotly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { gradientChart } from "../../frontend/charts/gradient-chart.ts";
import { ahead, horizontal } from "../../frontend/charts/horizontal.ts";
import { pxAcross, pxDown } from "../../frontend/charts/labels.ts";
import { markAt, tailOf } from "../../frontend/charts/live-lines.ts";
import { createLiveValues } from "../../frontend/charts/live-values.ts";
import { lossChart } from "../../frontend/charts/loss-chart.ts";
import { reduce } from "../../frontend/core/reduce.ts";
import { stateOnView } from "../../frontend/core/state-on-view.ts";
import { newest, thin } from "../../frontend/core/thinning.ts";
import { columns } from "./fake-server.ts";
import { asOne, figures, scene } from "./scenes.ts";
import type { LiveLine } from "../../frontend/charts/live-lines.ts";
import type { Path } from "../../frontend/charts/paths.ts";
import type { Scene } from "../../frontend/charts/scene.ts";
import type { ColumnStore } from "../../frontend/core/series.ts";
import type { Json, RunSeries } from "../../frontend/core/types.ts";
import type { Lists } from "./fake-server.ts";
import type { Given } from "./scenes.ts";

const CHARTS = {
  loss: (from: Scene) => lossChart(figures.loss, from),
  gradients: (from: Scene) => asOne(gradientChart(figures.gradients, from)),
};

/** A chart drawn by Plotly while runs play. */
function drawn(kind: keyof typeof CHARTS, given: Given) {
  const from = { ...scene(given), isLive: true };
  return { from, chart: CHARTS[kind](from) };
}

const lineOf = ({ live }: { live: LiveLine[] }, run: string, series: string) =>
  live.find(({ run: name, meta }) => name === run && meta.y === series) as LiveLine;

/** Adds steps to a run, one bucket a step, as a frame does. */
function receive(
  { series }: { series: ColumnStore },
  run: string,
  first: number,
  last: number,
  change: (wire: Lists) => void = () => {},
) {
  const wire = columns(first, last);
  wire.series["grad_l1/W1"] = structuredClone(wire.series.train_loss);
  change(wire);
  assert.equal(series.take(run, wire), "taken");
}

const traceOf = ({ data }: { data: Json[] }, series: string) =>
  data.find(({ meta }) => meta.run === "gd" && meta.y === series) as {
    x: number[];
    y: number[];
  };

const near = (point: number[], wished: number[]) =>
  point.forEach((value, side) => assert.ok(Math.abs(value - wished[side]) < 1e-6, `${point}`));

test("the canvas goes on where Plotly's line ends, through every step received since", () => {
  for (const [kind, series] of [
    ["loss", "train_loss"],
    ["gradients", "grad_l1/W1"],
  ] as const) {
    const { from, chart } = drawn(kind, { gd: 50, sgd: 50 });
    const line = lineOf(chart, "gd", series);
    const { x, y } = traceOf(chart, series);
    const { frame } = line;
    const end = [pxAcross(frame, x.at(-1) as number), pxDown(frame, y.at(-1) as number)];
    const nothing = tailOf(line, from.series.of("gd"), from.state);
    assert.equal(nothing.length, 1);
    near(nothing[0], end);
    receive(from, "gd", 50, 53);
    const points = tailOf(line, from.series.of("gd"), from.state);
    near(points[0], end);
    assert.deepEqual(
      points.slice(1).map((point) => point.map(Math.round)),
      [50, 51, 52, 53].map((step) =>
        [pxAcross(frame, step), pxDown(frame, 1 / (1 + step))].map(Math.round),
      ),
    );
  }
});

test("the next draw of Plotly shows what the canvas has shown, at the same data", () => {
  const { from, chart } = drawn("loss", { gd: 50, sgd: 50 });
  const line = lineOf(chart, "gd", "train_loss");
  receive(from, "gd", 50, 69);
  const points = tailOf(line, from.series.of("gd"), from.state);
  // the draw that catches up, on the axes of the one before
  const { data } = CHARTS.loss({ ...from, isLive: false });
  const { x, y } = traceOf({ data }, "train_loss");
  const after = x.flatMap((place, i) =>
    place >= 49 ? [[pxAcross(line.frame, place), pxDown(line.frame, y[i])]] : [],
  );
  assert.equal(points.length, after.length);
  points.forEach((point, i) => near(point, after[i]));
});

test("the canvas merges as many steps into a point as Plotly does", () => {
  const { from, chart } = drawn("loss", { gd: 3000, sgd: 3000 });
  const line = lineOf(chart, "gd", "train_loss");
  assert.equal(line.width, 8);
  receive(from, "gd", 3000, 3099);
  const points = tailOf(line, from.series.of("gd"), from.state);
  assert.equal(points.length, 1 + Math.ceil(100 / 8));
  const places = points.map(([left]) => left);
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
    "it never goes back",
  );
});

test("the newest buckets keep extremes, and the one before them stays as it is", () => {
  const { series } = scene({ gd: 40 });
  const run = series.of("gd") as RunSeries;
  const part = newest(run, ["train_loss"], 4, 13);
  assert.deepEqual([...part.first], [13, 14, 16, 20, 24, 28, 32, 36]);
  assert.deepEqual([...part.last], [13, 15, 19, 23, 27, 31, 35, 39]);
  const { min, max } = part.series.train_loss;
  assert.deepEqual([max[2], min[2]], [1 / 17, 1 / 20]);
  const whole = thin(run, ["train_loss"], 10, false);
  assert.deepEqual(
    [...whole.last].slice(-6),
    [...part.last].slice(-6),
    "the same groups as Plotly's",
  );
});

test("samples and epochs of the newest steps stand at their run's own place", () => {
  for (const x of ["samples", "epochs"] as const) {
    const { from, chart } = drawn("loss", { gd: 50, view: { x } });
    const line = lineOf(chart, "gd", "train_loss");
    // from step 50 on a batch is a single sample
    receive(from, "gd", 50, 51, (wire) => (wire.samples_seen = [45_001, 45_002]));
    const [, next] = tailOf(line, from.series.of("gd"), from.state);
    const at = x === "samples" ? 45_000 : 50;
    assert.ok(Math.abs(next[0] - pxAcross(line.frame, at)) < 0.1, `${next} at ${x}`);
  }
});

test("exactly 0 goes on the shelf, as with Plotly, and a small value on the floor", () => {
  const { from, chart } = drawn("gradients", { gd: 20, sgd: 20 });
  const line = lineOf(chart, "gd", "grad_l1/W1");
  const [shelf, floor] = chart.layout.yaxis.tickvals;
  receive(from, "gd", 20, 21, (wire) => {
    for (const column of Object.values(wire.series["grad_l1/W1"]))
      Object.assign(column, { 0: 0, 1: 1e-30 });
  });
  const points = tailOf(line, from.series.of("gd"), from.state);
  assert.deepEqual(
    points.slice(1).map(([, top]) => top),
    [pxDown(line.frame, shelf), pxDown(line.frame, floor)],
  );
});

test("a series that is not recorded at a step has no point there", () => {
  const tested = (_: string, wire: Lists) => {
    wire.series.test_loss = structuredClone(wire.series.train_loss);
  };
  const { from, chart } = drawn("loss", { gd: 20, sgd: 20, change: tested });
  const line = lineOf(chart, "gd", "test_loss");
  receive(from, "gd", 20, 29);
  assert.equal(tailOf(line, from.series.of("gd"), from.state).length, 1);
});

test("a run that starts again has nothing to go on from until the next draw", () => {
  const { from, chart } = drawn("loss", { gd: 50, sgd: 50 });
  from.series.take("gd", columns(0, 60, 1));
  const line = lineOf(chart, "gd", "train_loss");
  assert.deepEqual(tailOf(line, from.series.of("gd"), from.state), []);
  assert.deepEqual(tailOf(line, null, from.state), []);
  assert.equal(markAt(line, []), null);
});

test("each playing run has its marker on the canvas, else in the drawing, never in both", () => {
  const paused = {
    type: "frame",
    runs: {
      sgd: { status: "paused", step: 50, epoch: 1, samples_seen: 50, generation: 0, latest: {} },
    },
  };
  for (const [kind, name] of [
    ["loss", "end"],
    ["gradients", "now"],
  ] as const) {
    const from = scene({ gd: 50, sgd: 50, messages: [paused] });
    const runsOf = ({ marks, live }: { marks: Path[]; live: LiveLine[] }) => ({
      drawing: new Set(marks.filter((path) => path.name === name).map(({ run }) => run)),
      canvas: new Set(live.filter(({ mark }) => mark).map(({ run }) => run)),
    });
    assert.deepEqual(runsOf(CHARTS[kind]({ ...from, isLive: true })), {
      drawing: new Set(["sgd"]),
      canvas: new Set(["gd"]),
    });
    assert.deepEqual(runsOf(CHARTS[kind](from)), {
      drawing: new Set(["gd", "sgd"]),
      canvas: new Set(),
    });
  }
});

test("the values of labels follow the step on view, and only changes are written", () => {
  const losses = (step: number, loss: number, more = {}) => ({
    status: "playing",
    step,
    epoch: 1,
    samples_seen: step,
    generation: 0,
    latest: {
      train_loss: { step: step - 1, value: loss },
      "grad_l1/W1": { step: step - 1, value: 10 * loss },
    },
    ...more,
  });
  const frame = (gd: Json, sgd: Json) => ({ type: "frame", runs: { gd, sgd } });
  const from = {
    ...scene({
      gd: 50,
      sgd: 50,
      messages: [frame(losses(50, 0.5), losses(50, 0.4, { status: "paused" }))],
    }),
    isLive: true,
  };
  const live = (scene: Scene) => [
    ...lossChart(figures.loss, scene).labels.ends.map((end) => end.live),
    ...gradientChart(figures.gradients, scene).labels.titles[0].values.map((each) => each.live),
  ];
  const values = createLiveValues();
  const updates: string[] = [];
  for (const value of live(from))
    if (value)
      values.follow(value, (words) => updates.push(`${value.run} ${value.series} ${words}`));
  const take = (state: Scene["state"]) => (values.update(state), updates.splice(0));
  assert.deepEqual(take(from.state), [
    "gd train_loss 0.500",
    "sgd train_loss 0.400",
    "gd grad_l1/W1 5.00",
    "sgd grad_l1/W1 4.00",
  ]);
  const later = reduce(from.state, frame(losses(58, 0.3), losses(50, 0.4, { status: "paused" })));
  assert.deepEqual(take(later), ["gd train_loss 0.300", "gd grad_l1/W1 3.00"]);
  assert.deepEqual(take(later), [], "nothing has changed");
  const past = {
    generation: 0,
    step: 20,
    latest: {
      train_loss: { step: 20, value: 0.7 },
      "grad_l1/W1": { step: 20, value: 0 },
    },
  };
  const looking = reduce(reduce(later, { type: "look", step: 20 }), {
    type: "moments",
    moments: { gd: past, sgd: past },
  });
  assert.deepEqual(take(stateOnView(looking)).sort(), [
    "gd grad_l1/W1 0",
    "gd train_loss 0.700",
    "sgd grad_l1/W1 0",
    "sgd train_loss 0.700",
  ]);
  values.clear();
  assert.deepEqual(take(from.state), []);
  assert.ok(
    lossChart(figures.loss, { ...from, look: { ...from.look, compact: true } }).labels.ends.every(
      (end) => end.live === undefined,
    ),
    "a phone's labels are names only",
  );
});

test("a marker stays in sight with a high loss, and leaves with its line at the sides", () => {
  const { chart } = drawn("loss", { gd: 50, sgd: 50 });
  const line = lineOf(chart, "gd", "train_loss");
  const { left, top, width, height } = line.frame;
  assert.deepEqual(markAt(line, [[left + 5, top - 1e4]]), [left + 5, top]);
  assert.equal(markAt(line, [[left + width + 5, top + 5]]), null);
  assert.equal(markAt(line, [[left + 5, top + height + 5]]), null);
  assert.equal(markAt(lineOf(chart, "gd", "test_loss"), [[left + 5, top + 5]]), null);
});

test("labels stay beside the plot, although the axis has room after the newest step", () => {
  const from = { ...scene({ gd: 1000, sgd: 1000 }), isLive: true };
  const previous = { y: null, reached: 500 };
  for (const { gutter } of CHARTS.loss({ ...from, previous }).labels.ends) assert.ok(gutter);
});

test("while runs play the axis has room for the steps until the next draw, else it ends at now", () => {
  assert.equal(ahead(100, null), 20);
  assert.equal(ahead(1000, 960), 50);
  assert.equal(ahead(1000, 100), 200, "at most");
  assert.equal(ahead(1000, 1000), 0, "nothing moves");
  assert.equal(ahead(50, 900), 10, "another axis, or a run started again");
  const from = scene({ gd: 1000, sgd: 900 });
  for (const kind of ["loss", "gradients"] as const) {
    const rangeOf = (more: Partial<Scene>) => CHARTS[kind]({ ...from, ...more }).layout.xaxis.range;
    const previous = { y: null, reached: 960 };
    assert.deepEqual(rangeOf({ previous, isLive: true }), [0, 1050]);
    assert.deepEqual(rangeOf({ previous }), [0, 1000]);
    assert.equal(CHARTS[kind]({ ...from, isLive: true }).reached, 1000);
  }
  assert.deepEqual(horizontal("steps", [{ now: 100, first: 1 }], 112).range, [0, 112]);
});
