// Links: packed and unpacked in all versions, and opened, watched and left by the page's whole
// logic.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { MOST_BYTES, pack, unpack } from "../../frontend/features/sharing/link-packing.ts";
import { linkOf, nextSteps, VERSION } from "../../frontend/features/sharing/links.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { createShareAddress } from "../../frontend/features/sharing/share-address.ts";
import { hasCode, noCodeWords, shareWords } from "../../frontend/features/sharing/share-words.ts";
import { answer, catalog } from "./fake-server.ts";
import { live, world } from "./world.ts";
import type { Json, Message, State, View } from "../../frontend/core/types.ts";
import type { Link } from "../../frontend/features/sharing/links.ts";
import type { Kind } from "../../frontend/features/sharing/share-words.ts";
import type { Differences } from "./fake-server.ts";

const GOLDEN = new URL("../golden/links/", import.meta.url);
const golden = readdirSync(GOLDEN).map((name) =>
  JSON.parse(readFileSync(new URL(name, GOLDEN), "utf8")),
);
const link: Link = {
  recipe: answer().recipe,
  steps: { gd: 40, sgd: 40 },
  view: { x: "epochs", hidden: ["sgd"], look: 12 },
};
const opened = (messages: Message[] = [], changes: Differences = {}) => {
  const opening = [
    { type: "catalog", catalog },
    { type: "opened", answer: answer(changes), token: "t" },
  ];
  return [...opening, ...messages].reduce(reduce, initialState());
};
const squeezed = async (text: string, version = VERSION) => {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return `x=${version}.${Buffer.from(await new Response(stream).arrayBuffer()).toString("base64url")}`;
};

test("links of every version read as their contents", async () => {
  assert.deepEqual(
    golden.map(({ fragment }) => Number(/^x=(\d+)\./.exec(fragment)![1])).sort(),
    Array.from({ length: VERSION + 1 }, (_, k) => k),
  );
  for (const { fragment, opens } of golden) assert.deepEqual(await unpack(fragment), opens);
});

test("a packed link uses the alphabet of addresses, is small, and unpacks unchanged", async () => {
  const fragment = await pack(link);
  assert.match(fragment!, /^x=1\.[\w-]+$/);
  assert.ok(fragment!.length < 700, `${fragment!.length}`);
  assert.deepEqual(await unpack(fragment!), link);
});

test("a link that is cut, changed, too new or too large is refused as such, as a whole", async () => {
  const fragment = await pack(link);
  const refusal = (text: string) =>
    unpack(text).then(
      () => assert.fail(`read ${text.slice(0, 40)}`),
      ({ problem }) => problem.detail,
    );
  for (const broken of [
    fragment!.slice(0, -20),
    fragment!.replace(/.{10}$/, "AAAAAAAAAA"),
    "x=1.",
    "x=",
    "x=1.ab%20c",
    "x=one.abc",
    await squeezed("{"),
    await squeezed("[]"),
    await squeezed("null"),
    await squeezed('{"recipe": {}}'),
    await squeezed('{"recipe": {"runs": []}, "steps": {"gd": -1}}'),
    await squeezed('{"recipe": {"runs": []}, "steps": {"gd": 1.5}}'),
    await squeezed('{"recipe": 1, "step": 2}', 0),
  ]) {
    assert.match(await refusal(broken), /incomplete or changed/, broken);
  }
  assert.match(await refusal(fragment!.replace("x=1", "x=2")), /newer fallline made it/);
  const bomb = await squeezed(`{"recipe": "${"a".repeat(100 * MOST_BYTES)}"}`);
  assert.ok(bomb.length < 20_000);
  assert.match(await refusal(bomb), /larger than any experiment/);
});

test("an unknown view keeps the reader's own", async () => {
  const { view } = await unpack(
    await squeezed(
      JSON.stringify({
        ...link,
        view: { x: "weeks", y: "linear", measure: 3, run: 4, hidden: "all", look: -1, wings: 2 },
      }),
    ),
  );
  assert.deepEqual(view, { y: "linear" });
});

test("an experiment whose recipe is too long has no link", async () => {
  const edits = Array.from({ length: 2_000 }, (_, at_step) => ({ at_step, learning_rate: 0.1 }));
  assert.equal(
    await pack({ ...link, recipe: { ...link.recipe, runs: [{ ...link.recipe.runs[0], edits }] } }),
    null,
  );
});

test("a link to the moment holds recipe, edits, steps and view; a link to the recipe has no steps", () => {
  const edit = {
    type: "event",
    event: "edit",
    run: "gd",
    step: 20,
    generation: 0,
    edit: { at_step: 20, batch_size: 32 },
  };
  const diverged = {
    type: "event",
    event: "diverged",
    run: "sgd",
    step: 30,
    generation: 0,
    diverged_at: 30,
  };
  const state = opened(
    [
      edit,
      diverged,
      { type: "hidden", run: "gd", hidden: true },
      { type: "view", part: { x: "samples", selectedRun: "sgd" } },
      { type: "look", step: 7 },
    ],
    { step: 30 },
  );
  const content = linkOf(state, "moment");
  assert.deepEqual(content!.recipe.runs[0].edits, [{ at_step: 20, batch_size: 32 }]);
  // a diverged run gets one step more, which it cannot make
  assert.deepEqual(content!.steps, { gd: 30, sgd: 31 });
  assert.deepEqual(content!.view, {
    x: "samples",
    y: "log",
    measure: "grad_l1",
    run: "sgd",
    hidden: ["gd"],
    look: 7,
  });
  assert.deepEqual(
    [linkOf(state, "recipe")!.steps, linkOf(state, "recipe")!.view.look],
    [{}, undefined],
  );
  const chosen = (...parts: Partial<View>[]) =>
    linkOf(opened(parts.map((part) => ({ type: "view", part }))), "recipe")!.view.run;
  assert.deepEqual(
    [chosen(), chosen({ selectedRun: "sgd" }, { networkRun: "gd" })],
    [undefined, "gd"],
    "the run that was chosen to be looked into",
  );
});

test("runs step together where they have the same way, by a million at a time, and stop once diverged", () => {
  assert.deepEqual(nextSteps(opened(), { gd: 40, sgd: 40 }), { steps: 40 });
  assert.deepEqual(nextSteps(opened(), { sgd: 2_500_000 }), { run: "sgd", steps: 1_000_000 });
  assert.deepEqual(nextSteps(opened([], { step: 40 }), { gd: 40, sgd: 41 }), {
    run: "sgd",
    steps: 1,
  });
  assert.equal(nextSteps(opened([], { step: 40, status: "diverged" }), { gd: 41, sgd: 41 }), null);
});

test("the sharer reads what a link cannot contain, where it works, and when there is no QR code", () => {
  const own = opened([], {
    recipe: {
      ...answer().recipe,
      data: { name: "csv", dataset: "d1", samples: 9, test_fraction: 0, seed: 0 },
    },
  });
  const words = (state: State, kind: Kind, origin = "https://lab.example") =>
    shareWords(state, kind, origin).join(" ");
  assert.match(words(own, "recipe"), /your own table, which a link cannot contain/);
  const { recipe } = answer();
  assert.match(
    words(
      opened([], { recipe: { ...recipe, network: { ...recipe.network, start: "p1" } } }),
      "moment",
    ),
    /your own file, which a link cannot contain/,
  );
  assert.doesNotMatch(words(own, "watch"), /a link cannot contain/);
  assert.doesNotMatch(words(opened(), "moment"), /a link cannot contain|this computer/);
  const here = "http://127.0.0.1:8000";
  const hint =
    /Only this computer can open it\. To let others in, start the server with --host\s0\.0\.0\.0\./;
  for (const kind of ["moment", "recipe", "watch", "embed"] as Kind[])
    assert.match(words(opened(), kind, here), hint);
  assert.match(words(opened(), "moment", here), /Elsewhere, append the part from #/);
  assert.doesNotMatch(words(opened(), "watch", here), /append/);
  for (const own of [here, "http://localhost:8000", "http://[::1]:8000/x"])
    assert.equal(hasCode(`${own}/#watch=e1`), false);
  for (const far of ["https://lab.example", "http://192.168.1.20:8000", "http://desk.local:8000/x"])
    assert.equal(hasCode(`${far}/#watch=e1`), true);
  assert.equal(hasCode(null), false);
  assert.equal(noCodeWords("x".repeat(2_953)), "");
  assert.match(noCodeWords("x".repeat(2_954)), /2,954 bytes; a QR code holds 2,953/);
});

/** Packing and unpacking take several turns. */
const until = async (holds: () => boolean) => {
  for (let tries = 0; tries < 2_000 && !holds(); tries++)
    await new Promise((go) => setTimeout(go, 5));
  assert.ok(holds());
};
test("a link keeps the moment of its request while training goes on", async () => {
  const { app, socket, id } = await live();
  const frame = (step: number) => ({
    type: "frame",
    frame: step,
    experiment: id,
    runs: { gd: { status: "playing", step, epoch: step, samples_seen: 900 * step, generation: 0 } },
  });
  socket().say(frame(7));
  const then = app.store.get();
  socket().say(frame(9));
  const stepOf = async (address: string) => (await unpack(address.split("#")[1])).steps.gd;
  assert.deepEqual(
    [
      await stepOf((await app.linkTo("moment", then))!),
      await stepOf((await app.linkTo("moment"))!),
    ],
    [7, 9],
  );
  assert.equal(await app.linkTo("watch"), `http://lab/#watch=${id}`);
  app.stop();
});

type Page = Awaited<ReturnType<typeof live>>;
const steps = (socket: Page["socket"]) =>
  socket()
    .commands()
    .filter((command) => command.do === "step");

test("a page opened by a link makes its experiment, steps and view, and undo returns to one's own", async () => {
  const stored = { "fallline.experiment": { id: "e7", token: "mine", recipe: answer().recipe } };
  const { app, server, socket, address, inStorage } = await live({
    stored,
    experiments: { e7: answer({ id: "e7", step: 41 }) },
    fragment: (await pack(link))!,
  });
  assert.deepEqual(server.posted, link.recipe);
  assert.equal(address.fragment, "");
  assert.deepEqual(
    steps(socket).map((command: Json) => command.steps),
    [40],
  );
  assert.equal(app.store.get().looking, null);
  socket().say({ type: "ack", id: steps(socket)[0].id, answer: answer({ id: "made1", step: 40 }) });
  assert.deepEqual(
    [app.store.get().looking!.step, app.store.get().view.x, app.store.get().runs.sgd.hidden],
    [12, "epochs", true],
  );
  assert.equal(inStorage("fallline.formers")[0].id, "e7");
  assert.equal(steps(socket).length, 1);
  await app.undo();
  const { experiment, view } = app.store.get();
  assert.deepEqual(
    [experiment!.id, experiment!.token, view.x, inStorage("fallline.formers")[0].id],
    ["e7", "mine", "steps", "made1"],
  );
  assert.ok(!server.calls.some((call) => call.startsWith("DELETE")));
  app.stop();
});

test("one's own experiment is kept through any changes of a link's", async () => {
  const { app, server, socket, id, address, clock } = await live({ haste: 200 });
  address.fragment = (await pack(link))!;
  clock.signal("link");
  await until(() => app.store.get().experiment!.id === "made2");
  for (const seed of [1, 2, 3]) await app.newExperiment({ data: { seed } });
  socket().answer();
  await until(() => server.calls.includes("DELETE /experiments/made3"));
  assert.ok(app.hasFormer());
  await app.goBack();
  assert.equal(app.store.get().experiment!.id, id);
  assert.ok(!server.calls.includes(`DELETE /experiments/${id}`));
  app.stop();
});

test("the experiment before the last is deleted, but only after the socket has moved on", async () => {
  const { app, server, socket, id } = await live({ haste: 200 });
  for (const seed of [1, 2]) await app.newExperiment({ data: { seed } });
  await new Promise((go) => setTimeout(go, 50));
  assert.ok(
    !server.calls.some((call) => call.startsWith("DELETE")),
    "a socket that watches what is deleted is told that it is gone",
  );
  socket().answer();
  await until(() => server.calls.includes(`DELETE /experiments/${id}`));
  app.stop();
});

test("experiments left for several links are all kept: going back leads through them", async () => {
  const { app, address, clock, inStorage } = await live();
  for (const next of ["made2", "made3"]) {
    address.fragment = (await pack(link))!;
    clock.signal("link");
    await until(() => app.store.get().experiment!.id === next);
  }
  const visited = [];
  for (let k = 0; k < 3; k++) {
    await app.goBack();
    visited.push(app.store.get().experiment!.id, app.store.get().experiment!.token);
  }
  assert.deepEqual(visited, [
    "made2",
    "token of made2",
    "made1",
    "token of made1",
    "made3",
    "token of made3",
  ]);
  assert.equal(inStorage("fallline.formers").length, 2);
  app.stop();
});

test("a link's steps end at another command or a refusal", async () => {
  for (const drive of [
    (page: Page) => page.app.play(),
    ({ socket }: Page) =>
      socket().say({
        type: "error",
        id: steps(socket)[0].id,
        problem: { title: "No", status: 409 },
      }),
  ]) {
    const page = await live({ fragment: (await pack({ ...link, steps: { gd: 40, sgd: 50 } }))! });
    drive(page);
    page.socket().say({
      type: "ack",
      id: steps(page.socket)[0].id,
      answer: answer({ id: "made1", step: 40 }),
    });
    assert.equal(steps(page.socket).length, 1);
    page.app.stop();
  }
});

test("an unreadable link keeps the present experiment, at the start and later", async () => {
  const stored = { "fallline.experiment": { id: "e7", token: "mine", recipe: answer().recipe } };
  const { app, server, address, clock } = await live({
    stored,
    experiments: { e7: answer({ id: "e7" }) },
    fragment: "x=1.broken",
  });
  const { experiment, problem } = app.store.get();
  assert.deepEqual(
    [experiment!.id, experiment!.token, problem!.title],
    ["e7", "mine", "This link cannot be opened."],
  );
  server.refuse = {
    title: "The request is not valid",
    errors: [{ pointer: "/data/dataset", detail: "no such table" }],
  };
  address.fragment = (await pack(link))!;
  clock.signal("link");
  await until(() => app.store.get().problem?.title === "This link's data is not on this server.");
  server.refuse = {
    title: "The request is not valid",
    errors: [{ pointer: "/network/start", detail: "no such parameters" }],
  };
  clock.signal("link");
  await until(
    () => app.store.get().problem?.title === "This link's initial weights are not on this server.",
  );
  server.refuse = { title: "Above a limit of this server", errors: [] };
  clock.signal("link");
  await until(() => app.store.get().problem?.title === "Above a limit of this server");
  assert.deepEqual([app.store.get().experiment!.id, app.store.get().loading], ["e7", null]);
  app.stop();
});

test("a visitor holds no token, requests no changes, and finds their own experiment unchanged", async () => {
  const stored = { "fallline.experiment": { id: "e7", token: "mine", recipe: answer().recipe } };
  const { app, server, socket, address, inStorage } = await live({
    stored,
    experiments: { e7: answer({ id: "e7" }), theirs: answer({ id: "theirs", step: 30 }) },
    fragment: "watch=theirs",
  });
  const { experiment, isWatching } = app.store.get();
  assert.deepEqual(
    [experiment!.id, experiment!.token, isWatching, address.fragment],
    ["theirs", null, true, "watch=theirs"],
  );
  assert.equal(socket().messages.find(({ type }) => type === "watch")!.token, undefined);
  app.play();
  app.edit("gd", { learning_rate: 1 });
  assert.deepEqual(socket().commands(), []);
  assert.equal(inStorage("fallline.experiment").id, "e7");
  await app.copyOfOwn();
  assert.deepEqual(
    [
      app.store.get().experiment!.id,
      app.store.get().isWatching,
      address.fragment,
      server.posted.runs.length,
    ],
    ["made1", false, "", 2],
  );
  socket().say({ type: "experiment", experiment: "made1", state: answer({ id: "made1" }) });
  assert.deepEqual(
    steps(socket).map((command: Json) => command.steps),
    [30],
  );
  await app.goBack();
  assert.equal(app.store.get().experiment!.id, "e7");
  assert.ok(!server.calls.some((call) => call.startsWith("DELETE")));
  app.stop();
});

test("opening something else while watching keeps one's own for undo and later visits", async () => {
  const stored = { "fallline.experiment": { id: "e7", token: "mine", recipe: answer().recipe } };
  const { app, server, socket } = await live({
    stored,
    experiments: { e7: answer({ id: "e7" }), theirs: answer({ id: "theirs" }) },
    fragment: "watch=theirs",
    haste: 200,
  });
  const file = (seed: number) => new File([JSON.stringify({ data: { seed } })], "recipe.json");
  await app.openFile(file(1));
  assert.deepEqual([app.store.get().experiment!.id, app.store.get().isWatching], ["made1", false]);
  await app.undo();
  assert.deepEqual(
    [app.store.get().experiment!.id, app.store.get().experiment!.token],
    ["e7", "mine"],
  );
  for (const seed of [2, 3, 4]) await app.openFile(file(seed));
  socket().answer();
  await until(() => server.calls.includes("DELETE /experiments/made2"));
  assert.ok(!server.calls.includes("DELETE /experiments/e7"));
  await app.goBack();
  assert.equal(app.store.get().experiment!.id, "e7");
  app.stop();
});

test("a missing experiment to watch gives a notice, beside one's own", async () => {
  const { app } = world({ fragment: "watch=gone" });
  await app.start();
  assert.deepEqual(
    [app.store.get().experiment!.id, app.store.get().problem!.title],
    ["made1", "The experiment to watch is not there."],
  );
  app.stop();
});

test("a link has an address that others reach, also on a page at the machine's own name", async () => {
  const there = "http://192.168.1.20:8000";
  const linkAt = (address: string, addresses: string[]) =>
    createShareAddress({
      api: { addresses: async () => ({ addresses }) },
      environment: { address },
    } as unknown as Parameters<typeof createShareAddress>[0])();
  for (const own of ["http://localhost:8000", "http://laptop:8000", "http://[::1]:8000"]) {
    assert.equal(await linkAt(own, [there]), there);
    assert.equal(await linkAt(own, []), own);
  }
  for (const own of ["http://lab.example", "http://192.168.1.7:8000", "http://[fd00::2]:8000"])
    assert.equal(await linkAt(own, [there]), own);
});
