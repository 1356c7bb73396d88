// What can be taken away from the page: addresses of files, names of pictures, and words that fit where they stood.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fitting } from "../../frontend/charts/picture.js";
import { ALL, choicesOf, filesOf, pictureName, picturesOf } from "../../frontend/state/exports.js";
import { initialState, reduce } from "../../frontend/state/reduce.js";
import { answer, catalog } from "./fake-server.mjs";

const exports = [
  { name: "recipe.json", media_type: "application/json", help: "all of it", of_first: false },
  { name: "script.py", media_type: "text/x-python", help: "a program", of_first: true },
];
const lab = (told = answer()) => [{ type: "catalog", catalog: { ...catalog, exports } }, { type: "opened", answer: told, token: "t" }].reduce(reduce, initialState());

test("files are the catalog's, of all runs or of one, and a file of one run says which", () => {
  const state = lab();
  const at = `/api/v1/experiments/${state.experiment.id}/export`;
  assert.deepEqual(filesOf(state, ALL).map(({ href, of }) => [href, of]), [[`${at}/recipe.json`, ""], [`${at}/script.py`, state.runs.gd.label]]);
  assert.deepEqual(filesOf(state, "sgd").map(({ href, of }) => [href, of]), [[`${at}/recipe.json?run=sgd`, ""], [`${at}/script.py?run=sgd`, ""]]);
  assert.deepEqual(choicesOf(state).map(({ value, text }) => [value, text]), [[ALL, "All 2 runs"], ["gd", state.runs.gd.label], ["sgd", state.runs.sgd.label]]);
});

test("pictures are named after the step that is seen", () => {
  const state = reduce(lab(), { type: "frame", runs: { gd: { status: "paused", step: 70, epoch: 70, samples_seen: 70, generation: 0, latest: {} } } });
  assert.equal(pictureName(state, "loss", "svg"), "fallline-loss-step-70.svg");
  assert.equal(pictureName(reduce(state, { type: "look", step: 12 }), "loss", "png"), "fallline-loss-step-12.png");
});

test("classes have no chart of predicted and true values", () => {
  const state = lab();
  assert.equal(picturesOf(state).length, 3);
  assert.deepEqual(picturesOf({ ...state, experiment: { ...state.experiment, classes: ["a", "b"] } }).map(({ kind }) => kind), ["loss", "gradients"]);
});

test("words that do not fit end in an ellipsis, and never in half of one", () => {
  const widthOf = (text) => 10 * text.length;
  assert.equal(fitting("momentum", 80, widthOf), "momentum");
  assert.equal(fitting("momentum", 79, widthOf), "moment…");
  assert.equal(fitting("GD with care", 45, widthOf), "GD…");
  assert.equal(fitting("momentum", 5, widthOf), "");
});
