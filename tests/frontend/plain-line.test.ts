// A line without WebSocket: its requests, what it hears, and what it does about cuts.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createEvents, openPlainLine } from "../../frontend/core/net/plain-line.ts";
import type { Environment, Json } from "../../frontend/core/types.ts";

const later = (ms = 5) => new Promise((go) => setTimeout(go, ms));
const event = (id: number, message: Json) => `id: ${id}\ndata: ${JSON.stringify(message)}\n\n`;

async function until(isSo: () => boolean) {
  for (let k = 0; k < 400 && !isSo(); k++) await later();
  assert.ok(isSo());
}

type Call = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: Json | null;
  answer: (status: number, body?: unknown) => void;
  /** answers with a stream; returns what writes and ends it */
  stream: () => { write: (text: string) => void; end: () => void; fail: () => void };
  fail: () => void;
  isAborted: () => boolean;
};

/** A server whose answers the test gives one by one. */
function start(kind: "events" | "polling") {
  const calls: Call[] = [];
  const heard: Json[] = [];
  const fetch = (url: string, { method, headers, body, signal }: Json) =>
    new Promise<Response>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      const { pathname, searchParams } = new URL(url);
      calls.push({
        method,
        path: pathname.replace("/base/api/v1/lines", ""),
        query: searchParams,
        headers,
        body: body ? JSON.parse(body) : null,
        answer: (status, answer = {}) => resolve(Response.json(answer, { status })),
        stream() {
          let control: ReadableStreamDefaultController;
          const source = new ReadableStream({ start: (controller) => void (control = controller) });
          resolve(new Response(source));
          return {
            write: (text) => control.enqueue(new TextEncoder().encode(text)),
            end: () => control.close(),
            fail: () => control.error(new TypeError("cut")),
          };
        },
        fail: () => reject(new TypeError("nobody there")),
        isAborted: () => signal?.aborted ?? false,
      });
    });
  const environment = {
    fetch: fetch as unknown as Environment["fetch"],
    address: "http://lab/base",
    setTimeout: (run: () => void, ms: number) => setTimeout(run, ms / 50),
  };
  const line = openPlainLine(environment, kind, {
    opened: () => void heard.push({ type: "opened" }),
    received: (message) => void heard.push(message),
    closed: (code) => void heard.push({ type: "closed", code }),
  });
  /** The next request, once it is there. */
  async function next(method: string) {
    await until(() => calls.some((call) => call.method === method));
    return calls.splice(
      calls.findIndex((call) => call.method === method),
      1,
    )[0];
  }
  const types = () => heard.map(({ type }) => type);
  return { line, calls, heard, next, types };
}

async function opened(kind: "events" | "polling") {
  const world = start(kind);
  const opening = await world.next("POST");
  assert.deepEqual([opening.path, opening.body], ["", null]);
  opening.answer(201, { line: "l1", key: "k1" });
  const first = await world.next("GET");
  assert.deepEqual(
    [first.path, first.query.get("after"), first.headers.Authorization],
    ["/l1/messages", "0", "Bearer k1"],
  );
  return { ...world, first };
}

test("events arrive in any pieces", () => {
  const take = createEvents();
  const text = `:\n\n${event(1, { type: "pong", id: "ö" })}${event(2, { type: "frame", text: "a\nb" })}`;
  const events = [...text].flatMap((letter) => take(letter));
  assert.deepEqual(events, [
    null,
    { id: 1, message: { type: "pong", id: "ö" } },
    { id: 2, message: { type: "frame", text: "a\nb" } },
  ]);
  assert.deepEqual(take(text), events);
});

test("a stream is open at its first byte, and its messages come in order", async () => {
  const { first, types, heard } = await opened("events");
  assert.equal(first.headers.Accept, "text/event-stream");
  const stream = first.stream();
  await later();
  assert.deepEqual(types(), []);
  stream.write(":\n\n");
  await until(() => types().length === 1);
  stream.write(event(1, { type: "a" }) + event(2, { type: "b" }));
  await until(() => types().length === 3);
  assert.deepEqual(types(), ["opened", "a", "b"]);
  assert.equal(heard.length, 3);
});

test("a cut stream goes on after its last message, unnoticed", async () => {
  for (const cut of ["end", "fail"] as const) {
    const { first, types, next, line } = await opened("events");
    const stream = first.stream();
    stream.write(`:\n\n${event(7, { type: "a" })}`);
    await until(() => types().length === 2);
    stream[cut]();
    const again = await next("GET");
    assert.equal(again.query.get("after"), "7");
    again.stream().write(`:\n\n${event(8, { type: "b" })}`);
    await until(() => types().length === 3);
    assert.deepEqual(types(), ["opened", "a", "b"]);
    line.close();
  }
});

test("a stream that cannot go on closes the line: no such line, or nobody there three times", async () => {
  const missing = await opened("events");
  missing.first.answer(404);
  await until(() => missing.types().length === 1);
  assert.deepEqual(missing.heard, [{ type: "closed", code: 1005 }]);
  assert.equal((await missing.next("DELETE")).path, "/l1");

  const away = await opened("events");
  away.first.fail();
  (await away.next("GET")).fail();
  await later();
  assert.deepEqual(away.heard, []);
  (await away.next("GET")).fail();
  await until(() => away.types().length === 1);
  assert.deepEqual(away.heard, [{ type: "closed", code: 1005 }]);
});

test("the server's close code arrives as the socket's does", async () => {
  for (const kind of ["events", "polling"] as const) {
    const { first, heard, types, calls } = await opened(kind);
    const close = { type: "close", code: 4404 };
    if (kind === "events") first.stream().write(event(1, close));
    else first.answer(200, { messages: [close], next: 1 });
    await until(() => types().length === 2);
    assert.deepEqual(heard, [{ type: "opened" }, { type: "closed", code: 4404 }]);
    await later(20);
    assert.ok(calls.every(({ method }) => method === "DELETE"));
  }
});

test("polls follow one another, each after the last message", async () => {
  const { first, next, types } = await opened("polling");
  assert.equal(first.query.get("wait"), "0");
  first.answer(200, { messages: [], next: 0 });
  const second = await next("GET");
  assert.deepEqual(types(), ["opened"]);
  assert.ok(Number(second.query.get("wait")) >= 10);
  second.answer(200, { messages: [{ type: "a" }, { type: "b" }], next: 5 });
  assert.equal((await next("GET")).query.get("after"), "5");
  assert.deepEqual(types(), ["opened", "a", "b"]);
});

test("a poll that a proxy ends is repeated", async () => {
  const { first, next, types } = await opened("polling");
  first.answer(200, { messages: [{ type: "a" }], next: 1 });
  (await next("GET")).answer(504);
  (await next("GET")).fail();
  const third = await next("GET");
  assert.equal(third.query.get("after"), "1");
  third.answer(200, { messages: [{ type: "b" }], next: 2 });
  await next("GET");
  assert.deepEqual(types(), ["opened", "a", "b"]);
});

test("posts go one by one, numbered, with what came meanwhile, and again until they arrive", async () => {
  const { first, next, line, calls } = await opened("polling");
  first.answer(200, { messages: [{ type: "a" }], next: 3 });
  await next("GET");
  for (const id of [1, 2, 3]) line.send({ type: "ping", id });
  const one = await next("POST");
  assert.deepEqual(one.body, { seq: 1, messages: [{ type: "ping", id: 1 }], after: 3 });
  await later();
  assert.equal(calls.filter(({ method }) => method === "POST").length, 0);
  one.fail();
  const again = await next("POST");
  assert.deepEqual(again.body, one.body);
  again.answer(202);
  const two = await next("POST");
  assert.deepEqual([two.body?.seq, two.body?.messages.length], [2, 2]);
});

test("a long backlog is posted in several requests", async () => {
  const { first, next, line } = await opened("polling");
  first.answer(200, { messages: [], next: 0 });
  line.send({ type: "ping", id: 0 });
  const one = await next("POST");
  for (let id = 1; id <= 5; id++) line.send({ type: "ping", id, text: "x".repeat(20_000) });
  one.answer(202);
  const counts = [];
  for (let total = 0; total < 5; total += counts[counts.length - 1]) {
    const post = await next("POST");
    assert.ok(JSON.stringify(post.body).length < 64 * 1024);
    counts.push(post.body?.messages.length);
    post.answer(202);
  }
  assert.deepEqual(counts, [2, 2, 1]);
});

test("a closed line hears nothing more, ends its requests, and reports it to the server", async () => {
  const { first, next, line, types } = await opened("events");
  const stream = first.stream();
  stream.write(":\n\n");
  await until(() => types().length === 1);
  line.close();
  assert.ok(first.isAborted());
  assert.deepEqual([(await next("DELETE")).path, types()], ["/l1", ["opened"]]);
  line.send({ type: "ping", id: 1 });
  await later(20);
  assert.deepEqual(types(), ["opened"]);
});

test("a server without lines, or without room, closes the line", async () => {
  for (const status of [404, 503]) {
    const { next, heard, types } = start("events");
    (await next("POST")).answer(status);
    await until(() => types().length === 1);
    assert.deepEqual(heard, [{ type: "closed", code: 1006 }]);
  }
});
