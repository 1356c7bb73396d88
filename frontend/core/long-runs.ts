/**
 * Long runs have an overview as their timeline, and their steps stand on a log axis. The charts zoom
 * to an event, or to where the losses fall.
 * Owns: from which step on, places on the timeline, and those zooms. Pure.
 */

import { epochs, integer, number, plural } from "./format.ts";
import { missingIn } from "./missing-steps.ts";
import { furthest } from "./selectors.ts";
import { furthestStep, shownRuns, stateOnView } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Run, RunSeries, SeriesStore, State, XAxis } from "./types.ts";

/** More steps than this need an overview. */
const LONG = 2_000;
/** From here on even steps would hide the first hundred; at full speed already in a long run. */
const LOG_FROM = 20_000;
/** Steps on either side of an event. */
const AROUND = 100;
/** Least width of a zoom, in steps. */
const LEAST = 10;

export const isLong = (state: State) => furthest(state) > LONG;

/** Steps stand on a log axis: as chosen, else by the length of the runs. */
export const isLogSteps = (state: State) =>
  state.view.logSteps ??
  (furthest(state) >= LOG_FROM || (isLong(state) && state.playback.speed === "max"));

/** the timeline from step 0 to its end */
export type Track = { end: number; log: boolean };

/** The timeline ends with the axis, or beyond it if later steps are not received yet. */
export const trackOf = (state: State): Track => ({
  end: Math.max(furthest(state), Math.round(missingIn(state)?.to ?? 0)),
  log: isLong(state) && isLogSteps(state),
});

/** Place of a step as a share of the timeline. */
export function shareOf({ end, log }: Track, step: number) {
  if (end === 0) return 0;
  return log ? Math.log(Math.max(1, step)) / Math.log(end) : step / end;
}

/** Distance of two steps on a timeline of this length, in px. */
export function pxBetween(track: Track, one: number, other: number, pixels: number) {
  return track.log
    ? Math.abs(shareOf(track, other) - shareOf(track, one)) * pixels
    : (Math.abs(other - one) * pixels) / Math.max(1, track.end);
}

/** The step at a place. On a log timeline the beginning is step 0. */
export function stepAt({ end, log }: Track, share: number) {
  const within = Math.min(1, Math.max(0, share));
  return log && within > 0 ? Math.round(end ** within) : Math.round(end * within);
}

/** steps, from - to */
export type Range = [number, number];

/** The steps that the charts show: all, unless they are zoomed. */
export function shownRange({ view }: State, { end }: Track): Range {
  if (view.x !== "steps" || !view.zoom) return [0, end];
  const [from, to] = view.zoom.map((step) => Math.min(end, Math.max(0, Math.round(step))));
  return [from, to];
}

/** The window's end, if the charts could show more after it: ", at step 700"; else empty. */
export function windowWords(state: State): string {
  const { x, zoom } = state.view;
  const end = zoom?.[1] ?? Infinity;
  const reached = shownRuns(stateOnView(state)).some((run) => REACHED[x](run) > end);
  return reached ? WINDOW_ENDS[x](end) : "";
}

/** How far a run has come on an axis; seconds are not among its numbers. */
const REACHED: Record<XAxis, (run: Run) => number> = {
  steps: ({ step }) => step,
  epochs: ({ epoch }) => epoch,
  samples: ({ samplesSeen }) => samplesSeen,
  seconds: () => Infinity,
};
const WINDOW_ENDS: Record<XAxis, (end: number) => string> = {
  steps: (end) => texts.atStepXTail(integer(Math.floor(end))),
  epochs: (end) => texts.atXTail(texts.epochX(epochs(end))),
  samples: (end) => texts.atXTail(plural(Math.floor(end), "sample")),
  seconds: (end) => texts.atXTail(texts.xSeconds(number(end))),
};

/** A zoom to these steps, in any order; null for all. */
export function zoomTo({ end }: Track, one: number, other: number): Range | null {
  const from = Math.max(0, Math.min(one, other, end - LEAST));
  const to = Math.min(end, Math.max(one, other, from + LEAST));
  return from === 0 && to === end ? null : [from, to];
}

/** An event with some steps on either side; null at the present. */
export const zoomAround = (state: State, step: number): Range | null =>
  step >= furthestStep(state) ? null : [Math.max(0, step - AROUND), step + AROUND];

/** The zoom that shows a step: the present one, or one as wide around the step. */
export function zoomThatShows({ view }: State, step: number): Range | null {
  if (!view.zoom || view.x !== "steps") return view.zoom;
  const [from, to] = view.zoom;
  if (step >= from && step <= to) return view.zoom;
  const start = Math.max(0, Math.round(step - (to - from) / 2));
  return [start, start + (to - from)];
}

/** Share of its fall at which a loss has fallen, on a log scale. */
const FALLEN = 0.9;
/** Room after the fall, as a share, and the least number of steps to show. */
const MORE = 1.25;
const FEWEST = 200;

/** The step at which a loss has done most of its fall; 0 if it never falls. */
function fallenAt(series: RunSeries) {
  const means = series.values("train_loss")?.mean ?? new Float64Array();
  const lowest: number[] = [];
  let least = Infinity;
  for (const mean of means) lowest.push((least = mean > 0 ? Math.min(least, mean) : least));
  const start = means.find((mean) => mean > 0) ?? 1;
  const level = Math.log(start) + FALLEN * Math.log(least / start);
  const place = lowest.findIndex((value) => Math.log(value) <= level);
  return least < start && place >= 0 ? series.last[place] : 0;
}

/** A zoom to where the losses of visible runs fall; null if that is all of them. */
export function zoomToFall(state: State, series: SeriesStore): Range | null {
  const track = trackOf(state);
  const ends = shownRuns(state)
    .map(({ name }) => series.of(name))
    .map((columns) => (columns?.length ? fallenAt(columns) : 0));
  return zoomTo(track, 0, Math.max(FEWEST, Math.ceil(MORE * Math.max(0, ...ends))));
}

const leastGeneration = ({ order, runs }: State) =>
  Math.min(...order.map((name) => runs[name].generation));

/** Zoom and log steps end with their experiment, and when its runs restart. */
export function withoutLostZoom(before: State, after: State): State {
  const { zoom, logSteps } = after.view;
  const isSame =
    before.experiment?.id === after.experiment?.id &&
    leastGeneration(before) === leastGeneration(after);
  return isSame || (zoom === null && logSteps === null)
    ? after
    : { ...after, view: { ...after.view, zoom: null, logSteps: null } };
}
