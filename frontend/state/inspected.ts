/**
 * The run, the state and the next step of the step inspector.
 * Owns: that choice. Pure.
 */

import { deadLayer } from "./selectors.ts";
import { stateOnView } from "./state-on-view.ts";
import { keyOf, shownPlace } from "./sheets.ts";
import type { Sheet } from "./sheets.ts";
import type { State, View } from "./types.ts";

/** The run whose network is drawn, at its present step. */
export const inspectedRun = ({ runs, order, view }: State) =>
  runs[view.networkRun ?? ""] ?? runs[view.selectedRun ?? ""] ?? runs[order[0]];

/** On a phone it is a section of its own. */
export const isInspectorOpen = ({ view }: State, isPhone: boolean) =>
  isPhone ? view.tab === "step" : view.inspector;

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

/** Toggles it. */
export function toggledInspector({ view }: State, isPhone: boolean): Partial<View> {
  return isPhone
    ? { tab: view.tab === "step" ? "charts" : "step" }
    : { inspector: !view.inspector };
}

/** Opens it at a line of a run: "dz2 = da2 * (z2 > 0)". */
export function openedAt(run: string, code: string, isPhone: boolean): Partial<View> {
  const [name] = code.split(/\s*-?=\s*/);
  const part = name.startsWith("d") ? "backward" : /^[Wb]\d/.test(name) ? "update" : "forward";
  return {
    networkRun: run,
    line: `${part} ${name}`,
    ...(isPhone ? { tab: "step" } : { inspector: true }),
  };
}
