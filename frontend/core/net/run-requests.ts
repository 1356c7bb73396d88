/**
 * Requests predictions, units and weights of the runs, for visible views only. It asks four times a
 * second while runs move, and at once when they stand at another step. A slow server gets fewer
 * requests.
 * Owns: when to request, and for which runs.
 */

import { showsMap } from "../decision-map.ts";
import { lookQuery, readLook } from "../run-look.ts";
import { isLeaving } from "../selectors.ts";
import type { Run, State } from "../types.ts";
import type { Clients } from "./api.ts";

const EVERY = 250;
/** Least time between looks, in ms: a held key does not look at every step. */
const LEAST = 100;
const TROUBLED = 2_000;
/** Wait after a look, as a multiple of the time it took. */
const EASE = 4;
/**
 * Up to this many parameters weights cost little: they are requested for all runs, so that
 * switching is instant.
 */
const FEW = 500;

export function createRunRequests({ api, store, environment }: Clients) {
  /** Position of each run at its last look. */
  let positions: Map<string, string> = new Map();
  let timer: any = null;
  let lookedAt = -Infinity;
  let isLooking = false;
  let isUrgent = false;
  let stopped = false;
  let unwatch: (() => void)[] = [];

  const moment = (state: State, run: Run) =>
    [
      state.experiment?.id,
      run.generation,
      run.step,
      state.view.networkRun === run.name,
      run.hidden,
      showsMap(state),
    ].join(" ");

  /** Positions of runs that stand still on the live view. */
  const resting = (state: State) =>
    state.playback.playing || state.looking
      ? []
      : state.order.map((name) => moment(state, state.runs[name]));

  /** The visible views; a change needs another look. */
  const open = (state: State) => [
    showsMap(state),
    state.view.networkRun,
    ...Object.values(state.runs).map(({ hidden }) => hidden),
  ];

  /** One request a run: two could answer for different steps. */
  async function look(state: State, run: Run) {
    const { id, parameters } = state.experiment as NonNullable<State["experiment"]>;
    const isDrawn = state.view.networkRun === run.name;
    if (run.hidden && !isDrawn) return { units: await api.instrument(id, run.name, "units") };
    const query = lookQuery({
      weights: isDrawn || parameters <= FEW,
      predictions: !run.hidden && !showsMap(state),
    });
    return readLook(await api.instrument(id, run.name, "views", undefined, query));
  }

  async function lookAtAll(state: State) {
    // a run being removed may be gone already
    const there = state.order
      .filter((name) => !isLeaving(state, name))
      .map((name) => state.runs[name]);
    const moved = there.filter((run) => positions.get(run.name) !== moment(state, run));
    if (moved.length) {
      const answers = await Promise.all(moved.map((run) => look(state, run)));
      for (const run of moved) positions.set(run.name, moment(state, run));
      if (store.get().experiment?.id !== state.experiment?.id) return;
      store.dispatch({
        type: "measured",
        runs: Object.fromEntries(
          moved.map((run, place) => [run.name, { generation: run.generation, ...answers[place] }]),
        ),
      });
    }
    // also for runs already looked at: they may have stopped since
    await requestLosses(resting(state));
  }

  /** True if losses are missing and no answer on its way will bring them. */
  function areLossesMissing() {
    const { pending, runs } = store.get();
    return (
      !Object.keys(pending).length &&
      Object.values(runs).some(
        ({ step, latest }) => step > 0 && (latest.train_loss?.step ?? 0) < step,
      )
    );
  }

  /**
   * Loads losses of runs that somebody else stopped: frames end a step before the present
   * parameters.
   */
  async function requestLosses(moments: string[]) {
    const { experiment } = store.get();
    if (!experiment || !moments.length || !areLossesMissing()) return;
    const answer = await api.experiment(experiment.id);
    // an outdated answer would bring back old values
    if (areLossesMissing() && resting(store.get()).join() === moments.join())
      store.dispatch({ type: "experiment", state: answer });
  }

  async function turn() {
    timer = null;
    isLooking = true;
    isUrgent = false;
    lookedAt = environment.now();
    const state = store.get();
    const on =
      state.experiment &&
      !state.looking &&
      ["ready", "live"].includes(state.connection.status) &&
      !environment.hidden();
    const fine =
      !on ||
      (await lookAtAll(state).then(
        () => true,
        () => false,
      ));
    isLooking = false;
    if (fine && isUrgent) return hurry();
    plan(
      fine ? Math.min(TROUBLED, Math.max(EVERY, EASE * (environment.now() - lookedAt))) : TROUBLED,
    );
  }

  function plan(ms: number) {
    environment.clearTimeout(timer);
    if (!stopped) timer = environment.setTimeout(turn, ms);
  }

  function hurry() {
    isUrgent = true;
    if (!isLooking) plan(Math.max(0, lookedAt + LEAST - environment.now()));
  }

  return {
    start() {
      unwatch = [
        store.watch(resting, (moments) => moments.length && hurry()),
        store.watch(open, hurry),
      ];
      void (timer ?? turn());
    },
    stop() {
      stopped = true;
      unwatch.forEach((stop) => stop());
      environment.clearTimeout(timer);
      positions = new Map();
    },
  };
}
