/**
 * The part of the horizontal axis that a person zoomed to, shared by all charts on that axis.
 * Owns: that range and its listeners. Pure.
 */

/** @typedef {{range: [number, number], type: string}} Stretch  as Plotly reports it: logarithms where `type` is "log" */

export function createZoomRange() {
  /** @type {Stretch|null} */
  let chosen = null;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    get chosen() { return chosen; },
    /** Null frees the axis. @param {Stretch|null} stretch */
    choose(stretch) {
      if (stretch === chosen) return;
      chosen = stretch;
      for (const listener of [...listeners]) listener();
    },
    /** @param {() => void} listener @returns {() => void} */
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/**
 * The range of a Plotly zoom event in any panel; null for an axis that did not change.
 * @param {import("../state/types.js").Json} change
 * @param {"x"|"y"} axis
 * @returns {[number, number]|null}
 */
export function zoomedTo(change, axis) {
  const key = Object.keys(change).find((name) => new RegExp(`^${axis}axis\\d*\\.range\\[0\\]$`).test(name));
  return key ? [change[key], change[key.replace("[0]", "[1]")]] : null;
}
