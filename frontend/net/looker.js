/**
 * Requests the runs at the past step on view. It makes one look at a time, then looks at the step wanted by then. A
 * dragged handle sends requests no faster than the server answers.
 * Owns: when to request, and which runs.
 */

import { Refused } from "./api.js";
import { showsMap } from "../state/decision-map.js";
import { lookQuery, readLook } from "../state/looks.js";
import { stepOf } from "../state/moments.js";
import { readingsOf, trendOf } from "../state/selectors.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Run} Run */

const AGAIN = 1_000;

/**
 * @param {object} options
 * @param {ReturnType<typeof import("./api.js").createApi>} options.api
 * @param {import("../state/types.js").Store} options.store
 * @param {(run: string) => import("../state/types.js").RunSeries|null} options.seriesOf
 * @param {import("../state/types.js").Environment} options.environment
 */
export function createPastView({ api, store, seriesOf, environment }) {
  let isLooking = false;
  let stopped = false;
  /** @type {any} */
  let timer = null;
  /** The last answers by run, so that none is requested twice. @type {Map<string, string>} */
  const done = new Map();
  /** Number of looks that have ended: an answer after the end of its look is dropped. */
  let ended = 0;

  /** True if losses up to a step are here: the state of a run depends on them. @param {Run} run @param {number} step */
  function hasLosses(run, step) {
    const series = seriesOf(run.name);
    return !series?.length ? step === 0 : series.last[series.length - 1] >= step - 1;
  }

  /** @param {State} state @param {Run} run */
  function moment(state, run) {
    const step = stepOf(run, state.looking?.step ?? 0);
    return [ended, state.experiment?.id, run.generation, step, state.view.networkRun === run.name, showsMap(state), hasLosses(run, step)].join(" ");
  }

  /** @param {State} state */
  const targets = (state) => (state.looking ? state.order.map((name) => moment(state, state.runs[name])) : []);

  /** @param {State} state @param {Run} run */
  async function look(state, run) {
    const id = /** @type {NonNullable<State["experiment"]>} */ (state.experiment).id;
    const step = stepOf(run, state.looking?.step ?? 0);
    const isDrawn = state.view.networkRun === run.name;
    const answer = await api.instrument(id, run.name, "moment", step, lookQuery({ weights: isDrawn, predictions: !showsMap(state) }));
    const weights = state.looking?.moments[run.name]?.weights ?? null;
    return { ...answer, predictions: null, weights, ...readLook(answer), trend: trendOf(readingsOf(seriesOf(run.name), step), step) };
  }

  /** @param {State} state */
  async function lookAtAll(state) {
    const runs = state.order.map((name) => state.runs[name]).filter((run) => done.get(run.name) !== moment(state, run));
    const moments = runs.map((run) => moment(state, run));
    const answers = await Promise.all(runs.map((run) => look(state, run)));
    for (const [place, run] of runs.entries()) done.set(run.name, moments[place]);
    if (store.get().experiment?.id !== state.experiment?.id) return;
    store.dispatch({ type: "moments", moments: Object.fromEntries(runs.map(({ name }, place) => [name, answers[place]])) });
  }

  async function turn() {
    const state = store.get();
    if (isLooking || stopped || !state.looking || !state.experiment) return;
    isLooking = true;
    const before = targets(state).join();
    const trouble = await lookAtAll(state).then(() => null, (error) => error);
    isLooking = false;
    if (trouble) return refused(trouble);
    if (targets(store.get()).join() !== before) void turn();
  }

  /** Leaves a past that no longer exists (reset or removed run); waits if the connection is cut. @param {unknown} error */
  function refused(error) {
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
