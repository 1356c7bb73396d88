// Charts in another page: which ones an address asks for, the code for that page, and reading only.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  embedCode,
  embeddedIn,
  memoryStorage,
  readingOnly,
  unknownCharts,
} from "../../frontend/core/embed.ts";
import { pack } from "../../frontend/features/sharing/link-packing.ts";
import { initialState } from "../../frontend/core/reduce.ts";
import { answer } from "./fake-server.ts";
import { live, settle, world } from "./world.ts";
import type { View } from "../../frontend/core/types.ts";

test("an address names its charts, in the page's order", () => {
  const cases: [string, string[] | null][] = [
    ["", null],
    ["?fps=10", null],
    ["?EMBED=loss", null],
    ["?embed=loss", ["loss"]],
    ["?embed=gradients,loss", ["loss", "gradients"]],
    ["?embed=loss%2Cfall_line&fps=5", ["loss", "fall_line"]],
    ["?fps=5&embed=fall_line", ["fall_line"]],
  ];
  for (const [search, charts] of cases) assert.deepEqual(embeddedIn(search), charts, search);
});

test("every address with the word is of charts only, also without a known name", () => {
  for (const search of ["?embed", "?embed=", "?embed=doctor", "?%65mbed=x", "?embed=&embed=loss"])
    assert.deepEqual(embeddedIn(search), ["loss"], search);
});

test("names that are no charts are reported", () => {
  for (const search of ["", "?embed", "?embed=loss", "?embed=fall_line,gradients&x=map"])
    assert.equal(unknownCharts(search), null, search);
  assert.deepEqual(unknownCharts("?embed=map,loss,fall-line"), {
    strong: 'There is no chart "map,fall-line".',
    text: "The names are loss, fall_line and gradients.",
  });
});

const withPicture = (picture: View["picture"]) => {
  const state = initialState();
  return { ...state, view: { ...state.view, picture } };
};

test("the code frames the charts that are on the page", () => {
  const code = embedCode("http://lab/#watch=e1", withPicture("loss"));
  assert.equal(
    code,
    '<iframe src="http://lab/?embed=loss,gradients#watch=e1" title="fallline" width="100%" height="520"></iframe>',
  );
  assert.match(embedCode("http://lab/#watch=e1", withPicture("both")), /gradients#.* height="760"/);
  assert.match(
    embedCode("http://lab/#watch=e1", withPicture("fall")),
    /embed=fall_line,gradients#/,
  );
  assert.match(
    embedCode("http://lab/#watch=e1", withPicture("both")),
    /embed=loss,fall_line,gradients#/,
  );
});

test("an address cannot leave its attribute", () => {
  const code = embedCode('http://lab/"><b>&/#watch=e1', withPicture("loss"));
  assert.match(code, /src="http:\/\/lab\/&#34;&#62;&#60;b&#62;&#38;\/\?embed/);
});

test("only requests that read pass, and none with a token or a key", async () => {
  const passed: unknown[] = [];
  const fetch = readingOnly(async (address) => {
    passed.push(address);
    return new Response("{}");
  });
  await fetch("/a", { headers: { Accept: "application/json" } });
  await fetch("/b");
  const refused: RequestInit[] = [
    { method: "POST" },
    { method: "DELETE" },
    { headers: { authorization: "Bearer t" } },
    { headers: { "Fallline-Owner": "0".repeat(32) } },
  ];
  for (const request of refused) await assert.rejects(fetch("/c", request), TypeError);
  assert.deepEqual(passed, ["/a", "/b"]);
});

test("a storage in memory keeps the values put into it, and nothing else", () => {
  const storage = memoryStorage();
  assert.equal(storage.getItem("fallline.owner"), null);
  storage.setItem("a", "1");
  assert.equal(storage.getItem("a"), "1");
  storage.removeItem("a");
  assert.equal(storage.getItem("a"), null);
});

test("charts in another page watch their experiment without a token", async () => {
  const { server, app, socket } = await live({
    isEmbedded: true,
    fragment: "watch=e5",
    experiments: { e5: answer({ id: "e5", step: 40 }) },
  });
  await settle();
  assert.equal(app.store.get().experiment?.token, null);
  const [watch] = socket().messages;
  assert.deepEqual([watch.type, watch.experiment, "token" in watch], ["watch", "e5", false]);
  assert.deepEqual(
    server.calls.filter((call) => !call.startsWith("GET ")),
    [],
  );
  assert.deepEqual([...new Set(server.owners)], [null]);
  app.stop();
});

test("without an experiment to watch they say so, and create none", async () => {
  const copy = await pack({ recipe: answer().recipe, steps: { gd: 5 }, view: {} });
  for (const fragment of ["", "watch=gone", "x=1.AAAA", copy ?? ""]) {
    const { app, server } = world({ isEmbedded: true, fragment });
    await app.start();
    await settle();
    const { experiment, waitingFor } = app.store.get();
    assert.equal(experiment, null, fragment);
    assert.match(waitingFor?.title ?? "", /no experiment/, fragment);
    assert.deepEqual([server.created, server.posted], [0, {}]);
    app.stop();
  }
});
