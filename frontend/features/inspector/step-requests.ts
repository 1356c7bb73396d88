/**
 * Requests the step on view line by line while the inspector is open. It sends one request at a
 * time, and at most four a second while the run moves.
 * Owns: when to request, and which rows and columns, because a wide network has megabytes of them.
 */

import { Refused } from "../../core/net/api.ts";
import { WHOLE } from "./grids.ts";
import { inspectedRun } from "../../core/inspected.ts";
import { stepOf } from "../../core/state-on-view.ts";
import type { Run, State } from "../../core/types.ts";
import type { Clients } from "../../core/net/api.ts";

const EVERY = 250;
const AGAIN = 1_000;
/** Wait after an answer, as a multiple of the time it took. */
const EASE = 6;

export function createStepRequests({ api, store, environment }: Clients) {
  let isAsking = false;
  let stopped = false;
  let askedAt = -Infinity;
  let took = 0;
  /** Key of the last answer. */
  let current = "";
  let timer: any = null;

  /** Key of the answer that the view needs; null while the inspector is closed. */
  function target(state: State) {
    const { experiment, view, looking } = state;
    const run = inspectedRun(state);
    if (!experiment || !run || !state.view.inspector) return null;
    const step = looking ? stepOf(run, looking.step) : run.step;
    return [
      experiment.id,
      run.name,
      run.generation,
      step,
      run.edits.length,
      view.firstSample,
      view.samplesShown,
    ].join(" ");
  }

  async function ask(state: State) {
    const run = inspectedRun(state) as Run;
    const { id } = state.experiment as NonNullable<State["experiment"]>;
    const step = state.looking ? stepOf(run, state.looking.step) : undefined;
    const { firstSample: first, samplesShown: rows } = state.view;
    const sheet = await api.inspect(id, run.name, { step, first, rows, block: WHOLE });
    if (store.get().experiment?.id === id)
      store.dispatch({ type: "inspected", inspection: { experiment: id, run: run.name, sheet } });
  }

  async function turn() {
    timer = null;
    const state = store.get();
    const what = target(state);
    if (isAsking || stopped || what === null || what === current) return;
    if (environment.hidden()) return plan(AGAIN);
    isAsking = true;
    askedAt = environment.now();
    const trouble = await ask(state).then(
      () => null,
      (error) => error,
    );
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

  function plan(ms: number) {
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
