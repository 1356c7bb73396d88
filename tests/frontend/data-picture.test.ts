// The data's own picture: which pictures there are, which runs they show, their drawing and words.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  curvedRuns,
  fitWords,
  groundIn,
  lacksSamples,
  lastCurve,
  mapWords,
  picturedRuns,
  samplesOf,
  stageMaps,
} from "../../frontend/core/data-picture.ts";
import { mappedRuns, placeWords, readMap } from "../../frontend/core/decision-map.ts";
import { momentQuery } from "../../frontend/core/net/run-requests.ts";
import {
  dataPictureOf,
  heroesFor,
  heroOf,
  nextHero,
  nextPicture,
  picturesFor,
  shownPicture,
} from "../../frontend/core/pictures.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createStore } from "../../frontend/core/store.ts";
import { fitOf } from "../../frontend/features/predictions/fit-drawing.ts";
import {
  bordersOf,
  levelsOf,
  linesOf,
  samplesOf as dotsOf,
  sidesOf,
} from "../../frontend/features/predictions/ground.ts";
import { createSampleRequests } from "../../frontend/features/predictions/sample-requests.ts";
import { SPAN } from "../../frontend/features/predictions/map-drawing.ts";
import { answer, classified } from "./fake-server.ts";
import { part } from "./world.ts";
import type { DecisionMap } from "../../frontend/core/decision-map.ts";
import type { Api } from "../../frontend/core/net/api.ts";
import type { Colour } from "../../frontend/features/predictions/map-drawing.ts";
import type { Environment, Json, Message, State } from "../../frontend/core/types.ts";

const packed = (dtype: string, Type: any, values: number[]) => ({
  dtype,
  bdata: Buffer.from(Type.from(values).buffer).toString("base64"),
});
const bytes = (values: number[]) => packed("u1", Uint8Array, values);
const floats = (values: number[]) => packed("f4", Float32Array, values);

/** A state with so many inputs, of classes or numbers; both runs stand at step 5. */
function withInputs(features: number, isClassified = false, ...more: Message[]): State {
  const { recipe, ...rest } = answer();
  const opened = isClassified
    ? classified(features)
    : { ...rest, recipe: { ...recipe, data: { ...recipe.data, features } } };
  const at = (step: number) => ({
    status: "paused",
    step,
    epoch: step,
    samples_seen: step,
    generation: 0,
    latest: { test_r2: { step, value: 0.5 } },
  });
  return [
    { type: "opened", answer: opened },
    { type: "connection", status: "ready" },
    { type: "frame", runs: { gd: at(5), sgd: at(5) } },
    ...more,
  ].reduce(reduce, initialState());
}
const view = (part: Json): Message => ({ type: "view", part });

test("one input has a fit, two have a map, more have neither", () => {
  const kinds = [1, 2, 3].map((count) => dataPictureOf(withInputs(count).experiment));
  assert.deepEqual(kinds, ["fit", "map", null]);
  assert.equal(dataPictureOf(null), null);
});

test("the data's picture is a choice of narrow pages only; wide ones have it beside the loss", () => {
  const choices = (features: number, width: number) =>
    picturesFor(withInputs(features), width).map(({ text }) => text);
  assert.deepEqual(choices(1, 959), ["Loss", "Fit", "Fall line"]);
  assert.deepEqual(choices(2, 390), ["Loss", "Map", "Fall line"]);
  assert.deepEqual(choices(2, 960), ["Loss", "Fall line"]);
  assert.deepEqual(choices(2, 1681), ["Loss", "Fall line", "Both"]);
  assert.deepEqual(choices(5, 390), ["Loss", "Fall line"]);
});

test("the key goes through the pictures that the screen has room for", () => {
  const next = (features: number, width: number) =>
    (["loss", "data", "fall", "both"] as const).map((picture) =>
      nextPicture(withInputs(features, false, view({ picture })), width),
    );
  assert.deepEqual(next(2, 390), ["data", "fall", "loss", "loss"]);
  assert.deepEqual(next(2, 1440), ["fall", "fall", "loss", "loss"]);
  assert.deepEqual(next(5, 1920), ["fall", "fall", "both", "loss"]);
  const pictureAt = (picture: string, width: number, features = 2) =>
    shownPicture(withInputs(features, false, view({ picture })), width);
  assert.deepEqual(
    [
      pictureAt("both", 1440),
      pictureAt("both", 1681),
      pictureAt("data", 390),
      pictureAt("data", 1440),
    ],
    ["fall", "both", "data", "loss"],
  );
  assert.equal(pictureAt("data", 390, 5), "loss");
});

test("presenting goes through all pictures of the experiment", () => {
  const heroes = (features: number) => heroesFor(withInputs(features)).map(({ text }) => text);
  assert.deepEqual(heroes(1), ["Loss", "Fit", "Fall line", "Gradients"]);
  assert.deepEqual(heroes(2), ["Loss", "Map", "Fall line", "Gradients"]);
  assert.deepEqual(heroes(5), ["Loss", "Fall line", "Gradients"]);
  assert.equal(nextHero(withInputs(2), "loss"), "data");
  assert.equal(nextHero(withInputs(5), "gradients"), "loss");
  // a fork of another data set leaves the hero behind
  assert.equal(heroOf(withInputs(5, false, view({ hero: "data" }))), "loss");
  assert.equal(heroOf(withInputs(1, false, view({ hero: "data" }))), "data");
  assert.equal(heroOf(withInputs(1)), null);
});

test("the map shows the run that is looked at, never a hidden one, and on wide screens two", () => {
  const names = (...more: Message[]) =>
    picturedRuns(withInputs(2, true, ...more)).map(({ name }) => name);
  assert.deepEqual(names(view({ maps: 1 })), ["gd"]);
  assert.deepEqual(names(view({ maps: 1, networkRun: "sgd" })), ["sgd"]);
  assert.deepEqual(names(view({ maps: 2, networkRun: "sgd" })), ["sgd", "gd"]);
  const hidden = { type: "hidden", run: "sgd", hidden: true };
  assert.deepEqual(names(view({ maps: 2, networkRun: "sgd" }), hidden), ["gd"]);
});

test("the beat asks for the pictures in sight: one run's map, every run's curve", () => {
  const query = (state: State) => {
    const parameters = new URLSearchParams(momentQuery(state));
    return [parameters.get("map"), parameters.getAll("mapped"), parameters.get("curve")];
  };
  assert.deepEqual(query(withInputs(2, true)), [null, [], null]);
  assert.deepEqual(query(withInputs(2, true, view({ maps: 1 }))), ["true", ["gd"], null]);
  assert.deepEqual(query(withInputs(2, false, view({ maps: 1 }))), ["true", ["gd"], null]);
  // the small maps are of all runs
  const all = withInputs(2, true, view({ maps: 1, isMapSeen: true }));
  assert.deepEqual(query(all), ["true", [], null]);
  assert.deepEqual(query(withInputs(1, false, view({ maps: 1 }))), [null, [], "true"]);
  assert.deepEqual(query(withInputs(5, false, view({ maps: 1 }))), [null, [], null]);
  assert.equal(
    new URLSearchParams(momentQuery(withInputs(1, false, view({ maps: 1 })), false)).get("curve"),
    null,
  );
});

test("a diverged run has neither map nor curve", () => {
  const diverged: Message = {
    type: "event",
    event: "diverged",
    run: "gd",
    step: 5,
    generation: 0,
  };
  const map = withInputs(2, true, view({ maps: 1 }), diverged);
  assert.deepEqual([stageMaps(map), mappedRuns(map)], [[], []]);
  const fit = withInputs(1, false, view({ maps: 1 }), diverged);
  assert.deepEqual(
    curvedRuns(fit).map(({ name }) => name),
    ["sgd"],
  );
});

const curve = (y: number[], step = 5) => ({
  step,
  generation: 0,
  edges: [-2, 2],
  y_pred: floats(y),
});
const SAMPLES = {
  X: [[-1], [0], [1], [1.5]],
  y: [[-1], [0], [1], [0.5]],
  train: [0, 1, 2],
  test: [3],
};

test("curves come with the beat and are of its step", () => {
  const state = withInputs(1, false, view({ maps: 1 }), {
    type: "beat",
    runs: {},
    maps: [{ run: "gd", name: "curve", answer: curve([0, 1]) }],
  });
  assert.equal(lastCurve(state, "gd")?.step, 5);
  assert.equal(lastCurve(state, "sgd"), undefined);
});

test("samples of classes lie between 0 and 1, and at most 600 of a split are drawn", () => {
  const state = withInputs(1, true);
  const samples = samplesOf(state, { ...SAMPLES, y: [[0], [1], [1], [0]] });
  assert.deepEqual(samples.train, { x: [-1, 0, 1], y: [0, 1, 1] });
  assert.deepEqual(samples.test, { x: [1.5], y: [0] });
  const rows = Array.from({ length: 1500 }, (_, k) => k);
  const many = { X: rows.map((k) => [k]), y: rows.map((k) => [k]), train: rows, test: [] };
  assert.equal(samplesOf(withInputs(1), many).train.x.length, 500);
});

test("a diverged run has its training samples on the edges of a map, and words that say why", () => {
  const at = { status: "diverged", step: 39, diverged_at: 39, epoch: 39, samples_seen: 39 };
  const diverged: Message = { type: "frame", runs: { gd: { ...at, generation: 0, latest: {} } } };
  const state = withInputs(2, true, view({ maps: 1, networkRun: "gd" }), diverged);
  assert.deepEqual(stageMaps(state), []);
  assert.deepEqual([lacksSamples(state), groundIn(state)], [true, undefined]);
  assert.equal(lacksSamples(withInputs(2, true, view({ maps: 1, networkRun: "gd" }))), false);
  const data = {
    X: [
      [0, 2],
      [1, 4],
      [4.7, -2],
    ],
    y: [[0], [1], [1]],
    train: [0, 1],
    test: [2],
  };
  const known = reduce(state, { type: "samples", samples: samplesOf(state, data) });
  assert.equal(lacksSamples(known), false);
  const ground = groundIn(known);
  assert.ok(ground);
  assert.deepEqual(ground.samples, { x: [0, 1], y: [2, 4], true: [0, 1], predicted: [0, 1] });
  // 6 % on both sides of all samples, and half of 47 distances between cells
  const [low, high] = [-0.06 * 4.7, 1.06 * 4.7];
  const half = (high - low) / 94;
  [low - half, high + half].forEach((edge, k) =>
    assert.ok(Math.abs(edge - ground.edges[0][k]) < 1e-12),
  );
  const dots = dotsOf(ground, 2);
  assert.deepEqual(
    dots.map(({ name, wrong }) => [name, wrong]),
    [
      ["filled", false],
      ["hollow", false],
    ],
  );
  assert.equal(
    mapWords(known.runs.gd, undefined, false, known),
    "No map of GD: it diverged at step 39. On view: 900 training samples.",
  );
});

test("samples are requested once, when the fit is in sight, and again after a refusal", async () => {
  const store = createStore(withInputs(1), reduce);
  const timers: (() => void)[] = [];
  const ids: string[] = [];
  let isDown = true;
  const api = part<Api>({
    async data(id) {
      ids.push(id);
      if (isDown) throw new Error("down");
      return SAMPLES;
    },
  });
  const environment = part<Environment>({
    setTimeout: (run) => timers.push(run),
    clearTimeout: () => {},
  });
  const requests = createSampleRequests({ api, store, environment } as any);
  const settle = () => new Promise((go) => setImmediate(go));
  await settle();
  assert.equal(ids.length, 0);
  store.dispatch(view({ maps: 1 }));
  await settle();
  assert.deepEqual([ids.length, lacksSamples(store.get())], [1, true]);
  isDown = false;
  timers.shift()?.();
  await settle();
  assert.deepEqual([ids.length, lacksSamples(store.get())], [2, false]);
  store.dispatch(view({ maps: 0 }));
  store.dispatch(view({ maps: 1 }));
  await settle();
  assert.deepEqual([ids.length, timers.length], [2, 0]);
  requests.stop();
});

const SIZE = { width: 372, height: 400 };

/** The fit of both runs with these curves. */
function drawnFit(curves: (number[] | null)[], state = withInputs(1)) {
  const runs = state.order.map((name) => state.runs[name]);
  const samples = samplesOf(state, SAMPLES);
  const fitted = runs.map((run, k) => {
    const values = curves[k];
    return { run, curve: values && { step: 5, edges: [-2, 2] as [number, number], values } };
  });
  return fitOf(samples, fitted, SIZE);
}

test("curves lie on the axes of the samples, and names stand apart at their ends", () => {
  const { frame, curves, off, dots, words } = drawnFit([
    [-1, 0, 1],
    [-1, 0.5, 0.98],
  ]);
  assert.deepEqual(frame.x.range, [-2, 2]);
  assert.deepEqual(frame.y.range, [-1.12, 1.12]);
  assert.deepEqual(off, []);
  const places =
    curves[0].d.match(/[\d.]+,[\d.]+/g)?.map((pair) => pair.split(",").map(Number)) ?? [];
  assert.equal(places.length, 3);
  const middle = [frame.left + frame.width / 2, frame.top + frame.height / 2];
  places[1].forEach((value, k) => assert.ok(Math.abs(value - middle[k]) < 0.02));
  assert.equal(dots.train.match(/M/g)?.length, 3);
  assert.equal(dots.test.match(/M/g)?.length, 1);
  const [one, other] = curves.map(({ end }) => end?.top ?? 0);
  assert.ok(Math.abs(one - other) >= 15.9, "names at least a line apart");
  assert.ok(curves.every(({ end }) => (end?.left ?? 0) > frame.left + frame.width));
  assert.ok(words.length >= 6);
});

test("a curve beyond the axis has no end there and is named; one that is not finite has a gap", () => {
  const beyond = drawnFit([
    [50, 60, 70],
    [0, Number.NaN, 0.5],
  ]);
  assert.deepEqual(beyond.off, ["gd"]);
  assert.deepEqual(
    beyond.curves.map(({ run }) => run.name),
    ["sgd"],
  );
  assert.equal(beyond.curves[0].d.match(/M/g)?.length, 2);
  const words = fitWords(withInputs(1), beyond.off);
  assert.match(
    words,
    /^Fit at step 5, 900 training and 300 test samples\. GD: off the axis\. SGD: R² 0\.50 on test\.$/,
  );
});

/** Three by three cells, "yes" in the upper right, sure everywhere but at the border. */
const SIDES: DecisionMap = {
  side: 3,
  predicted: [0, 0, 0, 0, 0, 1, 0, 1, 1],
  sureness: [1, 1, 0.5, 1, 0.25, 0.5, 0.5, 0.5, 1],
  edges: [
    [0, 3],
    [0, 3],
  ],
  samples: { x: [0, 3, 1.5], y: [0, 3, 1.5], true: [0, 1, 1], predicted: [0, 1, 0] },
};
const BLUE: Colour = [0, 0, 200];
const SAND: Colour = [200, 100, 0];
const PAPER: Colour = [255, 255, 255];

test("sides are paler where the network is unsure, and missing where nothing is finite", () => {
  const pixels = sidesOf(SIDES, [BLUE, SAND], PAPER);
  const at = (column: number, row: number) =>
    Array.from(pixels.slice(4 * ((2 - row) * 3 + column), 4 * ((2 - row) * 3 + column) + 4));
  assert.deepEqual(at(0, 0), [0, 0, 200, 255]);
  assert.deepEqual(at(2, 2), [200, 100, 0, 255]);
  assert.ok(at(1, 1)[0] > at(0, 0)[0] && at(1, 1)[0] < 255);
  const holed = sidesOf(
    { ...SIDES, predicted: [255, ...Array.from(SIDES.predicted)].slice(0, 9) },
    [BLUE, SAND],
    PAPER,
  );
  assert.equal(holed[4 * 6 + 3], 0);
});

test("the border lies where the network is as sure of both, and reaches the edge of the picture", () => {
  const d = bordersOf(SIDES, 2);
  const numbers = d.match(/[\d.]+/g)?.map(Number) ?? [];
  assert.ok(numbers.every((value) => value >= -0.01 && value <= SPAN + 0.01));
  assert.ok(
    numbers.some((value) => Math.abs(value - SPAN) < 0.01) && numbers.some((value) => value < 0.01),
  );
  assert.equal(bordersOf({ ...SIDES, predicted: new Array(9).fill(1) }, 2), "");
  // between the centres of two cells of sureness 0.25 and 0.5: a third of the way
  const expected = SPAN * ((1.5 + 1 / 3) / 3);
  assert.ok(
    numbers.some((value) => Math.abs(value - expected) < 0.02),
    `${expected} of ${numbers}`,
  );
});

test("classes have shapes, filled and hollow in turn, and wrong samples are on top", () => {
  const dots = dotsOf(SIDES, 2);
  assert.deepEqual(
    dots.map(({ name, wrong, kind }) => [name, wrong, kind]),
    [
      ["filled", false, 0],
      ["hollow", false, 1],
      ["hollow", true, 1],
    ],
  );
});

test("a surface has lines at round values, and samples in the shade of their value", () => {
  const { step, levels } = levelsOf([-1, 1]);
  assert.equal(step, 0.2);
  assert.ok(levels.includes(0) && levels.length >= 31);
  const slope: DecisionMap = {
    ...SIDES,
    sureness: null,
    predicted: [-1, 0, 1, -1, 0, 1, -1, 0, 1],
    samples: { x: [0, 3], y: [0, 3], true: [-1, 1], predicted: [-0.9, 2] },
  };
  const [x] =
    linesOf(slope, [0.5])
      .match(/[\d.]+/g)
      ?.map(Number) ?? [];
  assert.ok(Math.abs(x - (SPAN * 2) / 3) < 0.02, `${x}`);
  assert.deepEqual(
    dotsOf(slope, 0).map(({ name, kind, wrong }) => [name, kind, wrong]),
    [
      ["value", 0, false],
      ["value", 5, false],
    ],
  );
  assert.deepEqual(levelsOf([2, 2]).levels.length > 0, true);
});

test("a map is spoken with its step, run and score", () => {
  const state = withInputs(2, true);
  const run = state.runs.gd;
  const cells = { predicted: bytes(SIDES.predicted as number[]), probability: null };
  const mapAnswer = {
    step: 5,
    generation: 0,
    split: "test",
    classes: ["no", "yes"],
    inputs: ["u", "v"],
    others: {},
    counts: [
      [9, 0],
      [1, 0],
    ],
    right: 0.9,
    cells,
  };
  assert.equal(
    mapWords(run, mapAnswer, false, state),
    "Map at step 5, GD: 90 % of test right. Wrong: 1 of 1 yes (as no). Plane of u and v: no 67 %, yes 33 %.",
  );
  const values = { predicted: floats([-1, 0, 2, 0.5]), probability: null };
  const numbers = { ...mapAnswer, classes: [], counts: null, right: null, cells: values };
  assert.equal(
    mapWords(run, numbers, false, withInputs(2)),
    "Map at step 5, GD: R² 0.50 on test. Plane of u and v: −1.00 to 2.00.",
  );
  assert.equal(mapWords(run, undefined, false, state), "Map of GD: no predictions yet.");
  const grid = {
    ...numbers,
    edges: [
      [0, 2],
      [0, 2],
    ],
    samples: { x: floats([]), y: floats([]), true: floats([]), predicted: floats([]) },
  };
  assert.equal(placeWords(grid, readMap(grid), [0.1, 0.9], false), "u 0.500, v 1.50: 2.00");
});
