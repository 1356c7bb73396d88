// Words for where training is: ready, paused, and on the way back to the newest step.

import assert from "node:assert/strict";
import { test } from "node:test";

import { restWord, wayBackWords } from "../../frontend/core/now-words.ts";
import { scene } from "./scenes.ts";
import type { Message } from "../../frontend/core/types.ts";

const look = (step: number): Message => ({ type: "look", step });
const playback = (playing: boolean): Message => ({
  type: "event",
  event: "playback",
  run: null,
  playing,
  speed: 60,
  pace: "steps",
});

test("a page is ready before the first step, and paused after it", () => {
  assert.equal(restWord(scene().state), "Ready");
  assert.equal(restWord(scene({ sgd: 1 }).state), "Paused");
});

test("the way back says how far training is ahead only while there is training", () => {
  const rest = scene({ gd: 360, messages: [playback(false), look(1)] }).state;
  assert.deepEqual(wayBackWords(rest), {
    live: "",
    text: "Newest step",
    title: "Back to step 360 (L)",
  });
  const { live, text, title } = wayBackWords(
    scene({ gd: 360, messages: [playback(true), look(1)] }).state,
  );
  assert.equal(live + text, "Live, 359 ahead");
  assert.equal(title, "Back to live (L): training is 359 steps ahead");
});
