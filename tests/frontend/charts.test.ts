// Charts as data: ranges, labels, markers, and turns. No DOM, no Plotly.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bandsOf } from "../../frontend/charts/bands.ts";
import { baselineLabel } from "../../frontend/charts/baseline.ts";
import { gradientChart } from "../../frontend/charts/gradient-chart.ts";
import { horizontal, placeOf, zoomedTo } from "../../frontend/charts/horizontal.ts";
import { KINDS } from "../../frontend/charts/kinds.ts";
import { boxOf, placeEnds } from "../../frontend/charts/end-labels.ts";
import { boldWidth } from "../../frontend/charts/letter-widths.ts";
import { curvesOf, touch } from "../../frontend/charts/overlap.ts";
import { APART, phoneWords, placeFlags, pushApart } from "../../frontend/charts/labels.ts";
import { startSize } from "../../frontend/charts/line-marks.ts";
import { lossChart } from "../../frontend/charts/loss-chart.ts";
import { createDrawScheduler } from "../../frontend/charts/draw-scheduler.ts";
import { symbol } from "../../frontend/charts/paths.ts";
import { determination, dotsOf, scatterChart } from "../../frontend/charts/scatter-chart.ts";
import { number } from "../../frontend/core/format.ts";
import { windowWords } from "../../frontend/core/long-runs.ts";
import type { End } from "../../frontend/charts/end-labels.ts";
import type { Flag, Frame } from "../../frontend/charts/labels.ts";
import type { Curve } from "../../frontend/charts/overlap.ts";
import type { Path } from "../../frontend/charts/paths.ts";
import { answer, beatAt, columns, frameOf, play } from "./fake-server.ts";
import { asOne, figures, scene } from "./scenes.ts";
import type { Connection, Json, Message, State, View } from "../../frontend/core/types.ts";
import type { Given } from "./scenes.ts";
import type { Lists } from "./fake-server.ts";

const loss = (given: Given = {}) => lossChart(figures.loss, scene(given));
const gradients = (given: Given = {}) => asOne(gradientChart(figures.gradients, scene(given)));
/** Paths of a name, and the places of their corners in px. */
const named = (paths: Path[], name: string) =>
  paths.filter((path) => path.name.split(" ").includes(name));
const cornersOf = ({ d }: Pick<Path, "d">) =>
  [...d.replaceAll(/A[\d.]+,[\d.]+ 0 1,1 /g, "L").matchAll(/(-?[\d.]+),(-?[\d.]+)/g)].map(
    ([, x, y]) => [Number(x), Number(y)],
  );
const middleOf = (path: Pick<Path, "d">) =>
  [0, 1].map(
    (side) =>
      (Math.min(...cornersOf(path).map((at) => at[side])) +
        Math.max(...cornersOf(path).map((at) => at[side]))) /
      2,
  );
/** The left edge of the plots, in px. */
const ROOM_LEFT = 46;
const traceOf = (chart: { data: Json[] }, run: string, role: string): Json =>
  chart.data.find(({ meta }) => meta?.run === run && meta.role === role)!;

test("before the first step there are axes, baseline and the shared start", () => {
  const { labels, layout, marks, ground } = loss();
  assert.deepEqual(layout.xaxis.range, [-4, 200]);
  assert.equal(labels.start!.text, "both runs start here: loss 12.3");
  assert.equal(labels.baseline!.text, "predicting the mean: 0.0436");
  assert.deepEqual(labels.ends, []);
  const shapes = named(marks, "start");
  assert.deepEqual(
    shapes.map(({ run, name }) => [run, name]),
    [
      ["gd", "start"],
      ["sgd", "start inner"],
    ],
  );
  for (const [left, top] of shapes.slice(1).map(middleOf))
    assert.ok(left > 46 && left < 70 && top > 26 && top < 372, "at the start");
  assert.equal(named(ground, "baseline").length, 1);
  assert.ok(10 ** layout.yaxis.range[0] < 0.0436 && 10 ** layout.yaxis.range[1] > 12.3);
});

test("the horizontal axis ends at now, and no trace has more points than pixels or 800", () => {
  const chart = loss({ gd: 3000, sgd: 2500 });
  assert.deepEqual(chart.layout.xaxis.range, [0, 3000]);
  for (const { x, meta } of chart.data) assert.ok((meta.points ?? x.length) <= 650);
  assert.equal(chart.labels.start, null);
});

test("up to 900 steps the loss is drawn step by step, so that on a phone too a spike keeps its height", () => {
  const spiked = (run: string, { series }: Lists) => {
    if (run === "gd") for (const stat of Object.values(series.train_loss)) stat[6] = 96.1;
  };
  const onAPhone = (steps: number) =>
    traceOf(loss({ gd: steps, change: spiked, room: { width: 380 } }), "gd", "train");
  assert.equal(Math.max(...onAPhone(600).y), 96.1);
  assert.equal(onAPhone(600).x.length, 600);
  assert.ok(onAPhone(950).x.length < 380, "beyond, in as many bins as there are pixels");
});

test("epochs, samples and seconds are logarithmic only where the runs are far apart", () => {
  assert.equal(loss({ gd: 100, sgd: 100 }).layout.xaxis.type, "linear");
  for (const x of ["epochs", "samples"] as const) {
    const { layout, data } = loss({ gd: 100, sgd: 100, view: { x } });
    assert.equal(layout.xaxis.type, "log", x);
    assert.ok(
      data.filter(({ meta }) => meta).every((trace) => trace.x.every((place: number) => place > 0)),
      "nothing stands at 0",
    );
  }
  assert.equal(loss({ gd: 100, sgd: 100, view: { x: "seconds" } }).layout.xaxis.type, "linear");
});

test("a step stands at its run's own place", () => {
  const { series } = scene({ gd: 10, sgd: 10 });
  assert.equal(placeOf(series.of("gd"), "samples", 900, 5), 4500);
  assert.equal(placeOf(series.of("sgd"), "samples", 900, 5), 5);
  assert.equal(placeOf(series.of("gd"), "epochs", 900, 10), 10);
  assert.equal(placeOf(null, "steps", 900, 7), 7);
  assert.deepEqual(horizontal("steps", []).range, [-4, 200]);
});

test("the selected measure is bound, and exactly 0 stands on the shelf", () => {
  const chart = gradients({
    gd: 20,
    sgd: 20,
    change: (run: string, wire: Lists) => run === "sgd" && zero(wire.series["grad_l1/W1"], 10),
  });
  const { y } = traceOf(chart, "sgd", "line");
  assert.ok(y[5] >= 1e-4 && y[15] < 1e-4);
  const ratio = gradients({ gd: 20, view: { measure: "ratio" } });
  assert.equal(traceOf(ratio, "gd", "line").meta.y, "ratio/W1");
  assert.equal(ratio.layout.yaxis.range[0], -6 - 1.4);
});

test("the whole gradient has a panel of its own beside the rate, and one after clipping if it is clipped", () => {
  const names = (messages: Message[]) =>
    gradients({ gd: 5, sgd: 5, view: { measure: "whole" }, messages }).plots.map(({ data }) =>
      data.map(({ meta }: Json) => meta.y),
    );
  const both = (series: string) => [series, series];
  assert.deepEqual(names([]), [both("grad_norm"), both("learning_rate")]);
  const clipped = {
    type: "frame",
    runs: {
      gd: {
        status: "paused",
        step: 5,
        epoch: 5,
        samples_seen: 4500,
        generation: 0,
        latest: { grad_norm_clipped: { step: 4, value: 1 } },
      },
    },
  };
  assert.deepEqual(names([clipped]), [
    both("grad_norm"),
    both("grad_norm_clipped"),
    both("learning_rate"),
  ]);
});

/** Sets a series to exactly 0 from a step on. */
function zero(stat: Lists["series"][string], from: number) {
  for (const key of ["min", "max", "mean", "last"] as const)
    stat[key] = stat[key].map((value, step) => (step >= from ? 0 : value));
}

test("a loss of exactly 0 stands on a shelf, which appears only when needed", () => {
  const solved = (run: string, wire: Lists) => run === "gd" && zero(wire.series.train_loss, 10);
  const chart = loss({ gd: 20, sgd: 20, change: solved });
  const { y } = traceOf(chart, "gd", "train");
  const { tickvals, ticktext, range } = chart.layout.yaxis;
  assert.deepEqual([ticktext[0], y[15]], ["0", tickvals[0]]);
  assert.ok(
    y[15] < tickvals[1] && Math.log10(y[15]) > range[0] && tickvals[1] <= 1 / 20,
    "between the floor and the edge",
  );
  const [shelf] = named(chart.ground, "shelf");
  const [[, top]] = cornersOf(shelf);
  const stands = 26 + 346 * (1 - (Math.log10(y[15]) - range[0]) / (range[1] - range[0]));
  assert.ok(stands > top && stands < 372, "on the shelf");
  assert.deepEqual(named(loss({ gd: 20, sgd: 20 }).ground, "shelf"), []);
  const linear = loss({ gd: 20, change: solved, view: { y: "linear" } });
  assert.deepEqual([traceOf(linear, "gd", "train").y[15], named(linear.ground, "shelf")], [0, []]);
});

test("a band is one outline around its two edges, and there is none where every step is drawn", () => {
  const wide = (run: string, wire: Lists) =>
    run === "gd" &&
    Object.assign(wire.series["grad_l1/W1"], {
      max: wire.series["grad_l1/W1"].max.map((value) => 2 * value!),
    });
  const {
    data,
    ground,
    layout,
    readable: {
      panels: [panel],
    },
  } = gradients({ gd: 5, sgd: 5, change: wide });
  const bands = named(ground, "band");
  assert.deepEqual(
    bands.map(({ run, lane }) => [run, lane]),
    [["gd", "a"]],
  );
  assert.ok(
    data.every(({ meta }) => meta.role === "line"),
    "Plotly has no part in it",
  );
  const px = (x: number, y: number) =>
    [
      panel.left + (panel.width * x) / 5,
      panel.top +
        panel.height *
          (1 -
            (Math.log10(y) - layout.yaxis.range[0]) /
              (layout.yaxis.range[1] - layout.yaxis.range[0])),
    ].map((value) => Math.round(value));
  const wished = [
    ...[0, 1, 2, 3, 4].map((x) => px(x, 2 / (x + 1))),
    ...[4, 3, 2, 1, 0].map((x) => px(x, 1 / (x + 1))),
  ];
  assert.deepEqual(
    cornersOf(bands[0]).map((at) => at.map(Math.round)),
    wished,
  );
});

test("a spike of one column stands upright through its band, at any zoom, and noise has none", () => {
  const spike = (run: string, wire: Lists) => {
    if (run === "gd") wire.series.train_loss.max[600] = 40;
  };
  const corners = (view: Partial<View>, zoom: [number, number] | null = null) =>
    named(loss({ gd: 6000, change: spike, view, zoom }).ground, "spike").map((path) =>
      cornersOf({
        d: path.d.replaceAll(/V/g, ",").replaceAll(/M([\d.]+),([\d.]+),/g, "M$1,$2 $1,"),
      }),
    );
  for (const y of ["linear", "log"] as const) {
    const [[from, to]] = corners({ y });
    assert.equal(from[0], to[0], "upright");
    assert.ok(to[1] - from[1] > 14, `${from} ${to}`);
  }
  assert.equal(corners({ y: "linear" }, [0, 3000]).length, 1);
  const past = { step: 300, generation: 0, epoch: 300, samples_seen: 270_000, latest: {} };
  const moments = { gd: { ...past, units: null, predictions: null, weights: null } };
  const look = [
    { type: "look", step: 300 },
    { type: "moments", moments },
  ];
  const back = scene({ gd: 6000, change: spike, messages: look });
  assert.deepEqual(
    named(lossChart(figures.loss, back).ground, "spike"),
    [],
    "after the step on view",
  );
  assert.deepEqual(corners({ y: "log" }, [590, 610]), [], "a wide column shows its area");
  const noise = (run: string, wire: Lists) => {
    const { max } = wire.series.train_loss;
    if (run === "gd") max.forEach((value, k) => (max[k] = value! * (2 + (k % 3))));
  };
  assert.deepEqual(named(loss({ gd: 6000, change: noise }).ground, "spike"), []);
});

test("a band that leaves its plot is clipped", () => {
  const frame: Frame = {
    left: 0,
    top: 0,
    width: 100,
    height: 100,
    beyond: 0,
    x: { type: "linear", range: [0, 10] },
    y: { type: "linear", range: [0, 10] },
  };
  const band = (x: number[], upper: number[], lower: number[]) =>
    bandsOf(
      [
        { meta: { role: "band", run: "gd", lane: "a" }, x, y: upper },
        { meta: { role: "band", run: "gd", lane: "a" }, x, y: lower, fill: "tonexty" },
      ],
      () => frame,
    );
  assert.deepEqual(cornersOf(band([-5, 5, 15], [5, 5, 5], [1, 2, 3])[0]), [
    [0, 50],
    [50, 50],
    [100, 50],
    [100, 75],
    [50, 80],
    [0, 85],
  ]);
  assert.deepEqual(cornersOf(band([0, 5, 10], [5, 15, 5], [0, 0, 0])[0]), [
    [0, 50],
    [25, 0],
    [50, 0],
    [75, 0],
    [100, 50],
    [100, 100],
    [50, 100],
    [0, 100],
  ]);
  assert.deepEqual(band([20, 30], [5, 5], [1, 1]), [], "elsewhere");
  assert.deepEqual(band([0, 10], [50, 50], [40, 40]), [], "above");
  const far = cornersOf(band([0, 5, 10], [5, 1e300, 5], [1, 1, 1])[0]);
  assert.ok(far.every(([x, y]) => x >= 0 && x <= 100 && y >= 0 && y <= 100));
  assert.ok(far[1][0] < 0.1 && far[1][1] === 0, "upright");
});

test("there are as many panels as layers, side by side, each with its values", () => {
  const { plots, labels } = gradients({ gd: 5, sgd: 5 });
  assert.deepEqual(
    labels.titles.map(({ name, shape }) => `${name} ${shape}`),
    ["W1 5 × 4", "W2 4 × 4", "W3 4 × 1"],
  );
  const [first, second, third] = plots.map(({ box }) => box as Frame);
  assert.ok(first.left + first.width < second.left && third.left + third.width <= 800);
  assert.deepEqual(
    plots.map(({ data, words }) => [
      data.map(({ meta }) => `${meta.run} ${meta.y}`),
      words.some(({ name }) => name === "tick beside"),
    ]),
    [
      [["gd grad_l1/W1", "sgd grad_l1/W1"], true],
      [["gd grad_l1/W2", "sgd grad_l1/W2"], false],
      // the stored figure has two layers, and the first one's traces serve all panels
      [["gd grad_l1/W3", "sgd grad_l1/W3"], false],
    ],
  );
  assert.equal(labels.titles[0].values.length, 2);
});

test("before the first step panels have titles, a grid and the words of the band, and no values", () => {
  const { plots, labels } = gradients({ gd: 0, sgd: 0 });
  assert.deepEqual(
    labels.titles.map(({ name, values }) => [name, values.length]),
    [
      ["W1", 0],
      ["W2", 0],
      ["W3", 0],
    ],
  );
  assert.ok(plots.every(({ ground }) => ground.some(({ name, d }) => name === "grid" && d)));
  const [first] = plots.map(({ box }) => box as Frame);
  assert.ok(labels.zero && !labels.zero.isLast && labels.zero.left < first.left + 20);
  const room = { height: 60 };
  assert.ok(gradients({ gd: 0, sgd: 0, room }).labels.zero, "no line needs the room");
  assert.equal(gradients({ gd: 5, sgd: 5, room }).labels.zero, null);
  const after = gradients({ gd: 5, sgd: 5 });
  const last = after.plots[2].box as Frame;
  assert.ok(after.labels.zero?.isLast && after.labels.zero.left > last.left + last.width - 20);
});

test("the words of the band stand where no line crosses them", () => {
  const low = (_: string, { series }: Lists) => {
    series["grad_l1/W3"] = structuredClone(series.train_loss);
    for (const stat of Object.values(series["grad_l1/W3"])) stat.fill(2e-4, stat.length / 2);
  };
  const room = { height: 130 };
  const { labels, plots } = gradients({ gd: 200, change: low, room });
  const { left, width } = plots[2].box as Frame;
  assert.ok((labels.zero?.left as number) < left + width / 2 + 30, "where the line is high");
  const high = gradients({ gd: 200, room });
  assert.ok((high.labels.zero?.left as number) > left + width - 20, "else at the right");
  assert.ok(!labels.zero?.isOver && !high.labels.zero?.isOver);
});

test("where lines are everywhere in the band of zeros, its words have a ground of their own", () => {
  const spikes = (_: string, { series }: Lists) => {
    for (const name of ["W1", "W2", "W3"]) {
      series[`grad_l1/${name}`] = structuredClone(series.train_loss);
      for (const stat of Object.values(series[`grad_l1/${name}`]))
        for (let k = 0; k < stat.length; k += 20) stat.fill(0, k, k + 19);
    }
  };
  const { labels } = gradients({ gd: 200, change: spikes, room: { height: 130 } });
  assert.ok(labels.zero?.isOver);
});

test("the words of the band of zeros stay where they are while no line comes there", () => {
  const given = scene({ gd: 200, room: { height: 130 } });
  const place = (corner: string | null) =>
    gradientChart(figures.gradients, { ...given, previous: { y: null, corner } }).corner;
  assert.equal(place(null), "2 1", "in the last panel, on the right");
  assert.equal(place("2 0.6"), "2 0.6");
  const low = (_: string, { series }: Lists) => {
    series["grad_l1/W3"] = structuredClone(series.train_loss);
    for (const stat of Object.values(series["grad_l1/W3"])) stat.fill(2e-4, stat.length / 2);
  };
  const crossed = scene({ gd: 200, change: low, room: { height: 130 } });
  const previous = { y: null, corner: "2 0.9" };
  assert.notEqual(gradientChart(figures.gradients, { ...crossed, previous }).corner, "2 0.9");
  const held = { ...crossed, previous: { ...previous, isHeld: true } };
  assert.equal(gradientChart(figures.gradients, held).corner, "2 0.9", "below a pointer at rest");
});

test("the words of the band stand on no upright line and no marker", () => {
  const messages = [0.3, 0.6, 0.9].map((share, k) => ({
    type: "event",
    event: "edit",
    run: "gd",
    generation: 0,
    edit: { at_step: Math.round(200 * share), learning_rate: 0.05 + 0.01 * k },
  }));
  const room = { height: 130 };
  const { labels, plots } = gradients({ gd: 200, room, messages });
  const { zero } = labels;
  const { left, width, x } = plots[2].box as Frame;
  const lines = [60, 120, 180].map(
    (step) => left + (width * (step - x.range[0])) / (x.range[1] - x.range[0]),
  );
  const [from, to] = [(zero?.left as number) - 58, zero?.left as number];
  assert.ok(zero && !lines.some((line) => line > from && line < to), `${from} to ${to}: ${lines}`);

  // GD's gradients are exactly 0, and its marker stands in the way, or comes there
  const low = (run: string, { series }: Lists) => {
    if (run !== "gd") return;
    series["grad_l1/W3"] = structuredClone(series.train_loss);
    for (const name of ["W1", "W2", "W3"])
      for (const stat of Object.values(series[`grad_l1/${name}`])) stat.fill(0);
  };
  for (const { gd, isLive } of [
    { gd: 170, isLive: false },
    { gd: 130, isLive: true },
  ]) {
    const given = scene({ gd, sgd: 200, change: low, room, messages: isLive ? [play] : [] });
    const chart = asOne(gradientChart(figures.gradients, { ...given, isLive }));
    const { left, width, x } = chart.plots[2].box as Frame;
    const marker = left + (width * (gd - x.range[0])) / (x.range[1] - x.range[0]);
    const end = chart.labels.zero?.left as number;
    assert.ok(end < marker && end > left, `${end} before ${marker}`);
  }
});

test("five layers and more stand by layer, beside the chosen one over time", () => {
  const chart = (layer: string | null) => {
    const messages = [{ type: "view", part: { layer } }];
    return gradientChart(figures.gradients, scene({ gd: 5, sgd: 5, layers: 5, messages }));
  };
  const { plots, labels, readable } = chart(null);
  assert.deepEqual(
    labels.titles.map(({ name, shape }) => `${name}: ${shape}`),
    ["By layer: now; dashed: at step 0", "W1: 5 × 4"],
  );
  const [all, one] = plots;
  assert.deepEqual(all.data, [], "drawn by the page");
  assert.deepEqual(
    all.words
      .filter(({ name }) => name.startsWith("tick") && name !== "tick beside")
      .map(({ name, text }) => `${name} ${text}`),
    ["tick chosen W1", "tick W2", "tick W3", "tick W4", "tick W5", "tick W6"],
  );
  assert.deepEqual(
    one.data.map(({ meta }: Json) => `${meta.run} ${meta.y}`),
    ["gd grad_l1/W1", "sgd grad_l1/W1"],
  );
  assert.deepEqual(
    readable.panels.map(({ name }) => name),
    ["W1"],
  );
  const lines = all.marks.filter(({ name }) => name === "layers");
  assert.deepEqual(
    lines.map(({ run }) => run),
    ["gd", "sgd"],
  );
  const chosen = chart("W2");
  assert.equal(chosen.labels.titles[1].name, "W2");
  assert.deepEqual(
    chosen.plots[1].data.map(({ meta }: Json) => `${meta.run} ${meta.y}`),
    ["gd grad_l1/W2", "sgd grad_l1/W2"],
  );
});

test("on a phone the title by layer has as many words as fit beside it, and none is cut", () => {
  const titles = (width: number, steps = 5) => {
    const given = scene({ gd: steps, layers: 7, compact: true, room: { width, left: 40 } });
    const [{ name, shape, left, width: most }, { left: next }] = gradientChart(
      figures.gradients,
      given,
    ).labels.titles;
    assert.ok(left + most < next, "it ends before the next title");
    return `${name}: ${shape}`;
  };
  assert.equal(titles(700), "By layer: now; dashed: at step 0");
  assert.equal(titles(376), "By layer: now; dashed: at step 0");
  assert.equal(titles(306), "By layer: dashed: step 0");
  assert.equal(titles(160), "By layer: ");
});

test("by layer, the scale holds the gradients of all layers, also of those not shown over time", () => {
  const far = (_: string, { series }: Lists) => {
    for (const [weight, times] of [
      ["W4", 1e7],
      ["W5", 1e-7],
    ] as const)
      series[`grad_l1/${weight}`] = Object.fromEntries(
        Object.entries(series.train_loss).map(([stat, values]) => [
          stat,
          (values as number[]).map((value) => times * value),
        ]),
      ) as Lists["series"][string];
  };
  const { plots } = gradientChart(figures.gradients, scene({ gd: 5, layers: 5, change: far }));
  const [all] = plots;
  const { top, height } = all.box as Frame;
  const heights = named(all.marks, "layers").flatMap((path) =>
    cornersOf(path).map(([, down]) => down),
  );
  assert.ok(heights.length >= 4);
  assert.ok(heights.every((down) => down >= top && down <= top + height));
  assert.ok(new Set(heights).size >= 3, "each at its own height");
});

test("a tall narrow room has panels one below the other, their names beside them", () => {
  const room = { width: 300, height: 186 };
  const { plots, labels } = gradients({ gd: 5, sgd: 5, room });
  const boxes = plots.map(({ box }) => box as Frame);
  assert.ok(boxes.every(({ left, height }) => left === boxes[0].left && height > 25));
  assert.ok(boxes[0].top + boxes[0].height < boxes[1].top);
  assert.ok(boxes[2].top + boxes[2].height < 186);
  assert.ok(labels.titles.every(({ left }, k) => left > boxes[k].left + boxes[k].width));
});

test("a diverged run leaves through the top, is marked there, and does not flatten the rest", () => {
  const blow = (run: string, wire: Lists) => {
    if (run === "gd")
      for (const key of ["min", "max", "mean", "last"] as const)
        wire.series.train_loss[key] = wire.series.train_loss[key].map((value, step) =>
          step < 30 ? value : 10 ** (step - 29),
        );
  };
  const diverged = { type: "event", event: "diverged", run: "gd", step: 40, diverged_at: 40 };
  const { labels, layout, data, marks } = loss({
    gd: 40,
    sgd: 40,
    change: blow,
    messages: [diverged],
  });
  const end = labels.ends.find(({ run }) => run === "gd");
  assert.deepEqual([end!.bad, end!.value], [true, "diverged"]);
  assert.ok(10 ** layout.yaxis.range[1] < 1e4);
  assert.deepEqual(
    named(marks, "bad").map(({ run }) => run),
    ["gd"],
  );
  const { x, y } = traceOf({ data }, "gd", "train");
  assert.ok(
    x[y.findIndex((value: number) => value > end!.y)] < 37,
    "the line is out of sight some steps before",
  );
  assert.deepEqual(
    [end!.x, x.at(-1)],
    [40, 40],
    "the cross stands at the step at which the run diverged",
  );
  const blown = loss({
    gd: 40,
    sgd: 40,
    change: blow,
    messages: [diverged],
    view: { x: "epochs" },
  });
  assert.equal(blown.labels.ends.find(({ run }) => run === "gd")!.x, 40);
});

test("a run that diverges in its first step leaves through the top from its initial loss", () => {
  const diverged = { type: "event", event: "diverged", run: "gd", step: 0, diverged_at: 0 };
  for (const sgd of [0, 40]) {
    const { labels, data, layout, marks } = loss({ sgd, messages: [diverged] });
    const { x, y } = traceOf({ data }, "gd", "train");
    assert.deepEqual([x[0], x[1], y[0]], [0, 0, 12.3]);
    assert.ok(Math.log10(y[1]) > layout.yaxis.range[1]);
    const end = labels.ends.find(({ run }) => run === "gd");
    assert.deepEqual([end!.name, end!.value, end!.bad], ["GD", "diverged", true]);
    assert.deepEqual(
      named(marks, "bad").map(({ run }) => run),
      ["gd"],
    );
    assert.equal(labels.start === null, sgd > 0, "the others still start where all do");
  }
  const { layout, data } = loss({ gd: 0, sgd: 40, view: { x: "samples" }, messages: [diverged] });
  assert.ok(
    traceOf({ data }, "gd", "train").x.every((x: number) => Number.isFinite(x)) &&
      layout.xaxis.range.every(Number.isFinite),
  );
});

test("the baseline crosses no words beside the start", () => {
  const given = scene();
  const { experiment } = given.state;
  for (const [mean, side] of [
    [12.1, -1],
    [12.5, 1],
  ]) {
    const near = { ...experiment!, baseline: { train: mean, test: mean } };
    const state = { ...given.state, experiment: near } as State;
    const { labels, marks, ground } = lossChart(figures.loss, { ...given, state });
    const [[, level]] = cornersOf(named(ground, "baseline")[0]);
    const [, middle] = middleOf(named(marks, "start")[0]);
    const apart = middle + labels.start!.lift - level;
    assert.ok(side * apart >= 7.9 && side * apart < 9, `${mean}: ${apart}`);
  }
  assert.equal(loss({ gd: 0, sgd: 0 }).labels.start!.lift, 0);
});

test("labels of runs that diverge in their first step leave the words of the start readable", () => {
  const messages = ["gd", "sgd"].map((run) => ({
    type: "event",
    event: "diverged",
    run,
    step: 0,
    diverged_at: 0,
  }));
  for (const height of [184, 240, 290, 340, 460]) {
    const { labels, marks } = loss({ messages, room: { height } });
    const { beside, text } = labels.start!;
    const [x, y] = middleOf(named(marks, "start")[0]);
    const words = {
      left: x + beside,
      right: x + beside + 6 * text.length,
      top: y - 7,
      bottom: y + 7,
    };
    assert.equal(labels.ends.length, 2);
    for (const end of labels.ends)
      assert.ok(!touch(boxOf(end), words), `${end.run} at ${end.top}, the start at ${y}`);
  }
});

test("a run at step 0 beside others stands at the start, with its label", () => {
  for (const x of ["steps", "samples", "epochs", "seconds"] as const) {
    const { labels, marks } = loss({ sgd: 500, view: { x } });
    const end = labels.ends.find(({ run }) => run === "gd");
    assert.deepEqual([end?.name, end?.value, end?.bad], ["GD", "12.3", false], x);
    assert.deepEqual([end?.x, end?.y], [0, 12.3]);
    const starts = named(marks, "start").filter(({ d }) => d);
    assert.deepEqual(
      starts.map(({ run }) => run),
      ["gd"],
      x,
    );
    assert.ok(Math.abs(middleOf(starts[0])[0] - ROOM_LEFT) < 1, "at the left edge");
    assert.ok(!named(marks, "end").some(({ run }) => run === "gd"), "one mark");
  }
});

test("a run at step 0 stands at the left end of a log axis, and outside of a zoom", () => {
  const { labels, marks, layout } = loss({ sgd: 500, view: { logSteps: true } });
  assert.equal(layout.xaxis.type, "log");
  const end = labels.ends.find(({ run }) => run === "gd");
  assert.ok(Math.abs(Math.log10(end!.x) - layout.xaxis.range[0]) < 1e-9);
  assert.ok(named(marks, "start")[0].d);
  const zoomed = loss({ sgd: 500, zoom: [100, 200] });
  assert.ok(!zoomed.labels.ends.some(({ run }) => run === "gd"));
  assert.ok(named(zoomed.marks, "start").every(({ d }) => d === ""));
});

test("the shapes of eight runs at the start cover neither the ticks nor the words beside them", () => {
  const [two, eight] = [2, 8].map((count) => {
    const runs = Array.from({ length: count }, () => ({ now: 0, first: 0 }));
    return -horizontal("steps", runs).range[0];
  });
  assert.equal(two, 4);
  assert.ok((eight / (200 + eight)) * 650 > startSize(8) / 2 + 4);
  assert.equal(startSize(2), 15);
  assert.ok(loss().labels.start!.beside > startSize(2) / 2 + 8);
});

test("the vertical range grows at once and does not shrink by itself", () => {
  const small = scene({ gd: 20 });
  const next = lossChart(figures.loss, { ...small, previous: { y: [-9, 5] } });
  assert.deepEqual(next.y, [-9, 5]);
});

test("the range holds test lines, and on a log axis the bands, so that neither leaves unmarked", () => {
  const tested = (_: unknown, { series }: Lists) => {
    series.test_loss = structuredClone(series.train_loss);
    series.test_loss.mean[50] = 900;
    series.train_loss.max = series.train_loss.mean.map((loss, k) => (k === 20 ? 5_000 : loss));
  };
  const high = (view: Partial<View>) =>
    loss({ gd: 100, change: tested, view }).layout.yaxis.range[1];
  assert.ok(high({ y: "log" }) > Math.log10(5_000));
  assert.ok(high({ y: "linear" }) > 900 && high({ y: "linear" }) < 1_000);
  assert.ok(high({ y: "linear", showsTest: false }) < 100);
});

test("a label stands at its line's end where the edge is more than 64 px away", () => {
  const end = { lane: "a", name: "GD", value: "1", bad: false, goesOn: false, y: 1 };
  const px = (distance: number) => FRAME.x.range[1] * (1 - distance / FRAME.width);
  const placed = [60, 70].map(
    (distance) => placeEnds([{ ...end, run: "gd", x: px(distance) }], FRAME)[0].gutter,
  );
  assert.deepEqual(placed, [true, false]);
});

test("an edit to the value in force has no line, no flag and no mark", () => {
  const edit = { type: "event", event: "edit", run: "gd", edit: { at_step: 7, l2: 0 } };
  const { labels, ground } = loss({ gd: 20, messages: [edit] });
  assert.deepEqual(labels.flags, []);
  assert.deepEqual(named(ground, "edit"), []);
});

test("an edit drops a line in every panel and a flag in the loss chart", () => {
  const edit = { type: "event", event: "edit", run: "gd", edit: { at_step: 7, batch_size: 1 } };
  const { labels, ground } = loss({ gd: 20, messages: [edit] });
  assert.deepEqual(
    labels.flags.map(({ text, x, lane }) => [text, x, lane]),
    [["GD → SGD", 7, "a"]],
  );
  assert.deepEqual(
    named(ground, "edit").map(({ lane, d }) => [lane, d]),
    [["a", "M273.5,374V24"]],
  );
  const {
    ground: below,
    readable: { panels },
  } = gradients({ gd: 20, messages: [edit] });
  const [lines] = named(below, "edit");
  assert.deepEqual(
    cornersOf(lines).map(([left]) => left),
    panels.map(({ left, width }) => Math.round(100 * (left + (7 / 20) * width)) / 100),
  );
});

test("a hidden run is not drawn", () => {
  const chart = loss({ gd: 20, sgd: 20, messages: [{ type: "hidden", run: "gd", hidden: true }] });
  assert.ok(!chart.data.some(({ meta }) => meta?.run === "gd"));
  assert.deepEqual(
    chart.labels.ends.map(({ run }) => run),
    ["sgd"],
  );
});

test("steps not received yet are tinted from where the connection broke", () => {
  const { labels } = loss({
    gd: 100,
    messages: [{ type: "connection", status: "reconnecting", lastStep: 100 }],
  });
  assert.equal(labels.missing!.from, 100);
  assert.ok(labels.missing!.to > 100);
});

test("missing steps count for visible runs only", () => {
  const hidden = { type: "hidden", run: "sgd", hidden: true };
  const lost = { type: "connection", status: "reconnecting", lastStep: 900 };
  const missing = (gd: number, ...messages: Message[]) =>
    loss({ gd, sgd: 900, messages }).labels.missing;
  assert.deepEqual(
    [missing(100, lost), missing(100, lost, hidden), missing(0, lost, hidden)],
    [{ from: 900, to: 1080 }, { from: 100, to: 120 }, null],
  );
  const behind = {
    type: "connection",
    status: "catching-up",
    lastStep: 900,
    progress: { have: 900, of: 2000, run: "sgd" },
  };
  assert.deepEqual(
    [missing(100, behind), missing(100, behind, hidden)],
    [{ from: 900, to: 2000 }, null],
  );
  assert.deepEqual(
    loss({ gd: 100, sgd: 900, messages: [behind, hidden] }).layout.xaxis.range,
    [0, 100],
    "the axis is theirs too",
  );
});

test("the gradients' axis continues with the loss chart's after a cut, with the same tint in every panel", () => {
  const options = {
    gd: 100,
    messages: [{ type: "connection", status: "reconnecting", lastStep: 100 }],
  };
  const {
    layout,
    ground,
    readable: { panels },
  } = gradients(options);
  assert.deepEqual(layout.xaxis.range, loss(options).layout.xaxis.range);
  const [tints] = named(ground, "missing");
  assert.deepEqual(
    cornersOf(tints).map(([left]) => left),
    panels.map(({ left, width }) => Math.round(100 * (left + width / 1.2)) / 100),
  );
  assert.equal(ground[0], tints, "what is drawn over it stays over it");
});

test("charts are redrawn on a cut and while catching up, but not for a new latency", () => {
  const { state } = scene({ gd: 100 });
  for (const kind of ["loss", "gradients"]) {
    const follows = (connection: Partial<Connection>) =>
      KINDS[kind].follows({ ...state, connection: { ...state.connection, ...connection } });
    const differs = (connection: Partial<Connection>) =>
      follows({}).some((value, i) => !Object.is(value, follows(connection)[i]));
    assert.deepEqual(
      [
        differs({ status: "reconnecting" }),
        differs({ lastStep: 7 }),
        differs({ progress: { have: 1, of: 2, run: "gd" } }),
        differs({ latency: 99 }),
      ],
      [true, true, true, false],
      kind,
    );
  }
});

test("during a cut, labels of lines that reach the last known step stay in the gutter", () => {
  const frame: Frame = { ...FRAME, x: { type: "linear", range: [0, 120] } };
  const end = { lane: "a", name: "GD", value: "1", bad: false, goesOn: false, y: 1 };
  const ends = [
    { ...end, run: "gd", x: 100 },
    { ...end, run: "sgd", x: 40 },
  ];
  assert.deepEqual(
    placeEnds(ends, frame).map(({ gutter }) => gutter),
    [false, false],
  );
  assert.deepEqual(
    placeEnds(ends, frame, 100).map(({ gutter }) => gutter),
    [true, false],
  );
});

test("in the past view a label shows the loss at the edge, and no end mark stands there", () => {
  const { labels, data, layout, marks } = loss({ gd: 3000, sgd: 3000, zoom: [1000, 1100] });
  const [gd] = labels.ends;
  assert.deepEqual([gd.x, gd.goesOn], [1100, true]);
  const { x, y } = traceOf({ data }, "gd", "train");
  const near = y[x.findIndex((place: number) => place >= 1100)];
  assert.ok(
    Math.abs(gd.y / near - 1) < 0.01 && Math.abs(Number(gd.value) / near - 1) < 0.01,
    `${gd.value} at ${near}`,
  );
  assert.deepEqual(named(marks, "end"), []);
  assert.equal(layout.xaxis.range[1], 1100);
  const diverged = { type: "event", event: "diverged", run: "gd", step: 3000, diverged_at: 3000 };
  const before = loss({ gd: 3000, zoom: [1000, 1100], messages: [diverged] });
  assert.equal(before.labels.ends[0].bad, false, "it has not diverged yet there");
  assert.ok(Math.max(...traceOf(before, "gd", "train").y) < 100);
});

test("all charts beside a window that ends early have numbers of its end, and name the step", () => {
  const options = { gd: 3000, sgd: 1050, zoom: [1000, 1100] as [number, number] };
  const at = (part: Given = {}) =>
    gradients({ ...options, ...part }).labels.titles[0].values as unknown as Json[];
  const [gd, sgd] = at();
  const same = loss(options).labels.ends; // these gradients are as large as the losses
  assert.equal(Number(gd.value), Number(same[0].value));
  assert.ok(Number(gd.value) > 2 * Number(at({ zoom: null })[0].value));
  assert.equal(
    sgd.value,
    at({ zoom: null })[1].value,
    "a run that ends in the window stands there",
  );
  const runsMarked = named(gradients(options).marks, "now").map(({ run, d }) => d && run);
  assert.deepEqual(runsMarked.filter(Boolean), ["sgd", "sgd"]);
  const words = (part: Partial<View>, messages: Message[] = []) =>
    windowWords(scene({ gd: 3000, view: part, messages }).state);
  assert.equal(words({ zoom: [1000, 1100] }), ", at step 1,100");
  assert.equal(words({ x: "epochs" }, [zoomed([1, 2.5])]), ", at epoch 2.50");
  assert.equal(words({ x: "samples" }, [zoomed([0, 9000])]), ", at 9,000 samples");
  assert.equal(words({ zoom: [2000, 3000] }), "");
  assert.equal(words({}), "");
});

test("a number at a window's end was computed: it is the last one before the end", () => {
  const part = { gd: 3000, zoom: [1000, 1100.6] as [number, number] };
  const chart = loss(part);
  const { x, y } = traceOf(chart, "gd", "train");
  const last = x.findLastIndex((place: number) => place <= 1100.6);
  assert.ok(x[last] < 1100.6 && x[last + 1] > 1100.6);
  const [{ value, y: height }] = chart.labels.ends;
  assert.equal(value, number(y[last]));
  assert.ok(height < y[last] && height > y[last + 1], "its place is on the line");
  const [gd] = gradients(part).labels.titles[0].values as unknown as Json[];
  assert.equal(Number(gd.value), Number(number(y[last])), "these gradients are as large");
  assert.equal(
    windowWords(scene({ gd: 3000, view: { zoom: part.zoom } }).state),
    ", at step 1,100",
  );
});

const zoomed = (zoom: View["zoom"]): Message => ({ type: "view", part: { zoom } });

test("a gradient of exactly 0 at the window's end is 0, as its line is", () => {
  const change = (run: string, wire: Lists) => {
    if (run !== "sgd") return;
    for (const stat of ["min", "max", "mean", "last"] as const)
      wire.series["grad_l1/W1"][stat].fill(0, 500);
  };
  const chart = gradients({ gd: 1000, sgd: 1000, change, zoom: [400, 800] });
  const [gd, sgd] = chart.labels.titles[0].values as unknown as Json[];
  assert.equal(sgd.value, "0");
  assert.notEqual(gd.value, "0");
});

test("a zoom fits what it shows, and the whole range is back after it", () => {
  const zoom: [number, number] = [1000, 1100];
  const built = loss({ gd: 3000, sgd: 3000, zoom });
  const { x, y } = traceOf(built, "gd", "train");
  const values = y.filter((_: number, i: number) => x[i] >= 1000 && x[i] <= 1100).map(Math.log10);
  const [low, high] = built.layout.yaxis.range;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  assert.ok(low < least && high > most);
  assert.ok(high - low < 0.5, "a calm line has a calm range");
  assert.ok(Math.abs((low + high) / 2 - (least + most) / 2) < 0.01, "it is in the middle");
  const spike = (_: string, wire: Lists) => {
    wire.series.train_loss = { ...wire.series.train_loss, mean: [...wire.series.train_loss.mean] };
    wire.series.train_loss.mean[1050] = 40;
  };
  const spiked = loss({ gd: 3000, zoom, change: spike }).layout.yaxis.range;
  assert.ok(spiked[1] > Math.log10(40) && spiked[0] < least);
  const elsewhere = loss({ gd: 3000, zoom: [1200, 1300], change: spike }).layout.yaxis.range;
  assert.ok(elsewhere[1] < 0, "of other steps it has nothing");
  const linear = loss({ gd: 3000, zoom, view: { y: "linear" } }).layout.yaxis.range;
  assert.ok(linear[0] > 0 && linear[1] < 2e-3, `${linear}`);
  const whole = loss({ gd: 3000, sgd: 3000 }).layout.yaxis.range;
  assert.ok(whole[0] < low && whole[1] > 1);
});

test("a zoom into steps with a loss of exactly 0 shows the shelf and a decade above it", () => {
  const none = (_: string, wire: Lists) => {
    wire.series.train_loss = { ...wire.series.train_loss };
    for (const name of ["min", "max", "mean", "last"] as const)
      wire.series.train_loss[name] = wire.series.train_loss.mean.map((value, step) =>
        step >= 900 ? 0 : value,
      );
  };
  const { layout } = loss({ gd: 3000, zoom: [1000, 1100], change: none });
  const [bottom, top] = layout.yaxis.range;
  assert.deepEqual(layout.yaxis.ticktext, ["0", "1", "10"]);
  assert.ok(Math.abs(bottom + 1.4) < 1e-9 && Math.abs(top - 1) < 1e-9, `${bottom} ${top}`);
});

/** The frame of GD paused at step 20. */
const pausedWith = (values: Record<string, number>) =>
  frameOf("gd", {
    status: "paused",
    step: 20,
    epoch: 20,
    samples_seen: 18_000,
    latest: Object.fromEntries(
      Object.entries(values).map(([series, value]) => [series, { step: 20, value }]),
    ),
  });

test("the loss of a paused run ends at its present parameters", () => {
  const now = pausedWith({ train_loss: 0.5 });
  const { x, y } = traceOf(loss({ gd: 20, messages: [now] }), "gd", "train");
  assert.deepEqual([x.at(-1), y.at(-1)], [20, 0.5]);
});

test("gradients of a paused run end at those of its next change, inside their range, in every panel", () => {
  const now = pausedWith({ "grad_l1/W1": 700, "grad_l1/W2": 0 });
  const from = { gd: 20, messages: [now] };
  const chart = gradients(from);
  const [first, second] = ["grad_l1/W1", "grad_l1/W2"].map(
    (series) => chart.data.find(({ meta }: Json) => meta.run === "gd" && meta.y === series)!,
  );
  assert.deepEqual([first.x.at(-1), first.y.at(-1)], [20, 700]);
  assert.ok(10 ** chart.layout.yaxis.range[1] > 700);
  assert.deepEqual([second.x.at(-1), second.y.at(-1)], [20, chart.layout.yaxis.tickvals[0]]);
  // a window that ends before shows what it showed
  assert.ok(traceOf(gradients({ ...from, zoom: [2, 9] }), "gd", "line").x.at(-1) < 20);
  // while a run plays its line ends at its newest record
  assert.equal(traceOf(gradients({ gd: 20 }), "gd", "line").x.at(-1), 19);
});

test("a zoom shows finer buckets than the whole", () => {
  const whole = traceOf(loss({ gd: 3000 }), "gd", "train").x.filter(
    (x: number) => x >= 1000 && x <= 1100,
  ).length;
  const zoomed = traceOf(loss({ gd: 3000, zoom: [1000, 1100] }), "gd", "train").x.filter(
    (x: number) => x >= 1000 && x <= 1100,
  ).length;
  assert.ok(zoomed >= 100 && whole < 40);
});

test("a zoom of one chart applies to all", () => {
  assert.deepEqual(zoomedTo({ "xaxis2.range[0]": 1, "xaxis2.range[1]": 2 }, "x"), [1, 2]);
  assert.equal(zoomedTo({ "xaxis.range[0]": 1, "xaxis.range[1]": 2 }, "y"), null);
  for (const { layout } of gradients({ gd: 3000, zoom: [1000, 1100] }).plots)
    assert.deepEqual(layout.xaxis.range, [1000, 1100]);
});

test("labels keep 16 px apart, in order, and stay inside", () => {
  const placed = pushApart([100, 102, 101, 399], 6, 394);
  const sorted = [...placed].sort((a, b) => a - b);
  for (let i = 1; i < sorted.length; i++) assert.ok(sorted[i] - sorted[i - 1] >= APART);
  assert.ok(placed[0] < placed[2] && placed[2] < placed[1] && placed[3] <= 394);
  assert.ok(Math.max(...pushApart([390, 391, 392], 6, 394)) <= 394);
});

const FRAME: Frame = {
  left: 46,
  top: 26,
  width: 650,
  height: 346,
  beyond: 104,
  x: { type: "linear", range: [0, 100] },
  y: { type: "log", range: [-3, 1] },
};

test("a run that ends early has its label at its end, the others in the gutter", () => {
  const end = { lane: "a", name: "GD", value: "1", bad: false, goesOn: false, y: 1 };
  const placed = placeEnds(
    [
      { ...end, run: "gd", x: 100 },
      { ...end, run: "sgd", x: 40 },
    ],
    FRAME,
  );
  assert.deepEqual(
    placed.map(({ run, gutter }) => [run, gutter]),
    [
      ["gd", true],
      ["sgd", false],
    ],
  );
  assert.ok(placed[0].left > 46 + 650);
});

test("the label of a line that ends early stands where it covers least, and stays there", () => {
  const end = {
    run: "sgd",
    lane: "b",
    name: "SGD",
    value: "0.0118",
    bad: false,
    goesOn: false,
    x: 40,
    y: 0.1,
  };
  const side = (
    points: number[][],
    { ends = [end], ...more }: { ends?: End[] } & Partial<Parameters<typeof placeEnds>[3]> = {},
  ) =>
    placeEnds(ends, FRAME, null, {
      curves: curvesOf(
        [{ meta: { role: "train" }, x: points.map(([x]) => x), y: points.map(([, y]) => y) }],
        FRAME,
      ),
      uprights: [],
      level: null,
      sides: {},
      ...more,
    }).map((placed) => placed.side);
  assert.deepEqual(
    side([
      [0, 5],
      [100, 5],
    ]),
    ["right over"],
  );
  assert.deepEqual(
    side([
      [0, 5],
      [41, 5],
      [42, 0.15],
      [80, 0.12],
    ]),
    ["right level"],
  );
  assert.deepEqual(
    side([
      [39, 5],
      [42, 0.001],
      [45, 5],
      [48, 0.001],
      [51, 5],
    ]),
    ["left over"],
  );
  assert.deepEqual(
    side(
      [
        [0, 5],
        [100, 5],
      ],
      { level: 199 },
    ),
    ["right over"],
    "the baseline is above",
  );
  assert.deepEqual(
    side(
      [
        [0, 5],
        [100, 5],
      ],
      { sides: { sgd: "left under" } },
    ),
    ["left under"],
  );
  assert.deepEqual(
    side(
      [
        [0, 5],
        [100, 5],
      ],
      { uprights: [320] },
    ),
    ["left over"],
    "an edit's line",
  );
  assert.deepEqual(
    side(
      [
        [0, 5],
        [100, 5],
      ],
      { ends: [end, { ...end, run: "adam" }] },
    ),
    ["right over", "right under"],
  );
  const [far] = placeEnds([{ ...end, name: "Adam, batches of 32 samples", x: 80 }], FRAME);
  assert.equal(far.side, "left over", "words that would be cut on the right");
});

test("labels of lines that end at one place do not overlap, and each has room", () => {
  const low = { ...FRAME, height: 85 };
  const steep = curvesOf(
    ["gd", "sgd", "adam", "four"].flatMap(() => [
      { meta: { role: "train" }, x: [0, 1, 2, 100], y: [7, 0.2, 5, 0.01] },
    ]),
    low,
  );
  for (const x of [0, 3, 40, 80]) {
    for (const many of [2, 3, 4]) {
      const ends = Array.from({ length: many }, (_, k) => ({
        run: `${k}`,
        lane: "a",
        name: ["GD", "SGD", "Adam", "SGD 2"][k],
        value: "6.98",
        bad: false,
        goesOn: false,
        x,
        y: 7,
      }));
      const placed = placeEnds(ends, low, null, {
        curves: steep,
        uprights: [],
        level: null,
        sides: {},
      });
      for (const [k, one] of placed.entries()) {
        assert.ok(
          one.most >= 70 && one.names[0] === one.name,
          `${one.name} of ${many} at ${x} has ${one.most} px`,
        );
        for (const other of placed.slice(k + 1))
          assert.ok(
            !touch(boxOf(one), boxOf(other)),
            `${one.name} and ${other.name} of ${many} at ${x}`,
          );
      }
    }
  }
});

test("the baseline's label never covers the label of a line's end", () => {
  const linear: Frame = { ...FRAME, y: { type: "linear", range: [0, 100] } };
  const { state } = scene();
  state.experiment!.baseline = { train: 0.0118, test: null };
  const end = { left: 560, right: 637, top: 350, bottom: 368 };
  const above = curvesOf(
    [
      { meta: { role: "train" }, x: [0, 60, 61, 100], y: [3, 3, 0.01, 0.01] },
      { meta: { role: "test" }, x: [0, 60, 61, 100], y: [3, 3, 0.01, 0.01] },
    ],
    linear,
  );
  const at = (corner: string | null) =>
    baselineLabel({ ...scene(), state, previous: { y: null, corner } }, linear, {
      curves: above,
      flags: [],
      words: [end],
      missing: null,
      hasStarted: true,
    });
  for (const corner of [null, "right over"])
    assert.ok(at(corner)!.left + 27 * 6.3 <= end.left, `${at(corner)!.corner}`);
});

test("a baseline of exactly 0, as with one sample, does not set a log axis's range; a loss of exactly 0 gets its shelf", () => {
  const one = {
    type: "opened",
    answer: { ...answer(), baseline: { train: 0, test: null } },
    token: "t",
  };
  const usual = loss({ gd: 30 }).layout.yaxis.range;
  const [low, high] = loss({ messages: [one], gd: 30 }).layout.yaxis.range;
  assert.ok(low > -6 && Math.abs(high - usual[1]) < 1, `${low} to ${high}`);
  const solved = (_run: string, wire: Lists) =>
    Object.values(wire.series.train_loss).forEach((column) => (column[29] = 0));
  const { yaxis } = loss({ messages: [one], gd: 30, change: solved }).layout;
  assert.ok(yaxis.range[0] > -6 && yaxis.ticktext[0] === "0", `${yaxis.range} ${yaxis.ticktext}`);
});

test("the earlier of two flags that would touch keeps only its glyph", () => {
  const flag = (x: number) => ({ run: "gd", lane: "a", step: x, text: "rate 0.03 → 0.006", x });
  assert.deepEqual(
    placeFlags([flag(50), flag(55), flag(200)], FRAME).map(({ brief }) => brief),
    [true, false],
  );
  const capitals = { ...flag(20), text: "GD → SGD" };
  assert.deepEqual(
    [32, 34].map((next) => placeFlags([capitals, flag(next)], FRAME)[0].brief),
    [true, false],
    "81 px, as the browser sets it",
  );
});

test("a phone's flags are glyphs of edits, and of findings the affected part", () => {
  const words = (text: string, tone?: Flag["tone"]) =>
    phoneWords({ run: "gd", lane: "a", step: 1, x: 1, text, tone });
  assert.deepEqual(
    [
      words("rate 0.03 → 0.006"),
      words("layer 2 dead", "bad"),
      words("1 unit dead", "bad"),
      words("gradients explode", "bad"),
      words("overfitting", "warn"),
    ],
    ["", "dead", "1 dead", "explode", "overfitting"],
  );
});

test("a flag at the right end turns its text to the left; without room there, one of them gives way", () => {
  const flag = (x: number, text = "rate 0.03 → 0.006") => ({
    run: "gd",
    lane: "a",
    step: x,
    text,
    x,
  });
  const result = (...flags: Flag[]) =>
    placeFlags(flags, FRAME).map(({ brief, before }) => [brief, before]);
  assert.deepEqual(result(flag(99)), [[false, true]]);
  assert.deepEqual(
    result(flag(99, "mean")),
    [[false, false]],
    "there is room for a short one in the gutter",
  );
  assert.deepEqual(result(flag(20), flag(99)), [
    [false, false],
    [false, true],
  ]);
  assert.deepEqual(result(flag(70), flag(99)), [
    [true, false],
    [false, true],
  ]);
  assert.deepEqual(result(flag(90), flag(99)), [
    [true, false],
    [true, false],
  ]);
  assert.deepEqual(
    placeFlags([flag(1)], { ...FRAME, width: 40, beyond: 48 }).map(({ brief, before }) => [
      brief,
      before,
    ]),
    [[true, false]],
  );
});

test("gutter labels have room up to the chart's edge, labels of lines that end early up to the plot's", () => {
  const end = { lane: "a", name: "GD", value: "1", bad: false, goesOn: false, y: 1 };
  const placed = placeEnds(
    [
      { ...end, run: "gd", x: 100 },
      { ...end, run: "sgd", x: 40 },
    ],
    FRAME,
  );
  assert.deepEqual(
    placed.map(({ left, most }) => left + most),
    [46 + 650 + 104, 46 + 650],
  );
});

test("a value stands below its name where figures and wide letters need the room", () => {
  const end = { run: "r", lane: "a", bad: false, goesOn: false, x: 100, y: 1 };
  const words = (name: string, value: string, letter = 1) => {
    const [{ names, under }] = placeEnds([{ ...end, name, value }], {
      ...FRAME,
      beyond: 112,
      letter,
    });
    return [names.join(" "), under];
  };
  assert.deepEqual(words("Adam", "0.588"), ["Adam", false]);
  assert.deepEqual(words("Adam", "0.000588"), ["Adam", true]);
  assert.deepEqual(words("GD", "0.000588"), ["GD", false]);
  assert.deepEqual(words("GD", "0.000588", 1.5), ["GD", true], "larger letters");
});

test("ground and marks stay inside their plot", () => {
  const edit = { type: "event", event: "edit", run: "gd", edit: { at_step: 7, batch_size: 1 } };
  const lost = { type: "connection", status: "reconnecting", lastStep: 3000 };
  const wide = (_run: string, wire: Lists) =>
    (wire.series.train_loss.mean = wire.series.train_loss.mean.map((_: unknown, i: number) =>
      i % 2 ? 1e-9 : 10,
    ));
  const { ground, marks } = loss({
    gd: 3000,
    sgd: 3000,
    messages: [edit, lost],
    zoom: [1000, 1100],
    zoomY: [2, 3],
    change: wide,
  });
  assert.deepEqual(
    ground.map(({ name }) => name),
    ["grid"],
    "edit, baseline and what is missing are elsewhere",
  );
  assert.ok(marks.every(({ name, d }) => name === "axis" || d === ""));
  const whole = loss({ gd: 3000, messages: [edit, lost] });
  assert.deepEqual(
    whole.ground.map(({ name }) => name),
    ["missing", "grid", "baseline", "edit", "band"],
    "no grid line covers the level of the mean or the mark of an edit",
  );
  assert.equal(whole.ground[0].d, "M587.67,24H696V374H587.67Z");
});

test("a symbol has its run's shape and the requested size", () => {
  const size = (lane: string) =>
    [0, 1].map(
      (side) =>
        Math.max(...cornersOf({ d: symbol(lane, 10, 0, 0) }).map((at) => at[side])) -
        Math.min(...cornersOf({ d: symbol(lane, 10, 0, 0) }).map((at) => at[side])),
    );
  assert.equal(symbol("a", 10, 3, 4), "M8,4A5,5 0 1,1 -2,4A5,5 0 1,1 8,4Z");
  assert.deepEqual(
    [size("b"), size("c")],
    [
      [10, 10],
      [13, 13],
    ],
  );
  assert.equal(new Set(["a", "b", "c", "d", "x"].map((shape) => symbol(shape, 10, 0, 0))).size, 5);
});

test("hollow markers stand 96 px apart", () => {
  const [line] = named(loss({ gd: 650 }).marks, "along");
  const px = line.d
    .split("Z")
    .filter(Boolean)
    .map((d: string) => middleOf({ d })[0]);
  for (let k = 1; k < px.length; k++) assert.ok(Math.abs(px[k] - px[k - 1] - 96) < 2, px.join(" "));
  assert.ok(px.length >= 6);
});

/**
 * Place of the baseline's label over one curve of [x, y] points, with or without a place held
 * before.
 */
const baseline = (
  points: number[][],
  { corner = null, flags = [] }: { corner?: string | null; flags?: { x: number }[] } = {},
) => {
  const { state, ...rest } = scene();
  state.experiment!.baseline = { train: 0.1, test: null };
  const curves = curvesOf(
    [{ meta: { role: "train" }, x: points.map(([x]) => x), y: points.map(([, y]) => y) }],
    FRAME,
  );
  return baselineLabel({ ...rest, state, previous: { y: null, corner } }, FRAME, {
    curves,
    flags,
    words: [],
    missing: null,
    hasStarted: true,
  })?.corner;
};

test("the baseline's label stands in the corner where it covers least", () => {
  assert.equal(
    baseline([
      [0, 5],
      [100, 1],
    ]),
    "right under",
  );
  assert.equal(
    baseline([
      [0, 5],
      [60, 5],
      [61, 0.08],
      [100, 0.08],
    ]),
    "right over",
  );
  assert.equal(
    baseline([
      [0, 5],
      [60, 5],
      [61, 0.15],
      [80, 0.07],
      [100, 0.15],
    ]),
    "left under",
  );
  assert.equal(
    baseline(
      [
        [0, 5],
        [100, 1],
      ],
      { flags: [{ x: 90 }, { x: 92 }] },
    ),
    "left under",
  );
  assert.equal(
    baseline(
      [
        [0, 5],
        [100, 1],
      ],
      { corner: "left over" },
    ),
    "left over",
    "and stay there where nothing crosses them",
  );
});

test("with curves in all corners the baseline's label stands in between", () => {
  const through = [
    [0, 0.2],
    [30, 0.01],
    [31, 5],
    [69, 5],
    [70, 0.01],
    [100, 0.3],
  ];
  assert.equal(baseline(through), "middle under");
  assert.equal(
    baseline([
      [0, 0.2],
      [20, 0.01],
      [21, 5],
    ]),
    "right under",
    "a corner comes first",
  );
});

test("the baseline's label has a background only where something lies below it", () => {
  const isOver = (curves: Curve[]) =>
    baselineLabel(scene(), FRAME, {
      curves,
      flags: [],
      words: [],
      missing: null,
      hasStarted: true,
    })?.isOver;
  assert.equal(isOver([]), false);
  const everywhere = Array.from({ length: 40 }, (_, k) => ({
    x: [46, 696],
    y: [26 + k * 9, 26 + k * 9],
  }));
  assert.equal(isOver(everywhere), true);
});

test("the baseline of classes is named after the majority", () => {
  const { state, ...rest } = scene();
  const classes = { ...state, experiment: { ...state.experiment!, classes: ["a", "b"] } };
  const words = (now: State, compact = false) =>
    baselineLabel({ ...rest, state: now, look: { ...rest.look, compact } }, FRAME, {
      curves: [],
      flags: [],
      words: [],
      missing: null,
      hasStarted: false,
    })?.text;
  assert.equal(words(state), "predicting the mean: 0.0436");
  assert.equal(words(classes), "predicting the majority: 0.0436");
  assert.equal(words(state, true), "the mean: 0.0436", "a phone has less room");
});

test("the baseline's label moves to a place without curves, else only to a much better one", () => {
  const few = [
    [0, 0.001],
    [96, 0.001],
    [96.5, 0.08],
    [100, 0.08],
  ];
  assert.equal(baseline(few), "right over");
  assert.equal(baseline(few, { corner: "right under" }), "right over");
  assert.equal(
    baseline(
      [
        [0, 5],
        [100, 1],
      ],
      { corner: "left of the middle over" },
    ),
    "left of the middle over",
  );
  const everywhere = Array.from({ length: 101 }, (_, x) => [x, x % 2 ? 10 : 0.001]);
  assert.equal(baseline(everywhere, { corner: "left over" }), "left over");
  assert.equal(
    baseline(
      [
        [0, 5],
        [60, 5],
        [61, 0.08],
        [100, 0.08],
      ],
      { corner: "right under" },
    ),
    "right over",
  );
});

test("predictions are drawn on equal axes, thinned, and counted where they are off the axis", () => {
  const y = Array.from({ length: 1000 }, (_, k) => 2 + k / 1000);
  const measured = (name: string, guess: (value: number) => number) =>
    beatAt(3, { [name]: { predictions: { split: "test", step: 3, y, y_pred: y.map(guess) } } });
  const chart = scatterChart(
    scene({
      gd: 3,
      sgd: 3,
      messages: [measured("gd", (value) => value), measured("sgd", () => 99)],
    }),
  );
  assert.deepEqual(chart.layout.xaxis.range, chart.layout.yaxis2.range);
  assert.ok(chart.data.every(({ x }) => x.length <= 600));
  assert.deepEqual(
    chart.labels.squares.map(({ score, off }) => [score, off]),
    [
      ["1.00", ""],
      ["−1.12e5", "all above the axis"],
    ],
  );
  assert.equal(determination({ split: "test", y: [1, 2, 3], y_pred: [2, 2, 2] }), 0);
  const diverged = { type: "event", event: "diverged", run: "gd", step: 3, diverged_at: 3 };
  const [still] = scatterChart(
    scene({ gd: 3, messages: [measured("gd", (value) => value), diverged] }),
  ).labels.squares;
  assert.deepEqual(
    [still.score, still.off],
    ["1.00", ""],
    "a diverged run stands at its last finite step, as the table tells it",
  );
  assert.equal(determination({ split: "test", y: [1, 2, 3], y_pred: [2, Number.NaN, 2] }), null);
});

test("the word of the vertical axis stands where it touches no point, or over the points", () => {
  const at = (high: number) => {
    const y = Array.from({ length: 50 }, (_, k) => k / 49);
    const guesses = y.map((value, k) => (k < 20 ? high - k * (high / 40) : value));
    const predictions = { split: "test", step: 3, y, y_pred: guesses };
    const messages = [beatAt(3, { gd: { predictions } })];
    const [{ predictedAt }] = scatterChart(
      scene({ gd: 3, messages, room: { width: 280, height: 160 } }),
    ).labels.squares;
    return predictedAt;
  };
  assert.equal(at(0.2), 1);
  assert.ok((at(1) ?? 0) > 1 || at(1) === null);
});

test("predictions off the axis are counted, or their side is named if all are", () => {
  const measured = (guess: number[]) =>
    beatAt(3, { gd: { predictions: { split: "test", y: [1, 2, 3, 4], y_pred: guess } } });
  const result = (guess: number[]) =>
    scatterChart(scene({ gd: 3, messages: [measured(guess)] })).labels.squares.map(
      ({ off, few }) => [off, few],
    )[0];
  assert.deepEqual(result([1, 2, 3, 4.1]), ["", ""]);
  assert.deepEqual(result([1, 2, 9, -9]), ["", "2 off axis"]);
  assert.deepEqual(result([-1, -2, -9, -9]), ["all below the axis", ""]);
  assert.deepEqual(result([-1, -2, 9, 9]), ["all off the axis", ""]);
});

test("with three runs each square has its own axes, and tick labels stand beside the first", () => {
  const predictions = { split: "test", step: 3, y: [1, 2, 3, 4], y_pred: [1, 2, 3, 4] };
  const measured = ["gd", "sgd"].map((name) => beatAt(3, { [name]: { predictions } }));
  const { state, ...rest } = scene({ gd: 3, sgd: 3, messages: measured });
  const three = {
    ...state,
    order: [...state.order, "fork"],
    runs: { ...state.runs, fork: { ...state.runs.sgd, name: "fork", label: "SGD from 3" } },
  };
  const { layout, words, labels, data } = scatterChart({ ...rest, state: three });
  const domains = ["", "2", "3"].map((suffix) => layout[`xaxis${suffix}`].domain);
  assert.ok(domains[0][1] < domains[1][0] && domains[1][1] < domains[2][0]);
  assert.deepEqual(
    data.map(({ xaxis }) => xaxis),
    ["x", "x2", "x3"],
  );
  assert.deepEqual(
    labels.squares.map(({ run, score }) => [run, score]),
    [
      ["gd", "1.00"],
      ["sgd", "1.00"],
      ["fork", "1.00"],
    ],
  );
  const beside = words.filter(({ name }) => name === "tick beside");
  assert.ok(beside.length > 1 && new Set(beside.map(({ left }) => left)).size === 1);
});

test("before there are predictions their axes have no numbers", () => {
  const { words, ground, data } = scatterChart(scene({ gd: 3, sgd: 3 }));
  assert.deepEqual([words, data.length], [[], 2]);
  assert.ok(ground.every(({ name, d }) => name === "square" || !d));
});

test("predictions on one pixel are one dot of matching density, and none lies outside its square", () => {
  const frame: Frame = {
    left: 20,
    top: 10,
    width: 100,
    height: 100,
    beyond: 0,
    x: { type: "linear", range: [0, 100] },
    y: { type: "linear", range: [0, 100] },
  };
  const dots = dotsOf([50, 50.1, 50.2, 20, 80], [40, 40.1, 40, 10, 101], frame, "b");
  assert.deepEqual(
    dots.map(({ opacity }) => opacity),
    [1 - 0.5 ** 3, 0.5],
  );
  assert.deepEqual(
    dots.map(middleOf).map((place) => place.map(Math.round)),
    [
      [70, 70],
      [40, 100],
    ],
  );
  const many = dotsOf(Array(50).fill(5), Array(50).fill(5), frame, "a");
  assert.deepEqual([many.length, many[0].opacity! > 0.98], [1, true]);
  const beside = Array.from({ length: 90 }, (_, k) => k);
  assert.equal(
    dotsOf(beside, beside, frame, "a").length,
    4,
    "so that dots which overlap darken each other",
  );
});

test("on a phone panels show names only, and ticks fit in the margin", () => {
  const grown = (_run: string, wire: Lists) =>
    Object.values(wire.series["grad_l1/W1"]).forEach((column) => (column[0] = 3e5));
  const texts = (compact: boolean) =>
    gradients({ gd: 5, sgd: 5, change: grown, compact }).layout.yaxis.ticktext;
  assert.ok(texts(false).includes("10,000") && texts(true).includes("1e4"));
  assert.ok(
    texts(true).every((text: string) => text.length <= 5),
    texts(true).join(" "),
  );
  assert.deepEqual(
    gradients({ gd: 5, sgd: 5, compact: true }).labels.titles.map(({ values, shape }) => [
      values,
      shape,
    ]),
    [
      [[], ""],
      [[], ""],
      [[], ""],
    ],
  );
  const high = (_run: string, wire: Lists) =>
    Object.values(wire.series.train_loss).forEach((column) => (column[0] = 3e5));
  assert.ok(loss({ gd: 5, change: high, compact: true }).layout.yaxis.ticktext.includes("1e4"));
});

/** A scheduler with the test's clock and frames. */
function paced({ cost = 0 } = {}) {
  const clock = {
    now: 0,
    hidden: false,
    frames: [] as (() => void)[],
    timers: [] as { run: () => void; at: number }[],
    drawn: [] as string[],
    painted: 0,
    reports: [] as boolean[],
    parts: [] as string[], // charts whose next draw is not their last of the moment
    cost,
  };
  const scheduler = createDrawScheduler({
    requestFrame: (run) => clock.frames.push(run),
    later: (run, ms) => clock.timers.push({ run, at: clock.now + ms }),
    now: () => clock.now,
    hidden: () => clock.hidden,
    slowed: (isSlow) => clock.reports.push(isSlow),
  });
  const ring = () =>
    clock.timers
      .splice(0)
      .filter((timer) => timer.at <= clock.now || !clock.timers.push(timer))
      .forEach(({ run }) => run());
  /** One frame, this much later: earlier timers, its callbacks, its paint, and later timers. */
  const pass = (ms: number) => {
    clock.now += ms;
    ring();
    for (const run of clock.frames.splice(0)) run();
    clock.painted = clock.drawn.length;
    ring();
  };
  const join = (name: string, every = 100, isFirst = false) =>
    scheduler.join(
      () => {
        clock.drawn.push(name);
        clock.now += clock.cost;
        return clock.parts.shift() === name;
      },
      () => every,
      isFirst,
    );
  return { clock, scheduler, pass, join };
}

/** Requests a draw in each frame, for so many ms. */
const playOf =
  ({ pass, chart }: { pass: (ms: number) => void; chart: { request: () => void } }) =>
  (ms: number) => {
    for (let k = 0; k < ms / 16; k++) {
      chart.request();
      pass(16);
    }
  };

test("only one chart is drawn in a frame", () => {
  const { clock, pass, join } = paced();
  for (const name of ["a", "b", "c"]) join(name).request();
  pass(16);
  assert.deepEqual(clock.drawn, ["a"]);
  pass(16);
  pass(16);
  assert.deepEqual(clock.drawn, ["a", "b", "c"]);
});

test("the plots of a chart are drawn in frames that follow, before another chart", () => {
  const { clock, pass, join } = paced();
  const [a, b] = [join("a"), join("b")];
  clock.parts = ["a", "a"];
  for (const chart of [a, b]) chart.request();
  pass(16);
  a.request();
  for (let frame = 0; frame < 4; frame++) pass(16);
  assert.deepEqual(clock.drawn, ["a", "a", "a", "b"]);
  pass(100);
  assert.deepEqual(clock.drawn.slice(4), ["a"], "the request meanwhile is for the next moment");
});

test("a chart is drawn after the frame's paint, in its own task, unless the page was hidden meanwhile", () => {
  const { clock, scheduler, pass, join } = paced();
  const chart = join("a");
  chart.request();
  pass(16);
  assert.deepEqual([clock.drawn.length, clock.painted], [1, 0]);
  chart.request(true);
  for (const run of clock.frames.splice(0)) run();
  clock.hidden = true;
  pass(16);
  assert.equal(clock.drawn.length, 1);
  clock.hidden = false;
  scheduler.wake();
  pass(16);
  assert.equal(clock.drawn.length, 2);
});

test("frequent requests are drawn at the chart's rate, and a person's request at once", () => {
  const { clock, pass, join } = paced();
  const chart = join("a");
  for (let ms = 0; ms < 1000; ms += 10) {
    chart.request();
    pass(10);
  }
  assert.ok(clock.drawn.length >= 9 && clock.drawn.length <= 11, String(clock.drawn.length));
  chart.request(true);
  pass(1);
  const { length } = clock.drawn;
  chart.request(true);
  pass(1);
  assert.equal(clock.drawn.length, length + 1);
});

test("constant requests keep the rate, although no frame comes exactly when it is due", () => {
  const { clock, pass, join } = paced();
  const chart = join("a", 90);
  for (let k = 0; k < 600; k++) {
    chart.request();
    pass(1000 / 60);
  }
  assert.ok(Math.abs(clock.drawn.length - 10_000 / 90) <= 1, String(clock.drawn.length));
});

test("a hidden page draws nothing, and catches up when visible again", () => {
  const { clock, scheduler, pass, join } = paced();
  const chart = join("a");
  clock.hidden = true;
  chart.request();
  assert.deepEqual(clock.frames, [], "not even a frame is asked for");
  pass(500);
  assert.deepEqual([clock.drawn.length, clock.frames.length], [0, 0]);
  clock.hidden = false;
  scheduler.wake();
  pass(16);
  assert.deepEqual(clock.drawn, ["a"]);
});

test("draws that take much of the time halve the rate, twice is reported; a chart's first draw does not count", () => {
  const { clock, scheduler, pass, join } = paced({ cost: 5_000 });
  const chart = join("a");
  chart.request();
  pass(16);
  assert.deepEqual([clock.drawn.length, scheduler.slowness], [1, 1]);
  clock.cost = 30;
  const play = playOf({ pass, chart });
  play(3_000); // ten draws a second
  assert.deepEqual([scheduler.slowness, clock.reports], [2, []]);
  play(3_000); // 15 % of the time
  assert.deepEqual([scheduler.slowness, clock.reports], [2, []]);
  clock.cost = 60;
  play(3_000);
  assert.deepEqual([scheduler.slowness, clock.reports], [4, [true]]);
});

test("no part of a chart's first draw counts", () => {
  const { clock, scheduler, pass, join } = paced({ cost: 5_000 });
  const chart = join("a");
  clock.parts = ["a", "a"];
  chart.request();
  for (let frame = 0; frame < 3; frame++) pass(16);
  assert.deepEqual([clock.drawn.length, scheduler.slowness], [3, 1]);
});

test("a chart that draws first keeps its rate when draws slow others down, and waits for no parts", () => {
  const { clock, scheduler, pass, join } = paced({ cost: 60 });
  const slow = join("slow");
  playOf({ pass, chart: slow })(4_000);
  assert.equal(scheduler.slowness, 4);
  const first = join("first", 50, true);
  first.request();
  pass(16);
  for (let beat = 0; beat < 5; beat++) {
    pass(50);
    slow.request(true);
    clock.parts = ["slow", "slow"];
    pass(16);
    assert.equal(clock.drawn.at(-1), "slow", "a part, of which another follows");
    first.request();
    pass(16);
    assert.equal(clock.drawn.at(-1), "first");
    for (let rest = 0; rest < 3; rest++) pass(16);
  }
});

test("one long draw among short ones slows nothing down", () => {
  const { clock, scheduler, pass, join } = paced({ cost: 7 });
  const chart = join("a");
  const play = playOf({ pass, chart });
  play(3_000);
  clock.cost = 100;
  chart.request(true);
  pass(16);
  clock.cost = 7;
  play(3_000);
  assert.deepEqual([scheduler.slowness, clock.reports], [1, []]);
});

test("when draws take little of the time the rate recovers step by step, and the end is reported", () => {
  const { clock, scheduler, pass, join } = paced({ cost: 60 });
  const play = playOf({ pass, chart: join("a") });
  play(4_000);
  assert.equal(scheduler.slowness, 4);
  clock.cost = 50; // little enough for this rate, not for twice the rate
  play(10_000);
  assert.deepEqual([scheduler.slowness, clock.reports], [4, [true]]);
  clock.cost = 5;
  play(10_000);
  assert.deepEqual([scheduler.slowness, clock.reports], [1, [true, false]]);
});

test("a phone's plot of eight runs leaves room for their names, and a plot of two for more of the lines", () => {
  const names = ["GD", "SGD", "Mini-batch", "Momentum", "Nesterov", "Adam", "RMSProp", "Adagrad"];
  const drawn = scene({ gd: 50, sgd: 50, compact: true, room: { width: 390, right: 44 } });
  const runs = names.map((label, k) => ({ ...drawn.state.runs.gd, name: `run-${k}`, label }));
  for (const { name } of runs) drawn.series.take(name, columns(0, 49));
  const state = {
    ...drawn.state,
    order: runs.map(({ name }) => name),
    runs: Object.fromEntries(runs.map((run) => [run.name, run])),
  };
  const ofGd = figures.loss.data.filter(({ meta }: Json) => meta.run === "gd");
  const data = runs.flatMap(({ name }) =>
    ofGd.map((trace: Json) => ({ ...trace, meta: { ...trace.meta, run: name } })),
  );
  const eight = lossChart({ ...figures.loss, data }, { ...drawn, state });
  assert.deepEqual(
    eight.labels.ends.map((end) => end.names),
    names.map((name) => [name]),
  );
  const two = lossChart(figures.loss, drawn);
  assert.deepEqual([eight.layout.margin.r, two.layout.margin.r], [92, 44]);
});

test("a phone's gutter grows for a short name of wide letters, and a wider name stands on the plot", () => {
  const drawn = scene({ gd: 50, sgd: 50, compact: true, room: { width: 390, right: 44 } });
  const withName = (label: string) => {
    const { gd, sgd } = drawn.state.runs;
    const state = { ...drawn.state, runs: { gd, sgd: { ...sgd, label } } };
    const { layout, labels } = lossChart(figures.loss, { ...drawn, state });
    const end = labels.ends.find(({ run }) => run === "sgd");
    assert.ok(end);
    assert.deepEqual(end.names, [label]);
    return { gutter: layout.margin.r, isBeside: end.gutter, free: end.most - boldWidth(label) };
  };
  const adam = withName("Adam");
  assert.ok(adam.isBeside && adam.free >= 0, `${adam.free} px free`);
  assert.ok(adam.gutter > 44 && adam.gutter < 50);
  const wide = withName("MMWW");
  assert.ok(wide.isBeside && wide.free >= 0 && wide.gutter > adam.gutter);
  const long = withName("Momentum");
  assert.ok(!long.isBeside && long.free >= 0);
  assert.equal(long.gutter, 44);
});
