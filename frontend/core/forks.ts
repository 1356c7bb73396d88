/**
 * A fork's command: its name, its label, and words for its parent; where it leaves its parent.
 * Owns: that. Pure. The server copies the parent's exact state.
 */

import { integer } from "./format.ts";
import { forkLabel } from "./run-names.ts";
import { inForce } from "./settings.ts";
import * as texts from "../words/english.ts";
import type { Json, State } from "./types.ts";

const LONGEST_NAME = 32;

/** Settings that a fork inherits: without edits at its step, which are the parent's future. */
function settingsBefore({ experiment, runs, catalog }: State, parent: string, step: number) {
  const recipe = experiment?.recipe.runs.find(({ name }) => name === parent);
  const { edits, settings } = runs[parent];
  const before = edits.filter(({ at_step }) => at_step < step);
  return recipe ? inForce(recipe, before, [], catalog) : settings;
}

/** The command's body: a parent, a step, and a change there. */
export function forkOf(state: State, parent: string, step: number, change: Json): Json {
  const place = `-${step}`;
  const wished = (k: number) => {
    const end = k === 1 ? place : `${place}-${k}`;
    return `${parent.slice(0, LONGEST_NAME - end.length)}${end}`;
  };
  const names = new Set(state.order);
  let k = 1;
  while (names.has(wished(k))) k++;
  return {
    name: wished(k),
    label: forkLabel(state, parent, change, settingsBefore(state, parent, step)),
    fork_of: parent,
    at_step: step,
    ...change,
  };
}

/** The step at which a fork leaves its parent; 0 for other runs. */
export const originOf = ({ experiment }: State, name: string) =>
  experiment?.recipe.runs.find((recipe) => recipe.name === name)?.origin?.at_step ?? 0;

/** "fork of SGD at step 420"; empty for other runs. */
export function originWords({ experiment, runs }: State, name: string) {
  const origin = experiment?.recipe.runs.find((recipe) => recipe.name === name)?.origin;
  return origin
    ? texts.forkOfXAtStepY(runs[origin.run]?.label ?? origin.run, integer(origin.at_step))
    : "";
}
