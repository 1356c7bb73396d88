/**
 * Looks at the runs' instruments: predictions, units and weights; four times a second while they move, and at once where
 * they stand still at another step, so that what is drawn is of the step that is named. Less often where the server takes
 * long to answer, and only at what can be seen: many pages look at one small machine.
 * Owns: when to look, and at which runs. Must not know what is drawn from it.
 */

import { showsMap } from "../state/decision-map.js";
import { lookQuery, readLook } from "../state/looks.js";
import { isLeaving, readingsOf, trendOf } from "../state/selectors.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").RunSeries} RunSeries */

const EVERY = 250;
/** Steps made one by one, with a held key, are not each looked at. */
const LEAST = 100;
const TROUBLED = 2_000;
/** What one look took, so many times, is left to the server before the next. */
const EASE = 4;
/** So many parameters cost next to nothing: they are asked for of each run, and another one is drawn at once. */
const FEW = 500;

/**
 * @param {object} given
 * @param {ReturnType<typeof import("./api.js").createApi>} given.api
 * @param {import("../state/types.js").Store} given.store
 * @param {(run: string) => RunSeries|null} given.seriesOf
 * @param {import("../state/types.js").Environment} given.environment
 */
export function createObserver({ api, store, seriesOf, environment }) {
  /** Where each run stood when it was last looked at. @type {Map<string, string>} */
  let seen = new Map();
  /** @type {any} */
  let timer = null;
  let lookedAt = -Infinity;
  let isLooking = false;
  let isUrgent = false;
  let stopped = false;
  /** @type {(() => void)[]} */
  let unwatch = [];

  /** Network and scatter stand beside the charts, on a phone behind a tab. Dead units are told of everywhere. @param {State} state */
  const isOpen = ({ view }) => view.tab !== "charts" || view.isPictured || !environment.narrow();

  /** @param {State} state @param {Run} run */
  const moment = (state, run) => [state.experiment?.id, run.generation, run.step, state.view.networkRun === run.name, run.hidden, isOpen(state), showsMap(state)].join(" ");

  /** Where the runs stand, once they stand still and are what one looks at. @param {State} state */
  const standing = (state) => (state.playback.playing || state.looking ? [] : state.order.map((name) => moment(state, state.runs[name])));

  /** What can be seen: another network, another tab, a run that is shown again. @param {State} state */
  const open = (state) => [isOpen(state), showsMap(state), state.view.networkRun, ...Object.values(state.runs).map(({ hidden }) => hidden)];

  /** One question a run: what two answers tell would be of two steps. @param {State} state @param {Run} run */
  async function look(state, run) {
    const { id, parameters } = /** @type {NonNullable<State["experiment"]>} */ (state.experiment);
    const trend = trendOf(readingsOf(seriesOf(run.name)), run.step);
    const isDrawn = state.view.networkRun === run.name;
    if (!isOpen(state) || (run.hidden && !isDrawn)) return { units: await api.instrument(id, run.name, "units"), trend };
    const query = lookQuery({ weights: isDrawn || parameters <= FEW, predictions: !run.hidden && !showsMap(state) });
    return { ...readLook(await api.instrument(id, run.name, "views", undefined, query)), trend };
  }

  /** @param {State} state */
  async function lookAtAll(state) {
    // one that is to go may be gone before it is asked of
    const there = state.order.filter((name) => !isLeaving(state, name)).map((name) => state.runs[name]);
    const moved = there.filter((run) => seen.get(run.name) !== moment(state, run));
    if (moved.length) {
      const found = await Promise.all(moved.map((run) => look(state, run)));
      for (const run of moved) seen.set(run.name, moment(state, run));
      if (store.get().experiment?.id !== state.experiment?.id) return;
      store.dispatch({ type: "measured", runs: Object.fromEntries(moved.map((run, place) => [run.name, { generation: run.generation, ...found[place] }])) });
    }
    // also of runs that have been looked at where they stand: it was not known then that they stand
    await askForLosses(standing(state));
  }

  /** Not while an answer is on its way that will tell them. */
  function areLossesMissing() {
    const { pending, runs } = store.get();
    return !Object.keys(pending).length && Object.values(runs).some(({ step, latest }) => step > 0 && (latest.train_loss?.step ?? 0) < step);
  }

  /**
   * Runs that somebody else has stopped: this page got no answer with the losses of the parameters now, and frames end a step before.
   * @param {string[]} moments
   */
  async function askForLosses(moments) {
    const { experiment } = store.get();
    if (!experiment || !moments.length || !areLossesMissing()) return;
    const answer = await api.experiment(experiment.id);
    // an answer that something has overtaken since would bring back what was
    if (areLossesMissing() && standing(store.get()).join() === moments.join()) store.dispatch({ type: "experiment", state: answer });
  }

  async function turn() {
    timer = null;
    isLooking = true;
    isUrgent = false;
    lookedAt = environment.now();
    const state = store.get();
    const on = state.experiment && !state.looking && ["ready", "live"].includes(state.connection.status) && !environment.hidden();
    const fine = !on || (await lookAtAll(state).then(() => true, () => false));
    isLooking = false;
    if (fine && isUrgent) return hurry();
    plan(fine ? Math.min(TROUBLED, Math.max(EVERY, EASE * (environment.now() - lookedAt))) : TROUBLED);
  }

  /** @param {number} ms */
  function plan(ms) {
    environment.clearTimeout(timer);
    if (!stopped) timer = environment.setTimeout(turn, ms);
  }

  function hurry() {
    isUrgent = true;
    if (!isLooking) plan(Math.max(0, lookedAt + LEAST - environment.now()));
  }

  return {
    start() {
      unwatch = [store.watch(standing, (moments) => moments.length && hurry()), store.watch(open, hurry)];
      void (timer ?? turn());
    },
    stop() {
      stopped = true;
      unwatch.forEach((stop) => stop());
      environment.clearTimeout(timer);
      seen = new Map();
    },
  };
}
