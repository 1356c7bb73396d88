// The browser's owner key: which calls carry it, and where it must not be.

import assert from "node:assert/strict";
import { test } from "node:test";

import { browserEnvironment } from "../../frontend/core/net/environment.ts";
import { createLocalStore } from "../../frontend/core/net/local-storage.ts";
import { linkOf } from "../../frontend/features/sharing/links.ts";
import { answer } from "./fake-server.ts";
import { live, part } from "./world.ts";

const FIRST = "1".padStart(32, "0");

/** The calls that carry a key, each with it. */
const owned = ({ calls, owners }: Awaited<ReturnType<typeof live>>["server"]) =>
  calls.map((call, at) => [call, owners[at]]).filter(([, owner]) => owner !== null);

/** A browser's storage. */
function storage(entries: Record<string, string> = {}) {
  const memory = new Map(Object.entries(entries));
  return {
    getItem: (key: string) => memory.get(key) ?? null,
    setItem: (key: string, value: string) => void memory.set(key, value),
    removeItem: (key: string) => void memory.delete(key),
  };
}

/** Storage that is full, or forbidden after the page was opened. */
const full = {
  getItem: () => null,
  setItem: () => {
    throw new Error("QuotaExceededError");
  },
  removeItem() {},
};

test("one stored key creates experiments, tables and QR codes, and no other call carries it", async () => {
  const { app, server, inStorage } = await live();
  await app.sendTable(new Blob(["a,b\n1,2\n"]));
  await app.qr("a link");
  await app.openFile(new File(["PK"], "start.npz"));
  await app.newExperiment({ data: { noise: 0.5 } });
  await app.openExhibit("wide");
  assert.deepEqual(owned(server), [
    ["POST /experiments", FIRST],
    ["POST /datasets", FIRST],
    ["POST /qr", FIRST],
    ...server.calls
      .filter((call) => call === "POST /experiments")
      .slice(1)
      .map((call) => [call, FIRST]),
  ]);
  assert.ok(server.calls.includes("POST /parameters") && server.calls.includes("GET /catalog"));
  assert.ok(server.calls.filter((call) => call === "POST /experiments").length > 2);
  assert.equal(inStorage("fallline.owner"), FIRST);
  app.stop();
});

test("a later visit has the same key", async () => {
  const key = "ab".repeat(16);
  const { app, server } = await live({ stored: { "fallline.owner": key } });
  assert.deepEqual(owned(server), [["POST /experiments", key]]);
  app.stop();
});

test("a visitor who only watches gets no key and sends none", async () => {
  const { app, server, inStorage } = await live({
    experiments: { e7: answer({ id: "e7" }) },
    fragment: "watch=e7",
  });
  assert.equal(app.store.get().isWatching, true);
  assert.deepEqual([owned(server), inStorage("fallline.owner")], [[], null]);
  app.stop();
});

test("the key is in no link, no state and no message of the socket", async () => {
  const { app, server, address, socket } = await live();
  app.play();
  const state = app.store.get();
  const texts = [
    state,
    linkOf(state, "moment"),
    linkOf(state, "recipe"),
    await app.linkTo("watch"),
    socket().messages,
    server.posted,
    server.calls,
    address,
  ].map((each) => JSON.stringify(each));
  assert.ok(texts.every((text) => text.length > 10));
  assert.deepEqual(
    texts.filter((text) => text.includes(FIRST)),
    [],
  );
  app.stop();
});

test("a stored value that is no key is replaced", () => {
  for (const value of [
    '"short"',
    '"XY"',
    `"${"G".repeat(32)}"`,
    "{}",
    "not json",
    `["${FIRST}"]`,
  ]) {
    const localStore = createLocalStore(storage({ "fallline.owner": value }));
    assert.equal(
      localStore.owner(() => FIRST),
      FIRST,
      value,
    );
  }
});

test("without storage the key lasts as long as the page", () => {
  let count = 0;
  const localStore = createLocalStore(full);
  const make = () => `${++count}`.padStart(32, "0");
  assert.deepEqual([localStore.owner(make), localStore.owner(make), count], [FIRST, FIRST, 1]);
});

test("two tabs share the key of the first", () => {
  const shared = storage();
  const [one, other] = [createLocalStore(shared), createLocalStore(shared)];
  assert.equal(
    other.owner(() => FIRST),
    one.owner(() => "2".repeat(32)),
  );
});

test("a browser's key is 32 random hex digits, different each time", () => {
  globalThis.location ??= part<Location>({ href: "http://lab/", search: "" });
  const { secret } = browserEnvironment();
  const keys = Array.from({ length: 50 }, secret);
  assert.ok(keys.every((key) => /^[0-9a-f]{32}$/.test(key)));
  assert.equal(new Set(keys).size, 50);
});
