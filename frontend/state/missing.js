/**
 * What of a run is not received yet, while the line is cut or what was missed comes in.
 * Owns: from where, and how far the axis of steps goes on from there. Pure.
 */

import { furthest } from "./selectors.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {{from: number, to: number}} Missing  the steps that are not received yet, or as many as are drawn of them */

/** What is not received yet gets this share of the axis. */
const UNKNOWN = 1.2;

/**
 * As far as the runs that are shown are concerned; null where nothing is missing, or the axis is not one of steps.
 * @param {State} state
 * @returns {Missing|null}
 */
export function missingIn(state) {
  const { status, lastStep, progress } = state.connection;
  if (state.view.x !== "steps" || !lastStep) return null;
  if (status === "catching-up" && progress && progress.of > progress.have) return state.runs[progress.run]?.hidden ? null : { from: progress.have, to: progress.of };
  const from = status === "reconnecting" || status === "offline" ? Math.min(lastStep, furthest(state)) : 0;
  return from > 0 ? { from, to: from * UNKNOWN } : null;
}
