// The connection as a state machine: its actions after each event, by the test's clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff } from "../../frontend/core/net/backoff.ts";
import { createSession } from "../../frontend/core/net/session.ts";
import { answer } from "./fake-server.ts";
import type { Positions } from "../../frontend/core/net/catch-up.ts";
import type { Json, Message } from "../../frontend/core/types.ts";
import type { Action } from "../../frontend/core/net/session.ts";

/** A session, its clock, and its positions. */
type Given = {
  stored?: Positions;
  arrived?: Positions;
  coarse?: Positions;
  fine?: { times: number };
  random?: number;
};
function start({ stored = {}, arrived, coarse = {}, fine, random = 0.5 }: Given = {}) {
  let now = 1000;
  const positions = { ...stored };
  const session = createSession(
    {
      positions: () => positions,
      joints: () => positions,
      arrived: () => arrived ?? positions,
      coarse: () => coarse,
      isFinerThanDrawn: (times) => times <= (fine?.times ?? 0),
    },
    { random: () => random, fps: 30 },
  );
  const happen = (type: string, more = {}, ms = 0) =>
    session.handle({ type, ...more }, (now += ms));
  const hear = (message: Message, ms = 0) => happen("received", { message }, ms);
  const watch = () =>
    happen("watch", { what: { experiment: "e1", token: "t", series: ["train_loss"] } });
  return { session, positions, happen, hear, watch };
}

const hello = { type: "experiment", experiment: "e1", state: answer() };
const sentBy = (actions: Action[]): Json[] =>
  actions.filter((action) => action.do === "send").map(({ message }) => message);
const dispatched = (actions: Action[]): Json[] =>
  actions.filter((action) => action.do === "dispatch").map(({ message }) => message);
const statusOf = (actions: Action[]) =>
  dispatched(actions).findLast((message) => message.status)?.status;

function live(options: Given = {}) {
  const line = start(options);
  line.watch();
  line.happen("opened");
  line.hear(hello);
  return line;
}

test("watching connects, and sends the held steps once the socket is open", () => {
  const { watch, happen } = start({
    stored: { gd: { generation: 2, step: 40 }, sgd: { generation: 0, step: 0 } },
  });
  assert.deepEqual(watch(), [{ do: "connect", by: "websocket" }]);
  const [message] = sentBy(happen("opened"));
  assert.deepEqual(message.since, { gd: { generation: 2, step: 40 } });
  assert.deepEqual(
    [message.type, message.token, message.encoding, message.series],
    ["watch", "t", "brief", ["train_loss"]],
  );
});

test("other series are requested in many buckets, and frames have the old ones until the answer", () => {
  const { session, happen, hear, watch } = live();
  watch();
  hear({ ...hello, series: ["train_loss"] });
  const what = { experiment: "e1", token: "t", series: ["train_loss", "ratio/W1"] };
  const [message] = sentBy(happen("watch", { what }));
  assert.deepEqual([message.series, message.buckets], [what.series, 1_000]);
  assert.deepEqual(session.series, ["train_loss"]);
  hear({ ...hello, series: ["train_loss"] }); // to a watch before
  assert.deepEqual(session.series, ["train_loss"]);
  hear({ ...hello, series: what.series });
  assert.deepEqual(session.series, what.series);
});

test("a frame is applied before it is credited", () => {
  const { hear } = live();
  const actions = hear({ type: "frame", frame: 7, experiment: "e1", runs: {} });
  assert.deepEqual(
    actions.map((action) => action.do),
    ["apply", "send"],
  );
  assert.deepEqual(actions[1].message, { type: "got", frame: 7 });
});

test("a frame of a left experiment is credited, and not shown", () => {
  assert.deepEqual(
    live()
      .hear({ type: "frame", frame: 3, experiment: "old", runs: {} })
      .map((action) => action.do),
    ["send"],
  );
});

test("the past arrives in wide frames, later frames are small", () => {
  const { happen } = live();
  const [again] = sentBy(happen("applied"));
  assert.equal(again.buckets, 64);
  assert.deepEqual(sentBy(happen("applied")), []);
});

test("a coarse range is requested again, wide, once; then frames are small again", () => {
  const coarse: Positions = {};
  const { happen, hear } = live({
    stored: { gd: { generation: 0, step: 30_000 }, sgd: { generation: 0, step: 30_000 } },
    coarse,
  });
  happen("applied");
  hear(hello);
  coarse.sgd = { generation: 0, step: 2048 };
  const [again] = sentBy(happen("tick", {}, 1000));
  assert.deepEqual(
    [again.type, again.buckets, again.since.sgd.step, again.since.gd.step],
    ["watch", 478, 2048, 30_000],
  );
  assert.deepEqual(sentBy(happen("applied")), []); // a frame that was on its way already
  hear(hello);
  assert.deepEqual(
    sentBy(happen("applied")).map(({ buckets }) => buckets),
    [64],
  );
  hear(hello);
  assert.deepEqual(
    sentBy(happen("tick", {}, 1000)).filter(({ type }) => type === "watch"),
    [],
  );
});

test("frames get smaller once they are a small part of a run, until the past is requested again", () => {
  const fine = { times: 1 };
  const coarse: Positions = {};
  const stored = {
    gd: { generation: 0, step: 90_000 },
    sgd: { generation: 0, step: 90_000 },
  };
  const { happen, hear } = live({ stored, coarse, fine });
  const asks = (type: string, more = {}, ms = 0) =>
    sentBy(happen(type, more, ms))
      .filter(({ type }) => type === "watch")
      .map(({ buckets }) => buckets);
  assert.deepEqual(asks("applied"), [64]);
  hear(hello);
  assert.deepEqual(asks("tick", {}, 1000), []);
  fine.times = 4;
  assert.deepEqual(asks("tick", {}, 1000), [16]);
  hear(hello);
  assert.deepEqual(asks("tick", {}, 1000), []);
  coarse.gd = { generation: 0, step: 60_000 };
  assert.deepEqual(asks("tick", {}, 1000), [171]); // a third of the run
  hear(hello);
  assert.deepEqual(asks("applied"), [16]);
  coarse.gd.step = 89_999;
  assert.deepEqual(asks("tick", {}, 1000), [64]);
  happen("closed", { code: 1006 });
  assert.deepEqual(asks("opened"), [1000]);
  hear(hello);
  assert.deepEqual(asks("applied"), [64]);
});

test("an experiment opened once more is requested wide, like a new one", () => {
  const { happen, hear, positions } = live({ stored: { gd: { generation: 0, step: 200 } } });
  hear(hello);
  assert.deepEqual(
    sentBy(happen("applied")).map(({ buckets }) => buckets),
    [64],
  );
  delete positions.gd;
  const [message] = sentBy(
    happen("watch", { what: { experiment: "e1", token: null, series: null } }),
  );
  assert.deepEqual([message.buckets, message.since], [1000, undefined]);
});

test("the past is requested wide until complete, in any number of frames", () => {
  const at = (step: number, generation = 0) => ({ generation, step });
  const far = {
    ...hello,
    state: {
      ...hello.state,
      runs: hello.state.runs.map((run) => ({ ...run, generation: 0, step: 8_000 })),
    },
  };
  const begin = () => {
    const line = start();
    line.watch();
    line.happen("opened");
    line.hear(far);
    return { ...line, asks: () => sentBy(line.happen("applied")).map(({ buckets }) => buckets) };
  };
  const { positions, asks } = begin();
  Object.assign(positions, { gd: at(2_800), sgd: at(8_000) });
  assert.deepEqual(asks(), []);
  positions.gd = at(8_000);
  assert.deepEqual(asks(), [64]);
  const removed = begin();
  removed.positions.gd = at(0, 1);
  assert.deepEqual(removed.asks(), []);
  removed.hear({ type: "event", event: "run_removed", experiment: "e1", run: "sgd" });
  assert.deepEqual(
    removed.asks(),
    [64],
    "a run that began anew has no past, and one that is gone will not come",
  );
});

test("ranges sent again are requested wide until complete, and anew on another connection", () => {
  const coarse = { gd: { generation: 0, step: 1_024 } };
  const [stored, arrived] = [
    { gd: { generation: 0, step: 8_000 } },
    { gd: { generation: 0, step: 8_000 } },
  ];
  const state = {
    ...hello.state,
    runs: hello.state.runs
      .filter(({ name }) => name === "gd")
      .map((run) => ({ ...run, generation: 0, step: 8_000 })),
  };
  const { happen, hear } = live({ stored, arrived, coarse });
  const asks = (type: string, ms = 0) =>
    sentBy(happen(type, {}, ms))
      .filter(({ type }) => type === "watch")
      .map(({ buckets, since }) => [buckets, since.gd.step]);
  hear({ ...hello, state });
  assert.deepEqual(asks("applied"), [[64, 8_000]]);
  assert.deepEqual(asks("tick", 1000), [[447, 1_024]]);
  hear({ ...hello, state });
  arrived.gd.step = 2_800;
  assert.deepEqual(asks("applied"), []);
  arrived.gd.step = 8_000;
  assert.deepEqual(asks("applied"), [[64, 8_000]]);
  hear({ ...hello, state });
  assert.deepEqual(asks("tick", 1000), []);
  happen("closed", { code: 1006 });
  assert.deepEqual(asks("opened"), [[1000, 8_000]]);
  hear({ ...hello, state });
  assert.deepEqual(asks("applied"), [[64, 8_000]]);
  assert.deepEqual(asks("tick", 1000), [[447, 1_024]]);
});

test("a cut waits by full jitter, shows the seconds, and retries after them", () => {
  const { happen, session } = live({ stored: { gd: { generation: 0, step: 12 } } });
  const [message] = dispatched(happen("closed", { code: 1006 }));
  assert.deepEqual([message.status, message.lastStep, message.retryIn], ["reconnecting", 12, 1]);
  assert.deepEqual(
    happen("tick", {}, 50).filter((action) => action.do === "connect"),
    [],
  );
  assert.ok(happen("tick", {}, 60).some((action) => action.do === "connect"));
  assert.equal(session.phase, "connecting");
});

test("waits double up to three seconds, and to ten after two minutes", () => {
  const waits = [0, 1, 2, 3, 4, 9].map((attempt) => backoff(attempt, 1000, 1));
  assert.deepEqual(waits, [200, 400, 800, 1600, 3000, 3000]);
  assert.equal(backoff(9, 130_000, 1), 10_000);
  assert.equal(backoff(3, 0, 0), 0);
});

test("online or visible again retries at once, but not twice", () => {
  const { happen } = live();
  assert.deepEqual(happen("hurry"), []);
  happen("closed", { code: 1012 });
  assert.ok(happen("hurry").some((action) => action.do === "connect"));
  assert.deepEqual(happen("hurry"), []);
});

test("after a failed attempt the server is checked before a socket is opened", () => {
  const { happen, hear } = live();
  const next = () => happen("hurry").at(-1)!.do;
  happen("closed", { code: 1006 });
  assert.equal(next(), "connect");
  happen("closed", { code: 1006 });
  assert.equal(next(), "probe");
  happen("closed", { code: 1006 });
  assert.equal(next(), "probe");
  happen("opened");
  hear(hello);
  happen("closed", { code: 1006 });
  assert.equal(next(), "connect");
});

test("an unanswered check does not block: the socket is next, then the check again", () => {
  const { happen } = live();
  const next = () => happen("hurry").at(-1)!.do;
  happen("closed", { code: 1006 });
  next();
  happen("closed", { code: 1006 });
  assert.equal(next(), "probe");
  const after = (ms: number) => happen("tick", {}, ms).map((action) => action.do);
  for (let k = 0; k < 2; k++) {
    assert.deepEqual(after(12_001), ["close", "dispatch"]);
    assert.equal(next(), "connect");
    assert.deepEqual(after(3_001), ["close", "probe"]);
  }
});

test("twelve seconds of silence are a cut, in any state of the socket", () => {
  const { happen, hear } = live();
  hear({ type: "pong", id: "?" }, 11_000);
  assert.equal(statusOf(happen("tick", {}, 11_900)), undefined);
  const actions = happen("tick", {}, 200);
  assert.equal(actions[0].do, "close");
  assert.equal(statusOf(actions), "reconnecting");
});

test("a WebSocket that never opens gives way to the other lines, one after the other", () => {
  const { watch, happen } = start();
  watch();
  assert.deepEqual(happen("tick", {}, 2_900), []);
  assert.deepEqual(happen("tick", {}, 200), [{ do: "close" }, { do: "connect", by: "events" }]);
  assert.deepEqual(happen("tick", {}, 5_100), [{ do: "close" }, { do: "connect", by: "polling" }]);
  assert.equal(statusOf(happen("tick", {}, 12_100)), "reconnecting");
  assert.deepEqual(happen("hurry").at(-1), { do: "connect", by: "websocket" });
});

/** A page whose WebSockets are refused, connected by the next line. */
function refused() {
  const line = start();
  line.watch();
  line.happen("closed", { code: 1006 });
  line.happen("hurry");
  line.happen("closed", { code: 1006 });
  assert.equal(line.happen("hurry").at(-1)?.do, "probe");
  assert.deepEqual(line.happen("reached"), [{ do: "connect", by: "events" }]);
  line.happen("opened");
  return line;
}

test("two refused WebSockets beside a server that answers give way to events, and the page learns why", () => {
  const { hear } = refused();
  assert.deepEqual(dispatched(hear(hello)).at(-1), {
    type: "connection",
    kind: "events",
    reason: "refused",
    isNoteClosed: false,
  });
});

test("events that are refused or cut before anything came give way to polling", () => {
  for (const hasOpened of [false, true]) {
    const { happen } = refused();
    happen("closed", { code: 1006 });
    happen("hurry");
    happen("reached");
    if (hasOpened) happen("opened");
    happen("closed", { code: 1005 });
    happen("hurry");
    assert.deepEqual(happen("reached"), [{ do: "connect", by: "polling" }], `${hasOpened}`);
  }
});

test("a page without any line says so while a server answers, until a line works", () => {
  const blocked = (actions: Action[]) =>
    dispatched(actions).findLast((message) => message.status)?.areLinesBlocked;
  const { happen, hear } = refused();
  assert.equal(blocked(happen("closed", { code: 1006 })), false);
  happen("hurry");
  happen("reached");
  assert.equal(blocked(happen("closed", { code: 1006 })), true);
  happen("hurry");
  assert.deepEqual(happen("reached"), [{ do: "connect", by: "websocket" }]);
  assert.equal(blocked(happen("closed", { code: 1006 })), true, "also while it tries again");
  happen("hurry");
  assert.equal(blocked(happen("closed", { code: 1006 })), false, "the server does not answer");
  happen("hurry");
  happen("reached");
  happen("opened");
  hear(hello);
  assert.equal(blocked(happen("closed", { code: 1006 })), false);
});

test("events that brought something are opened again after a cut", () => {
  const { happen, hear } = refused();
  hear(hello);
  happen("closed", { code: 1005 });
  assert.deepEqual(happen("hurry").at(-1), { do: "connect", by: "events" });
});

test("without a server nothing is learnt about lines", () => {
  const { watch, happen } = start();
  watch();
  happen("closed", { code: 1006 });
  happen("hurry");
  happen("closed", { code: 1006 });
  assert.equal(happen("hurry").at(-1)?.do, "probe");
  happen("closed", { code: 1006 });
  assert.equal(happen("hurry").at(-1)?.do, "probe");
  assert.deepEqual(happen("reached"), [{ do: "connect", by: "websocket" }]);
});

test("events in silence give way to polling; a used WebSocket in silence is opened again", () => {
  const { happen, hear } = refused();
  hear(hello);
  happen("tick", {}, 12_100);
  assert.deepEqual(happen("hurry").at(-1), { do: "connect", by: "polling" });
  const used = live();
  used.happen("tick", {}, 12_100);
  assert.deepEqual(used.happen("hurry").at(-1), { do: "connect", by: "websocket" });
});

test("an open WebSocket that passes nothing on gives way to events", () => {
  const { watch, happen } = start();
  watch();
  happen("opened");
  happen("tick", {}, 12_100);
  assert.deepEqual(happen("hurry").at(-1), { do: "connect", by: "events" });
});

test("two WebSockets that open and are cut before their first answer give way to events", () => {
  const { watch, happen } = start();
  watch();
  for (let k = 0; k < 2; k++) {
    happen("opened");
    happen("closed", { code: 1006 });
    if (k === 0) assert.deepEqual(happen("hurry").at(-1), { do: "connect", by: "websocket" });
  }
  happen("hurry");
  assert.deepEqual(happen("reached"), [{ do: "connect", by: "events" }]);
});

test("a better line is tried now and then, and takes over without a missing step", () => {
  const { happen, hear, positions } = refused();
  hear(hello);
  const tried = (ms: number) => {
    hear({ type: "pong", id: "?" }, ms);
    return happen("tick").filter((action) => action.do === "try");
  };
  assert.deepEqual(tried(29_000), []);
  assert.deepEqual(tried(1_100), [{ do: "try", kinds: ["websocket"] }]);
  assert.deepEqual(tried(30_000), []);
  assert.deepEqual(tried(31_000), [{ do: "try", kinds: ["websocket"] }]);
  const message = { type: "command", id: "a", experiment: "e1", do: "pause" };
  happen("command", { message });
  positions.gd = { generation: 0, step: 40 };
  const [again] = sentBy(happen("opened", { by: "websocket" }));
  assert.deepEqual([again.type, again.since.gd.step], ["watch", 40]);
  const actions = hear(hello);
  assert.deepEqual(sentBy(actions).slice(0, 1), [message]);
  assert.equal(dispatched(actions).at(-1)?.kind, "websocket");
  assert.equal(statusOf(actions), "ready");
  assert.deepEqual(tried(600_000), []);
});

test("another network is a reason to try at once, a page that is visible again is none", () => {
  const { happen, hear } = refused();
  hear(hello);
  const tries = (input: Json) => {
    happen("hurry", input);
    return happen("tick", {}, 250).some((action) => action.do === "try");
  };
  assert.equal(tries({}), false);
  assert.equal(tries({ isOnline: true }), true);
});

test("a hidden tab closes a line without WebSocket, reads now and then, and returns when visible", () => {
  const { happen, hear, session } = refused();
  hear(hello);
  const ticks = (times: number) =>
    Array.from({ length: times }, () => {
      if (session.phase === "open") hear({ type: "pong", id: "?" }, 500);
      return happen("tick", {}, 500).filter(({ do: what }) => what !== "send" && what !== "try");
    }).flat();
  assert.deepEqual(ticks(6), []);
  happen("hidden");
  assert.deepEqual(ticks(4), []);
  assert.deepEqual(ticks(2), [{ do: "close" }]);
  assert.deepEqual(ticks(470), [], "and the status stays");
  assert.deepEqual(ticks(12), [{ do: "connect", by: "events" }]);
  happen("opened");
  hear(hello);
  assert.deepEqual(ticks(7), [{ do: "close" }]);
  assert.deepEqual(happen("visible"), [{ do: "connect", by: "events" }]);
  happen("opened");
  assert.equal(statusOf(hear(hello)), "ready");
  assert.deepEqual(ticks(20), []);
});

test("a hidden tab keeps a WebSocket, and a line whose commands are unanswered", () => {
  const socket = live();
  socket.happen("hidden");
  socket.hear({ type: "pong", id: "?" }, 6_000);
  assert.deepEqual(
    socket.happen("tick").filter(({ do: what }) => what === "close"),
    [],
  );
  const { happen, hear } = refused();
  hear(hello);
  happen("hidden");
  const message = { type: "command", id: "a", experiment: "e1", do: "pause" };
  happen("command", { message });
  const closed = () => {
    hear({ type: "pong", id: "?" }, 6_000);
    return happen("tick").some(({ do: what }) => what === "close");
  };
  assert.equal(closed(), false);
  hear({ type: "ack", id: "a", experiment: "e1", answer: {} });
  assert.equal(closed(), true);
  assert.deepEqual(happen("command", { message: { ...message, id: "b" } }), [
    { do: "connect", by: "events" },
  ]);
});

test("a stream that was held back is not tried again in the same network", () => {
  const { happen, hear } = refused();
  hear(hello);
  happen("tick", {}, 12_100);
  happen("hurry");
  happen("opened");
  hear(hello);
  const tried = (ms: number) => {
    hear({ type: "pong", id: "?" }, ms);
    return happen("tick").filter((action) => action.do === "try");
  };
  assert.deepEqual(tried(31_000), [{ do: "try", kinds: ["websocket"] }]);
  happen("hurry", { isOnline: true });
  assert.deepEqual(tried(250), [{ do: "try", kinds: ["websocket", "events"] }]);
});

test("without a WebSocket fewer frames are requested, and none are binary", () => {
  const [message] = sentBy(refused().happen("rewatch"));
  assert.equal(message.fps, 15);
  assert.deepEqual([message.encoding, message.series], ["packed", ["train_loss"]]);
});

test("a page that draws slowly asks for fewer frames, once, on the next line too, until the next play", () => {
  const { happen } = live();
  assert.deepEqual(
    sentBy(happen("slow")).map(({ type, fps }) => [type, fps]),
    [["watch", 10]],
  );
  assert.deepEqual(happen("slow"), []);
  happen("closed", { code: 1006 });
  happen("hurry");
  assert.equal(sentBy(happen("opened"))[0].fps, 10);
  assert.equal(sentBy(happen("fresh"))[0].fps, 30);
  assert.deepEqual(happen("fresh"), []);
});

test("a ping goes every three seconds and its answer gives the latency", () => {
  const { happen, hear } = live();
  const [ping] = sentBy(happen("tick", {}, 3000));
  assert.equal(ping.type, "ping");
  assert.deepEqual(dispatched(hear({ type: "pong", id: ping.id }, 17)), [
    { type: "connection", latency: 17 },
  ]);
  assert.deepEqual(sentBy(happen("tick", {}, 1000)), []);
});

test("unacknowledged commands are sent again after a cut, oldest first, with the same id", () => {
  const { happen, hear, session } = live();
  const [a, b, c] = ["a", "b", "c"].map((id) => ({
    type: "command",
    id,
    experiment: "e1",
    do: "edit",
  }));
  for (const message of [a, b]) assert.deepEqual(sentBy(happen("command", { message })), [message]);
  hear({ type: "ack", id: "a", answer: {} });
  happen("closed", { code: 1006 });
  assert.deepEqual(sentBy(happen("command", { message: c })), []);
  happen("hurry");
  happen("opened");
  assert.deepEqual(
    sentBy(hear(hello)).filter(({ type }) => type === "command"),
    [b, c],
  );
  hear({ type: "error", id: "b", problem: { title: "No" } });
  hear({ type: "ack", id: "c", answer: {} });
  assert.equal(session.unanswered, 0);
});

test("a command that came too fast is sent again after the server's wait, silently", () => {
  const { happen, hear } = live();
  const message = { id: "a", do: "play" };
  happen("command", { message });
  const refused = {
    type: "error",
    id: "a",
    problem: { status: 429, title: "Too many requests", retry_after: 2 },
  };
  assert.deepEqual(hear(refused), []);
  assert.deepEqual(sentBy(happen("tick", {}, 1500)), []);
  assert.deepEqual(sentBy(happen("tick", {}, 600)), [message]);
  assert.deepEqual(sentBy(happen("tick", {}, 600)), []);
  assert.equal(dispatched(hear({ type: "ack", id: "a", answer: {} })).length, 1);
});

test("a repeated acknowledgement is reported once", () => {
  const { happen, hear } = live();
  happen("command", { message: { id: "a" } });
  assert.equal(dispatched(hear({ type: "ack", id: "a", answer: {} })).length, 1);
  assert.equal(dispatched(hear({ type: "ack", id: "a", answer: {} })).length, 0);
});

test("after a cut the missing steps are counted until they are here", () => {
  const { happen, hear, positions } = live({ stored: { gd: { generation: 0, step: 100 } } });
  happen("closed", { code: 1006 });
  happen("hurry");
  happen("opened");
  const [, catching] = dispatched(
    hear({ ...hello, state: { ...answer(), runs: [{ name: "gd", generation: 0, step: 300 }] } }),
  );
  assert.deepEqual(
    [catching.status, catching.progress],
    ["catching-up", { have: 100, of: 300, run: "gd" }],
  );
  positions.gd = { generation: 0, step: 200 };
  assert.deepEqual(dispatched(happen("applied"))[0].progress, { have: 200, of: 300, run: "gd" });
  positions.gd = { generation: 0, step: 301 };
  assert.equal(statusOf(happen("applied")), "ready");
});

test("nothing waits for steps that cannot come: of a removed or restarted run, or of a left experiment", () => {
  const at = (step: number, generation = 0) => ({ generation, step });
  const runs = [
    { name: "gd", ...at(300) },
    { name: "sgd", ...at(200) },
  ];
  const behind = () => {
    const line = live({ stored: { gd: at(100), sgd: at(100) } });
    line.happen("closed", { code: 1006 });
    line.happen("hurry");
    line.happen("opened");
    line.hear({ ...hello, state: { ...answer(), runs } });
    return {
      ...line,
      stands: (actions: Action[]) => dispatched(actions).findLast(({ status }) => status)?.progress,
    };
  };
  const removed = behind();
  const removal = removed.hear({
    type: "event",
    event: "run_removed",
    experiment: "e1",
    run: "gd",
  });
  assert.ok(removal.some((action) => action.do === "forget" && action.run === "gd"));
  assert.deepEqual(removed.stands(removal), { have: 100, of: 200, run: "sgd" });
  const reset = behind();
  reset.positions.gd = at(0, 1);
  assert.deepEqual(reset.stands(reset.happen("applied")), { have: 100, of: 200, run: "sgd" });
  reset.positions.sgd = at(200);
  assert.equal(reset.stands(reset.happen("applied")), null);
  const left = behind();
  left.happen("watch", { what: { experiment: "e2", token: "t", series: null } });
  assert.equal(statusOf(left.hear({ ...hello, experiment: "e2" })), "ready");
});

test("the old experiment is left once the new one is answered: it may be deleted soon", () => {
  const { happen, hear, session } = live();
  happen("watch", { what: { experiment: "e2", token: "t", series: null } });
  hear(hello);
  assert.equal(session.hasArrived, false, "an answer that was on its way");
  happen("watch", { what: { experiment: "e3", token: "t", series: null } });
  hear({ ...hello, experiment: "e3" });
  assert.equal(session.hasArrived, true);
  happen("watch", { what: { experiment: "e4", token: "t", series: null } });
  assert.equal(session.hasArrived, false);
  happen("closed", { code: 1006 });
  assert.equal(session.hasArrived, true, "a line that is cut watches nothing");
});

test("a new generation after a restart is awaited from its beginning", () => {
  const { happen, hear, positions } = live({ stored: { gd: { generation: 0, step: 300 } } });
  happen("closed", { code: 1012 });
  happen("hurry");
  happen("opened");
  const actions = hear({
    ...hello,
    state: { ...answer(), runs: [{ name: "gd", generation: 1, step: 300 }] },
  });
  assert.deepEqual(dispatched(actions)[1].progress, { have: 0, of: 300, run: "gd" });
  positions.gd = { generation: 1, step: 300 };
  assert.equal(statusOf(happen("applied")), "ready");
});

test("columns that do not join are requested again, once", () => {
  const { happen, hear, positions } = live({ stored: { gd: { generation: 0, step: 5 } } });
  assert.deepEqual(
    happen("gap", { run: "gd" }).map((action) => action.do),
    ["forget", "rewatch"],
  );
  assert.deepEqual(
    happen("gap", { run: "gd" }).map((action) => action.do),
    ["forget"],
  );
  delete positions.gd;
  const [message] = sentBy(happen("rewatch"));
  assert.deepEqual([message.since, message.buckets], [undefined, 1000]);
  hear(hello);
  assert.equal(happen("gap", { run: "gd" }).length, 2);
});

test("an unknown experiment is reported as a restart, and not requested again", () => {
  const { happen } = live();
  assert.equal(statusOf(happen("closed", { code: 4404 })), "restarted");
  assert.deepEqual(happen("tick", {}, 60_000), []);
  const { watch, happen: on, hear } = start();
  watch();
  on("opened");
  assert.equal(
    statusOf(hear({ type: "error", id: null, problem: { status: 404, title: "Unknown" } })),
    "restarted",
  );
});

test("a refused token leaves the page read only", () => {
  const { happen } = live();
  const actions = happen("closed", { code: 4401 });
  assert.deepEqual(dispatched(actions), [{ type: "token", token: null }]);
  assert.equal(sentBy(happen("opened"))[0].token, undefined);
});

test("a protocol error is final, with words for it", () => {
  const { happen } = live();
  const actions = happen("closed", { code: 4400 });
  assert.equal(dispatched(actions).at(-1)!.type, "problem");
  assert.deepEqual(happen("tick", {}, 60_000), []);
});

test("watching another experiment drops the commands of the one before", () => {
  const { happen, session } = live();
  happen("command", { message: { id: "a" } });
  const messages = sentBy(
    happen("watch", { what: { experiment: "e2", token: null, series: null } }),
  );
  assert.deepEqual(
    messages.map(({ type, experiment }) => [type, experiment]),
    [
      ["unwatch", "e1"],
      ["watch", "e2"],
    ],
  );
  assert.equal(session.unanswered, 0);
});
