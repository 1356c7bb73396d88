// Python and JavaScript fill an instrument's figure alike, and the page draws it: the browser's
// half.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { fillMeasured } from "../../frontend/charts/bind-measured.ts";
import { classScale } from "../../frontend/charts/class-looks.ts";
import { instrumentChart } from "../../frontend/charts/instrument-chart.ts";
import { GAUGES } from "../../frontend/core/instruments.ts";
import { reduce } from "../../frontend/core/reduce.ts";
import { scene } from "./scenes.ts";
import type { Json, State } from "../../frontend/core/types.ts";

const folder = new URL("../golden/figures/", import.meta.url);
const golden = (name: string) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
const measured = readdirSync(folder)
  .map((file) => file.replace(".json", ""))
  .filter((name) => "measured" in golden(name));
/** The page draws these without Plotly. */
const OWN = ["fall_line", "fit", "surface"];
const unclipped = (figure: Json) => ({
  ...figure,
  data: figure.data.map((trace: Json) => ({ ...trace, meta: { ...trace.meta, clip: null } })),
});
const plain = (figure: Json) => JSON.parse(JSON.stringify(figure));

for (const name of measured) {
  test(`the figure ${name} filled in the browser is the one filled by the server`, () => {
    const { figure, measured: answers, filled } = golden(name);
    assert.deepEqual(plain(fillMeasured(figure, answers)), filled);
  });

  if (OWN.includes(name)) continue;
  test(`the page draws the points of the figure ${name}`, () => {
    const { figure, measured: answers } = golden(name);
    const gauge = GAUGES[name];
    // the axis of a gauge grows with its values, where the server's figure clips them
    const filled = fillMeasured(unclipped(figure), answers);
    const base = scene({ gd: 40, sgd: 40 });
    const state = answers.reduce(
      (before: State, answer: Json) =>
        reduce(before, {
          type: "instrument",
          run: "gd",
          name: gauge.instrument,
          answer: { ...answer, generation: 0 },
        }),
      base.state,
    );
    const { data } = instrumentChart(figure, { ...base, state }, gauge);
    const points = (traces: Json[]) => plain(traces.map(({ x, y, z }) => ({ x, y, z })));
    assert.deepEqual(points(data), points(filled.data));
    assert.ok(
      data.every(({ x }: Json) => Array.isArray(x)),
      "the chart counts the points of every trace",
    );
    assert.ok(
      data.some(({ y, z }: Json) => (z ?? y).length),
      "something is drawn",
    );
  });
}

/** The figure of sharpness over its limit, after measurements at some steps. */
function edgeAfter(measurements: [step: number, edge: number][]) {
  const base = scene({ gd: 40, sgd: 40 });
  const state = measurements.reduce(
    (before: State, [step, edge]) =>
      reduce(before, {
        type: "instrument",
        run: "gd",
        name: GAUGES.edge.instrument,
        answer: { step, edge, generation: 0 },
      }),
    base.state,
  );
  return instrumentChart(golden("edge").figure, { ...base, state }, GAUGES.edge);
}

test("a gauge's axis grows with a value beyond its range, which is not clipped", () => {
  const calm = edgeAfter([
    [0, 0.5],
    [1, 1.5],
  ]);
  assert.deepEqual(calm.layout.yaxis.range, [0, 2]);
  const { data, layout } = edgeAfter([
    [0, 0.5],
    [1, 20],
  ]);
  assert.deepEqual(data[0].y, [0.5, 20]);
  assert.ok(layout.yaxis.range[0] === 0 && layout.yaxis.range[1] > 20);
});

test("no line joins measurements with a long gap between them, and a lone one is a dot", () => {
  const even = edgeAfter([0, 10, 20, 30].map((step) => [step, 1]));
  assert.deepEqual(even.data[0].x, [0, 10, 20, 30]);
  const { data } = edgeAfter([0, 5_000, 5_010, 5_020].map((step) => [step, 1]));
  assert.deepEqual(data[0].x, [0, null, 5_000, 5_010, 5_020]);
  assert.deepEqual(data[0].y, [1, null, 1, 1, 1]);
  assert.deepEqual(
    data[0].marker.size.map((size: number) => size > 0),
    [true, false, false, false, false],
  );
  assert.deepEqual(edgeAfter([5, 5_000].map((step) => [step, 1])).data[0].x, [5, null, 5_000]);
});

/** GD's decision map, as the golden figure has it. */
function measuredMap() {
  const { figure, measured: answers } = golden("decision");
  const base = scene({ gd: 40 });
  const answer = { ...answers[0], generation: 0 };
  const state = reduce(base.state, { type: "instrument", run: "gd", name: "decision", answer });
  return { figure, base, state };
}

test("a decision map is as wide as its inputs are beside each other, not as the panel", () => {
  const { figure, base, state } = measuredMap();
  const { layout } = instrumentChart(figure, { ...base, state }, GAUGES.decision);
  const { l, r, t, b } = layout.margin;
  const span = ([from, to]: number[]) => Math.abs(to - from);
  const across = (base.room.width - l - r) * span(layout.xaxis.domain);
  const up = base.room.height - t - b;
  assert.ok(across < 0.9 * (base.room.width - l - r), `${across}`);
  assert.ok(
    Math.abs(across / span(layout.xaxis.range) - up / span(layout.yaxis.range)) < 1e-6 * up,
    `${across} ${up}`,
  );
});

test("a decision map has the large map's shades, a border between classes, and a shape for each", () => {
  const { figure, base, state } = measuredMap();
  const { sides, surfaces } = base.look.spec.fallline;
  for (const theme of ["light", "dark"] as const) {
    const look = { ...base.look, theme };
    const { data, labels } = instrumentChart(figure, { ...base, look, state }, GAUGES.decision);
    const [ground, border, ...samples] = data;
    assert.deepEqual(
      ground.colorscale.map(([, colour]: [number, string]) => colour),
      [sides[theme][0], surfaces[theme].paper, sides[theme][1]],
    );
    assert.equal(border.contours.start, 0.5);
    assert.equal(border.line.color, surfaces[theme]["ink-2"]);
    assert.deepEqual(
      samples.map(({ marker }: Json) => marker.symbol),
      ["circle", "triangle-up-open"],
    );
    const [{ marks, values }]: Json[] = labels.titles;
    assert.deepEqual(
      marks.map(({ name, isFilled }: Json) => [name, isFilled]),
      [
        ["no", true],
        ["yes", false],
      ],
    );
    assert.notEqual(marks[0].d, marks[1].d);
    assert.deepEqual(values, [], "the run's marker is none of the classes'");
  }
});

test("a legend of a decision map is whole, or not there", () => {
  const { figure, measured: answers } = golden("decision");
  const headOf = (classes: string[], width: number, compact = false) => {
    const { room, look, ...base } = scene({ gd: 40 });
    const state = reduce(base.state, {
      type: "instrument",
      run: "gd",
      name: "decision",
      answer: { ...answers[0], classes, generation: 0 },
    });
    const narrow = { ...base, state, room: { ...room, width }, look: { ...look, compact } };
    const [{ shape, marks }]: Json[] = instrumentChart(figure, narrow, GAUGES.decision).labels
      .titles;
    return [shape !== "", marks.length];
  };
  const wines = ["cabernet sauvignon", "gewuerztraminer", "chardonnay", "sauvignon blanc"];
  assert.deepEqual(headOf(wines, 1000), [true, 4]);
  assert.deepEqual(headOf(wines, 700), [false, 4]);
  assert.deepEqual(headOf(wines, 480), [true, 0], "only how to read it");
  assert.deepEqual(headOf(wines, 360, true), [false, 0]);
  assert.deepEqual(headOf(["no", "yes"], 360, true), [false, 2]);
});

test("more than two classes have a pale shade each, as on the large map", () => {
  const { look } = scene({ gd: 40 });
  const shades = classScale(look, 3);
  assert.deepEqual(
    shades.map(([at]) => at),
    [0, 1 / 3, 1 / 3, 2 / 3, 2 / 3, 1],
  );
  assert.equal(new Set(shades.map(([, colour]) => colour)).size, 3);
  assert.equal(shades[4][1], "#E5C994");
  assert.equal(classScale(look, 8)[14][1], classScale(look, 8)[2][1], "colours repeat after six");
});

test("class names stand beside their matrix, inside the chart; long ones are shortened where they differ", () => {
  const { figure, measured: answers } = golden("confusion");
  const beside = (...classes: string[]) => {
    const base = scene({ gd: 40 });
    const state = reduce(base.state, {
      type: "instrument",
      run: "gd",
      name: "confusion",
      answer: { ...answers[0], classes, generation: 0 },
    });
    return instrumentChart(figure, { ...base, state }, GAUGES.confusion).words.filter(
      ({ name }) => name === "tick beside",
    );
  };
  const [short, long] = [
    beside("first arm", "second arm"),
    beside("the first of both arms", "the second of both arms"),
  ];
  assert.deepEqual(short.map(({ text }) => text).sort(), ["first arm", "second arm"]);
  for (const { text, left } of [...short, ...long])
    assert.ok(left >= 6 * text.length, `${text} has ${left} px`);
  assert.ok(
    new Set(long.map(({ text }) => text)).size === 2 &&
      long.every(({ text }) => !text.includes("…") && text.length <= 14),
  );
});

test("an empty cell of a matrix is paper, and the fullest is ink", () => {
  const { figure, measured: answers } = golden("confusion");
  const base = scene({ gd: 40 });
  const state = reduce(base.state, {
    type: "instrument",
    run: "gd",
    name: "confusion",
    answer: { ...answers[0], generation: 0 },
  });
  const [{ z, zmin, zmax }] = instrumentChart(figure, { ...base, state }, GAUGES.confusion).data;
  assert.deepEqual([zmin, zmax], [0, Math.max(...z.flat())]);
});

test("a matrix of many classes has the names that fit, and numbers only where they can be read", () => {
  const { figure } = golden("confusion");
  const chart = (classes: number) => {
    const base = scene({ gd: 40 });
    const names = Array.from({ length: classes }, (_, k) => `${k}`);
    const counts = names.map((_, k) => names.map((_name, j) => (k === j ? 9 : 0)));
    const state = reduce(base.state, {
      type: "instrument",
      run: "gd",
      name: "confusion",
      answer: { step: 40, generation: 0, classes: names, counts },
    });
    const room = { ...base.room, width: 800, height: 126 };
    const { data, layout, words } = instrumentChart(
      figure,
      { ...base, state, room },
      GAUGES.confusion,
    );
    const tops = words.filter(({ name }) => name === "tick beside").map(({ top }) => top);
    return { numbers: data[0].texttemplate, rows: layout.yaxis.range, tops };
  };
  const few = chart(3);
  assert.deepEqual([few.numbers, few.tops.length], ["%{z}", 3]);
  const many = chart(10);
  assert.deepEqual([many.numbers, many.rows], ["", [10.5, 0.5]], "all rows are there");
  const gaps = many.tops.slice(1).map((top, k) => Math.abs(top - many.tops[k]));
  assert.ok(many.tops.length >= 4 && Math.min(...gaps) >= 12, many.tops.join(" "));
});

test("every figure of an instrument equals the server's", () => {
  assert.deepEqual(
    measured.sort(),
    [...OWN, ...new Set(Object.values(GAUGES).map(({ figure }) => figure))].sort(),
  );
});

test("filling leaves the specification unchanged, and shows the named measurement", () => {
  const { figure, measured: answers } = golden("edge");
  const before = JSON.stringify(figure);
  const needle = fillMeasured(figure, answers, answers[1]).data.find(
    ({ meta }: Json) => meta.role === "needle",
  );
  assert.deepEqual([needle.x, JSON.stringify(figure)], [[10], before]);
  assert.ok(fillMeasured(figure, []).data.every(({ x }: Json) => x.length === 0));
});
