// Time travel: the past view, the marks on the timeline, and edits there.

import assert from "node:assert/strict";
import { test } from "node:test";

import { gradientChart } from "../../frontend/charts/gradient-chart.ts";
import { lossChart } from "../../frontend/charts/loss-chart.ts";
import { forkOf, originWords } from "../../frontend/core/forks.ts";
import {
  flagsOf,
  flagWords,
  markersOf,
  nextMarker,
  snapped,
  stepFrom,
} from "../../frontend/core/markers.ts";
import { stateOnView, shownStep, stepsAhead } from "../../frontend/core/state-on-view.ts";
import { evidenceWords } from "../../frontend/core/findings.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { stateOf, whereWords } from "../../frontend/core/selectors.ts";
import { asidesOf } from "../../frontend/features/transport/flag-places.ts";
import { answer, catalog, edge, findingEvent, healthy } from "./fake-server.ts";
import { figures, scene } from "./scenes.ts";
import type { Json, Message, State } from "../../frontend/core/types.ts";
import type { Marker } from "../../frontend/core/markers.ts";
import type { Free } from "../../frontend/features/transport/flag-places.ts";

const after = (messages: Message[], state = initialState()) => messages.reduce(reduce, state);
const frame = (run: string, step: number, more = {}) => ({
  type: "frame",
  runs: {
    [run]: {
      status: "playing",
      step,
      epoch: step,
      samples_seen: step,
      generation: 0,
      latest: {},
      ...more,
    },
  },
});
const edit = (run: string, step: number, change: Json) => ({
  type: "event",
  event: "edit",
  run,
  step,
  generation: 0,
  edit: { at_step: step, ...change },
});
const moment = (step: number, loss: number, more = {}) => ({
  step,
  generation: 0,
  epoch: step / 2,
  samples_seen: 10 * step,
  latest: { train_loss: { step, value: loss }, "grad_l1/W1": { step, value: 0.5 } },
  units: null,
  predictions: null,
  weights: null,
  ...more,
});
const lab = (...messages: Message[]) =>
  after([
    { type: "catalog", catalog },
    { type: "opened", answer: answer({ status: "playing" }), token: "t" },
    edit("sgd", 300, { learning_rate: 0.006 }),
    edit("gd", 500, { batch_size: 32 }),
    frame("gd", 700),
    frame("sgd", 700),
    ...messages,
  ]);

const at = (step: number): Marker => ({ step, kind: "edit", run: "gd", lane: "a", text: "a mark" });

test("the past view shows every run as it was, while training goes on", () => {
  const state = lab(
    { type: "look", step: 420 },
    { type: "moments", moments: { gd: moment(420, 0.2), sgd: moment(420, 0.3) } },
    frame("gd", 732),
    frame("sgd", 731),
  );
  const { gd, sgd } = stateOnView(state).runs;
  assert.deepEqual(
    [gd.step, gd.epoch, gd.samplesSeen, gd.latest.train_loss.value],
    [420, 210, 4200, 0.2],
  );
  assert.deepEqual([sgd.settings.learning_rate, gd.settings.batch_size], [0.006, null]);
  assert.deepEqual([state.runs.gd.step, state.runs.gd.settings.batch_size], [732, 32]);
  assert.deepEqual(
    [shownStep(state), stepsAhead(state), whereWords(stateOnView(state))],
    [420, 312, "420"],
  );
});

test("the past has no verdict, unless a run still stands there", () => {
  const dead = { layers: [{ mean: [0], active_share: [0], dead: [true] }] };
  const words = (step: number, more = {}) => {
    const state = lab(
      frame("gd", 700, { verdict: "flat" }),
      { type: "look", step },
      { type: "moments", moments: { gd: moment(Math.min(step, 700), 0.2, more) } },
      frame("sgd", 900),
    );
    return stateOf(stateOnView(state).runs.gd, stateOnView(state)).word;
  };
  assert.deepEqual([words(420), words(0)], ["", "waiting"]);
  assert.equal(words(420, { units: dead }), "layer 1 dead", "its units of then");
  assert.equal(words(700), "flat");
});

test("a past step has the verdict of then, and of a later finding only that it began", () => {
  const state = lab(
    frame("gd", 700, { verdict: "flat" }),
    findingEvent("gd", edge({ since_step: 400, found_at: 430, seen_at: 600 })),
    findingEvent("gd", healthy({ since_step: 0, found_at: 430 })),
    { type: "look", step: 420 },
    { type: "moments", moments: { gd: moment(420, 0.2, { verdict: "on_the_way" }) } },
  );
  const viewState = stateOnView(state);
  assert.equal(stateOf(viewState.runs.gd, viewState).word, "on its way");
  assert.deepEqual(viewState.runs.gd.findings.map(evidenceWords), ["Since step 400."]);
  const later = after(
    [
      { type: "look", step: 440 },
      { type: "moments", moments: { gd: moment(440, 0.2) } },
    ],
    state,
  );
  const [then, ...others] = stateOnView(later).runs.gd.findings.map(evidenceWords);
  assert.equal(others.length, 1, "it is healthy by then");
  assert.match(then, / Seen at step 430\.$/);
});

test("new steps do not redraw a past view, only its own changes do", () => {
  const state = lab(
    { type: "look", step: 420 },
    { type: "moments", moments: { gd: moment(420, 0.2) } },
  );
  const later = after([frame("gd", 900)], state);
  assert.equal(stateOnView(later).runs.gd, stateOnView(state).runs.gd);
  assert.notEqual(
    stateOnView(after([{ type: "hidden", run: "gd", hidden: true }], later)).runs.gd,
    stateOnView(state).runs.gd,
  );
});

test("a run that has not come so far is shown at its step, and a loading one at its last answer", () => {
  const state = lab(
    { type: "look", step: 300 },
    { type: "moments", moments: { gd: moment(300, 0.2), sgd: moment(250, 0.3) } },
    { type: "look", step: 200 },
  );
  assert.equal(whereWords(stateOnView(state)), "300 (SGD at 250)");
  assert.equal(shownStep(state), 200);
});

test("the view leaves a past that no longer exists: after a reset, and for another experiment", () => {
  const looking = lab({ type: "look", step: 420 });
  const reset = (run: string) => ({ type: "event", event: "reset", run, generation: 1 });
  assert.equal(after([reset("gd")], looking).looking!.step, 420);
  assert.equal(after([reset("gd"), reset("sgd")], looking).looking, null);
  assert.equal(
    after([{ type: "opened", answer: answer({ id: "e2" }), token: "t" }], looking).looking,
    null,
  );
  const other = after(
    [{ type: "moments", moments: { gd: moment(420, 0.2) } }, reset("gd")],
    looking,
  );
  assert.equal(stateOnView(other).runs.gd.step, 0);
});

test("the timeline marks edits, divergence, a reset and a fork, by step, for visible runs", () => {
  const recipe = {
    ...answer().recipe.runs[1],
    name: "sgd-420",
    origin: { run: "sgd", at_step: 420 },
    edits: [
      { at_step: 300, learning_rate: 0.006 },
      { at_step: 420, learning_rate: 0.001 },
      { at_step: 450, batch_size: 32 },
    ],
  };
  const added = { ...answer().runs[1], name: "sgd-420", label: "SGD from 420", step: 460 };
  const state = lab(
    { type: "event", event: "run_added", run: "sgd-420", added, recipe },
    { type: "event", event: "diverged", run: "gd", step: 650, diverged_at: 650, generation: 0 },
  );
  const marks = (from: State) =>
    markersOf(from).map(({ step, kind, text }) => `${step} ${kind} ${text}`);
  assert.deepEqual(marks(state), [
    "300 edit SGD: rate 0.1 → 0.006",
    "420 fork SGD from 420: fork of SGD, rate 0.006 → 0.001",
    "450 edit SGD from 420: SGD → mini-batch 32",
    "500 edit GD: GD → mini-batch 32",
    "650 diverged GD: diverged",
  ]);
  const unchanged = { type: "event", event: "edit", run: "gd", edit: { at_step: 600, l2: 0 } };
  assert.deepEqual(marks(after([unchanged], state)), marks(state), "an edit that changes nothing");
  assert.equal(originWords(state, "sgd-420"), "fork of SGD at step 420");
  const alone = after(
    [
      { type: "event", event: "reset", run: "gd", generation: 1 },
      { type: "hidden", run: "sgd-420", hidden: true },
    ],
    state,
  );
  assert.deepEqual(marks(alone), [
    "300 edit SGD: rate 0.1 → 0.006",
    "700 reset GD: starts again at step 0",
  ]);
});

test("a reset of all runs, sent one by one, leaves no mark in the new past", () => {
  const reset = (run: string) => ({ type: "event", event: "reset", run, generation: 1 });
  const again = (run: string, step: number) => frame(run, step, { generation: 1 });
  const kinds = (...messages: Message[]) =>
    markersOf(lab(...messages))
      .filter(({ kind }) => kind === "reset")
      .map(({ run, step }) => `${run} ${step}`);
  assert.deepEqual(kinds(reset("gd"), again("gd", 3)), ["gd 700"]);
  for (const [first, last] of [
    ["gd", "sgd"],
    ["sgd", "gd"],
  ]) {
    assert.deepEqual(
      kinds(reset(first), reset(last), again(first, 900), again(last, 900)),
      [],
      `${first} first`,
    );
  }
  // an answer may overtake the events, and a later reset of one stands where the other is then
  assert.deepEqual(kinds(reset("gd"), again("sgd", 900), again("gd", 900)), []);
  assert.deepEqual(kinds(reset("gd"), again("gd", 900), { ...reset("sgd"), generation: 1 }), [
    "sgd 900",
  ]);
});

test("comma and dot move from mark to mark, beyond the last to the present, then to the first", () => {
  const state = lab();
  assert.deepEqual(
    [0, 300, 500, 700].map((step) => nextMarker(state, step, 1)),
    [300, 500, 700, 300],
  );
  assert.deepEqual(
    [nextMarker(state, 700, -1), nextMarker(state, 500, -1), nextMarker(state, 300, -1)],
    [500, 300, 0],
  );
});

/** A timeline that is not logarithmic. */
const to = (end: number) => ({ end, log: false });

test("a finger snaps to a mark within twelve pixels", () => {
  const markers = markersOf(lab());
  assert.deepEqual(
    [
      snapped(markers, 312, to(700), 700),
      snapped(markers, 313, to(700), 700),
      snapped([], 5, to(700), 700),
    ],
    [300, 313, 5],
  );
  const close = [at(300), at(301), at(302)];
  assert.deepEqual(
    [snapped(close, 302, to(3000), 300), snapped(close, 302, to(300), 300)],
    [300, 302],
  );
});

test("overlapping marks share a flag that names all and leads to each", () => {
  const steps = (flags: Marker[][]) => flags.map((flag) => flag.map(({ step }) => step));
  const marks = [at(0), at(300), at(301), at(301), at(315), at(316), at(700)];
  assert.deepEqual(steps(flagsOf(marks, to(700), 700)), [[0], [300, 301, 301, 315], [316], [700]]);
  assert.deepEqual(steps(flagsOf(marks, to(700), 14_000)), [
    [0],
    [300],
    [301, 301],
    [315],
    [316],
    [700],
  ]);
  assert.deepEqual(steps(flagsOf([at(0), at(0)], to(0), 700)), [[0, 0]]);
  const flag = flagsOf(marks, to(700), 700)[1];
  assert.deepEqual(flagWords(flag).slice(0, 2), ["step 300: a mark", "step 301: a mark"]);
  assert.deepEqual(
    [0, 300, 301, 315, 316].map((step) => stepFrom(flag, step)),
    [300, 301, 315, 300, 300],
  );
});

/** The px at which flags of numbers stand on a timeline of 700 px. */
function placesOf(steps: number[], free: Partial<Free> = {}) {
  const flags = steps.map((step) => [{ ...at(step), kind: "clause" as const }]);
  const asides = asidesOf(flags, to(700), 700, { handle: null, beside: 16, ends: 0, ...free });
  return steps.map((step, k) => Math.round(step + asides[k]));
}

test("numbers on the timeline leave its handle free and do not touch each other", () => {
  assert.deepEqual(placesOf([6, 141, 500]), [6, 141, 500]);
  assert.deepEqual(placesOf([6, 141, 700], { handle: 700 }), [6, 141, 684]);
  assert.deepEqual(placesOf([141, 681, 700], { handle: 700 }), [141, 668, 684]);
  assert.deepEqual(placesOf([141, 190, 210], { handle: 200 }), [141, 184, 216], "on either side");
  assert.deepEqual(placesOf([6, 141], { handle: 6 }), [22, 141], "no room before it");
  assert.deepEqual(placesOf([141, 700], { handle: 698 }), [141, 682], "no room behind it");
});

test("numbers on the overview stay within its ends", () => {
  assert.deepEqual(placesOf([0, 350, 690, 700], { ends: 14 }), [14, 350, 670, 686]);
});

test("two numbers on one flag need the room of two, and a mark without a number stands at its step", () => {
  const clause = { ...at(700), kind: "clause" as const };
  const free = { handle: 700, beside: 16, ends: 0 };
  assert.deepEqual(asidesOf([[at(690)], [clause, clause]], to(700), 700, free), [0, -24]);
});

test("a fork is named after its parent and what changed, unique each time", () => {
  const state = lab();
  assert.deepEqual(forkOf(state, "sgd", 420, { learning_rate: 0.001 }), {
    name: "sgd-420",
    label: "SGD, rate 0.001",
    fork_of: "sgd",
    at_step: 420,
    learning_rate: 0.001,
  });
  const twice = { ...state.runs, "sgd-420": state.runs.gd, "sgd-420-2": state.runs.gd };
  const again = { ...state, order: [...state.order, "sgd-420", "sgd-420-2"], runs: twice };
  assert.deepEqual(
    [forkOf(again, "sgd", 420, {}).name, forkOf(again, "sgd", 420, {}).label],
    ["sgd-420-3", "SGD 2"],
  );
  const long = { ...state, order: [], runs: { ["x".repeat(32)]: state.runs.gd } };
  assert.equal(forkOf(long, "x".repeat(32), 1_000_000, {}).name, `${"x".repeat(24)}-1000000`);
});

test("charts show the step on view: a line, the loss and the run's shape there", () => {
  const messages = [
    { type: "look", step: 30 },
    { type: "moments", moments: { gd: moment(30, 0.25), sgd: moment(30, 0.5) } },
  ];
  const past = scene({ gd: 120, sgd: 120, messages });
  const { labels, marks } = lossChart(figures.loss, past);
  assert.deepEqual(
    labels.ends.map(({ name, value, x }) => [name, value, x]),
    [
      ["GD", "0.250", 30],
      ["SGD", "0.500", 30],
    ],
  );
  assert.equal(marks.filter(({ name }) => name === "moment").length, 1);
  const gradients = gradientChart(figures.gradients, past);
  assert.deepEqual(
    gradients.labels.titles[0].values.map(({ value }) => value),
    ["0.500", "0.500"],
  );
  const live = lossChart(figures.loss, scene({ gd: 120, sgd: 120 }));
  assert.deepEqual(
    live.labels.ends.map(({ x }) => x),
    [119, 119],
  );
  assert.equal(live.marks.filter(({ name }) => name === "moment").length, 0);
  const own = lossChart(
    figures.loss,
    scene({ gd: 120, sgd: 120, messages, view: { x: "samples" } }),
  );
  assert.equal(own.marks.filter(({ name }) => name === "moment").length, 2);
});

test("the line after the step on view is faint, up to the newest step", () => {
  const { state, ...rest } = scene({ gd: 60, sgd: 60 });
  const back = after([{ type: "look", step: 20 }], state);
  const looking = {
    ...back,
    looking: { step: 20, moments: { gd: moment(20, 0.2), sgd: moment(20, 0.3) } },
  };
  const train = (of: State) =>
    lossChart(figures.loss, { ...rest, state: of })
      .data.filter(({ meta }) => meta.run === "gd" && meta.y === "train_loss")
      .map(({ x, opacity, meta }) => [meta.role, x[0], x.at(-1), opacity]);
  const [[, first, last]] = train(state);
  assert.equal(train(state).length, 1);
  const [before, later] = train(looking);
  assert.deepEqual([before[0], before[1], before[3]], ["train", first, undefined]);
  assert.deepEqual([later[0], later[2], later[3]], ["later", last, 0.22]);
  assert.ok(Number(before[2]) <= 20 && before[2] === later[1], "both parts meet");
});

test("looking back, the chart has no flag of a later finding; the timeline leads to it", () => {
  const drawn = scene({ gd: 700, sgd: 700, messages: [edit("gd", 500, { learning_rate: 0.2 })] });
  const withFinding = after(
    [findingEvent("gd", edge({ severity: "problem", since_step: 400, found_at: 430 }))],
    drawn.state,
  );
  const lookedAt = (step: number) =>
    after(
      [
        { type: "look", step },
        { type: "moments", moments: { gd: moment(step, 0.2), sgd: moment(step, 0.3) } },
      ],
      withFinding,
    );
  const flagsAt = (state: State) =>
    lossChart(figures.loss, { ...drawn, state }).labels.flags.map(({ step }) => step);
  assert.deepEqual(flagsAt(withFinding), [500, 400]);
  assert.deepEqual(flagsAt(lookedAt(420)), [500, 400]);
  assert.deepEqual(flagsAt(lookedAt(399)), [500]);
  assert.deepEqual(
    markersOf(lookedAt(399)).map(({ step }) => step),
    [400, 500],
  );
});

test("a fork's line begins at its step, and its parent's edits are shown once", () => {
  const drawn = scene({ gd: 120, sgd: 120, messages: [edit("gd", 10, { learning_rate: 0.2 })] });
  const [gd, sgd] = drawn.state.experiment!.recipe.runs;
  const runs = [gd, { ...sgd, origin: { run: "gd", at_step: 50 } }];
  const state = after(
    [edit("sgd", 10, { learning_rate: 0.2 }), edit("sgd", 50, { learning_rate: 0.3 })],
    {
      ...drawn.state,
      experiment: {
        ...drawn.state.experiment!,
        recipe: { ...drawn.state.experiment!.recipe, runs },
      },
    },
  );
  const { data, labels } = lossChart(figures.loss, { ...drawn, state });
  const first = (run: string) =>
    data.find(({ meta }) => meta.run === run && meta.role === "train")!.x[0];
  assert.deepEqual([first("gd"), first("sgd")], [0, 50]);
  assert.deepEqual(
    labels.flags.map(({ run, step }) => `${run} ${step}`),
    ["gd 10", "sgd 50"],
  );
});

test("a fork without changes has a flag too, and a planned edit has none", () => {
  const drawn = scene({ gd: 120, sgd: 120 });
  const [gd, sgd] = drawn.state.experiment!.recipe.runs;
  const recipe = {
    ...drawn.state.experiment!.recipe,
    runs: [gd, { ...sgd, origin: { run: "gd", at_step: 50 } }],
  };
  const runs = {
    ...drawn.state.runs,
    gd: {
      ...drawn.state.runs.gd,
      planned: [400],
      edits: [
        { at_step: 10, learning_rate: 0.2 },
        { at_step: 400, batch_size: 1 },
      ],
    },
  };
  const state = { ...drawn.state, runs, experiment: { ...drawn.state.experiment!, recipe } };
  const { labels } = lossChart(figures.loss, { ...drawn, state });
  assert.deepEqual(
    labels.flags.map(({ run, text }) => `${run}: ${text}`),
    ["gd: rate 0.1 → 0.2", "sgd: fork of GD at step 50"],
  );
  assert.deepEqual(
    markersOf(state).map(({ step, kind }) => `${kind} ${step}`),
    ["edit 10", "fork 50"],
  );
  // an edit that reverts its parent's edit of the same step
  const undone = after([edit("sgd", 50, { learning_rate: 0.1 })], state);
  assert.deepEqual(
    lossChart(figures.loss, { ...drawn, state: undone }).labels.flags.at(-1)!.text,
    "fork of GD at step 50",
  );
});
