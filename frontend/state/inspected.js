/**
 * The run, the state and the next step of the step inspector.
 * Owns: that choice. Pure.
 */

import { deadLayer } from "./selectors.js";
import { stateOnView } from "./moments.js";
import { keyOf, shownPlace } from "./sheets.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").View} View */

/** The run whose network is drawn, at its present step. @param {State} state */
export const inspectedRun = ({ runs, order, view }) => runs[view.networkRun ?? ""] ?? runs[view.selectedRun ?? ""] ?? runs[order[0]];

/** On a phone it is a section of its own. @param {State} state @param {boolean} isPhone */
export const isInspectorOpen = ({ view }, isPhone) => (isPhone ? view.tab === "step" : view.inspector);

/** The last answer, if it is for the run and experiment on view. @param {State} state */
export function inspectionOf(state) {
  const { inspection, experiment } = state;
  return inspection && inspection.experiment === experiment?.id && inspection.run === inspectedRun(state)?.name ? inspection.sheet : null;
}

/** The dead layer of the run at the step on view. @param {State} state */
export function inspectedDead(state) {
  const run = stateOnView(state).runs[inspectedRun(state)?.name ?? ""];
  return run === undefined ? null : deadLayer(run);
}

/** Place of the selected line. @param {State} state @param {import("./sheets.js").Sheet} sheet */
export const shownLine = (state, sheet) => shownPlace(sheet, state.view.line, inspectedDead(state));

/** The line by so many places further down or up; null if there is none. @param {State} state @param {number} by @returns {Partial<View>} */
export function lineFrom(state, by) {
  const sheet = inspectionOf(state);
  const next = sheet ? shownLine(state, sheet) + by : -1;
  return sheet?.lines[next] ? { line: keyOf(sheet, next) } : {};
}

/** The next or previous samples of the batch. @param {State} state @param {number} by @returns {Partial<View>} */
export function samplesFrom(state, by) {
  const { firstSample, samplesShown } = state.view;
  const last = Math.max(0, (inspectionOf(state)?.batch.length ?? 1) - 1);
  const first = Math.max(0, firstSample + by * samplesShown);
  return { firstSample: first > last ? firstSample : first };
}

/** Toggles it. @param {State} state @param {boolean} isPhone @returns {Partial<View>} */
export function toggledInspector({ view }, isPhone) {
  return isPhone ? { tab: view.tab === "step" ? "charts" : "step" } : { inspector: !view.inspector };
}

/** Opens it at a line of a run: "dz2 = da2 * (z2 > 0)". @param {string} run @param {string} code @param {boolean} isPhone @returns {Partial<View>} */
export function openedAt(run, code, isPhone) {
  const [name] = code.split(/\s*-?=\s*/);
  const part = name.startsWith("d") ? "backward" : /^[Wb]\d/.test(name) ? "update" : "forward";
  return { networkRun: run, line: `${part} ${name}`, ...(isPhone ? { tab: "step" } : { inspector: true }) };
}
