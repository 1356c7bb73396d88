/**
 * A band as one outline instead of two edges: a trace less for each, and the edges of a panel's bands were half its traces.
 * Owns: that. Pure. The picture is the same.
 */

/** @typedef {import("../state/types.js").Json} Json */

/** @param {Json} trace */
const isEdge = ({ meta }) => meta?.role === "band";

/**
 * Where the least is the greatest everywhere, as where every step is drawn, there is nothing to fill and no trace.
 * @param {Json[]} data  filled; a band's upper edge, then its lower one
 * @returns {Json[]}
 */
export function outlined(data) {
  return data.flatMap((trace, place) => {
    if (!isEdge(trace)) return [trace];
    const upper = data[place - 1];
    return trace.fill && upper && isEdge(upper) && !upper.fill ? outline(upper, trace) : [];
  });
}

/** @param {Json} upper @param {Json} lower */
function outline(upper, lower) {
  if (upper.y.every((/** @type {number} */ value, /** @type {number} */ i) => value === lower.y[i])) return [];
  const meta = { ...lower.meta, points: upper.x.length };
  return [{ ...lower, meta, x: [...upper.x, ...[...lower.x].reverse()], y: [...upper.y, ...[...lower.y].reverse()], fill: "toself" }];
}
