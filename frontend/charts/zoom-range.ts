/**
 * The range that a person zoomed to by a drag in a chart.
 * Owns: reading Plotly's event. Pure.
 */

import type { Json } from "../core/types.ts";

/** The range of a Plotly zoom event in any panel; null for an axis that did not change. */
export function zoomedTo(change: Json, axis: "x" | "y"): [number, number] | null {
  const key = Object.keys(change).find((name) =>
    new RegExp(`^${axis}axis\\d*\\.range\\[0\\]$`).test(name),
  );
  return key ? [change[key], change[key.replace("[0]", "[1]")]] : null;
}
