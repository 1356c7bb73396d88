/**
 * Requests a past step on view line by line while the inspector is open, one request at a time. The
 * present one comes with the beat.
 * Owns: when to request, and which rows and columns, because a wide network has megabytes of them.
 */

import { Refused } from "../../core/net/api.ts";
import { inspectedRun, WHOLE } from "../../core/inspected.ts";
import { stepOf } from "../../core/state-on-view.ts";
import type { Run, State } from "../../core/types.ts";
import type { Clients } from "../../core/net/api.ts";

const AGAIN = 1_000;

export function createStepRequests({ api, store, environment }: Clients) {
  let isAsking = false;
  let stopped = false;
  /** Key of the last answer. */
  let current = "";
  let timer: any = null;

  /** Key of the answer that the past view needs; "" if it needs none, null while the inspector is closed. */
  function target(state: State) {
    const { experiment, view, looking } = state;
    const run = inspectedRun(state);
    if (!experiment || !run || !view.inspector) return null;
    if (!looking) return "";
    return [
      experiment.id,
      run.name,
      run.generation,
      stepOf(run, looking.step),
      run.edits.length,
      view.firstSample,
      view.samplesShown,
    ].join(" ");
  }

  async function ask(state: State) {
    const run = inspectedRun(state) as Run;
    const { id } = state.experiment as NonNullable<State["experiment"]>;
    const step = stepOf(run, state.looking?.step ?? run.step);
    const { firstSample: first, samplesShown: rows } = state.view;
    const sheet = await api.inspect(id, run.name, { step, first, rows, block: WHOLE });
    const now = store.get();
    if (now.experiment?.id === id && now.looking)
      store.dispatch({ type: "inspected", inspection: { experiment: id, run: run.name, sheet } });
  }

  async function turn() {
    timer = null;
    const state = store.get();
    const what = target(state);
    if (isAsking || stopped || !what || what === current) return;
    if (environment.hidden()) return plan(AGAIN);
    isAsking = true;
    const trouble = await ask(state).then(
      () => null,
      (error) => error,
    );
    isAsking = false;
    if (trouble && !(trouble instanceof Refused)) throw trouble;
    if (!trouble) current = what;
    plan(trouble ? AGAIN : 0);
  }

  function plan(ms: number) {
    environment.clearTimeout(timer);
    if (!stopped) timer = environment.setTimeout(turn, ms);
  }

  const unwatch = store.watch(target, (what) => {
    if (!what) current = "";
    // the last answer may be out of date when the inspector opens again
    if (what === null && store.get().inspection)
      store.dispatch({ type: "inspected", inspection: null });
    if (what && !isAsking) plan(0);
  });

  return {
    stop() {
      stopped = true;
      unwatch();
      environment.clearTimeout(timer);
    },
  };
}
