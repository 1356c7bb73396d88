// The decision map: reading an answer, drawing it, and its words for screen readers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { sampleLook, samplesOf } from "../../frontend/features/predictions/ground.ts";
import { COLOURS, cursorOf, SPAN } from "../../frontend/features/predictions/map-drawing.ts";
import {
  axisWords,
  isMapOld,
  isMove,
  mapInputs,
  mappedRuns,
  mapRequest,
  mapWords,
  moved,
  NONE,
  placeWords,
  readMap,
  showsMap,
  withInput,
} from "../../frontend/core/decision-map.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { classified } from "./fake-server.ts";
import { part } from "./world.ts";
import type { At } from "../../frontend/core/decision-map.ts";
import type { Experiment, Message, Run } from "../../frontend/core/types.ts";

const bytes = (values: number[]) => ({
  dtype: "u1",
  bdata: Buffer.from(Uint8Array.from(values)).toString("base64"),
});
const floats = (values: number[]) => ({
  dtype: "f4",
  bdata: Buffer.from(Float32Array.from(values).buffer).toString("base64"),
});

/**
 * Three by three cells, rows from below: mostly "no", "yes" in the upper right corner. Two of five
 * samples are wrong.
 */
const mapAnswer = (changes = {}) => ({
  step: 40,
  generation: 0,
  split: "test",
  classes: ["no", "yes"],
  inputs: ["u", "v"],
  counts: [
    [2, 1],
    [1, 1],
  ],
  right: 0.6,
  edges: [
    [0, 3],
    [-1.5, 1.5],
  ],
  cells: {
    predicted: bytes([0, 0, 0, 0, 0, 1, 0, 1, 1]),
    probability: bytes([255, 255, 255, 204, 128, 204, 128, 204, 255]),
  },
  samples: {
    x: floats([0, 3, 1.5, 1.5, 3]),
    y: floats([-1.5, 1.5, 0, 0, -1.5]),
    true: bytes([0, 1, 1, 0, 0]),
    predicted: bytes([0, 1, 0, 0, 1]),
  },
  ...changes,
});

test("with three classes a third is chance, and without probabilities there is no sureness", () => {
  const three = readMap(
    mapAnswer({
      classes: ["a", "b", "c"],
      cells: { predicted: bytes([2, 0, 0, 0]), probability: bytes([85, 255, 170, 0]) },
    }),
  );
  assert.deepEqual(
    Array.from(three.sureness!).map((one) => Number(one.toFixed(2))),
    [0, 1, 0.5, 0],
  );
  const bare = readMap(
    mapAnswer({ cells: { predicted: bytes([0, 1, NONE, 0]), probability: null } }),
  );
  assert.equal(bare.sureness, null);
  assert.equal(bare.side, 2);
});

test("samples stand at their place", () => {
  const [right] = samplesOf(readMap(mapAnswer()), 2, 2);
  const circles = [...right.d.matchAll(/M([\d.-]+),([\d.-]+)A([\d.]+)/g)];
  assert.deepEqual(
    circles.map(([, x, y, r]) => [Math.round(Number(x) - Number(r)), Math.round(Number(y))]),
    [
      [0, SPAN],
      [SPAN / 2, SPAN / 2],
    ],
  );
  const [small] = samplesOf(readMap(mapAnswer()), 2, 1);
  const radius = (d: string) => Number(/A([\d.]+)/.exec(d)?.[1]);
  assert.ok(Math.abs(radius(right.d) - 2 * radius(small.d)) < 0.06);
});

test("ten classes differ by shape and fill, thirty also by colour", () => {
  const looks = Array.from({ length: 30 }, (_, kind) => {
    const { name, d } = sampleLook(kind, 5, 0, 0);
    return { look: `${name} ${d}`, colour: kind % COLOURS };
  });
  assert.equal(new Set(looks.slice(0, 10).map(({ look }) => look)).size, 10);
  assert.equal(new Set(looks.map(({ look, colour }) => `${look} ${colour}`)).size, 30);
});

test("the map in words: how many are right, which are wrong and as what, and each class's share of the plane", () => {
  const run = part<Run>({ label: "GD", status: "paused", step: 40, divergedAt: null });
  assert.equal(
    mapWords(run, mapAnswer(), false),
    "GD at step 40: 3 of 5 test samples correct. Wrong: 1 of 3 no (as yes); 1 of 2 yes (as no). Plane of u and v: no 67 %, yes 33 %.",
  );
  const three = mapAnswer({
    classes: ["a", "b", "c"],
    split: "train",
    counts: [
      [4, 1, 2],
      [0, 3, 0],
      [0, 0, 5],
    ],
    right: 12 / 15,
  });
  assert.match(
    mapWords(run, three, false),
    /12 of 15 training samples correct\. Wrong: 3 of 7 a \(1 as b, 2 as c\)\. Plane of/,
  );
  assert.doesNotMatch(
    mapWords(
      run,
      mapAnswer({
        counts: [
          [3, 0],
          [0, 2],
        ],
        right: 1,
      }),
      false,
    ),
    /Wrong/,
  );
  assert.equal(mapWords(run, undefined, false), "GD: no predictions yet.");
  assert.equal(
    mapWords({ ...run, status: "diverged", divergedAt: 39 }, mapAnswer(), false),
    "GD diverged at step 39: off the axis.",
  );
  assert.equal(axisWords(mapAnswer(), false), "Across: u, 0 to 3.00. Up: v, −1.50 to 1.50.");
  assert.equal(
    axisWords(mapAnswer(), true),
    "Across: u, 0 to 3.00. Up: v, −1.50 to 1.50. Both standardized.",
  );
  assert.match(
    mapWords(run, mapAnswer(), true),
    /Plane of u and v, both standardized: no 67 %, yes 33 %\.$/,
  );
});

test("the prediction under the pointer names the middle of its cell", () => {
  const at = (across: number, up: number, changes = {}) =>
    placeWords(mapAnswer(changes), readMap(mapAnswer(changes)), [across, up], false);
  assert.equal(at(0.4, 0.4), "u 1.50, v 0: no, 50 %");
  assert.equal(at(1, 1), "u 2.50, v 1.00: yes, 100 %");
  assert.equal(
    placeWords(mapAnswer(), readMap(mapAnswer()), [1, 1], true),
    "u 2.50, v 1.00, standardized: yes, 100 %",
  );
  assert.equal(at(-0.1, 0.4), "u 0.500, v 0: no, 80 %", "on the edge");
  assert.equal(
    at(0.1, 0.1, {
      cells: { predicted: bytes([NONE, 0, 0, 1]), probability: bytes([0, 255, 255, 255]) },
    }),
    "u 0.750, v −0.750: nothing finite",
  );
  assert.equal(
    at(0.9, 0.9, { cells: { predicted: bytes([0, 0, 0, 1]), probability: null } }),
    "u 2.25, v 0.750: yes",
  );
});

test("arrow keys move from cell to cell, from the middle on and never off the map", () => {
  const side = 4;
  const after = (...keys: string[]) =>
    keys
      .reduce((at: At | null, key) => moved(side, at, key), null)!
      .map((share) => share * side - 0.5);
  assert.deepEqual(after("ArrowLeft"), [2, 2], "the first key enters");
  assert.deepEqual(after("ArrowUp", "ArrowRight", "ArrowUp", "ArrowUp"), [3, 3]);
  assert.deepEqual(after("Home", "Home", "ArrowLeft", "PageDown", "ArrowDown"), [0, 0]);
  assert.deepEqual(after("End", "End", "PageUp"), [3, 3]);
  assert.deepEqual(
    moved(side, [0.9, 0.1], "ArrowLeft"),
    [2.5 / side, 0.5 / side],
    "from where a pointer was",
  );
  assert.deepEqual([isMove("ArrowUp"), isMove("a"), isMove("toString")], [true, false, false]);
});

test("the cursor frames its cell, with rows counted from below", () => {
  const d = cursorOf(3, [0, 0]);
  const [left, top] = [SPAN / 6, SPAN - SPAN / 6];
  assert.equal(
    d,
    `M${left - 4},${top - 4}H${left + 4}V${top + 4}H${left - 4}ZM0,${top}H${left - 4}M${left + 4},${top}H${SPAN}M${left},0V${top - 4}M${left},${top + 4}V${SPAN}`,
  );
});

/** Two runs with visible maps. */
const ofClasses = (features = 2) =>
  [
    { type: "opened", answer: classified(features), token: "t" },
    { type: "view", part: { isMapSeen: true } },
  ].reduce(reduce, initialState());

test("a map needs classes, two inputs and a viewer, and a run that is neither hidden nor diverged", () => {
  const state = ofClasses();
  const names = (messages: Message[], from = state) =>
    mappedRuns(messages.reduce(reduce, from)).map(({ name }) => name);
  assert.deepEqual([showsMap(state), names([])], [true, ["gd", "sgd"]]);
  assert.equal(showsMap(ofClasses(3)), false);
  assert.deepEqual(names([], ofClasses(3)), []);
  assert.deepEqual(names([{ type: "view", part: { predicted: "table" } }]), []);
  assert.deepEqual(names([{ type: "view", part: { isMapSeen: false } }]), []);
  assert.deepEqual(names([{ type: "hidden", run: "gd", hidden: true }]), ["sgd"]);
  const diverged = {
    type: "frame",
    runs: {
      gd: { status: "diverged", step: 9, epoch: 9, samples_seen: 9, generation: 0, latest: {} },
    },
  };
  assert.deepEqual(names([diverged]), ["sgd"]);
});

test("a map over two of many inputs is requested by their names, once they are chosen", () => {
  const many = ofClasses(3);
  const inputs = (many.experiment as Experiment).inputs;
  const chosen = reduce(many, { type: "view", part: { mapInputs: [2, 0] } });
  assert.deepEqual([mapInputs(many), showsMap(many), mapRequest(many)], [null, false, "map"]);
  assert.deepEqual([mapInputs(chosen), showsMap(chosen)], [[2, 0], true]);
  assert.equal(mapRequest(chosen), `map?x=${inputs[2]}&y=${inputs[0]}`);
  const experiment = { ...(chosen.experiment as Experiment), inputs: ["a", "b", "width & (cm)?"] };
  assert.equal(mapRequest({ ...chosen, experiment }), "map?x=width%20%26%20(cm)%3F&y=a");
  assert.equal(mapRequest(ofClasses()), "map");
  const beyond = reduce(many, { type: "view", part: { mapInputs: [3, 0] } });
  assert.equal(showsMap(beyond), false, "chosen for another data set");
});

test("an input chosen twice changes places with the other", () => {
  assert.deepEqual(withInput([0, 1], 0, 2), [2, 1]);
  assert.deepEqual(withInput([0, 1], 1, 2), [0, 2]);
  assert.deepEqual(withInput([0, 1], 0, 1), [1, 0]);
  assert.deepEqual(withInput([0, 1], 1, 0), [1, 0]);
});

test("the words of a map over two of many inputs say where the others stay", () => {
  const answer = mapAnswer({ others: { w: 0.5 } });
  assert.match(axisWords(answer, false), /Others: at their mean\.$/);
  const run = (ofClasses().runs as Record<string, Run>).gd;
  assert.match(mapWords(run, answer, false), /Plane of u and v, the others at their mean: /);
});

test("a map is old if one on view is missing, or is of another step than its paused run", () => {
  const map = (run: string, step: number) => ({
    type: "instrument",
    run,
    name: "map",
    answer: { ...mapAnswer(), step },
  });
  const at = (step: number, status = "paused") => ({
    type: "frame",
    runs: Object.fromEntries(
      ["gd", "sgd"].map((name) => [
        name,
        { status, step, epoch: 1, samples_seen: 9, generation: 0, latest: {} },
      ]),
    ),
  });
  const isOld = (...messages: Message[]) => isMapOld(messages.reduce(reduce, ofClasses()));
  assert.deepEqual(
    [isOld(at(40)), isOld(at(40), map("gd", 40)), isOld(at(40), map("gd", 40), map("sgd", 40))],
    [true, true, false],
  );
  assert.deepEqual(
    [
      isOld(at(41), map("gd", 40), map("sgd", 41)),
      isOld(at(41, "playing"), map("gd", 40), map("sgd", 41)),
    ],
    [true, false],
  );
  assert.equal(isOld(at(40), map("gd", 40), map("sgd", 40), { type: "look", step: 12 }), true);
  assert.equal(isOld(at(40), map("gd", 12), map("sgd", 12), { type: "look", step: 12 }), false);
});
