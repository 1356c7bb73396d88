/**
 * A fork's command: its name, its label, and words for its parent.
 * Owns: that. Pure. The server copies the parent's exact state.
 */

import { integer } from "./format.ts";
import type { Json, State } from "./types.ts";

const LONGEST_NAME = 32;

/** The command's body: a parent, a step, and a change there. */
export function forkOf({ runs, order }: State, parent: string, step: number, change: Json): Json {
  const place = `-${step}`;
  const wished = (k: number) => {
    const end = k === 1 ? place : `${place}-${k}`;
    return `${parent.slice(0, LONGEST_NAME - end.length)}${end}`;
  };
  const names = new Set(order);
  let k = 1;
  while (names.has(wished(k))) k++;
  const base = `${runs[parent].label} from ${integer(step)}`;
  return {
    name: wished(k),
    label: k === 1 ? base : `${base}, ${k}`,
    fork_of: parent,
    at_step: step,
    ...change,
  };
}

/** "fork of SGD at step 420"; empty for other runs. */
export function originWords({ experiment, runs }: State, name: string) {
  const origin = experiment?.recipe.runs.find((recipe) => recipe.name === name)?.origin;
  return origin
    ? `fork of ${runs[origin.run]?.label ?? origin.run} at step ${integer(origin.at_step)}`
    : "";
}
