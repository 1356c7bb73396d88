/**
 * The inspected run, how much of its arrays is shown, and the line at which the step inspector opens.
 * Owns: that choice. Pure.
 */

import type { State, View } from "./types.ts";

/** Up to this many columns, or rows that are not samples, are requested and shown whole. */
export const WHOLE = 12;

/** The run whose network is drawn, at its present step. */
export const inspectedRun = ({ runs, order, view }: State) =>
  runs[view.networkRun ?? ""] ?? runs[view.selectedRun ?? ""] ?? runs[order[0]];

/** Opens it at a line of a run: "dz2 = da2 * (z2 > 0)". */
export function openedAt(run: string, code: string): Partial<View> {
  const [name] = code.split(/\s*-?=\s*/);
  const part = name.startsWith("d") ? "backward" : /^[Wb]\d/.test(name) ? "update" : "forward";
  return {
    networkRun: run,
    line: `${part} ${name}`,
    inspector: true,
  };
}
