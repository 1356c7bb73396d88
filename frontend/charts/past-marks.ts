/**
 * The past step on view, as a line across a chart and a place for each run, and faint lines after it.
 * Owns: where these stand. Pure.
 */

import { placeOf } from "./horizontal.ts";
import { pxAcross } from "./labels.ts";
import { isInside, px } from "./paths.ts";
import { shownRuns, stateOnView } from "../core/state-on-view.ts";
import type { Json, Run } from "../core/types.ts";
import type { Frame } from "./labels.ts";
import type { Path } from "./paths.ts";
import type { Scene } from "./scene.ts";

/**
 * Place of a run on the axis at the step on view; null at the present.
 * @param run as it is now
 */
export function placeThen(run: Run, { state, series }: Scene) {
  if (!state.looking) return null;
  const { step } = stateOnView(state).runs[run.name];
  return placeOf(series.of(run.name), state.view.x, state.experiment?.trainSamples ?? 1, step);
}

/** The place on view of a run by its name; Infinity at the present. */
export const untilOf = (scene: Scene) => (run: string) =>
  placeThen(scene.state.runs[run], scene) ?? Infinity;

/** Opacity of what comes after the step on view. */
const LATER = 0.22;

/** Lines with what comes after the step on view apart, and faint. */
export function withLater(data: Json[], scene: Scene): Json[] {
  if (!scene.state.looking) return data;
  return data.flatMap((trace) => {
    const { x, y, meta } = trace;
    const then = placeThen(scene.state.runs[meta.run], scene) ?? Infinity;
    const after = x.findIndex((place: number) => place > then);
    if (after < 0) return [trace];
    const from = Math.max(0, after - 1);
    const later = { x: x.slice(from), y: y.slice(from), meta: { ...meta, role: "later" } };
    return [
      { ...trace, x: x.slice(0, after), y: y.slice(0, after) },
      { ...trace, ...later, opacity: LATER },
    ];
  });
}

/**
 * One line where all runs share the axis, else one for each run in its colour; none at the present.
 */
export const momentLines = (scene: Scene, frame: Frame): Path[] =>
  momentPlaces(scene, frame).map(({ lane, left }) => ({
    name: "moment",
    lane,
    d: `M${px(left)},${px(frame.top + frame.height)}V${px(frame.top)}`,
  }));

/** Where these lines stand, in px. */
export function momentPlaces(scene: Scene, frame: Frame) {
  const { looking, view } = scene.state;
  if (!looking) return [];
  const lines =
    view.x === "steps"
      ? [{ lane: undefined, place: looking.step }]
      : shownRuns(scene.state).map((run) => ({
          lane: run.lane,
          place: placeThen(run, scene) ?? 0,
        }));
  return lines
    .map(({ lane, place }) => ({ lane, left: pxAcross(frame, place) }))
    .filter(({ left }) => isInside(frame, left, frame.top));
}
