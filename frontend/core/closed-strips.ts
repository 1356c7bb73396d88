/**
 * Diverged runs whose strip was closed, in any experiment. Each is known by run and step, so that
 * the next divergence of the same run is shown.
 * Owns: their keys, and how many are remembered. Pure.
 */

import type { Run, State } from "./types.ts";

/** Older ones are shown again. */
const MOST = 32;

const nameOf = ({ experiment }: State, { name, generation, divergedAt }: Run) =>
  `${experiment?.id} ${name} ${generation} ${divergedAt}`;

export const isClosed = (state: State, run: Run) =>
  state.view.closedDivergences.includes(nameOf(state, run));

export function closedWith(state: State, runs: string[]) {
  const closed = runs.flatMap((name) =>
    state.runs[name] ? [nameOf(state, state.runs[name])] : [],
  );
  return [
    ...state.view.closedDivergences.filter((each) => !closed.includes(each)),
    ...closed,
  ].slice(-MOST);
}
