/**
 * The inspected step, its selected line and its samples.
 * Owns: that choice. Pure.
 */

import { inspectedRun } from "../../core/inspected.ts";
import { deadLayer } from "../../core/selectors.ts";
import { keyOf, shownPlace } from "./sheets.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import type { State, View } from "../../core/types.ts";
import type { Sheet } from "../../core/wire-types.ts";

/** The last answer, if it is for the run and experiment on view. */
export function inspectionOf(state: State) {
  const { inspection, experiment } = state;
  return inspection &&
    inspection.experiment === experiment?.id &&
    inspection.run === inspectedRun(state)?.name
    ? inspection.sheet
    : null;
}

/** The dead layer of the run at the step on view. */
export function inspectedDead(state: State) {
  const run = stateOnView(state).runs[inspectedRun(state)?.name ?? ""];
  return run === undefined ? null : deadLayer(run);
}

/** Place of the selected line. */
export const shownLine = (state: State, sheet: Sheet) =>
  shownPlace(sheet, state.view.line, inspectedDead(state));

/** The line by so many places further down or up; null if there is none. */
export function lineFrom(state: State, by: number): Partial<View> {
  const sheet = inspectionOf(state);
  const next = sheet ? shownLine(state, sheet) + by : -1;
  return sheet?.lines[next] ? { line: keyOf(sheet, next) } : {};
}

/** The next or previous samples of the batch. */
export function samplesFrom(state: State, by: number): Partial<View> {
  const { firstSample, samplesShown } = state.view;
  const last = Math.max(0, (inspectionOf(state)?.batch.length ?? 1) - 1);
  const first = Math.max(0, firstSample + by * samplesShown);
  return { firstSample: first > last ? firstSample : first };
}

export const toggledInspector = ({ view }: State): Partial<View> => ({
  inspector: !view.inspector,
});
