/**
 * Marks on the lines of the loss chart: start, end, divergence, and markers on the way.
 * Owns: that. Pure. labels.ts places the labels of the ends.
 */

import { placeThen } from "./past-marks.ts";
import { pxAcross, pxDown } from "./labels.ts";
import { isInside, symbol } from "./paths.ts";
import { lastUpTo, leavesAt, windowEnd } from "./window-end.ts";
import { number } from "../core/format.ts";
import { stateOnView } from "../core/state-on-view.ts";
import type { Json, Run } from "../core/types.ts";
import type { End } from "./end-labels.ts";
import type { Horizontal } from "./horizontal.ts";
import type { Frame } from "./labels.ts";
import type { Line } from "./loss-chart.ts";
import type { Path } from "./paths.ts";
import type { Scene } from "./scene.ts";

/** True for a run that has made no step. */
export const isWaiting = ({ step, status }: Run) => step === 0 && status !== "diverged";

/** The place of step 0: a log axis has none, so its left end. */
export const startPlace = ({ log, range }: Horizontal) => (log ? 10 ** range[0] : 0);

/**
 * A line without a record is a point at the loss of step 0. Its run diverged at its first step, or
 * waits while others have started.
 */
export function fromTheStart(trace: Json, { state }: Scene, axis: Horizontal, hasStarted: boolean) {
  const start = state.experiment?.initialLoss ?? null;
  const run = state.runs[trace.meta.run];
  const isAtStart = run.status === "diverged" || (hasStarted && isWaiting(run));
  if (trace.meta.role !== "train" || trace.x.length || start === null || !isAtStart) return trace;
  return { ...trace, x: [startPlace(axis)], y: [start] };
}

/**
 * Leads the line of a diverged run out through the top: that step is not recorded. Changes the
 * trace's arrays.
 * @param now place of the run on the axis
 */
export function leaveThroughTheTop(
  { run, x, y }: Line,
  now: number,
  [low, high]: [number, number],
  log: boolean,
) {
  if (run.status !== "diverged" || !x.length) return;
  x.push(Math.max(now, x[x.length - 1]));
  y.push(log ? 10 ** (high + 1) : high + (high - low));
}

/**
 * End of a line, and its label. A diverged line may leave through the top some steps before it
 * diverged. A line that goes on beyond the view is labelled where it leaves, with its loss there.
 * So is a line of the past on view.
 */
export function endOf(
  line: Line,
  scene: Scene,
  axis: Horizontal,
  range: [number, number],
): End | null {
  const { state, look } = scene;
  const { run, x, y } = line;
  if (!x.length) return null;
  const base = { run: run.name, lane: run.lane, name: run.label };
  const onTheWay = (place: number, height: number | null, loss?: number | null, goesOn = false) =>
    height === null
      ? null
      : {
          ...base,
          value: look.compact ? "" : number(loss ?? height),
          bad: false,
          goesOn,
          x: place,
          y: height,
        };
  const log = state.view.y === "log";
  const then = placeThen(run, scene);
  if (
    then !== null &&
    then <= windowEnd(scene, axis) &&
    stateOnView(state).runs[run.name].step < run.step
  ) {
    const loss = stateOnView(state).runs[run.name].latest.train_loss?.value;
    const height = loss || heightAt(line, then, log);
    const mark = onTheWay(then, height, loss);
    return mark && { ...mark, live: mark.value ? lossOf(run) : undefined };
  }
  const edge = leavesAt(run, scene, axis);
  if (edge !== null) return onTheWay(edge, heightAt(line, edge, log), lastUpTo(line, edge), true);
  const highest = range[1] - 0.02 * (range[1] - range[0]);
  const top = log ? 10 ** highest : highest;
  const bad = run.status === "diverged";
  const last = x.length - 1;
  const value = look.compact
    ? ""
    : bad
      ? "diverged"
      : number(stateOnView(state).runs[run.name].latest.train_loss?.value ?? y[last]);
  const live = value && !bad ? lossOf(run) : undefined;
  return { ...base, value, bad, goesOn: false, x: x[last], y: Math.min(y[last], top), live };
}

/** The loss that an end label follows. */
const lossOf = ({ name }: Run) => ({ run: name, series: "train_loss", word: number });

/** The height of a drawn line at a place; null before its first point. */
function heightAt({ x, y }: Line, place: number, log: boolean) {
  const next = x.findIndex((here) => here >= place);
  if (next === 0) return x[0] === place ? y[0] : null;
  if (next < 0) return y[y.length - 1];
  const [from, to] = [y[next - 1], y[next]];
  const share = (place - x[next - 1]) / (x[next] - x[next - 1]);
  return log ? from ** (1 - share) * to ** share : from + (to - from) * share;
}

/** A symbol at a point of the data; none outside the plot. */
function markAt(shape: string, size: number, frame: Frame, x: number, y: number) {
  const [left, top] = [pxAcross(frame, x), pxDown(frame, y)];
  return isInside(frame, left, top) ? symbol(shape, size, left, top) : "";
}

/** Place of a run's first marker, as a share of their distance: other runs' stand between. */
const SHIFTS = { a: 0.55, b: 0.85, c: 0.25, d: 0.7, e: 0.4, f: 0.1, g: 0.97, h: 0.62 };

/** Hollow markers that show a line's shape, one every 96 px, different runs side by side. */
export function alongTheLine(
  { run, x, y }: Line,
  scene: Scene,
  axis: Horizontal,
  frame: Frame,
): Path {
  const { look, zoom } = scene;
  const then = placeThen(run, scene) ?? Infinity;
  const [low, high] = zoom.x ?? axis.range;
  const apart = look.spec.fallline.marker_every_px / frame.width;
  const shift = SHIFTS[run.lane];
  const places = new Set<number>();
  for (let share = apart * shift; share < 1 && x.length > 2; share += apart) {
    const wished = low + (high - low) * share;
    const index = x.findIndex((place) => (axis.log ? Math.log10(place) : place) >= wished);
    if (index > 0 && index < x.length * 0.97 && x[index] <= then) places.add(index);
  }
  return {
    name: "along",
    lane: run.lane,
    run: run.name,
    d: [...places].map((i) => markAt(run.lane, 7, frame, x[i], y[i])).join(""),
  };
}

/** None for a line that goes on. */
export const endMarks = (ends: End[], frame: Frame): Path[] =>
  ends
    .filter(({ goesOn }) => !goesOn)
    .map(({ run, lane, bad, x, y }) => ({
      name: bad ? "end bad" : "end",
      lane,
      run,
      d: markAt(bad ? "x" : lane, 10, frame, x, y),
    }));

/** px that the outermost shape is larger than the innermost */
const MOST_AROUND = 28;

/** px between two of so many shapes inside each other */
const apartOf = (count: number) => Math.min(8, MOST_AROUND / Math.max(1, count - 1));

/** Size of the shapes of so many runs at the start, in px. */
export const startSize = (count: number) => 7 + apartOf(count) * Math.max(0, count - 1);

/** Runs before their first step: shapes inside each other, so that all are visible at one point. */
export function startMarks(
  start: { x: number; y: number } | null,
  runs: Run[],
  frame: Frame,
): Path[] {
  if (!start) return [];
  return runs.map(({ name, lane }, place) => {
    const around = runs.length - 1 - place;
    return {
      name: around ? "start" : "start inner",
      lane,
      run: name,
      d: markAt(lane, 7 + apartOf(runs.length) * around, frame, start.x, start.y),
    };
  });
}
