// The page's whole logic against a server in memory; the test controls REST, socket, storage and
// clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { stripFor } from "../../frontend/page/strips.ts";
import { answer, columns } from "./fake-server.ts";
import { exhibit, live, settle, wide, world } from "./world.ts";
import type { App, Json } from "../../frontend/core/types.ts";
import type { RunStatus } from "../../frontend/core/wire-types.ts";

const frame = (
  id: string,
  number: number,
  run: string,
  first: number,
  last: number,
  generation = 0,
) => ({
  type: "frame",
  frame: number,
  experiment: id,
  runs: {
    [run]: {
      status: "playing",
      step: last + 1,
      epoch: 1,
      samples_seen: 900,
      generation,
      columns: columns(first, last, generation),
    },
  },
});

const until = async (holds: () => boolean) => {
  for (let turn = 0; !holds() && turn < 500; turn++) await new Promise((go) => setTimeout(go, 2));
  assert.ok(holds());
};

test("a first visit creates the catalog's exhibit, stores it, watches it and loads its figures", async () => {
  const { app, server, socket, inStorage } = await live();
  assert.deepEqual(server.posted, exhibit.recipe);
  assert.equal(app.store.get().connection.status, "ready");
  assert.deepEqual(
    [socket().messages[0].type, socket().messages[0].token],
    ["watch", "token of made1"],
  );
  assert.deepEqual(
    [inStorage("fallline.experiment").id, inStorage("fallline.experiment").token],
    ["made1", "token of made1"],
  );
  await settle();
  assert.deepEqual(Object.keys(app.store.get().figures).sort(), ["gradients", "loss"]);
  assert.deepEqual(
    server.calls.filter((call) => call.includes("/figures/")).length,
    2,
    "each once",
  );
  app.stop();
});

test("a reload returns to the same experiment at the same step, with the same key", async () => {
  const stored = {
    "fallline.experiment": { id: "e7", token: "mine", recipe: {} },
    "fallline.view": { theme: "dark", x: "epochs" },
  };
  const { app, server, socket } = await live({
    stored,
    experiments: { e7: answer({ id: "e7", step: 41 }) },
  });
  const { experiment, runs, view } = app.store.get();
  assert.deepEqual(
    [experiment!.id, experiment!.token, runs.gd.step, view.theme, view.x],
    ["e7", "mine", 41, "dark", "epochs"],
  );
  assert.equal(server.created, 0);
  assert.equal(socket().messages[0].token, "mine");
  app.stop();
});

test("if the server has lost the stored experiment, its recipe starts again", async () => {
  const { app, server } = await live({
    stored: { "fallline.experiment": { id: "gone", token: "mine", recipe: { loss: "mse" } } },
  });
  assert.deepEqual(server.posted, { loss: "mse" });
  assert.match(
    app.store.get().notice!.text,
    /^The server no longer has this experiment\. Your recipe is safe/,
  );
  app.stop();
});

test("a frame is in columns and state before its credit is sent", async () => {
  const { app, socket, id } = await live();
  socket().say(frame(id, 1, "gd", 0, 9));
  assert.equal(app.series.of("gd")!.length, 10);
  assert.deepEqual(
    [app.store.get().runs.gd.step, app.store.get().runs.gd.latest.train_loss.value],
    [10, 0.1],
  );
  assert.deepEqual(socket().messages.at(-1), { type: "got", frame: 1 });
  app.stop();
});

test("an edit shows in the same turn, and is sent again with the same id after a cut", async () => {
  const { app, socket, clock, server, id } = await live();
  app.edit("gd", { batch_size: 1 });
  assert.equal(app.store.get().runs.gd.settings.batch_size, 1);
  const [first] = socket().commands();
  socket().cut();
  assert.equal(app.store.get().connection.status, "reconnecting");
  clock.signal("online");
  socket().open();
  socket().say({ type: "experiment", experiment: id, state: server.experiments[id] });
  assert.deepEqual(socket().commands(), [first]);
  socket().say({ type: "ack", id: first.id, answer: { run: "gd", at_step: 0, batch_size: 1 } });
  assert.deepEqual([app.store.get().pending, app.store.get().runs.gd.edits.length], [{}, 1]);
  app.stop();
});

test("after a cut the page requests the first missing step, and the columns join", async () => {
  const { app, socket, clock, server, id } = await live();
  socket().say(frame(id, 1, "gd", 0, 9));
  socket().cut();
  clock.signal("online");
  socket().open();
  assert.deepEqual(socket().messages[0].since, { gd: { generation: 0, step: 10 } });
  socket().say({
    type: "experiment",
    experiment: id,
    state: {
      ...server.experiments[id],
      runs: [{ ...answer().runs[0], step: 30 }, answer().runs[1]],
    },
  });
  assert.equal(app.store.get().connection.status, "catching-up");
  socket().say(frame(id, 1, "gd", 8, 29));
  assert.deepEqual([app.series.of("gd")!.length, app.store.get().connection.status], [30, "live"]);
  app.stop();
});

test("another measure is watched from the start, and its frames replace those of the one before", async () => {
  const { app, socket, server, id } = await live();
  const state = { ...server.experiments[id], runs: answer({ step: 10 }).runs };
  const watched = () => socket().messages.findLast(({ type }: Json) => type === "watch")!;
  const say = (from: number, until: number) => {
    const { series } = watched();
    const message = frame(id, 1, "gd", from, until);
    const { columns: sent } = message.runs.gd;
    sent.series = Object.fromEntries(series.map((name: string) => [name, sent.series.train_loss]));
    Object.assign(sent, { asked: series });
    socket().say({ type: "experiment", experiment: id, state, series });
    socket().say(message);
  };
  say(0, 9);
  app.setView({ measure: "ratio" });
  assert.deepEqual(watched().since, undefined);
  assert.ok(watched().series.includes("ratio/W1") && !watched().series.includes("grad_l1/W1"));
  assert.ok(app.series.of("gd")!.values("grad_l1/W1"), "until the others are here");
  say(0, 11);
  assert.equal(app.series.of("gd")!.length, 12);
  assert.deepEqual(app.series.of("gd")!.names(), watched().series);
  app.stop();
});

test("without a server no socket is opened: a browser would delay the one that finds it again", async () => {
  const { app, socket, clock, server } = await live();
  const tries = async () => (clock.signal("online"), await settle(), server.sockets.length);
  socket().cut();
  assert.equal(await tries(), 2);
  server.isDown = true;
  socket().cut();
  assert.equal(await tries(), 2);
  assert.equal(app.store.get().connection.status, "reconnecting");
  Object.assign(server, { isDown: false, answers: 502 });
  assert.equal(await tries(), 2);
  server.answers = 200;
  assert.equal(await tries(), 3);
  socket().cut();
  server.answers = 403;
  assert.equal(
    await tries(),
    4,
    "a proxy that keeps the question to itself says nothing of the server",
  );
  app.stop();
});

test("columns that leave a gap are not shown: the run is requested again from the start", async () => {
  const { app, socket, id } = await live();
  socket().say(frame(id, 1, "gd", 0, 9));
  socket().say(frame(id, 2, "gd", 15, 19));
  assert.equal(app.series.of("gd"), null);
  const again = socket()
    .messages.filter(({ type }) => type === "watch")
    .at(-1);
  assert.equal(again!.since, undefined);
  app.stop();
});

test("a held key is one command at a time: later steps are merged", async () => {
  const { app, socket } = await live();
  for (let k = 0; k < 5; k++) app.step();
  assert.deepEqual(
    socket()
      .commands()
      .map(({ steps }) => steps),
    [1],
  );
  socket().say({
    type: "ack",
    id: socket().commands()[0].id,
    answer: answer({ id: "made1", step: 1 }),
  });
  assert.deepEqual(
    socket()
      .commands()
      .map(({ steps }) => steps),
    [1, 4],
  );
  app.stop();
});

test("an epoch requested during a step follows it, and a reset cancels both", async () => {
  const { app, socket } = await live();
  const acknowledge = (place: number, changes: Json) =>
    socket().say({
      type: "ack",
      id: socket().commands()[place].id,
      answer: answer({ id: "made1", ...changes }),
    });
  app.step();
  app.stepEpoch();
  app.stepEpoch();
  acknowledge(0, { step: 1 });
  assert.deepEqual(
    socket()
      .commands()
      .map(({ steps, epochs }) => steps ?? epochs),
    [1, 1],
  );
  app.stepEpoch();
  app.step();
  app.reset();
  acknowledge(1, { step: 1 });
  acknowledge(2, { generation: 1 });
  assert.deepEqual(
    socket()
      .commands()
      .map((command) => command.do),
    ["step", "step", "reset"],
  );
  app.stop();
});

test("a held speed key is one command at a time, and the newest speed wins", async () => {
  const { app, socket } = await live();
  app.play();
  for (let speed = 70; speed < 170; speed++) app.setSpeed(speed);
  assert.equal(app.store.get().playback.speed, 169);
  assert.deepEqual(
    socket()
      .commands()
      .map(({ speed }) => speed),
    [60],
  );
  socket().say({
    type: "ack",
    id: socket().commands()[0].id,
    answer: answer({ id: "made1", status: "playing" }),
  });
  assert.deepEqual(
    socket()
      .commands()
      .map(({ speed }) => speed),
    [60, 169],
  );
  socket().say({
    type: "ack",
    id: socket().commands()[1].id,
    answer: answer({ id: "made1", status: "playing" }),
  });
  assert.deepEqual([socket().commands().length, app.store.get().pending], [2, {}]);
  app.stop();
});

test("a pause replaces a waiting speed, and a step follows it", async () => {
  const { app, socket } = await live();
  app.play();
  app.setSpeed(90);
  app.pause();
  app.step();
  assert.equal(app.store.get().playback.playing, false);
  const acknowledge = (status: RunStatus) =>
    socket().say({
      type: "ack",
      id: socket().commands().at(-1)!.id,
      answer: answer({ id: "made1", status }),
    });
  acknowledge("playing");
  acknowledge("paused");
  assert.deepEqual(
    socket()
      .commands()
      .map((command) => command.do),
    ["play", "pause", "step"],
  );
  app.stop();
});

test("a reset does not overtake a waiting pause, and nothing overtakes the reset", async () => {
  const { app, socket } = await live();
  const acknowledge = (changes: Json) =>
    socket().say({
      type: "ack",
      id: socket().commands().at(-1)!.id,
      answer: answer({ id: "made1", ...changes }),
    });
  app.play();
  app.pause();
  app.reset();
  app.edit("gd", { learning_rate: 0.2 });
  app.step();
  assert.deepEqual(
    socket()
      .commands()
      .map((command) => command.do),
    ["play"],
  );
  acknowledge({ status: "playing" });
  assert.deepEqual(
    socket()
      .commands()
      .map((command) => command.do),
    ["play", "pause", "reset", "edit"],
  );
  for (const { id, do: what } of socket().commands().slice(1)) {
    socket().say({
      type: "ack",
      id,
      answer:
        what === "edit"
          ? { run: "gd", at_step: 0, learning_rate: 0.2 }
          : answer({ id: "made1", generation: Number(what === "reset") }),
    });
  }
  assert.deepEqual(
    [socket().commands().at(-1)!.do, app.store.get().playback.playing],
    ["step", false],
  );
  app.stop();
});

test("edits of one run wait for the one in flight and are merged; edits of another run do not wait", async () => {
  const { app, socket } = await live();
  const sizes = [1, null, 32];
  for (let k = 0; k < 25; k++) app.edit("gd", { batch_size: sizes[k % 3] });
  app.edit("gd", { optimizer: "momentum", momentum: 0.5 });
  app.edit("gd", { optimizer: "adam" });
  app.edit("sgd", { learning_rate: 0.2 });
  assert.deepEqual(
    [app.store.get().runs.gd.settings.batch_size, app.store.get().runs.gd.settings.optimizer],
    [1, "adam"],
  );
  assert.deepEqual(
    socket()
      .commands()
      .map(({ run }) => run),
    ["gd", "sgd"],
  );
  socket().say({
    type: "ack",
    id: socket().commands()[0].id,
    answer: { run: "gd", at_step: 0, batch_size: 1 },
  });
  const { id, type, experiment, do: what, ...last } = socket().commands().at(-1)!;
  assert.deepEqual(last, { run: "gd", batch_size: 1, optimizer: "adam", label: "Adam" });
  app.stop();
});

test("commands waiting for an experiment are dropped when the page leaves it", async () => {
  const { app, socket } = await live();
  app.edit("gd", { learning_rate: 0.2 });
  app.edit("gd", { learning_rate: 0.3 });
  await app.newExperiment({ data: { seed: 5 } });
  assert.deepEqual(
    socket()
      .commands()
      .map((command) => command.learning_rate),
    [0.2],
  );
  app.stop();
});

test("a changed shape starts a new experiment, and undo returns to the one before", async () => {
  const { app, server, socket, id } = await live();
  socket().say(frame(id, 1, "gd", 0, 9));
  await app.newExperiment({ network: { layers: [{ units: 8, activation: "tanh" }] } });
  assert.equal(app.store.get().experiment!.id, "made2");
  assert.deepEqual(server.posted.network.layers, [{ units: 8, activation: "tanh" }]);
  assert.equal(app.series.of("gd"), null);
  assert.equal(app.store.get().notice!.undo, true);
  assert.deepEqual(
    socket()
      .messages.slice(-2)
      .map(({ type, experiment }) => [type, experiment]),
    [
      ["unwatch", "made1"],
      ["watch", "made2"],
    ],
  );
  await app.undo();
  const { experiment } = app.store.get();
  assert.deepEqual([experiment!.id, experiment!.token], ["made1", "token of made1"]);
  app.stop();
});

test("undo keeps the steps of the experiment that it leaves: a second undo returns to them", async () => {
  const { app, server, socket } = await live();
  await app.newExperiment({ data: { seed: 3 } });
  socket().say(frame("made2", 1, "gd", 0, 8));
  const shown = () => {
    const { experiment, notice } = app.store.get();
    return [experiment!.id, notice?.text ?? null, notice?.undo ?? null];
  };
  await app.undo();
  assert.deepEqual(shown(), ["made1", "The 9 steps of the other experiment are kept.", true]);
  await app.undo();
  assert.deepEqual(shown(), ["made2", null, null]);
  await settle();
  assert.ok(!server.calls.some((call) => call.startsWith("DELETE /experiments/made2")));
  app.stop();
});

const DELETED = {
  "fallline.experiment": { id: "e7", token: "mine", recipe: answer().recipe },
  "fallline.deletions": [
    ["e6", "e6.u1"],
    ["e7", "e7.u1"],
  ],
};

test("an experiment that this browser deleted comes back with its steps", async () => {
  const all = world({ stored: DELETED });
  all.server.deleted.e7 = answer({ id: "e7", step: 500, generation: 1 });
  await all.app.start();
  const { experiment, runs } = all.app.store.get();
  assert.deepEqual([experiment!.id, experiment!.token, runs.gd.step], ["e7", "mine", 500]);
  assert.deepEqual([all.server.created, all.server.calls.includes("POST /undo/e7.u1")], [0, true]);
  all.app.stop();
});

test("too late for that, its recipe starts again at step 0", async () => {
  const all = world({ stored: DELETED });
  await all.app.start();
  const { experiment, notice } = all.app.store.get();
  assert.equal(experiment!.id, "made1");
  assert.match(notice!.text, /starts again at step 0/);
  all.app.stop();
});

test("an experiment shown here comes back if another tab deletes it", async () => {
  const { app, server, socket, inStorage } = await live({ haste: 100 });
  await app.newExperiment({ data: { seed: 3 } });
  await app.newExperiment({ data: { seed: 4 } });
  socket().answer();
  await until(() => server.calls.includes("DELETE /experiments/made1"));
  await until(() => inStorage("fallline.deletions") !== null);
  assert.deepEqual(inStorage("fallline.deletions"), [["made1", "made1.u1"]]);
  app.stop();
  const other = world({
    haste: 100,
    stored: { "fallline.experiment": { id: "e7", token: "mine", recipe: answer().recipe } },
    experiments: { e7: answer({ id: "e7", step: 500 }) },
  });
  await other.app.start();
  other.socket().open();
  delete other.server.experiments.e7;
  other.server.deleted.e7 = answer({ id: "e7", step: 500, generation: 1 });
  other.memory.set("fallline.deletions", JSON.stringify([["e7", "e7.u1"]]));
  other.socket().cut(4404);
  await until(() => other.server.calls.includes("POST /undo/e7.u1"));
  await settle();
  assert.deepEqual(
    [other.app.store.get().experiment!.id, other.app.store.get().runs.gd.step],
    ["e7", 500],
  );
  other.app.stop();
});

test("a removed run returns by its undo id, which the server gave", async () => {
  const { app, socket, server } = await live();
  app.removeRun("sgd");
  assert.equal(app.store.get().notice, null);
  socket().say({ type: "ack", id: socket().commands()[0].id, answer: { undo: "made1.u1" } });
  assert.deepEqual(
    [app.store.get().order, app.store.get().notice!.text],
    [["gd"], "SGD is removed."],
  );
  await app.undo();
  assert.ok(server.calls.includes("POST /undo/made1.u1"));
  assert.deepEqual([app.store.get().order, app.store.get().notice], [["gd", "sgd"], null]);
  app.stop();
});

test("a reset acts at once and says which steps are kept; undo brings them back", async () => {
  const { app, socket, server } = await live();
  const at = (step: number, generation: number) =>
    answer({ id: "made1", step, generation }) as unknown as Json;
  socket().say({ type: "experiment", experiment: "made1", state: at(500, 0) });
  app.reset();
  const [{ id }] = socket().commands();
  socket().say({ type: "ack", id, answer: { ...at(0, 1), undo: "made1.u1" } });
  const { runs, notice } = app.store.get();
  assert.deepEqual(
    [runs.gd.step, notice!.text, notice!.undo],
    [0, "Back at step 0. The 500 steps are kept.", true],
  );
  server.experiments.made1 = answer({ id: "made1", step: 500, generation: 2 });
  const isUndone = app.undo();
  const { text, isBusy } = app.store.get().notice!;
  assert.deepEqual([text, isBusy], ["Undoing", true], "until the server has answered");
  await isUndone;
  assert.deepEqual([app.store.get().runs.gd.step, app.store.get().notice], [500, null]);
  app.stop();
});

test("a reset of one run names it, one at step 0 takes nothing, and an old undo says so", async () => {
  const { app, socket, server } = await live();
  const at = (step: number, generation: number) =>
    answer({ id: "made1", step, generation }) as unknown as Json;
  app.reset("gd");
  const ack = (more: Json) =>
    socket().say({ type: "ack", id: socket().commands().at(-1)!.id, answer: more });
  ack({ ...at(0, 1), undo: "made1.u1" });
  assert.equal(app.store.get().notice, null);
  socket().say({ type: "experiment", experiment: "made1", state: at(1, 1) });
  app.reset("gd");
  ack({ ...at(0, 2), undo: "made1.u2" });
  assert.equal(app.store.get().notice!.text, "GD is back at step 0. The 1 step is kept.");
  server.refuse = { title: "It is not kept any more", status: 410 };
  await app.undo();
  assert.equal(app.store.get().problem!.title, "It is not kept any more");
  app.stop();
});

test("no notice reports a removal that the server refused", async () => {
  const { app, socket } = await live();
  app.removeRun("sgd");
  socket().say({
    type: "error",
    id: socket().commands()[0].id,
    problem: { title: "No", status: 409 },
  });
  assert.deepEqual(
    [app.store.get().order, app.store.get().notice, app.store.get().problem!.title],
    [["gd", "sgd"], null, "No"],
  );
  app.stop();
});

for (const first of ["made2", "made3"]) {
  test(`after two changes in a row the newer one holds both, if the answer for ${first} arrives first`, async () => {
    const { app, server, socket } = await live();
    const gates: Record<string, () => void> = {};
    server.hold = (id) => new Promise<void>((open) => (gates[id] = open));
    const older = app.newExperiment({ data: { samples: 600 } });
    const newer = app.newExperiment({ data: { seed: 5 } });
    await settle();
    assert.deepEqual([server.posted.data.samples, server.posted.data.seed], [600, 5]);
    for (const id of [first, first === "made2" ? "made3" : "made2"]) {
      gates[id]();
      await settle();
    }
    await Promise.all([older, newer]);
    const { experiment, loading } = app.store.get();
    assert.deepEqual([experiment!.id, loading], ["made3", null]);
    assert.equal(
      socket().messages.filter(
        ({ type, experiment: watched }) => type === "watch" && watched === "made2",
      ).length,
      0,
    );
    await app.undo();
    assert.equal(app.store.get().experiment!.id, "made1");
    app.stop();
  });
}

test("a refused recipe changes nothing, and the page says why", async () => {
  const { app, server } = await live();
  server.refuse = { title: "Too expensive", status: 422, bound: "parameters" };
  await app.newExperiment({ data: { samples: 1e9 } });
  const { experiment, problem, loading } = app.store.get();
  assert.deepEqual([experiment!.id, problem!.title, loading], ["made1", "Too expensive", null]);
  app.stop();
});

test("after a restart the stored recipe starts again on request, with its edits", async () => {
  const { app, server, socket } = await live();
  app.edit("gd", { learning_rate: 0.5 });
  socket().say({
    type: "ack",
    id: socket().commands()[0].id,
    answer: { run: "gd", at_step: 3, learning_rate: 0.5 },
  });
  server.experiments = {};
  socket().cut(4404);
  assert.equal(app.store.get().connection.status, "restarted");
  await app.restart();
  assert.deepEqual(server.posted.runs[0].edits, [{ at_step: 3, learning_rate: 0.5 }]);
  assert.equal(app.store.get().experiment!.id, "made2");
  app.stop();
});

test("without a token the page is read only", async () => {
  const { app, socket } = await live({
    stored: { "fallline.experiment": { id: "e7", token: null, recipe: {} } },
    experiments: { e7: answer({ id: "e7" }) },
  });
  app.play();
  assert.deepEqual(socket().commands(), []);
  assert.match(app.store.get().problem!.title, /read-only/);
  app.stop();
});

test("a table is sent unchanged, and the caller gets the result or the refusal", async () => {
  const { app } = await live();
  assert.deepEqual(await app.sendTable(new Blob(["a,b\n1,2\n"])), { table: { id: "d1", rows: 2 } });
  const { problem } = await app.sendTable(new Blob([""]));
  assert.deepEqual(
    [problem!.detail, problem!.status, app.store.get().problem],
    ["the table is empty", 422, null],
  );
});

test("if the server no longer has the table of the stored recipe, the page shows the exhibit and says so", async () => {
  const recipe = { ...answer().recipe, data: { name: "csv", dataset: "gone", target: "y" } };
  const all = world({ stored: { "fallline.experiment": { id: "gone", token: "t", recipe } } });
  const refusal = {
    title: "The request is not valid",
    errors: [{ pointer: "/data/dataset", detail: "the id of a table" }],
  };
  all.server.refuse = ({ data }) => (data.name === "csv" ? refusal : null);
  await all.app.start();
  assert.deepEqual(all.server.posted, exhibit.recipe);
  assert.equal(all.app.store.get().problem!.title, "The server no longer has your table");
});

test("a recipe that starts from missing parameters says that it opens only on their server", async () => {
  const recipe = { ...answer().recipe, network: { ...answer().recipe.network, start: "gone" } };
  const all = world({ stored: { "fallline.experiment": { id: "gone", token: "t", recipe } } });
  const refusal = {
    title: "The request is not valid",
    errors: [{ pointer: "/network/start", detail: "the id of parameters" }],
  };
  all.server.refuse = ({ network }) => (network?.start === "gone" ? refusal : null);
  await all.app.start();
  assert.deepEqual(all.server.posted, exhibit.recipe);
  const { problem } = all.app.store.get();
  assert.equal(problem!.title, "This recipe's initial weights are not on this server");
  assert.match(problem!.detail!, /opens only on their server/);
});

test("an edit in the past offers a fork, made when the offer is accepted, and the view is live again", async () => {
  const { app, socket, id } = await live();
  socket().say(frame(id, 1, "gd", 0, 99));
  app.lookAt(42);
  app.edit("gd", { batch_size: 1 });
  assert.deepEqual(
    [app.store.get().offer, socket().commands()],
    [{ run: "gd", change: { batch_size: 1 }, step: 42 }, []],
  );
  app.answerOffer(true);
  const [{ do: what, name, label, fork_of, at_step, batch_size }] = socket().commands();
  assert.deepEqual(
    [what, name, label, fork_of, at_step, batch_size],
    ["add_run", "gd-42", "GD, batch 1", "gd", 42, 1],
  );
  assert.deepEqual([app.store.get().looking, app.store.get().offer], [null, null]);
  app.lookAt(42);
  app.edit("sgd", { batch_size: 1 }); // stands at step 0 and has no past
  assert.deepEqual([app.store.get().offer, socket().commands().length], [null, 2]);
  app.stop();
});

test("stepping moves through the past up to the present, and then trains", async () => {
  const { app, socket, id } = await live();
  socket().say(frame(id, 1, "gd", 0, 99));
  socket().say({ type: "event", event: "playback", playing: false });
  const at = () => app.store.get().looking?.step ?? null;
  app.back();
  assert.equal(at(), 99);
  app.back(200);
  assert.equal(at(), 0);
  app.forward(99);
  assert.deepEqual([at(), socket().commands()], [99, []]);
  app.forward();
  assert.deepEqual([at(), socket().commands()], [null, []]);
  app.forward();
  assert.deepEqual(
    socket()
      .commands()
      .map(({ steps }) => steps),
    [1],
  );
  app.lookAt(50);
  app.toggle();
  assert.deepEqual(
    [app.store.get().offer, socket().commands().length],
    [{ run: "gd", change: {}, step: 50 }, 1],
  );
  app.answerOffer(false);
  assert.deepEqual([at(), socket().commands().length], [null, 1]);
  app.stop();
});

test("an exhibit starts afresh in its best view; undo returns to the experiment before and its view", async () => {
  const { app, server, socket, id } = await live();
  socket().say(frame(id, 1, "gd", 0, 9));
  app.setView({ x: "epochs", measure: "grad_l2" });
  await app.openExhibit("wide");
  const { view, playback, notice, experiment } = app.store.get();
  assert.deepEqual(server.posted, wide.recipe);
  assert.deepEqual(
    socket()
      .commands()
      .map((command) => command.do),
    ["pause"],
  );
  assert.deepEqual([experiment!.id, view.x, view.measure], ["made2", "samples", "ratio"]);
  assert.deepEqual([playback.speed, playback.pace], [500, "samples"]);
  assert.deepEqual([notice!.text, notice!.undo], ["Wide: both runs start at step 0.", true]);
  await app.undo();
  const back = app.store.get();
  assert.deepEqual(
    [back.experiment!.id, back.view.x, back.view.measure],
    ["made1", "epochs", "grad_l2"],
  );
  app.stop();
});

test("choosing the open exhibit starts nothing", async () => {
  const { app, server } = await live();
  await app.openExhibit("open");
  assert.deepEqual([server.created, app.store.get().notice], [1, null]);
  await app.openExhibit("unheard of");
  assert.equal(server.created, 1);
  app.stop();
});

test("an exhibit that cannot be created changes nothing, and the page says why", async () => {
  const { app, server } = await live();
  server.refuse = { title: "Too expensive", status: 422 };
  await app.openExhibit("wide");
  const { view, experiment, problem } = app.store.get();
  assert.deepEqual(
    [experiment!.id, view.x, view.measure, problem!.title],
    ["made1", "steps", "grad_l1", "Too expensive"],
  );
  app.stop();
});

test("an exhibit not played yet keeps its speed and pace over a reload; a played one has the server's", async () => {
  for (const [step, expected] of [
    [0, [500, "samples"]],
    [3, [60, "steps"]],
  ] as const) {
    const experiments = { e7: answer({ id: "e7", step, recipe: wide.recipe }) };
    const { app } = await live({
      stored: { "fallline.experiment": { id: "e7", token: "mine", recipe: {} } },
      experiments,
    });
    const { speed, pace } = app.store.get().playback;
    assert.deepEqual([speed, pace], expected);
    app.stop();
  }
});

const starts = async (app: App, act: () => Promise<void>) => {
  const start = app.start();
  await act();
  await start;
};

test("a first visit to a server that cannot store says so at once, retries, and starts when it can", async () => {
  const { app, server } = world({ haste: 1000 });
  server.refuse = {
    type: "/problems/read-only",
    title: "The server is read-only now",
    status: 503,
  };
  await starts(app, async () => {
    await until(() => stripFor(app.store.get()) !== null);
    const { kind, strong, text, urgent, act } = stripFor(app.store.get())!;
    assert.deepEqual([kind, strong, urgent, act], ["waiting", "Read-only:", true, undefined]);
    assert.match(
      text,
      /^the server cannot write to its data folder\. No experiment can start now\. The page retries/,
    );
    await until(() => server.calls.filter((call) => call === "POST /experiments").length > 2);
    server.refuse = null;
  });
  assert.deepEqual(
    [app.store.get().experiment!.id, app.store.get().waitingFor, stripFor(app.store.get())],
    ["made1", null, null],
  );
  app.stop();
});

test("a first visit without an answer says so at once, and continues by itself", async () => {
  const { app, server } = world({ haste: 1000 });
  server.isDown = true;
  await starts(app, async () => {
    await until(() => stripFor(app.store.get()) !== null);
    const { strong, text } = stripFor(app.store.get())!;
    assert.equal(
      `${strong} ${text}`,
      "The server does not answer. Check that it is running. The page retries automatically.",
    );
    server.isDown = false;
  });
  assert.equal(stripFor(app.store.get()), null);
  app.stop();
});

test("with an experiment on the page a waiting call shows no strip", async () => {
  const { app, server } = await live();
  server.refuse = {
    type: "/problems/read-only",
    title: "The server is read-only now",
    status: 503,
  };
  void app.newExperiment({ data: { noise: 0.5 } });
  await until(() => server.calls.filter((call) => call === "POST /experiments").length > 1);
  await settle();
  assert.deepEqual([app.store.get().waitingFor, stripFor(app.store.get())], [null, null]);
  app.stop();
});

test("a change to a run that makes no more steps says when it counts", async () => {
  const { app, socket } = await live();
  const said = (status: string, change: Json) => {
    const { runs } = app.store.get();
    const state = answer({ id: "made1", step: 40, status: "paused" }) as unknown as Json;
    const generation = runs.gd.generation + 1;
    for (const run of state.runs) Object.assign(run, { generation });
    Object.assign(state.runs[0], { status, diverged_at: status === "diverged" ? 40 : null });
    socket().say({ type: "experiment", experiment: "made1", state });
    app.dismiss();
    app.edit("gd", change);
    return app.store.get().notice?.text ?? "";
  };
  assert.equal(
    said("diverged", { learning_rate: 0.01 }),
    "GD diverged at step 40. The change counts after a reset, or in a fork from an earlier step.",
  );
  assert.equal(
    said("finished", { batch_size: 1 }),
    "SGD 2 stopped at step 40. The change counts when it continues.",
  );
  assert.deepEqual(
    [
      said("diverged", { label: "Fast" }),
      said("finished", { stop: [] }),
      said("paused", { l2: 1 }),
    ],
    ["", "", ""],
  );
  app.stop();
});

test("a step back goes back from where the run looked at stands", async () => {
  const { app, socket } = await live();
  const state = answer({ id: "made1", step: 900 }) as unknown as Json;
  state.runs[0].step = 13;
  socket().say({ type: "experiment", experiment: "made1", state });
  app.setView({ networkRun: "gd" });
  app.back();
  assert.equal(app.store.get().looking!.step, 12);
  app.lookAt(null);
  app.setView({ networkRun: "sgd" });
  app.back();
  assert.equal(app.store.get().looking!.step, 899);
  app.stop();
});
