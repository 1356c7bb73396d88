/**
 * Requests the fall line while it is in sight. The terrain is measured anew at steps 16, 32, 64 ...
 * during play, in slow play from step 1 on, and when the runs rest. Between, the runs' places on it
 * come a few times a second.
 * Owns: when to request, and what.
 */

import { FALL_LINE, fallenRuns, isOnPlane } from "../../core/fall-line.ts";
import { furthestStep } from "../../core/state-on-view.ts";
import type { Clients } from "../../core/net/api.ts";
import type { Frame, Region } from "../../core/fall-line.ts";
import type { Json, State } from "../../core/types.ts";

/** ms from one request for places to the next during play */
const EVERY = 250;
/** most ms between them, at any cost of a request: two a second */
const SLOWEST = 480;
/** least ms after an answer, also while the runs rest: a held key does not measure every step */
const LEAST = 100;
const TROUBLED = 2_000;
/** The first step with a terrain, if play comes to it within a second: an earlier one would delay it. */
const FIRST = 16;
/** Edges that a query can hold. */
const LARGEST = 1e12;

/** How often a step number has doubled: as the server counts. */
const doublings = (step: number) => Math.floor(Math.log2(step || 0.5));

export function createFallLineRequests({ api, store, environment }: Clients) {
  /** of the last terrain: its experiment, runs and shape */
  let measured = "";
  /** the steps of the last terrain at rest */
  let rested = "";
  /** of the last places while the runs rest or at a past step */
  let placed = "";
  /** the fit that was last asked for with key 0 */
  let fits = 0;
  /** when another terrain may be measured: at rest, and as the server says during play */
  let terrainAt = { rest: -Infinity, play: -Infinity };
  let placesAt = -Infinity;
  let timer: any = null;
  let isAsking = false;
  let isUrgent = false;
  let stopped = false;

  const isOn = ({ experiment, connection, view }: State) =>
    experiment !== null &&
    view.fallFrame !== null &&
    !environment.hidden() &&
    ["ready", "live"].includes(connection.status);

  const isMoving = ({ playback }: State) => playback.playing;

  const frameOf = ({ view }: State) => view.fallFrame as Frame;

  /** Changes when another terrain is needed. */
  function terrainKey(state: State) {
    const runs = fallenRuns(state).map((name) => state.runs[name]);
    const { aspect, lens } = frameOf(state);
    return [
      state.experiment?.id,
      ...runs.map(({ name, generation, divergedAt }) => `${name} ${generation} ${divergedAt}`),
      aspect,
      lens,
      state.view.fallFits,
    ].join("|");
  }

  /** Play comes to its first terrain within a second. */
  function isFirstSoon(state: State) {
    const { playing, speed } = state.playback;
    const left = FIRST - furthestStep(state);
    return playing && left > 0 && (speed === "max" || left <= speed);
  }

  /** Another terrain is needed: of another moment, or because a run has left this one. */
  function isOld(state: State) {
    if (!state.fallLine || terrainKey(state) !== measured) return true;
    if (isFirstSoon(state)) return false;
    if (state.fallLine.region !== state.fallLine.terrain.region) return true;
    const { planeSteps } = state.fallLine;
    return isMoving(state)
      ? doublings(furthestStep(state)) !== doublings(Math.max(...Object.values(planeSteps)))
      : stepsOf(state) !== rested;
  }

  const stepsOf = (state: State) =>
    fallenRuns(state)
      .map((name) => state.runs[name].step)
      .join();

  const pastKey = (state: State) =>
    [
      state.experiment?.id,
      state.looking?.step,
      ...fallenRuns(state).map((name) => state.runs[name].generation),
      ...Object.values(state.fallLine?.planeSteps ?? {}),
    ].join("|");

  const regionQuery = (region: Region) =>
    region.every((edge) => Math.abs(edge) < LARGEST)
      ? `&region=${region.map((edge) => edge.toFixed(9)).join(",")}`
      : "";

  /** The next request and ms until it is due; null for none. */
  function next(state: State): { kind: "terrain" | "places"; in: number } | null {
    if (!isOn(state) || !fallenRuns(state).length) return null;
    const now = environment.now();
    const at = isMoving(state) ? terrainAt.play : terrainAt.rest;
    const terrain = { kind: "terrain" as const, in: Math.max(0, at - now) };
    const places = { kind: "places" as const, in: Math.max(0, placesAt - now) };
    if (state.looking && state.fallLine && pastKey(state) !== placed) return { ...places, in: 0 };
    if (!isMoving(state)) return isOld(state) ? terrain : null;
    if (state.looking && state.fallLine) return null;
    return isOld(state) && (!state.fallLine || terrain.in <= places.in) ? terrain : places;
  }

  async function ask(state: State, kind: "terrain" | "places") {
    const id = (state.experiment as NonNullable<State["experiment"]>).id;
    const { aspect, lens } = frameOf(state);
    const runs = fallenRuns(state)
      .map((name) => `&runs=${encodeURIComponent(name)}`)
      .join("");
    const at = state.looking && kind === "places" ? state.looking.step : null;
    const [key, past, steps] = [terrainKey(state), pastKey(state), stepsOf(state)];
    const began = environment.now();
    const isFitted = state.view.fallFits !== fits;
    const region = state.fallLine && !isFitted ? regionQuery(state.fallLine.region) : "";
    const what =
      kind === "places"
        ? `&terrain=false${at === null ? "" : `&step=${at}`}`
        : `&aspect=${aspect}${lens ? `&lens=${lens}` : ""}${region}`;
    const answer = await api.sharedInstrument(id, FALL_LINE, `encoding=bdata${what}${runs}`);
    if (store.get().experiment?.id !== id) return;
    if (kind === "terrain") fits = state.view.fallFits;
    note(store.get(), { kind, key, past, steps: isMoving(state) ? "" : steps, at, answer, began });
    store.dispatch({ type: "fall line", answer, at });
  }

  function note(
    state: State,
    {
      kind,
      key,
      past,
      steps,
      at,
      answer,
      began,
    }: Json & { kind: string; key: string; past: string },
  ) {
    const now = environment.now();
    const again = 1000 * (answer.again_seconds ?? 0);
    const own = Math.min(SLOWEST, Math.max(EVERY, kind === "places" ? again : 0));
    const pause = Math.max(LEAST, 1000 * (answer.pace_seconds ?? 0));
    placesAt = Math.max(began + own, now + pause);
    if (kind === "terrain") {
      [measured, rested] = [key, steps];
      const rest = now + LEAST;
      terrainAt = { rest, play: isMoving(state) ? Math.max(rest, now + again) : rest };
      return;
    }
    if (at !== null) placed = past;
    // somebody else's terrain is newer
    if (state.fallLine && !isOnPlane(state.fallLine, answer)) measured = "";
  }

  async function turn() {
    timer = null;
    isUrgent = false;
    const state = store.get();
    const due = next(state);
    if (!due) return;
    if (due.in > 0) return plan(due.in);
    isAsking = true;
    const fine = await ask(state, due.kind).then(
      () => true,
      () => false,
    );
    isAsking = false;
    if (!fine) return plan(TROUBLED);
    plan(isUrgent ? 0 : (next(store.get())?.in ?? null));
  }

  function plan(ms: number | null) {
    environment.clearTimeout(timer);
    if (!stopped && ms !== null) timer = environment.setTimeout(turn, ms);
  }

  function hurry() {
    isUrgent = true;
    if (!isAsking) plan(next(store.get())?.in ?? null);
  }

  /** Steps during play come too often to look at each. */
  const stepsKey = (state: State) => (isMoving(state) ? "moving" : stepsOf(state));

  const unwatch = store.watch(
    (state) =>
      isOn(state)
        ? [terrainKey(state), stepsKey(state), state.looking ? pastKey(state) : "", isOld(state)]
        : [],
    hurry,
  );

  return {
    stop() {
      stopped = true;
      unwatch();
      environment.clearTimeout(timer);
    },
  };
}
