// The question before play, the bet on it, and what happened after the last step.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  awaitsStory,
  betOf,
  betWords,
  hasEnded,
  isAtEnd,
  markedClauses,
  openQuestion,
  storyKey,
  storyOf,
  untilOf,
  verdictOf,
} from "../../frontend/core/questions.ts";
import { markersOf } from "../../frontend/core/markers.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { answer, catalog } from "./fake-server.ts";
import { live, settle, world } from "./world.ts";
import type { Json, Message, State } from "../../frontend/core/types.ts";
import type { Question } from "../../frontend/core/wire-types.ts";

const VIEW = { x: "steps", measure: "grad_l1", speed: 60, pace: "steps", until: 500 };
const { recipe } = answer();
const stuck: Question = {
  id: "notebook",
  prompt: "Which one gets stuck?",
  kind: "choice",
  choices: [
    { id: "gd", text: "GD" },
    { id: "sgd", text: "SGD" },
    { id: "none", text: "Neither" },
  ],
};
const asking = (question: Question = stuck, view: Json = VIEW) => [
  { name: "notebook", title: "The notebook", line: "", question, recipe, view },
  { name: "other", title: "Other", line: "", question, recipe: { data: { seed: 99 } }, view },
];
const rule = { rule: "verdict", verdicts: ["flat", "dead"] };
const explain = [
  { text: "Both start.", step: 0 },
  { text: "It dies.", step: 196, run: "sgd" },
  { text: "It is over.", step: 500 },
];

/** The page after these messages, its runs at a step. */
function at(
  step: number,
  { question = stuck, view = VIEW as Json, id = "e1" } = {},
  ...more: Message[]
) {
  return [
    { type: "catalog", catalog: { ...catalog, exhibits: asking(question, view) } },
    { type: "opened", answer: answer({ id, step }), token: "t" },
    ...more,
  ].reduce(reduce, initialState());
}
const bet = (choice: string | number, experiment = "e1") => ({
  type: "bet",
  bet: { experiment, exhibit: "notebook", answer: choice },
});
const withStory = (state: State, outcome: Json | null, more: Json = {}) =>
  reduce(state, {
    type: "story",
    story: {
      id: "notebook",
      answer: rule,
      explain,
      changed: false,
      outcome,
      key: storyKey(state),
      exhibit: "notebook",
      ...more,
    },
  });
const edit = {
  type: "event",
  event: "edit",
  experiment: "e1",
  run: "gd",
  step: 7,
  generation: 0,
  at_step: 7,
  learning_rate: 0.01,
};

test("the question is open until the first step, and again after a reset", () => {
  assert.equal(openQuestion(at(0))?.prompt, stuck.prompt);
  assert.equal(openQuestion(at(1)), null);
  const playing = at(0, {}, { type: "sent", id: "c", do: "play", body: {} });
  assert.equal(openQuestion(playing), null);
});

test("an experiment of one's own has no question and no end", () => {
  const own = at(0, {}, edit);
  assert.equal(openQuestion(own), null);
  assert.equal(untilOf(own), null);
  assert.equal(hasEnded(at(600, {}, edit)), false);
});

test("play stops at the question's end once, in steps or in samples", () => {
  assert.deepEqual(untilOf(at(0)), { steps: 500 });
  assert.deepEqual(untilOf(at(499)), { steps: 500 });
  assert.equal(untilOf(at(500)), null);
  const samples = { ...VIEW, x: "samples", until: 9000 };
  assert.deepEqual(untilOf(at(9, { view: samples })), { samples: 9000 });
  assert.equal(untilOf(at(10, { view: samples })), null);
});

test("a run that diverged has come to the end before its time", () => {
  const state = at(20);
  const over = { ...state, runs: { ...state.runs } };
  for (const name of state.order) over.runs[name] = { ...state.runs[name], status: "diverged" };
  assert.equal(hasEnded(over), true);
  over.runs.gd = state.runs.gd;
  assert.equal(hasEnded(over), false);
});

test("a recipe changed on the way keeps the question only for whoever has bet", () => {
  const changed = at(500, {}, edit);
  assert.deepEqual([hasEnded(changed), untilOf(changed)], [false, null]);
  const withBet = at(300, {}, bet("sgd"), edit);
  assert.deepEqual([hasEnded(withBet), untilOf(withBet)], [false, { steps: 500 }]);
  assert.equal(hasEnded(at(500, {}, bet("sgd"), edit)), true);
  assert.equal(openQuestion(at(0, {}, bet("sgd"), edit)), null);
});

test("the table's corner says the bet, of this experiment only", () => {
  assert.equal(betWords(at(3)), "");
  assert.equal(betWords(at(3, {}, bet("sgd"))), "Your bet: SGD");
  assert.equal(betWords(at(3, {}, bet("sgd", "e9"))), "");
  assert.equal(betOf(at(3, {}, bet("sgd", "e9"))), null);
  const steps: Question = { ...stuck, kind: "number", choices: [], unit: "steps" };
  assert.equal(betWords(at(3, { question: steps }, bet(1500))), "Your bet: 1,500 steps");
});

test("the verdict says the bet and what it was", () => {
  const verdictFor = (yours: string | number, outcome: Json, more: Json = {}) =>
    verdictOf(withStory(at(500, {}, bet(yours)), outcome, more));
  assert.deepEqual(verdictFor("sgd", { choice: "sgd" }), {
    text: "You bet on SGD. It got stuck.",
    isRight: true,
  });
  assert.deepEqual(verdictFor("gd", { choice: "sgd" }), {
    text: "You bet on GD. It was SGD.",
    isRight: false,
  });
  assert.equal(verdictFor("gd", { choice: "none" })?.text, "You bet on GD. It was neither.");
  assert.equal(verdictFor("none", { choice: "none" })?.text, "You bet on neither. That is right.");
  assert.equal(
    verdictFor("gd", { choice: null })?.text,
    "You bet on GD. No answer fits these runs.",
  );
  const diverged = { answer: { rule: "verdict", verdicts: ["diverged"] } };
  assert.equal(verdictFor("gd", { choice: "gd" }, diverged)?.text, "You bet on GD. It diverged.");
  const first = { answer: { rule: "first" } };
  assert.equal(verdictFor("gd", { choice: "gd" }, first)?.text, "You bet on GD. That is right.");
  assert.equal(verdictOf(withStory(at(500), { choice: "sgd" })), null);
});

test("a number within a tenth is right", () => {
  const steps: Question = { ...stuck, kind: "number", choices: [], unit: "steps" };
  const verdict = (yours: number) =>
    verdictOf(withStory(at(500, { question: steps }, bet(yours)), { number: 206 }));
  assert.deepEqual(verdict(206), { text: "You bet on 206 steps. That is right.", isRight: true });
  assert.deepEqual(verdict(190), { text: "You bet on 190 steps. It was 206.", isRight: true });
  assert.deepEqual(verdict(1200), { text: "You bet on 1,200 steps. It was 206.", isRight: false });
});

test("the story is of these runs, at the end", () => {
  const state = withStory(at(500), { choice: "sgd" });
  assert.equal(storyOf(state)?.explain.length, 3);
  assert.deepEqual(
    [awaitsStory(at(500)), awaitsStory(at(499)), awaitsStory(state)],
    [true, false, false],
  );
  assert.equal(storyOf({ ...state, story: { ...state.story!, key: "other" } }), null);
  const reset = {
    type: "event",
    event: "reset",
    experiment: "e1",
    step: 0,
    generation: 1,
    settings: {},
  };
  const again = ["gd", "sgd"].reduce((before, run) => reduce(before, { ...reset, run }), state);
  assert.deepEqual([storyOf(again), openQuestion(again)?.id], [null, "notebook"]);
  assert.deepEqual([isAtEnd(state), isAtEnd(withStory(at(501), { choice: "sgd" }))], [true, false]);
});

test("clauses are numbered marks of the timeline, and take the place of findings", () => {
  const finding = {
    type: "event",
    event: "finding",
    experiment: "e1",
    run: "sgd",
    step: 196,
    generation: 0,
    finding: {
      id: 1,
      rule: "dead_layer",
      severity: "problem",
      since_step: 196,
      until_step: null,
      mark: "layer 2 dead",
      title: "",
      evidence: "",
      remedies: [],
    },
  };
  const before = at(500, {}, finding);
  assert.deepEqual(
    markersOf(before).map(({ kind }) => kind),
    ["finding"],
  );
  const after = withStory(before, { choice: "sgd" });
  assert.deepEqual(
    markersOf(after).map(({ kind, step, place, run, tone }) => [kind, step, place, run, tone]),
    [
      ["clause", 196, 2, "sgd", "bad"],
      ["clause", 500, 3, "gd", "muted"],
    ],
  );
  assert.deepEqual(markedClauses(before), []);
});

test("a bet is stored, comes back with its experiment, and no link has it", async () => {
  const { app, inStorage } = await live();
  const question = { ...stuck, prompt: "Which one?" };
  const { catalog: known, experiment } = app.store.get();
  const { recipe: own } = experiment!;
  app.bet("sgd");
  assert.equal(app.store.get().bet, null, "without a question");
  const exhibits = [{ name: "mine", title: "Mine", line: "", question, recipe: own, view: VIEW }];
  app.store.dispatch({ type: "catalog", catalog: { ...known, exhibits } });
  const before = await app.linkTo("moment");
  app.bet("gd");
  app.bet("sgd");
  const stored = inStorage("fallline.bets");
  assert.deepEqual(stored, [{ experiment: experiment!.id, exhibit: "mine", answer: "sgd" }]);
  assert.ok(before);
  assert.equal(await app.linkTo("moment"), before);
  app.stop();

  const later = world({
    stored: {
      "fallline.experiment": { id: "e7", token: "mine", recipe: {} },
      "fallline.bets": [
        { experiment: "e7", exhibit: "open", answer: "sgd" },
        { experiment: "e7" },
        7,
      ],
    },
    experiments: { e7: answer({ id: "e7" }) },
  });
  await later.app.start();
  await settle();
  assert.equal(later.app.store.get().bet?.answer, "sgd");
  later.app.stop();
});

test("a play command carries the end of the question; after an edit, play goes on beyond it", async () => {
  const { app, socket, id, server } = await live();
  const { catalog: known, experiment } = app.store.get();
  const exhibits = [
    {
      name: "mine",
      title: "Mine",
      line: "",
      question: stuck,
      recipe: experiment!.recipe,
      view: VIEW,
    },
  ];
  app.store.dispatch({ type: "catalog", catalog: { ...known, exhibits } });
  app.play();
  const [play] = socket().commands();
  assert.deepEqual(play.until, { steps: 500 });
  const state = { ...server.experiments[id] };
  state.runs = state.runs.map((run) => ({ ...run, status: "playing" as const }));
  socket().say({ type: "ack", id: play.id, answer: state });
  app.edit("gd", { batch_size: 1 });
  const edit = socket().commands().at(-1) as Json;
  const answered = { run: "gd", at_step: 40, batch_size: 1 };
  socket().say({ type: "ack", id: edit.id, answer: answered });
  const sent = socket()
    .commands()
    .map(({ do: what, until }) => [what, until]);
  assert.deepEqual(sent, [
    ["play", { steps: 500 }],
    ["edit", undefined],
    ["play", undefined],
  ]);
  app.setSpeed(90);
  assert.equal(socket().commands().at(-1)?.until, undefined);
  app.stop();
});
