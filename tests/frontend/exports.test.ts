// Exports: addresses of files, names of pictures, and text that fits.

import assert from "node:assert/strict";
import { test } from "node:test";

import { mosaic } from "../../frontend/charts/picture.ts";
import {
  ALL,
  choicesOf,
  filesOf,
  pictureName,
  picturesOf,
} from "../../frontend/features/sharing/exports.ts";
import { initialState, reduce } from "../../frontend/core/reduce.ts";
import { openedAs } from "../../frontend/features/sharing/opened-file.ts";
import { changedRecipe, freshWords } from "../../frontend/core/recipes.ts";
import { answer, catalog, classified } from "./fake-server.ts";
import { live } from "./world.ts";
import type { Json, State } from "../../frontend/core/types.ts";

const exports = [
  { name: "recipe.json", media_type: "application/json", help: "all of it", of_first: false },
  { name: "script.py", media_type: "text/x-python", help: "a program", of_first: true },
];
const lab = (reply = answer()) =>
  [
    { type: "catalog", catalog: { ...catalog, exports } },
    { type: "opened", answer: reply, token: "t" },
  ].reduce(reduce, initialState());

test("files come from the catalog, for all runs or one, and a file of one run names it", () => {
  const state = lab();
  const at = `api/v1/experiments/${state.experiment!.id}/export`;
  assert.deepEqual(
    filesOf(state, ALL).map(({ href, of }) => [href, of]),
    [
      [`${at}/recipe.json`, ""],
      [`${at}/script.py`, state.runs.gd.label],
    ],
  );
  assert.deepEqual(
    filesOf(state, "sgd").map(({ href, of }) => [href, of]),
    [
      [`${at}/recipe.json?run=sgd`, ""],
      [`${at}/script.py?run=sgd`, ""],
    ],
  );
  assert.deepEqual(
    choicesOf(state).map(({ value, text }) => [value, text]),
    [
      [ALL, "Both runs"],
      ["gd", state.runs.gd.label],
      ["sgd", state.runs.sgd.label],
    ],
  );
});

test("pictures are named after the step on view", () => {
  const state = reduce(lab(), {
    type: "frame",
    runs: {
      gd: { status: "paused", step: 70, epoch: 70, samples_seen: 70, generation: 0, latest: {} },
    },
  });
  assert.equal(pictureName(state, "loss", "svg"), "fallline-loss-step-70.svg");
  assert.equal(
    pictureName(reduce(state, { type: "look", step: 12 }), "loss", "png"),
    "fallline-loss-step-12.png",
  );
});

test("classes over two inputs can be exported as a picture while the map is on view", () => {
  const state = lab(classified(2));
  // on a narrow page the map is a picture in place of the loss
  const kinds = (of: State) => picturesOf(of, 800).map(({ kind }) => kind);
  assert.deepEqual(kinds(lab()), ["loss", "gradients", "scatter"]);
  assert.deepEqual(kinds(state), ["loss", "gradients", "map"]);
  assert.deepEqual(kinds(reduce(state, { type: "view", part: { predicted: "table" } })), [
    "loss",
    "gradients",
  ]);
  assert.deepEqual(kinds(lab(classified(3))), ["loss", "gradients"]);
  assert.equal(pictureName(state, "map", "svg"), "fallline-map-step-0.svg");
});

test("the pictures of the stage that are on view can be exported", () => {
  const kinds = (state: State, width: number) => picturesOf(state, width).map(({ kind }) => kind);
  const at = (state: State, picture: State["view"]["picture"]) =>
    reduce(state, { type: "view", part: { picture } });
  const two = lab(classified(2));
  assert.deepEqual(kinds(two, 1440), ["loss", "data", "gradients", "map"]);
  assert.deepEqual(kinds(at(two, "data"), 800), ["data", "gradients", "map"]);
  assert.deepEqual(kinds(at(two, "fall"), 1440), ["fall-line", "gradients", "map"]);
  assert.deepEqual(kinds(at(lab(), "both"), 1920), ["loss", "fall-line", "gradients", "scatter"]);
  assert.deepEqual(kinds(lab(), 1440), ["loss", "gradients", "scatter"]);
  assert.equal(pictureName(two, "data", "png"), "fallline-decision-step-0.png");
  assert.equal(pictureName(two, "fall-line", "svg"), "fallline-fall-line-step-0.svg");
});

test("pixels become rectangles by colour, one for each stretch of a row; transparent ones are skipped", () => {
  const [red, blue, clear] = [
    [200, 0, 0, 255],
    [0, 0, 200, 255],
    [9, 9, 9, 0],
  ];
  assert.deepEqual(mosaic([red, red, blue, blue, blue, red, red, clear, clear].flat(), 3), [
    { fill: "rgb(200,0,0)", d: "M0,0h2v1h-2zM2,1h1v1h-1zM0,2h1v1h-1z" },
    { fill: "rgb(0,0,200)", d: "M2,0h1v1h-1zM0,1h2v1h-2z" },
  ]);
});

const file = (name: string, text: string) => new File([text], name);

test("opening a recipe starts another experiment, and undo returns to the one before", async () => {
  const { app, server, id } = await live();
  const recipe = structuredClone(app.store.get().experiment!.recipe);
  recipe.runs[0].edits = [{ at_step: 3, batch_size: 1 }];
  await app.openFile(file("recipe.json", JSON.stringify(recipe)));
  assert.deepEqual(server.posted, recipe);
  assert.notEqual(app.store.get().experiment!.id, id);
  assert.match(app.store.get().notice!.text, /^Opened from recipe\.json, at step 0\./);
  await app.undo();
  assert.equal(app.store.get().experiment!.id, id);
  app.stop();
});

test("opened parameters are the start of a new experiment with the same recipe", async () => {
  const { app, server } = await live();
  await app.openFile(file("gd-parameters.npz", "PK"));
  assert.deepEqual([server.posted.network.start, server.posted.network.layers.length], ["p1", 2]);
  assert.match(app.store.get().notice!.text, /^Weights from a file: both runs start/);
  app.stop();
});

test("an unreadable file gives a notice, and the experiment stays", async () => {
  const { app, id } = await live();
  for (const [name, text, words] of [
    ["notes.txt", "", /notes\.txt is neither/],
    ["recipe.json", "[1]", /holds no recipe/],
    ["recipe.json", "{", /holds no recipe/],
    ["w.npz", "no", /cannot be used/],
  ] as const) {
    await app.openFile(file(name, text));
    assert.match(app.store.get().problem!.title, words);
    assert.equal(app.store.get().experiment!.id, id);
    app.dismiss();
  }
  assert.deepEqual(openedAs("W.NPZ"), { isParameters: true });
  app.stop();
});

test("a changed network gets new initial weights; other changes keep the weights of a file", () => {
  const reply = answer();
  const state = lab({
    ...reply,
    recipe: { ...reply.recipe, network: { ...reply.recipe.network, start: "p1" } },
  });
  const start = (changes: Json) => changedRecipe(state, changes).network.start;
  assert.deepEqual(
    [
      start({ data: { seed: 3 } }),
      start({ network: { weights: "he" } }),
      start({ network: { start: "p2" } }),
    ],
    ["p1", undefined, "p2"],
  );
  assert.match(freshWords({ network: { start: "p2" } }, 1), /^Weights from a file: the run starts/);
});
