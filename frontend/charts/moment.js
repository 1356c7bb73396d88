/**
 * The past step on view, as a line across a chart and a place for each run.
 * Owns: where these stand. Pure.
 */

import { placeOf } from "./horizontal.js";
import { shownRuns } from "./looks.js";
import { pxAcross } from "./labels.js";
import { isInside, px } from "./paths.js";
import { stateOnView } from "../state/moments.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("../state/types.js").Run} Run */

/**
 * Place of a run on the axis at the step on view; null at the present.
 * @param {Run} run  as it is now
 * @param {Scene} scene
 */
export function placeThen(run, { state, series }) {
  if (!state.looking) return null;
  const { step } = stateOnView(state).runs[run.name];
  return placeOf(series.of(run.name), state.view.x, state.experiment?.trainSamples ?? 1, step);
}

/**
 * One line where all runs share the axis, else one for each run in its colour; none at the present.
 * @param {Scene} scene
 * @param {import("./labels.js").Frame} frame
 * @returns {import("./paths.js").Path[]}
 */
export function momentLines(scene, frame) {
  const { looking, view } = scene.state;
  if (!looking) return [];
  const lines = view.x === "steps"
    ? [{ lane: undefined, place: looking.step }]
    : shownRuns(scene.state).map((run) => ({ lane: run.lane, place: placeThen(run, scene) ?? 0 }));
  return lines.map(({ lane, place }) => ({ lane, left: pxAcross(frame, place) })).filter(({ left }) => isInside(frame, left, frame.top))
    .map(({ lane, left }) => ({ name: "moment", lane, d: `M${px(left)},${px(frame.top + frame.height)}V${px(frame.top)}` }));
}
