/**
 * Of which divergences somebody has closed the strip, in whatever experiment: each is known by where and when it was, so that the
 * next one of the same run is told again.
 * Owns: their names, and how many are remembered. Pure.
 */

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */

/** Older ones are told again. */
const MOST = 32;

/** @param {State} state @param {Run} run */
const nameOf = ({ experiment }, { name, generation, divergedAt }) => `${experiment?.id} ${name} ${generation} ${divergedAt}`;

/** @param {State} state @param {Run} run */
export const isClosed = (state, run) => state.view.closedDivergences.includes(nameOf(state, run));

/** @param {State} state @param {string[]} runs */
export function closedWith(state, runs) {
  const closed = runs.flatMap((name) => (state.runs[name] ? [nameOf(state, state.runs[name])] : []));
  return [...state.view.closedDivergences.filter((each) => !closed.includes(each)), ...closed].slice(-MOST);
}
