/**
 * Diverged runs whose strip was closed, in any experiment. Each is known by run and step, so that the next divergence
 * of the same run is shown.
 * Owns: their keys, and how many are remembered. Pure.
 */

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */

/** Older ones are shown again. */
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
