// The check before a class: limits, words and probes.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { transformSync } from "../../frontend/node_modules/esbuild/lib/main.js";
import {
  lineInUse,
  type Measured,
  resultOf,
  rowsOf,
  SILENT_MS,
} from "../../frontend/features/check/check-rows.ts";
import { createProbes, type Surroundings } from "../../frontend/features/check/probes.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0";
const browser = (userAgent: string, isModern = true) => ({ browser: { userAgent, isModern } });
const good: Measured = {
  server: { version: "0.1.0" },
  address: { own: "http://192.168.1.20:8000", others: [] },
  websocket: { ms: 12.4 },
  events: { ms: 20 },
  polling: { ms: 30 },
  roundTrips: [4, 3, 90],
  download: { bytes: 125_000, ms: 100 },
  clockMs: -400,
  ...browser(FIREFOX),
  storage: true,
};
const row = (measured: Measured, name: string) => {
  const match = rowsOf(measured).find((each) => each.name === name);
  return match && [match.text, match.isGood];
};

test("a good connection has one line each, and all are good", () => {
  assert.deepEqual(
    rowsOf(good).map(({ name, text }) => `${name}: ${text}`),
    [
      "Server: fallline 0.1.0 is ready.",
      "Address: Others open http://192.168.1.20:8000/",
      "WebSocket: Answers after 12 ms. The page uses it.",
      "Server-sent events: Answers after 20 ms.",
      "Long polling: Answers after 30 ms.",
      "Round trip: 4.0 ms, at most 90 ms.",
      "Throughput: 10 Mbit/s: the page loads in 0.5 s. Enough for 50 people.",
      "Clock: Agrees with the server's.",
      "Browser: Firefox 125.0.",
      "Storage: A reload returns to the same experiment.",
    ],
  );
  assert.ok(rowsOf(good).every(({ isGood }) => isGood));
  assert.deepEqual(resultOf(good), { text: "Ready for the class.", isGood: true });
});

test("a name that leads to this computer only is none that others open", () => {
  const address = { own: "http://laptop:8000", others: ["http://192.168.1.20:8000"] };
  const words = "Others open http://192.168.1.20:8000/, not laptop:8000.";
  assert.deepEqual(row({ ...good, address }, "Address"), [words, true]);
});

test("the address at which a server takes all is none that others open", () => {
  const address = { own: "http://0.0.0.0:8000", others: ["http://192.168.1.20:8000"] };
  const words = "Others open http://192.168.1.20:8000/, not 0.0.0.0:8000.";
  assert.deepEqual(row({ ...good, address }, "Address"), [words, true]);
});

test("the best line that works is used, and one is enough", () => {
  const without = { ...good, websocket: { failed: "refused" as const } };
  assert.deepEqual(row(without, "WebSocket"), ["Refused on the way.", false]);
  assert.deepEqual(row(without, "Server-sent events"), [
    "Answers after 20 ms. The page uses it.",
    true,
  ]);
  assert.deepEqual(resultOf(without), {
    text: "Ready for the class, by server-sent events.",
    isGood: true,
  });
  const silentEvents = { ...without, events: { failed: "silent" as const } };
  assert.deepEqual(row(silentEvents, "Server-sent events"), ["No answer within 3 s.", false]);
  assert.equal(lineInUse(silentEvents), "polling");
  const none = { ...silentEvents, polling: { failed: "refused" as const } };
  assert.deepEqual(resultOf(none), {
    text: "Not ready: no line to the server stays open.",
    isGood: false,
  });
});

test("a server that does not offer a line has no row for it", () => {
  const missing = { failed: "missing" as const };
  const old = { ...good, events: missing, polling: missing };
  assert.equal(row(old, "Server-sent events"), undefined);
  assert.ok(resultOf(old).isGood);
  assert.ok(!resultOf({ ...old, websocket: { failed: "refused" } }).isGood);
});

test("each measurement has a limit", () => {
  for (const [part, name, isGood] of [
    [{ server: { problem: "the store is full" } }, "Server", false],
    [{ address: { own: "http://localhost:8000", others: [] } }, "Address", false],
    [{ address: { own: "http://127.0.0.1:8000", others: ["http://a:8000"] } }, "Address", true],
    [{ address: { own: "http://0.0.0.0:8000", others: [] } }, "Address", false],
    [{ address: { own: "http://[::]:8000", others: ["http://a:8000"] } }, "Address", true],
    [{ roundTrips: [1, 300, 9000] }, "Round trip", true],
    [{ roundTrips: [1, 301, 302] }, "Round trip", false],
    [{ download: { bytes: 125_000, ms: 1000 } }, "Throughput", true],
    [{ download: { bytes: 125_000, ms: 1001 } }, "Throughput", false],
    [{ download: { bytes: 0, ms: 8000 } }, "Throughput", false],
    [{ clockMs: 60_000 }, "Clock", true],
    [{ clockMs: -61_000 }, "Clock", false],
    [{ storage: false }, "Storage", false],
  ] as [Measured, string, boolean][]) {
    const measured = { ...good, ...part };
    assert.equal(row(measured, name)?.[1], isGood, JSON.stringify(part));
    assert.equal(resultOf(measured).isGood, isGood, JSON.stringify(part));
    if (!isGood) assert.equal(resultOf(measured).text, `Not ready: ${name.toLowerCase()}.`);
  }
  assert.equal(row({ ...good, clockMs: 61_000 }, "Clock")?.[0], "61 seconds behind the server's.");
  assert.equal(row({ ...good, clockMs: -2000 }, "Clock")?.[0], "2 seconds ahead of the server's.");
});

test("browsers since spring 2024 will do; older ones are named with the version needed", () => {
  const chrome = (version: number, more = "") =>
    `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version}.0.0.0 Safari/537.36${more}`;
  const safari = (version: string) =>
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${version} Safari/605.1.15`;
  for (const [userAgent, words, isGood] of [
    [FIREFOX, "Firefox 125.0.", true],
    [FIREFOX.replaceAll("125", "124"), "Firefox 124.0. The page needs 125 or newer.", false],
    [chrome(124), "Chromium 124.", true],
    [chrome(123), "Chromium 123. The page needs 124 or newer.", false],
    [chrome(124, " Edg/124.0.0.0"), "Edge 124.", true],
    [safari("17.4.1"), "Safari 17.4.", true],
    [safari("17.3"), "Safari 17.3. The page needs 17.4 or newer.", false],
  ] as const)
    assert.deepEqual(row(browser(userAgent), "Browser"), [words, isGood]);
  assert.deepEqual(row(browser("curl/8"), "Browser"), ["Unknown, but new enough.", true]);
  assert.deepEqual(row(browser("curl/8", false), "Browser"), ["Too old for the page.", false]);
});

// ---------------------------------------------------------------------- probes

type Answer = {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  hangs?: boolean;
};

/** A server that answers by the first entry whose name is in "METHOD url accept". */
function serverWith(answers: Record<string, Answer>) {
  const calls: string[] = [];
  const fetch = (async (url: string, request: RequestInit = {}) => {
    const accept = new Headers(request.headers).get("Accept") ?? "";
    const call = `${request.method ?? "GET"} ${url} ${accept}`.trim();
    calls.push(call);
    const entry = Object.entries(answers).find(([name]) => call.includes(name));
    if (!entry) throw new TypeError("no connection");
    const { status = 200, body = {}, headers, hangs } = entry[1];
    if (hangs)
      await new Promise((_, reject) =>
        request.signal?.addEventListener("abort", () => reject(new Error("aborted"))),
      );
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return new Response(text, { status, headers });
  }) as typeof globalThis.fetch;
  return { fetch, calls };
}

class Socket {
  static how: "answers" | "refuses" | "hangs" = "answers";
  onopen: (() => void) | null = null;
  onmessage: (() => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;
  constructor() {
    if (Socket.how !== "hangs")
      queueMicrotask(() => (Socket.how === "answers" ? this.onopen?.() : this.onclose?.()));
  }
  send(text: string) {
    assert.deepEqual(JSON.parse(text), { type: "ping", id: "check" });
    queueMicrotask(() => this.onmessage?.());
  }
  close() {
    this.closed = true;
  }
}

const LINE = { body: { line: "l", key: "k" }, status: 201 };
const PONG = { type: "pong", id: "check" };
const working: Record<string, Answer> = {
  "GET http://lab/x/readyz": { body: { status: "ready" } },
  "GET http://lab/x/healthz": {
    body: { version: "0.1.0" },
    headers: { Date: new Date(100_000).toUTCString() },
  },
  "/addresses": { body: { addresses: [] } },
  "POST http://lab/x/api/v1/lines/l/messages": { status: 202 },
  "POST http://lab/x/api/v1/lines": LINE,
  "text/event-stream": { body: `: hello\n\nid: 1\ndata: ${JSON.stringify(PONG)}\n\n` },
  "wait=2 application/json": { body: { messages: [PONG], next: 1 } },
  "/sample": { body: "a".repeat(5000) },
};

async function measured(answers: Record<string, Answer>, how: typeof Socket.how = "answers") {
  Socket.how = how;
  let clock = 0;
  const { fetch, calls } = serverWith(answers);
  const around: Surroundings = {
    fetch,
    WebSocket: Socket as unknown as Surroundings["WebSocket"],
    now: () => clock++,
    wallNow: () => 95_000,
    setTimeout: (run, ms) => setTimeout(run, ms <= SILENT_MS ? 20 : ms).unref(),
    address: "http://lab/x",
    sample: "http://lab/x/sample",
    userAgent: FIREFOX,
    isModern: true,
    hasStorage: () => true,
  };
  let shown = 0;
  const result = await createProbes(around).measure(() => shown++);
  return { result, calls, shown };
}

test("every probe measures, each shown when it is known", async () => {
  const { result, calls, shown } = await measured(working);
  assert.ok(resultOf(result).isGood, resultOf(result).text);
  assert.equal(result.roundTrips?.length, 10);
  assert.equal(result.download?.bytes, 5000);
  assert.equal(result.clockMs, 5500);
  assert.ok("ms" in result.websocket! && "ms" in result.events! && "ms" in result.polling!);
  assert.ok(shown >= 8);
  assert.ok(calls.every((call) => call.includes(" http://lab/x/")));
});

test("a refused, a hanging and a missing line have different reports", async () => {
  assert.deepEqual((await measured(working, "refuses")).result.websocket, { failed: "refused" });
  const silent = await measured(working, "hangs");
  assert.deepEqual(silent.result.websocket, { failed: "silent" });
  assert.equal(silent.result.roundTrips?.length, 10, "by requests");
  const silentEvents = await measured({ ...working, "text/event-stream": { hangs: true } });
  assert.deepEqual(silentEvents.result.events, { failed: "silent" });
  assert.ok("ms" in silentEvents.result.polling!);
  const other = await measured({
    ...working,
    "wait=2 application/json": { body: { messages: [], next: 0 } },
  });
  assert.ok("ms" in other.result.events!);
  assert.deepEqual(other.result.polling, { failed: "refused" });
  const blocked = { ...working, "POST http://lab/x/api/v1/lines": { status: 403 } };
  assert.deepEqual((await measured(blocked)).result.polling, { failed: "refused" });
  const old = { ...working, "POST http://lab/x/api/v1/lines": { status: 405 } };
  assert.deepEqual((await measured(old)).result.events, { failed: "missing" });
});

test("a server that is not ready is asked again, and named with its own words", async () => {
  const detail = "the store does not answer";
  const ill = await measured({ "/readyz": { status: 503, body: { detail } }, ...working });
  assert.deepEqual(ill.result.server, { problem: detail });
  assert.deepEqual(row(ill.result, "Server"), ["The store does not answer.", false]);
  assert.equal(ill.calls.filter((call) => call.endsWith("/readyz")).length, 4);
  assert.equal(resultOf(ill.result).text, "Not ready: server.");
  assert.ok("ms" in ill.result.websocket!);
});

test("without a server nothing else is measured", async () => {
  const noServer = await measured({});
  assert.deepEqual(noServer.result.server, { problem: "The server does not answer." });
  assert.equal(resultOf(noServer.result).text, "Not ready: server.");
});

test("the check runs in browsers that are too old for the page", async () => {
  const assets = new URL("../../frontend/dist/assets/", import.meta.url);
  const isBelow = (name: string, target: string) => {
    const file = readdirSync(assets).find((each) => each.startsWith(name) && each.endsWith(".js"));
    const code = readFileSync(new URL(file!, assets), "utf8");
    const lowered = (to: string) => transformSync(code, { target: to, format: "esm" }).code;
    return lowered(target) === lowered("esnext");
  };
  assert.equal(isBelow("check-", "es2020"), true);
  assert.equal(isBelow("main-", "es2020"), false, "the control: the page needs newer ones");
});
