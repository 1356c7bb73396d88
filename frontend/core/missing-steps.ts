/**
 * Steps not received yet, after a cut or while catching up.
 * Owns: where they begin, and how the axis of steps continues there. Pure.
 */

import { furthest } from "./selectors.ts";
import type { State } from "./types.ts";

/** steps not received yet, as far as they are drawn */
type Missing = { from: number; to: number };

/** Share of the axis for steps not received. */
const UNKNOWN = 1.2;

/** For visible runs; null if nothing is missing or the axis does not show steps. */
export function missingIn(state: State): Missing | null {
  const { status, lastStep, progress } = state.connection;
  if (state.view.x !== "steps" || !lastStep) return null;
  if (status === "catching-up" && progress && progress.of > progress.have)
    return state.runs[progress.run]?.hidden ? null : { from: progress.have, to: progress.of };
  const from =
    status === "reconnecting" || status === "offline" ? Math.min(lastStep, furthest(state)) : 0;
  return from > 0 ? { from, to: from * UNKNOWN } : null;
}
