// Which strip stands above the table of runs, and its words.

import assert from "node:assert/strict";
import { test } from "node:test";

import { stripFor } from "../../frontend/page/strips.ts";
import { createLocalStore } from "../../frontend/core/net/local-storage.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createStore } from "../../frontend/core/store.ts";
import { answer, catalog, play } from "./fake-server.ts";
import type { App, Message, State } from "../../frontend/core/types.ts";
import { part } from "./world.ts";

const after = (...messages: Message[]) =>
  [
    { type: "opened", answer: answer(), token: "t" },
    { type: "connection", status: "ready" },
    ...messages,
  ].reduce(reduce, initialState());
const cut = { type: "connection", status: "reconnecting", lastStep: 1040 };
const text = (state: State) => [stripFor(state)?.strong, stripFor(state)?.text].join(" ");

test("a lost connection says that training goes on only if something was moving", () => {
  const unwatched = (idle: number) =>
    text(after({ type: "catalog", catalog: { ...catalog, idle_seconds: idle } }, play, cut));
  assert.equal(
    unwatched(600),
    "Connection lost at step 1,040. Training continues for up to 10 minutes. Missed steps load when you reconnect.",
  );
  assert.match(unwatched(90), /for up to 90 seconds\./);
  assert.match(text(after(play, cut)), /Training continues\. Missed steps/);
  assert.equal(
    text(after(cut)),
    "Connection lost at step 1,040. Nothing was playing, so no step is missed.",
  );
  assert.match(
    text(after({ type: "sent", id: "s", do: "step", run: null, body: { epochs: 1 } }, cut)),
    /Training continues/,
  );
});

test("a refusal shows its reasons, and a lost connection comes first", () => {
  const refused = {
    type: "problem",
    problem: {
      title: "The recipe is not valid",
      detail: "One field.",
      errors: [{ pointer: "/data", detail: "At most 5,000." }],
    },
  };
  assert.equal(text(after(refused)), "The recipe is not valid. One field. At most 5,000.");
  const label = { pointer: "/label", detail: "must be one line" };
  const once = { title: "The request is not valid", detail: "/label: must be one line" };
  assert.equal(
    text(after({ ...refused, problem: { ...once, errors: [label] } })),
    "The request is not valid. label: must be one line",
  );
  const ended = { title: "The command is not possible now", detail: "every run has diverged" };
  assert.equal(
    text(after({ ...refused, problem: ended })),
    "The command is not possible now. Every run has diverged",
  );
  assert.equal(stripFor(after(refused, cut))!.kind, "reconnecting");
});

test("a server that cannot store says so before any refusal, until it can", () => {
  const storage = (readOnly: boolean) => ({
    type: "event",
    event: "storage",
    run: null,
    read_only: readOnly,
  });
  const refused = {
    type: "problem",
    problem: { type: "/problems/read-only", title: "The server is read-only now" },
  };
  const words = "Read-only: the server cannot write to its data folder. Changes would be lost.";
  assert.equal(text(after(storage(true))), words);
  assert.equal(stripFor(after(storage(true)))!.more!.text, "How to fix it");
  assert.equal(text(after(storage(true), refused)), words);
  assert.equal(stripFor(after(storage(true), cut))!.kind, "reconnecting");
  assert.equal(stripFor(after(storage(true), refused, storage(false))), null);
  assert.equal(text(after({ type: "experiment", state: { ...answer(), read_only: true } })), words);
  assert.equal(stripFor(after(storage(true), { type: "experiment", state: answer() })), null);
  assert.equal(
    stripFor(after(storage(true), refused, { type: "experiment", state: answer() })),
    null,
    "it could again while the line was cut",
  );
});

const diverged = (run: string, step = 307) => ({
  type: "event",
  event: "diverged",
  run,
  step,
  diverged_at: step,
});
const withMore = (...names: string[]) =>
  names.map((name) => ({
    type: "event",
    event: "run_added",
    run: name,
    recipe: { ...answer().recipe.runs[1], name },
    added: { ...answer().runs[1], name, status: "playing" },
  }));

test("the strip names the diverged one of two runs with its step, and the other goes on if playing", () => {
  assert.equal(
    text(after(play, diverged("gd"))),
    "GD diverged at step 307 and is stopped. SGD continues.",
  );
  assert.equal(
    text(after(diverged("gd"))),
    "GD diverged at step 307 and is stopped. SGD can continue.",
  );
  assert.equal(
    text(after(play, diverged("gd"), diverged("sgd", 1200))),
    "GD diverged at step 307 and SGD at step 1,200; both are stopped. Lower the rate, then reset.",
  );
});

const fork = (name: string, of: string, step: number) => ({
  type: "event",
  event: "run_added",
  run: name,
  recipe: { ...answer().recipe.runs[0], name, origin: { run: of, at_step: step } },
  added: { ...answer().runs[0], name, step },
});
const reset = (run: string, generation: number) => ({
  type: "event",
  event: "reset",
  run,
  generation,
});

test("a divergence shows until the run is reset, removed or replaced by a fork, and a new one shows again", () => {
  const state = after(play, diverged("gd"));
  const then = (...messages: Message[]) => stripFor(messages.reduce(reduce, state))?.strong ?? null;
  assert.equal(then(), "GD diverged at step 307 and is stopped.");
  assert.deepEqual(
    [
      then(reset("gd", 1)),
      then({ type: "event", event: "run_removed", run: "gd" }),
      then(fork("gd-200", "gd", 200)),
    ],
    [null, null, null],
  );
  assert.equal(
    then(reset("gd", 1), { ...diverged("gd", 12), generation: 1 }),
    "GD diverged at step 12 and is stopped.",
  );
  assert.equal(
    then(fork("gd-200", "gd", 200), diverged("gd-200", 250)),
    "Gd 200 diverged at step 250 and is stopped.",
  );
  assert.equal(
    then(fork("gd-200", "gd", 200), { type: "event", event: "run_removed", run: "gd-200" }),
    "GD diverged at step 307 and is stopped.",
    "nothing goes on in its place",
  );
  assert.equal(
    text(after(fork("gd-200", "gd", 200), play, diverged("gd"))),
    "GD diverged at step 307 and is stopped. SGD and Gd 200 continue.",
    "that fork was there before",
  );
  assert.equal(then(fork("sgd-9", "sgd", 9)), "GD diverged at step 307 and is stopped.");
});

test("a closed divergence strip shows later ones only", () => {
  const close = (state: State) => {
    const closed: string[] = [];
    stripFor(state)!.close!(part<App>({ closeDivergence: (runs) => void closed.push(...runs) }));
    return reduce(state, { type: "closed", runs: closed });
  };
  const state = close(after(play, diverged("gd")));
  assert.equal(stripFor(state), null);
  assert.equal(
    stripFor(
      reduce(state, {
        type: "experiment",
        state: {
          ...answer(),
          runs: [{ ...answer().runs[0], status: "diverged", step: 307 }, answer().runs[1]],
        },
      }),
    ),
    null,
    "however often it is told",
  );
  assert.equal(
    text(reduce(state, diverged("sgd", 9))),
    "SGD diverged at step 9 and is stopped. Lower the rate, then reset.",
  );
  assert.equal(
    stripFor([reset("gd", 1), { ...diverged("gd", 5), generation: 1 }].reduce(reduce, state))!
      .strong,
    "GD diverged at step 5 and is stopped.",
  );
});

test("a closed strip stays closed on the next visit, for that experiment and a limited number", () => {
  const items: Map<string, string> = new Map();
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, text: string) => void items.set(key, text),
    removeItem: (key: string) => void items.delete(key),
  };
  const store = createStore(after(play, diverged("gd")), reduce);
  createLocalStore(storage).follow(store);
  store.dispatch({ type: "closed", runs: ["gd"] });
  const back = (id: string) => {
    const first = initialState();
    const reply = {
      ...answer(),
      id,
      runs: [
        { ...answer().runs[0], status: "diverged", step: 307, diverged_at: 307 },
        answer().runs[1],
      ],
    };
    return [
      { type: "opened", answer: reply, token: "t" },
      { type: "connection", status: "ready" },
    ].reduce(reduce, { ...first, view: { ...first.view, ...createLocalStore(storage).view() } });
  };
  assert.deepEqual(
    [stripFor(back(answer().id)), stripFor(back("another"))?.kind],
    [null, "diverged"],
  );
  const many = Array.from({ length: 40 }, (_, k) => k).reduce(
    (state, k) =>
      [
        { ...diverged("gd", k), generation: 0 },
        { type: "closed", runs: ["gd"] },
      ].reduce(reduce, state),
    after(play),
  );
  assert.deepEqual([many.view.closedDivergences.length, stripFor(many)], [32, null]);
});

test("the strip names all diverged runs, and only unfinished ones go on", () => {
  const four = [...withMore("adam", "mini"), play];
  assert.equal(
    text(after(...four, diverged("sgd"))),
    "SGD diverged at step 307 and is stopped. GD, Adam and Mini continue.",
  );
  assert.equal(
    text(after(...four, diverged("sgd"), { type: "event", event: "finished", run: "gd" })),
    "SGD diverged at step 307 and is stopped. Adam and Mini continue.",
  );
  assert.equal(
    text(after(...four, ...["gd", "sgd", "adam"].map((name) => diverged(name)))),
    "GD diverged at step 307, SGD at step 307 and Adam at step 307; all are stopped. Mini continues.",
  );
  assert.equal(
    text(after(play, diverged("gd"), { type: "event", event: "finished", run: "sgd" })).trim(),
    "GD diverged at step 307 and is stopped.",
  );
});

test("an added or restarted run is offered to catch up, by equal steps or equal samples", () => {
  const standing = (
    ...steps: [run: string, step: number, samples: number, generation?: number][]
  ) => ({
    type: "frame",
    runs: Object.fromEntries(
      steps.map(([run, step, samples_seen, generation = 0]) => [
        run,
        { status: "paused", step, epoch: samples_seen / 900, samples_seen, generation, latest: {} },
      ]),
    ),
  });
  const both = standing(["gd", 500, 450_000], ["sgd", 500, 500]);
  const reset = { type: "event", event: "reset", run: "sgd", step: 0, generation: 1 };
  const offer = (...messages: Message[]) => stripFor(after(...messages));
  assert.equal(
    offer(standing(["gd", 500, 450_000])),
    null,
    "one run after the other makes its steps",
  );
  assert.equal(offer(both), null);
  const strip = offer(both, reset);
  assert.deepEqual([strip?.strong, strip?.act?.text], ["SGD is at step 0.", "Catch up: 500 steps"]);
  const commands: unknown[] = [];
  strip?.act?.do(part<App>({ catchUp: (...command: unknown[]) => commands.push(command) }));
  assert.deepEqual(commands, [["sgd", 500]]);
  const samples = { type: "playback", part: { pace: "samples" } };
  assert.equal(offer(both, reset, samples)?.act?.text, "Catch up: 450,000 steps");
  assert.equal(offer(both, reset, standing(["sgd", 1, 1, 1])), null);
  assert.equal(offer(both, reset, play), null, "while runs play");
  const others = { type: "event", event: "reset", run: "gd", step: 0, generation: 1 };
  assert.equal(offer(both, reset, others), null, "after a reset of all");
  // an answer that brings an added run before its event
  const whole = answer();
  const added = { ...whole.runs[1], name: "late", label: "Late" };
  const recipe = { ...whole.recipe.runs[1], name: "late", label: "Late" };
  const more = {
    type: "opened",
    token: "t",
    answer: {
      ...whole,
      runs: [...whole.runs, added],
      recipe: { ...whole.recipe, runs: [...whole.recipe.runs, recipe] },
    },
  };
  assert.equal(offer(both, more)?.strong, "Late is at step 0.");
});

test("a network without any line is named, with what checks it", () => {
  const strip = stripFor(after({ ...cut, areLinesBlocked: true }));
  assert.match(strip?.strong ?? "", /^This network lets neither WebSockets nor/);
  assert.equal(strip?.more?.href, "check");
  assert.match(stripFor(after(cut))?.strong ?? "", /^Connection lost/);
});

test("a line that is no WebSocket is named with its reason, until that is closed", () => {
  const line = (kind: string, reason: string | null) => ({
    type: "connection",
    kind,
    reason,
    isNoteClosed: false,
  });
  const sentence = (...messages: Message[]) => stripFor(after(...messages))?.strong;
  assert.equal(sentence(line("websocket", null)), undefined);
  const events = line("events", "refused");
  assert.equal(
    sentence(events),
    "Connected by server-sent events: this network refuses WebSockets.",
  );
  assert.match(sentence(line("events", "swallowed")) ?? "", /: WebSockets get no answer here\.$/);
  assert.match(sentence(line("polling", "held")) ?? "", /^Connected by long polling: /);
  let closed = 0;
  stripFor(after(events))!.close!(part<App>({ closeLineNote: () => void closed++ }));
  assert.equal(closed, 1);
  const dismissal = { type: "connection", isNoteClosed: true };
  assert.equal(sentence(events, dismissal), undefined);
  assert.match(sentence(events, dismissal, line("polling", "held")) ?? "", /long polling/);
  assert.equal(stripFor(after(events, cut))?.kind, "reconnecting");
});
