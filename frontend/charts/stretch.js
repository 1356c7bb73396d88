/**
 * The stretch of the horizontal axis that a person chose to look at: one for all charts that share the axis.
 * Owns: that stretch and who has to draw again when it changes. Pure.
 */

/** @typedef {{range: [number, number], type: string}} Stretch  as Plotly tells it: logarithms where `type` is "log" */

export function createStretch() {
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
 * What Plotly says of a zoom, whichever panel it was in; null for an axis that stayed.
 * @param {import("../state/types.js").Json} change
 * @param {"x"|"y"} axis
 * @returns {[number, number]|null}
 */
export function zoomedTo(change, axis) {
  const key = Object.keys(change).find((name) => new RegExp(`^${axis}axis\\d*\\.range\\[0\\]$`).test(name));
  return key ? [change[key], change[key.replace("[0]", "[1]")]] : null;
}
