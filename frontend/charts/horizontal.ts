/**
 * The horizontal axis of loss and gradients: steps, epochs, samples seen or seconds, with a place
 * for each run.
 * Owns: the place of a step, the axis type, and its range. Pure.
 */

import { endsOf } from "./bind.ts";
import { firstFrom } from "../core/numbers.ts";
import * as texts from "../words/english.ts";
import type { Json, Run, RunSeries, XAxis } from "../core/types.ts";

/** Names of the axes in a trace's binding. */
export const BOUND = {
  steps: "step",
  epochs: "epoch",
  samples: "samples_seen",
  seconds: "seconds",
} as const;
/** Least distance of two ticks: there is no half step and no half sample. */
export const LEAST_APART = { steps: 1, epochs: 0, samples: 1, seconds: 0 };
const NAMES = {
  steps: texts.steps,
  epochs: texts.epochs,
  samples: texts.samplesSeen,
  seconds: texts.seconds,
};

/** From this ratio of the longest run to the shortest, the axis is logarithmic. */
const FAR_APART = 20;
const BEFORE_ANY = 200;
/** Room before step 0 for the shapes of all runs there, as a share: more for more of them. */
const BEFORE_START = { few: 0.02, many: 0.05 };
/** Up to so many runs are few. */
const FEW = 3;
const MARGIN = 0.06;
/** Least ratio of the ends of a zoom on a log axis. */
const LEAST_ZOOM = 1.01;
/** Room while runs move, as a share of the growth since the last draw and of the axis. */
const AHEAD = { grown: 1.25, most: 0.2 };

/** Present place of a run on the axis. */
export function placeNow(run: Run, series: RunSeries | null, axis: XAxis) {
  if (axis === "steps") return run.step;
  if (axis === "epochs") return run.epoch;
  if (axis === "samples") return run.samplesSeen;
  return series?.length ? series.seconds[series.length - 1] : 0;
}

/** Place of a step on the axis, interpolated inside its bucket. */
export function placeOf(series: RunSeries | null, axis: XAxis, trainSamples: number, step: number) {
  if (axis === "steps" || !series?.length) return axis === "steps" ? step : 0;
  const bucket = firstFrom(series.last, step);
  if (bucket === series.length) return endAt(series, axis, trainSamples, bucket - 1);
  const start = bucket ? endAt(series, axis, trainSamples, bucket - 1) : 0;
  const share = (step - series.first[bucket]) / (series.last[bucket] - series.first[bucket] + 1);
  return start + (endAt(series, axis, trainSamples, bucket) - start) * share;
}

function endAt(
  { samplesSeen, seconds }: RunSeries,
  axis: XAxis,
  trainSamples: number,
  bucket: number,
) {
  if (axis === "seconds") return seconds[bucket];
  return axis === "samples" ? samplesSeen[bucket] : samplesSeen[bucket] / trainSamples;
}

export interface Horizontal {
  axis: XAxis;
  log: boolean;
  range: [number, number]; // as Plotly expects it: logarithms on a log axis
  end: number; // place of the run that is furthest
}

/**
 * Room after the newest step, for steps until the next draw: as many as since the last draw.
 * @param before end of the axis then, if it is known
 */
export function ahead(now: number, before: number | null) {
  const most = AHEAD.most * now;
  return before === null || before > now ? most : Math.min(most, AHEAD.grown * (now - before));
}

/**
 * The axis from the beginning to now.
 * @param runs each visible run's place now and after its first step
 * @param reach the axis goes at least this far
 * @param logSteps steps stand on a log axis
 */
export function horizontal(
  axis: XAxis,
  runs: { now: number; first: number }[],
  reach = 0,
  logSteps = false,
): Horizontal {
  const ends = runs.map(({ now }) => now).filter((now) => now > 0);
  const end = Math.max(reach, ...ends);
  const isFarApart = ends.length > 1 && Math.max(...ends) > FAR_APART * Math.min(...ends);
  const log = axis === "steps" ? logSteps : isFarApart;
  const before = runs.length > FEW ? BEFORE_START.many : BEFORE_START.few;
  if (!ends.length)
    return { axis, log: false, range: [-before * BEFORE_ANY, BEFORE_ANY], end: BEFORE_ANY };
  if (!log) return { axis, log, range: [0, end], end };
  const first = Math.min(...runs.map((run) => run.first).filter((place) => place > 0));
  return { axis, log, range: [Math.log10(first) - MARGIN, Math.log10(end) + MARGIN], end };
}

const withScale = (name: string, log: boolean) => `${name}${log ? texts.logTail : ""}`;

/** "steps", or "steps, log". */
export const nameOf = ({ axis, log }: Horizontal) => withScale(NAMES[axis], log);

/** On a phone: "samples", or "samples, log". */
export const briefNameOf = ({ axis, log }: Horizontal) =>
  withScale(axis === "samples" ? texts.samples : NAMES[axis], log);

/** A zoom as Plotly expects it. A log axis shows nothing before its first place. */
export function zoomedRange(
  [from, to]: [number, number],
  { log, range }: Horizontal,
): [number, number] {
  if (!log) return [from, to];
  const first = 10 ** range[0];
  const start = Math.max(first, from);
  return [Math.log10(start), Math.log10(Math.max(to, start * LEAST_ZOOM))];
}

/** The range of a Plotly zoom event in any panel; null for an axis that did not change. */
export function zoomedTo(change: Json, axis: "x" | "y"): [number, number] | null {
  const key = Object.keys(change).find((name) =>
    new RegExp(`^${axis}axis\\d*\\.range\\[0\\]$`).test(name),
  );
  return key ? [change[key], change[key.replace("[0]", "[1]")]] : null;
}

/** End of a run's first step: the first place that a log axis can show. */
export const placeOfFirst = (series: RunSeries | null, axis: XAxis, trainSamples: number) =>
  placeOf(series, axis, trainSamples, 1);

/** The steps that a range of the axis shows, interpolated inside buckets. */
export function stepsWithin(
  series: RunSeries,
  { axis, log }: Horizontal,
  trainSamples: number,
  range: [number, number],
): [number, number] {
  const places = log ? range.map((power) => 10 ** power) : range;
  if (axis === "steps") return places as [number, number];
  const ends = Float64Array.from({ length: series.length }, (_, bucket) =>
    endAt(series, axis, trainSamples, bucket),
  );
  return places.map((place) => {
    const bucket = firstFrom(ends, place);
    if (bucket === series.length) return series.last[bucket - 1] + 1;
    const start = bucket ? ends[bucket - 1] : 0;
    const share = Math.max(0, (place - start) / (ends[bucket] - start || 1));
    return series.first[bucket] + share * (series.last[bucket] + 1 - series.first[bucket]);
  }) as [number, number];
}

/** The buckets that a range of the axis shows, and one more on each side. */
export function bucketsWithin(
  series: RunSeries,
  { axis, log }: Horizontal,
  trainSamples: number,
  range: [number, number],
): [number, number] {
  const [low, high] = log ? range.map((power) => 10 ** power) : range;
  const columns = {
    first: series.first,
    last: series.last,
    samples_seen: series.samplesSeen,
    seconds: series.seconds,
    series: {},
  };
  const ends = Float64Array.from(endsOf(columns, BOUND[axis], trainSamples));
  return [
    Math.max(0, firstFrom(ends, low) - 1),
    Math.min(series.length, firstFrom(ends, high) + 2),
  ];
}
