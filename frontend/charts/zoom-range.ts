/**
 * The part of the horizontal axis that a person zoomed to, shared by all charts on that axis.
 * Owns: that range and its listeners. Pure.
 */

import type { Json } from "../core/types.ts";

/** as Plotly reports it: logarithms where `type` is "log" */
type Stretch = { range: [number, number]; type: string };

export function createZoomRange() {
  let chosen: Stretch | null = null;
  const listeners: Set<() => void> = new Set();
  return {
    get chosen() {
      return chosen;
    },
    /** Null frees the axis. */
    choose(stretch: Stretch | null) {
      if (stretch === chosen) return;
      chosen = stretch;
      for (const listener of [...listeners]) listener();
    },
    watch(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The range of a Plotly zoom event in any panel; null for an axis that did not change. */
export function zoomedTo(change: Json, axis: "x" | "y"): [number, number] | null {
  const key = Object.keys(change).find((name) =>
    new RegExp(`^${axis}axis\\d*\\.range\\[0\\]$`).test(name),
  );
  return key ? [change[key], change[key.replace("[0]", "[1]")]] : null;
}
