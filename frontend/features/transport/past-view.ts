/**
 * Requests the runs at the past step on view. It makes one look at a time, then looks at the step
 * wanted by then. A dragged handle sends requests no faster than the server answers.
 * Owns: when to request, and which runs.
 */

import { Refused } from "../../core/net/api.ts";
import { showsMap } from "../../core/decision-map.ts";
import { lookQuery, readLook } from "../../core/run-look.ts";
import { stepOf } from "../../core/state-on-view.ts";
import type { Clients } from "../../core/net/api.ts";
import type { Run, State } from "../../core/types.ts";

const AGAIN = 1_000;

export function createPastView({ api, store, environment }: Clients) {
  let isLooking = false;
  let stopped = false;
  let timer: any = null;
  /** The last answers by run, so that none is requested twice. */
  const done: Map<string, string> = new Map();
  /** Number of looks that have ended: an answer after the end of its look is dropped. */
  let ended = 0;

  /** The Doctor has looked that far at every run: verdict and harm of then are known. */
  const isExamined = ({ runs, looking }: State) =>
    Object.values(runs).every((run) => run.findingsCompleteTo >= stepOf(run, looking?.step ?? 0));

  function moment(state: State, run: Run) {
    const step = stepOf(run, state.looking?.step ?? 0);
    return [
      ended,
      state.experiment?.id,
      run.generation,
      step,
      run.findingsCompleteTo >= step,
      isExamined(state),
      state.view.networkRun === run.name,
      showsMap(state),
    ].join(" ");
  }

  const targets = (state: State) =>
    state.looking ? state.order.map((name) => moment(state, state.runs[name])) : [];

  async function look(state: State, run: Run) {
    const id = (state.experiment as NonNullable<State["experiment"]>).id;
    const step = stepOf(run, state.looking?.step ?? 0);
    const isDrawn = state.view.networkRun === run.name;
    const answer = await api.instrument(
      id,
      run.name,
      "moment",
      step,
      lookQuery({ weights: isDrawn, predictions: !showsMap(state) }),
    );
    const weights = state.looking?.moments[run.name]?.weights ?? null;
    return {
      ...answer,
      predictions: null,
      weights,
      ...readLook(answer),
    };
  }

  async function lookAtAll(state: State) {
    const runs = state.order
      .map((name) => state.runs[name])
      .filter((run) => done.get(run.name) !== moment(state, run));
    const moments = runs.map((run) => moment(state, run));
    const answers = await Promise.all(runs.map((run) => look(state, run)));
    for (const [place, run] of runs.entries()) done.set(run.name, moments[place]);
    if (store.get().experiment?.id !== state.experiment?.id) return;
    store.dispatch({
      type: "moments",
      moments: Object.fromEntries(runs.map(({ name }, place) => [name, answers[place]])),
    });
  }

  async function turn() {
    const state = store.get();
    if (isLooking || stopped || !state.looking || !state.experiment) return;
    isLooking = true;
    const before = targets(state).join();
    const trouble = await lookAtAll(state).then(
      () => null,
      (error) => error,
    );
    isLooking = false;
    if (trouble) return refused(trouble);
    if (targets(store.get()).join() !== before) void turn();
  }

  /** Leaves a past that no longer exists (reset or removed run); waits if the connection is cut. */
  function refused(error: unknown) {
    if (!(error instanceof Refused)) throw error;
    environment.clearTimeout(timer);
    if (!stopped) timer = environment.setTimeout(turn, AGAIN);
  }

  const unwatch = store.watch(targets, (moments) => {
    // results belong to the look that has ended
    if (!moments.length) ended++;
    else void turn();
  });

  return {
    stop() {
      stopped = true;
      unwatch();
      environment.clearTimeout(timer);
    },
  };
}
