// Words for where training is: ready, paused, and on the way back to the newest step.

import assert from "node:assert/strict";
import { test } from "node:test";

import { aheadWords, endWords, restWord, wayBackWords } from "../../frontend/core/now-words.ts";
import { scene } from "./scenes.ts";
import type { Message, State } from "../../frontend/core/types.ts";

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

test("where no run can go on nothing is ready, and words say what helps", () => {
  const end = (run: string, event: "diverged" | "finished"): Message => ({
    type: "event",
    event,
    run,
    step: 0,
    diverged_at: 0,
  });
  const ended = (...messages: Message[]) => scene({ messages }).state;
  const words = (state: State) => [restWord(state), endWords(state)];
  assert.deepEqual(words(ended(end("gd", "diverged"))), ["Ready", null]);
  assert.deepEqual(words(ended(end("gd", "diverged"), end("sgd", "diverged"))), [
    "Stopped",
    "Every run has diverged. Lower the rate, then reset.",
  ]);
  assert.deepEqual(words(ended(end("gd", "diverged"), end("sgd", "finished"))), [
    "Stopped",
    "Every run has stopped. Reset one, or add another.",
  ]);
});

test("the way back says how far it is, and what is live only while there is training", () => {
  const rest = scene({ gd: 360, messages: [playback(false), look(1)] }).state;
  assert.deepEqual(wayBackWords(rest), {
    back: "359 steps back",
    text: "Newest step",
    title: "Back to step 360 (L)",
  });
  assert.equal(aheadWords(rest), "");
  const state = scene({ gd: 360, messages: [playback(true), look(1)] }).state;
  const { back, text, title } = wayBackWords(state);
  assert.deepEqual([back, text], ["359 steps back", "Back to live"]);
  assert.equal(aheadWords(state), "359 ahead");
  const { state: near } = scene({ gd: 360, messages: [playback(true), look(359)] });
  assert.equal(wayBackWords(near).back, "1 step back");
  assert.equal(aheadWords(scene({ gd: 360, messages: [playback(true)] }).state), "");
  assert.equal(title, "Back to live (L): training is 359 steps ahead");
});
