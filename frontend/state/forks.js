/**
 * A fork as it is asked for: its name, its label, and the words that tell whose it is.
 * Owns: that. Pure. The server makes it from the parent's exact state.
 */

import { integer } from "./format.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Json} Json */

const LONGEST_NAME = 32;

/**
 * The body of the command: beside its parent, from a step on, with a change there.
 * @param {State} state
 * @param {string} parent
 * @param {number} step
 * @param {Json} change
 * @returns {Json}
 */
export function forkOf({ runs, order }, parent, step, change) {
  const place = `-${step}`;
  const wished = (/** @type {number} */ k) => {
    const end = k === 1 ? place : `${place}-${k}`;
    return `${parent.slice(0, LONGEST_NAME - end.length)}${end}`;
  };
  const taken = new Set(order);
  let k = 1;
  while (taken.has(wished(k))) k++;
  const told = `${runs[parent].label} from ${integer(step)}`;
  return { name: wished(k), label: k === 1 ? told : `${told}, ${k}`, fork_of: parent, at_step: step, ...change };
}

/**
 * "fork of SGD at step 420"; nothing where the run is none.
 * @param {State} state
 * @param {string} name
 */
export function originWords({ experiment, runs }, name) {
  const origin = experiment?.recipe.runs.find((recipe) => recipe.name === name)?.origin;
  return origin ? `fork of ${runs[origin.run]?.label ?? origin.run} at step ${integer(origin.at_step)}` : "";
}
