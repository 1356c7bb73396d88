/**
 * Which run the step inspector shows, whether it is open, and what it shows next.
 * Owns: that choice. Pure.
 */

import { deadLayer } from "./selectors.js";
import { seen } from "./moments.js";
import { keyOf, shownPlace } from "./sheets.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").View} View */

/** The run whose network is drawn, as it is now. @param {State} state */
export const inspectedRun = ({ runs, order, view }) => runs[view.networkRun ?? ""] ?? runs[view.selectedRun ?? ""] ?? runs[order[0]];

/** On a phone it is a section of its own. @param {State} state @param {boolean} isPhone */
export const isInspectorOpen = ({ view }, isPhone) => (isPhone ? view.tab === "step" : view.inspector);

/** What was answered, if it is of the run and the experiment that are shown. @param {State} state */
export function inspectionOf(state) {
  const { inspection, experiment } = state;
  return inspection && inspection.experiment === experiment?.id && inspection.run === inspectedRun(state)?.name ? inspection.sheet : null;
}

/** The layer that is dead in the run and at the step that are shown. @param {State} state */
export function inspectedDead(state) {
  const run = seen(state).runs[inspectedRun(state)?.name ?? ""];
  return run === undefined ? null : deadLayer(run);
}

/** The place of the line that is shown. @param {State} state @param {import("./sheets.js").Sheet} sheet */
export const shownLine = (state, sheet) => shownPlace(sheet, state.view.line, inspectedDead(state));

/** A line further down or up; nothing where there is none. @param {State} state @param {number} by @returns {Partial<View>} */
export function lineFrom(state, by) {
  const sheet = inspectionOf(state);
  const next = sheet ? shownLine(state, sheet) + by : -1;
  return sheet?.lines[next] ? { line: keyOf(sheet, next) } : {};
}

/** The samples of the batch that come next, or came before. @param {State} state @param {number} by @returns {Partial<View>} */
export function samplesFrom(state, by) {
  const { firstSample, samplesShown } = state.view;
  const last = Math.max(0, (inspectionOf(state)?.batch.length ?? 1) - 1);
  const first = Math.max(0, firstSample + by * samplesShown);
  return { firstSample: first > last ? firstSample : first };
}

/** Open or closed. @param {State} state @param {boolean} isPhone @returns {Partial<View>} */
export function toggledInspector({ view }, isPhone) {
  return isPhone ? { tab: view.tab === "step" ? "charts" : "step" } : { inspector: !view.inspector };
}

/** Open at a line that somebody names, "dz2 = da2 * (z2 > 0)", of a run. @param {string} run @param {string} code @param {boolean} isPhone @returns {Partial<View>} */
export function openedAt(run, code, isPhone) {
  const [name] = code.split(/\s*-?=\s*/);
  const part = name.startsWith("d") ? "backward" : /^[Wb]\d/.test(name) ? "update" : "forward";
  return { networkRun: run, line: `${part} ${name}`, ...(isPhone ? { tab: "step" } : { inspector: true }) };
}
