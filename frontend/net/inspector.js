/**
 * Requests the step on view line by line while the inspector is open. It sends one request at a time, and at most four
 * a second while the run moves.
 * Owns: when to request, and which rows and columns, because a wide network has megabytes of them.
 */

import { Refused } from "./api.js";
import { WHOLE } from "../state/grids.js";
import { inspectedRun, isInspectorOpen } from "../state/inspected.js";
import { stepOf } from "../state/moments.js";

/** @typedef {import("../state/types.js").State} State */

const EVERY = 250;
const AGAIN = 1_000;
/** Wait after an answer, as a multiple of the time it took. */
const EASE = 6;

/**
 * @param {object} options
 * @param {ReturnType<typeof import("./api.js").createApi>} options.api
 * @param {import("../state/types.js").Store} options.store
 * @param {import("../state/types.js").Environment} options.environment
 */
export function createStepRequests({ api, store, environment }) {
  let isAsking = false;
  let stopped = false;
  let askedAt = -Infinity;
  let took = 0;
  /** Key of the last answer. */
  let current = "";
  /** @type {any} */
  let timer = null;

  /** Key of the answer that the view needs; null while the inspector is closed. @param {State} state */
  function target(state) {
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
    const what = target(state);
    if (isAsking || stopped || what === null || what === current) return;
    if (environment.hidden()) return plan(AGAIN);
    isAsking = true;
    askedAt = environment.now();
    const trouble = await ask(state).then(() => null, (error) => error);
    took = environment.now() - askedAt;
    isAsking = false;
    if (trouble && !(trouble instanceof Refused)) throw trouble;
    if (!trouble) current = what;
    plan(trouble ? AGAIN : pause());
  }

  /** Single steps are all shown; a moving run is read at most four times a second. */
  function pause() {
    const { playback, looking } = store.get();
    return playback.playing && !looking ? Math.max(EVERY, EASE * took) - took : 0;
  }

  /** Drops the last answer, which may be out of date when the inspector opens again. */
  function forget() {
    current = "";
    if (store.get().inspection) store.dispatch({ type: "inspected", inspection: null });
  }

  /** @param {number} ms */
  function plan(ms) {
    environment.clearTimeout(timer);
    if (!stopped) timer = environment.setTimeout(turn, ms);
  }

  const unwatch = store.watch(target, (what) => {
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
