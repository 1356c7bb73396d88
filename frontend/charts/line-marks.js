/**
 * Marks on the lines of the loss chart: start, end, divergence, and markers on the way.
 * Owns: that. Pure. labels.js places the labels of the ends.
 */

import { placeNow } from "./horizontal.js";
import { placeThen } from "./moment.js";
import { pxAcross, pxDown } from "./labels.js";
import { isInside, symbol } from "./paths.js";
import { number } from "../state/format.js";
import { stateOnView } from "../state/moments.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./horizontal.js").Horizontal} Horizontal */
/** @typedef {import("./end-labels.js").End} End */
/** @typedef {import("./labels.js").Frame} Frame */
/** @typedef {import("./paths.js").Path} Path */
/** @typedef {import("./loss-chart.js").Line} Line */

/**
 * A run that diverged at its first step has no record: its line starts at the loss of step 0.
 * @param {Json} trace
 * @param {Scene} scene
 * @param {Horizontal} axis
 */
export function fromTheStart(trace, { state }, { log, range }) {
  const start = state.experiment?.initialLoss ?? null;
  if (trace.meta.role !== "train" || trace.x.length || start === null || state.runs[trace.meta.run].status !== "diverged") return trace;
  return { ...trace, x: [log ? 10 ** range[0] : 0], y: [start] };
}

/**
 * Leads the line of a diverged run out through the top: that step is not recorded. Changes the trace's arrays.
 * @param {Line} line
 * @param {number} now  place of the run on the axis
 * @param {[number, number]} range
 * @param {boolean} log
 */
export function leaveThroughTheTop({ run, x, y }, now, [low, high], log) {
  if (run.status !== "diverged" || !x.length) return;
  x.push(Math.max(now, x[x.length - 1]));
  y.push(log ? 10 ** (high + 1) : high + (high - low));
}

/**
 * End of a line, and its label. A diverged line may leave through the top some steps before it diverged. A line
 * that goes on beyond the view is labelled where it leaves, with its loss there. So is a line of the past on view.
 * @param {Line} line
 * @param {Scene} scene
 * @param {Horizontal} axis
 * @param {[number, number]} range
 * @returns {End|null}
 */
export function endOf(line, scene, axis, range) {
  const { state, series, look, zoom } = scene;
  const { run, x, y } = line;
  if (!x.length) return null;
  const base = { run: run.name, lane: run.lane, name: run.label };
  const log = state.view.y === "log";
  const edge = zoom.x ? (axis.log ? 10 ** zoom.x[1] : zoom.x[1]) : Infinity;
  const then = placeThen(run, scene);
  if (then !== null && then <= edge && stateOnView(state).runs[run.name].step < run.step) {
    const loss = stateOnView(state).runs[run.name].latest.train_loss?.value;
    const height = loss || heightAt(line, then, log);
    return height === null ? null : { ...base, value: look.compact ? "" : number(loss ?? height), bad: false, goesOn: false, x: then, y: height };
  }
  if (placeNow(run, series.of(run.name), axis.axis) > edge) {
    const loss = heightAt(line, edge, log);
    return loss === null ? null : { ...base, value: look.compact ? "" : number(loss), bad: false, goesOn: true, x: edge, y: loss };
  }
  const top = log ? 10 ** (range[1] - 0.02 * (range[1] - range[0])) : range[1] - 0.02 * (range[1] - range[0]);
  const bad = run.status === "diverged";
  const last = x.length - 1;
  const value = look.compact ? "" : bad ? "diverged" : number(run.latest.train_loss?.value ?? y[last]);
  return { ...base, value, bad, goesOn: false, x: x[last], y: Math.min(y[last], top) };
}

/**
 * The height of a drawn line at a place; null before its first point.
 * @param {Line} line
 * @param {number} place
 * @param {boolean} log
 */
function heightAt({ x, y }, place, log) {
  const next = x.findIndex((here) => here >= place);
  if (next === 0) return x[0] === place ? y[0] : null;
  if (next < 0) return y[y.length - 1];
  const [from, to] = [y[next - 1], y[next]];
  const share = (place - x[next - 1]) / (x[next] - x[next - 1]);
  return log ? from ** (1 - share) * to ** share : from + (to - from) * share;
}

/** A symbol at a point of the data; none outside the plot. @param {string} shape @param {number} size @param {Frame} frame @param {number} x @param {number} y */
function markAt(shape, size, frame, x, y) {
  const [left, top] = [pxAcross(frame, x), pxDown(frame, y)];
  return isInside(frame, left, top) ? symbol(shape, size, left, top) : "";
}

/**
 * Hollow markers that show a line's shape, one every 96 px, different runs side by side.
 * @param {Line} line
 * @param {Scene} scene
 * @param {Horizontal} axis
 * @param {Frame} frame
 * @returns {Path}
 */
export function alongTheLine({ run, x, y }, { look, zoom }, axis, frame) {
  const [low, high] = zoom.x ?? axis.range;
  const apart = look.spec.fallline.marker_every_px / frame.width;
  const shift = { a: 0.55, b: 0.85, c: 0.25, d: 0.7 }[run.lane];
  const places = new Set();
  for (let share = apart * shift; share < 1 && x.length > 2; share += apart) {
    const wished = low + (high - low) * share;
    const index = x.findIndex((place) => (axis.log ? Math.log10(place) : place) >= wished);
    if (index > 0 && index < x.length * 0.97) places.add(index);
  }
  return { name: "along", lane: run.lane, run: run.name, d: [...places].map((i) => markAt(run.lane, 7, frame, x[i], y[i])).join("") };
}

/** None for a line that goes on. @param {End[]} ends @param {Frame} frame @returns {Path[]} */
export const endMarks = (ends, frame) => ends.filter(({ goesOn }) => !goesOn).map(({ run, lane, bad, x, y }) => (
  { name: bad ? "end bad" : "end", lane, run, d: markAt(bad ? "x" : lane, 10, frame, x, y) }
));

/**
 * All runs before the first step: shapes inside each other, so that all are visible at one point.
 * @param {{x: number, y: number}|null} start
 * @param {import("../state/types.js").Run[]} visible
 * @param {Frame} frame
 * @returns {Path[]}
 */
export function startMarks(start, visible, frame) {
  if (!start) return [];
  return visible.map(({ name, lane }, place) => {
    const around = visible.length - 1 - place;
    return { name: around ? "start" : "start inner", lane, run: name, d: markAt(lane, 7 + 8 * around, frame, start.x, start.y) };
  });
}
