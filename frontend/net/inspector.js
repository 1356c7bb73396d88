/**
 * Asks for the change, line by line, of the run and the step that are looked at, while its place on the page is open: one question
 * at a time, four times a second at most while the run moves, and less often where the server takes long.
 * Owns: when to ask, and for which rows and columns: those of a wide network would be megabytes, of which few are shown. Must not know what is drawn from it.
 */

import { Refused } from "./api.js";
import { WHOLE } from "../state/grids.js";
import { inspectedRun, isInspectorOpen } from "../state/inspected.js";
import { stepOf } from "../state/moments.js";

/** @typedef {import("../state/types.js").State} State */

const EVERY = 250;
const AGAIN = 1_000;
/** What one answer took, so many times, is left to the server before the next. */
const EASE = 6;

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./api.js").createApi>} given.api
 * @param {import("../state/types.js").Store} given.store
 * @param {import("../state/types.js").Environment} given.environment
 */
export function createInspector({ api, store, environment }) {
  let isAsking = false;
  let stopped = false;
  let askedAt = -Infinity;
  let took = 0;
  /** What was answered last. */
  let held = "";
  /** @type {any} */
  let timer = null;

  /** Of what the answer would be; null while nobody looks. @param {State} state */
  function wanted(state) {
    const { experiment, view, looking } = state;
    const run = inspectedRun(state);
    if (!experiment || !run || !isInspectorOpen(state, environment.narrow())) return null;
    const step = looking ? stepOf(run, looking.step) : run.step;
    return [experiment.id, run.name, run.generation, step, run.edits.length, view.firstSample, view.samplesShown].join(" ");
  }

  /** @param {State} state */
  async function ask(state) {
    const run = /** @type {import("../state/types.js").Run} */ (inspectedRun(state));
    const { id } = /** @type {NonNullable<State["experiment"]>} */ (state.experiment);
    const step = state.looking ? stepOf(run, state.looking.step) : undefined;
    const { firstSample: first, samplesShown: rows } = state.view;
    const sheet = await api.inspect(id, run.name, { step, first, rows, block: WHOLE });
    if (store.get().experiment?.id === id) store.dispatch({ type: "inspected", inspection: { experiment: id, run: run.name, sheet } });
  }

  async function turn() {
    timer = null;
    const state = store.get();
    const what = wanted(state);
    if (isAsking || stopped || what === null || what === held) return;
    if (environment.hidden()) return plan(AGAIN);
    isAsking = true;
    askedAt = environment.now();
    const trouble = await ask(state).then(() => null, (error) => error);
    took = environment.now() - askedAt;
    isAsking = false;
    if (trouble && !(trouble instanceof Refused)) throw trouble;
    if (!trouble) held = what;
    plan(trouble ? AGAIN : pause());
  }

  /** One who steps sees every step; while a run moves, four looks a second are as many as can be read. */
  function pause() {
    const { playback, looking } = store.get();
    return playback.playing && !looking ? Math.max(EVERY, EASE * took) - took : 0;
  }

  /** What was seen when it was open last is not what is there when it opens again. */
  function forget() {
    held = "";
    if (store.get().inspection) store.dispatch({ type: "inspected", inspection: null });
  }

  /** @param {number} ms */
  function plan(ms) {
    environment.clearTimeout(timer);
    if (!stopped) timer = environment.setTimeout(turn, ms);
  }

  const unwatch = store.watch(wanted, (what) => {
    if (what === null) forget();
    else if (!isAsking) plan(Math.max(0, askedAt + took + pause() - environment.now()));
  });

  return {
    stop() {
      stopped = true;
      unwatch();
      environment.clearTimeout(timer);
    },
  };
}
