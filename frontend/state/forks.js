/**
 * A fork's command: its name, its label, and words for its parent.
 * Owns: that. Pure. The server copies the parent's exact state.
 */

import { integer } from "./format.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Json} Json */

const LONGEST_NAME = 32;

/**
 * The command's body: a parent, a step, and a change there.
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
  const names = new Set(order);
  let k = 1;
  while (names.has(wished(k))) k++;
  const base = `${runs[parent].label} from ${integer(step)}`;
  return { name: wished(k), label: k === 1 ? base : `${base}, ${k}`, fork_of: parent, at_step: step, ...change };
}

/** "fork of SGD at step 420"; empty for other runs. @param {State} state @param {string} name */
export function originWords({ experiment, runs }, name) {
  const origin = experiment?.recipe.runs.find((recipe) => recipe.name === name)?.origin;
  return origin ? `fork of ${runs[origin.run]?.label ?? origin.run} at step ${integer(origin.at_step)}` : "";
}
