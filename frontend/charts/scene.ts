/**
 * The input of a chart: state, columns, look and room.
 * Owns: how many buckets a chart may show, and which part of the past. Pure.
 */

import {
  ahead,
  BOUND,
  bucketsWithin,
  horizontal,
  placeNow,
  placeOfFirst,
  stepsWithin,
} from "./horizontal.ts";
import { originOf } from "../core/forks.ts";
import { isLogSteps } from "../core/long-runs.ts";
import { firstFrom } from "../core/numbers.ts";
import { fromRecord, thin, thinFromFirst, withStep } from "../core/thinning.ts";
import { shownRuns } from "../core/state-on-view.ts";
import type { Merged } from "../core/thinning.ts";
import type { Json, Run, RunSeries, SeriesStore, State } from "../core/types.ts";
import type { Bound } from "./bind.ts";
import type { Horizontal } from "./horizontal.ts";
import type { Look } from "./figure-style.ts";

export interface Scene {
  state: State;
  series: SeriesStore;
  look: Look;
  /** px; left and right margins of the plot; `letter` as in a frame */
  room: { width: number; height: number; left: number; right: number; letter?: number };
  /** the person's choice, as Plotly reports it */
  zoom: { x: [number, number] | null; y: [number, number] | null };
  /**
   * of the last draw: the vertical range, the places of the label in the plot (of the baseline, or
   * of exact zeros) and of those at line ends, and the place of the furthest run. The range only
   * grows.
   */
  previous: {
    y: [number, number] | null;
    corner?: string | null;
    sides?: Record<string, string>;
    reached?: number | null;
    isHeld?: boolean; // the pointer rests on the label in the plot, which stays there
  };
  /** The canvas draws what comes after this draw: lines go on, and playing runs have no marker. */
  isLive?: boolean;
}

/** The place of the furthest visible run. */
export const reachedBy = ({ state, series }: Scene) =>
  Math.max(0, ...shownRuns(state).map((run) => placeNow(run, series.of(run.name), state.view.x)));

/** Most points of a trace of merged buckets, at any width. */
export const MOST_POINTS = 800;

/** Up to so many buckets the loss is drawn as it is: on a phone too, a spike keeps its height. */
export const MOST_UNMERGED = 900;

/** While more runs than these play, they share the points of so many: a draw of all takes over 50 ms. */
const FULL_RUNS = 4;

/** True if the drawn columns of a run include its newest step. */
export function reachesNow(columns: Bound | undefined, { series }: Scene, run: Run) {
  const whole = series.of(run.name);
  return (
    !columns ||
    !whole?.length ||
    columns.last[columns.last.length - 1] >= whole.last[whole.length - 1]
  );
}

export function axisOf(scene: Scene, reach = 0) {
  const { state, series, previous, isLive } = scene;
  const { x } = state.view;
  const samples = state.experiment?.trainSamples ?? 1;
  const places = shownRuns(state).map((run) => ({
    now: placeNow(run, series.of(run.name), x),
    first: x === "steps" ? 1 : placeOfFirst(series.of(run.name), x, samples),
  }));
  const now = reachedBy(scene);
  return horizontal(
    x,
    places,
    isLive ? Math.max(reach, now + ahead(now, previous.reached ?? null)) : reach,
    isLogSteps(state),
  );
}

/**
 * The columns of visible runs in the range on view, at most one bucket a pixel.
 * @param unmerged up to so many buckets of a run stay as they are
 */
export function columnsFor(
  { state, series, zoom, isLive }: Pick<Scene, "state" | "series" | "zoom" | "isLive">,
  axis: Horizontal,
  names: string[],
  pixels: number,
  unmerged = 0,
) {
  const samples = state.experiment?.trainSamples ?? 1;
  const runs = shownRuns(state);
  const share = isLive ? Math.min(1, FULL_RUNS / runs.length) : 1;
  const most = Math.max(16, Math.floor(share * Math.min(MOST_POINTS, pixels)));
  const columns: Record<string, Merged> = {};
  for (const { name } of runs) {
    const [whole, closer] = [series.of(name), series.closer(name)];
    const run =
      whole?.length &&
      closer &&
      zoom.x &&
      shows(closer, whole, names, stepsWithin(whole, axis, samples, zoom.x)) &&
      !(axis.log && isCoarserAtStart(closer, whole))
        ? closer
        : whole;
    if (!run?.length) continue;
    const origin = originOf(state, name);
    const own = ownFrom(run, origin);
    const [from, to] = zoom.x ? bucketsWithin(run, axis, samples, zoom.x) : [0, run.length];
    const part: [number, number] = [Math.max(own, from), to];
    const merge = part[0] === 0 ? thinFromFirst : thin;
    const asTheyAre = share * unmerged;
    const atMost = part[1] - part[0] <= asTheyAre ? asTheyAre : most;
    columns[name] = merge(run, names, atMost, axis.log, part);
    const leaving = origin && part[0] === own ? series.origin(name) : null;
    if (leaving) columns[name] = fromRecord(columns[name], leaving);
    const { step } = state.runs[name];
    // lines and their markers end at the step of the table
    if (part[1] === run.length && run.last[run.length - 1] === step - 1)
      columns[name] = withStep(columns[name], step, presentOf(state.runs[name], names));
  }
  return columns;
}

/** The values of the run's present step, whose record comes with the next change only. */
function presentOf({ step, latest }: Run, names: string[]) {
  const present = names.filter((name) => latest[name]?.step === step);
  return Object.fromEntries(present.map((name) => [name, latest[name].value]));
}

/** True if the finer columns cover the range on view; another measure may still be loading. */
function shows(closer: RunSeries, whole: RunSeries, names: string[], [from, to]: [number, number]) {
  const isWide =
    closer.first[0] <= Math.max(0, from) &&
    closer.last[closer.length - 1] >= Math.min(Math.floor(to), whole.last[whole.length - 1]);
  return isWide && names.every((name) => closer.values(name) || !whole.values(name));
}

/** Even buckets hide the beginning of a log axis, where the whole run has narrow ones. */
function isCoarserAtStart(closer: RunSeries, { first, last }: RunSeries) {
  const bucket = firstFrom(last, closer.first[0]);
  return closer.last[0] - closer.first[0] > last[bucket] - first[bucket];
}

/**
 * The first bucket of a fork's own part: before it, its line would cover its parent's.
 * @param origin the step at which it leaves its parent
 */
function ownFrom({ last }: RunSeries, origin: number) {
  if (origin === 0) return 0;
  const own = firstFrom(last, origin);
  // a fork without own steps shows the last bucket of its parent
  return Math.min(own, last.length - 1);
}

export const boundTo = ({ state }: Scene) => BOUND[state.view.x];

/** Drops points at 0, where a run stands before its first step, from a log axis. */
export function withinAxis(trace: Json, { log }: Horizontal) {
  const skip = log ? trace.x.findIndex((place: number) => place > 0) : 0;
  if (skip === 0) return trace;
  return skip < 0
    ? { ...trace, x: [], y: [] }
    : { ...trace, x: trace.x.slice(skip), y: trace.y.slice(skip) };
}
