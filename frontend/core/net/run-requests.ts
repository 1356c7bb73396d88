/**
 * The beat: requests all that the page shows of the runs, of one moment, for visible views only. Ten
 * times a second while that is cheap, else four times; at once when runs stand at another step. A
 * slow server gets fewer requests. The rest goes on without a late answer.
 * Owns: when to request, and what.
 */

import { CURVE, curvedRuns } from "../data-picture.ts";
import { areMapsSeen, mapInputs, mappedRuns, mapRequest, showsMap } from "../decision-map.ts";
import { inspectedRun, WHOLE } from "../inspected.ts";
import { MOST_CELLS, readRun } from "../run-look.ts";
import type { Json, State } from "../types.ts";
import type { Clients } from "./api.ts";

/** ms between two beats: of quick answers, and of others. */
const QUICK = 100;
const EVERY = 250;
/** An answer within this time is quick, in ms. */
const CHEAP = 20;
/** Least time between two requests, in ms: a held key does not look at every step. */
const LEAST = 100;
/** After so many ms without an answer, what frames bring is shown alone: of playing runs, and of others. */
const LATE = { playing: 1_000, resting: 250 };
const TROUBLED = 2_000;
/**
 * Up to this many parameters weights cost little: they are requested for all runs, so that
 * switching is instant.
 */
const FEW = 500;

/**
 * The parts that are in sight.
 * @param withMaps maps and curves cost more than the rest
 * @param withTrue the true values beside predicted ones never change
 */
export function momentQuery(state: State, withMaps = true, withTrue = true) {
  const { experiment, view } = state;
  const run = inspectedRun(state)?.name;
  const query = new URLSearchParams({ weights: `${MOST_CELLS}` });
  if (run && (experiment?.parameters ?? 0) > FEW) query.set("drawn", run);
  if (!showsMap(state)) query.set("predictions", withTrue ? "pairs" : "predicted");
  const mapped = mappedRuns(state);
  if (withMaps && curvedRuns(state).length) query.set("curve", "true");
  if (withMaps && mapped.length) {
    query.set("map", "true");
    if (!areMapsSeen(state)) for (const { name } of mapped) query.append("mapped", name);
    const [inputs, chosen] = [experiment?.inputs ?? [], mapInputs(state)];
    if (chosen && inputs.length > 2) {
      query.set("x", inputs[chosen[0]]);
      query.set("y", inputs[chosen[1]]);
    }
  }
  if (run && view.inspector)
    for (const [name, value] of Object.entries({
      inspect: run,
      first: view.firstSample,
      rows: view.samplesShown,
      block: WHOLE,
    }))
      query.set(name, `${value}`);
  return query.toString();
}

/**
 * The true values that the page has of some run. They are the same for all runs at every step, so
 * they are requested once.
 */
const trueValues = ({ runs }: State) =>
  Object.values(runs).find(({ predictions }) => predictions?.y.length)?.predictions?.y;

export function createRunRequests({ api, store, environment }: Clients) {
  /** Moment of the last answer. */
  let current = "";
  let timer: any = null;
  let late: any = null;
  let askedAt = -Infinity;
  /** Least ms between two requests, as the server says: a class of many pages shares it. */
  let pace = 0;
  /** When maps may be requested again without slowing training. */
  let mapsAt = -Infinity;
  let isAsking = false;
  let isUrgent = false;
  let stopped = false;
  let unwatch: (() => void)[] = [];

  /** The content of the beat for runs that stand still, and their places. */
  const momentOf = (state: State) =>
    [
      state.experiment?.id,
      momentQuery(state),
      ...state.order.map((name) => {
        const { generation, step, status, edits } = state.runs[name];
        // edits at one step merge: their number stays
        return [name, generation, step, status, edits.length, JSON.stringify(edits.at(-1))].join(
          " ",
        );
      }),
    ].join("\n");

  const isOn = (state: State) =>
    state.experiment !== null &&
    !state.looking &&
    ["ready", "live"].includes(state.connection.status);

  /** At full speed a costly map comes with fewer beats, as the server says. */
  const areMapsDue = ({ playback: { playing, speed } }: State) =>
    !playing || speed !== "max" || environment.now() >= mapsAt;

  async function ask(state: State) {
    const { id } = state.experiment as NonNullable<State["experiment"]>;
    const name = mapRequest(state);
    const y = trueValues(state);
    const answer = await api.moment(id, momentQuery(state, areMapsDue(state), y === undefined));
    pace = 1000 * (answer.pace_seconds ?? 0);
    const { experiment, looking } = store.get();
    if (experiment?.id !== id || looking) return;
    const runs = Object.entries<Json>(answer.runs);
    const maps = runs.flatMap(([run, { map, curve }]) => [
      ...(map ? [{ run, name, answer: map }] : []),
      ...(curve ? [{ run, name: CURVE, answer: curve }] : []),
    ]);
    const sheets = runs.filter(([, { sheet }]) => sheet);
    const [sheet] = sheets.map(([run, { sheet }]) => ({ experiment: id, run, sheet }));
    store.dispatch({
      type: "beat",
      runs: Object.fromEntries(runs.map(([run, each]) => [run, readRun(each, y)])),
      maps,
      sheet,
    });
    if (maps.length) mapsAt = environment.now() + 1000 * answer.again_seconds;
  }

  /** Returns false if it was refused. */
  async function beat(state: State) {
    const of = momentOf(state);
    const { playing } = state.playback;
    if (!playing && of === current) return true;
    askedAt = environment.now();
    if (!playing) goOnIn(LATE.resting);
    else if (late === null) goOnIn(LATE.playing); // the first one of a play
    const fine = await ask(state).then(
      () => true,
      () => false,
    );
    // a beat that is to come late is not waited for
    if (fine) goOnIn(pace > LATE.playing ? EVERY : LATE.playing);
    else goOn();
    if (fine) current = playing ? "" : of;
    return fine;
  }

  function goOnIn(ms: number) {
    environment.clearTimeout(late);
    late = environment.setTimeout(goOn, ms);
  }

  /** Without the answer, until there is one. */
  function goOn() {
    environment.clearTimeout(late);
    late = null;
    const state = store.get();
    if (stopped || !isOn(state) || (!state.playback.playing && momentOf(state) === current)) return;
    store.dispatch({ type: "late" });
    goOnIn(EVERY);
  }

  async function turn() {
    timer = null;
    const state = store.get();
    isAsking = true;
    isUrgent = false;
    const began = environment.now();
    // a hidden page requests nothing
    if (environment.hidden()) goOn();
    const fine = environment.hidden() || !isOn(state) || (await beat(state));
    isAsking = false;
    if (!fine) return plan(TROUBLED);
    if (isUrgent) return hurry();
    const took = environment.now() - began;
    // a slow answer means a busy server: wait as long again
    plan(Math.max(pace, Math.min(TROUBLED, Math.max(beatOf(took) - took, took))));
  }

  /**
   * ms between two beats.
   * @param took ms
   */
  const beatOf = (took: number) =>
    took < CHEAP && !store.get().isDrawingSlow && !environment.calm?.() ? QUICK : EVERY;

  function plan(ms: number) {
    environment.clearTimeout(timer);
    if (!stopped) timer = environment.setTimeout(turn, ms);
  }

  function hurry() {
    isUrgent = true;
    if (!isAsking) plan(Math.max(0, askedAt + LEAST - environment.now()));
  }

  return {
    start() {
      unwatch = [
        store.watch(
          (state) => (state.playback.playing || state.looking ? "" : momentOf(state)),
          (moment) => (moment ? hurry() : void (current = "")),
        ),
        store.watch((state) => momentQuery(state), hurry),
      ];
      void (timer ?? turn());
    },
    stop() {
      stopped = true;
      unwatch.forEach((stop) => stop());
      environment.clearTimeout(timer);
      environment.clearTimeout(late);
    },
  };
}
