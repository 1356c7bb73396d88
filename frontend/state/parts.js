/**
 * Changing one part of the state so that the rest stays true.
 * Owns: a run with something changed, settings in force, speed and pace as the server tells them. Must not know messages.
 */

import { askedOf, inForce } from "./settings.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */

/**
 * @param {State} state
 * @param {string} name
 * @param {Partial<Run>} part
 * @returns {State}
 */
export function withRun(state, name, part) {
  const run = state.runs[name];
  return run ? { ...state, runs: { ...state.runs, [name]: { ...run, ...part } } } : state;
}

/**
 * A recipe may hold edits for steps to come. One that is made now is in force although the steps until it are still on their way.
 * @param {Run} run
 */
export const editsSoFar = ({ edits, step, planned = [] }) => edits.filter(({ at_step }) => at_step <= step || !planned.includes(at_step));

/** Whether a planned edit comes into force between two steps. @param {Run} run @param {number} until */
export const reachesPlanned = ({ step, planned = [] }, until) => planned.some((at) => at > step && at <= until);

/** Settings in force follow recipe, edits and what is asked; computed anew wherever one of these may have changed. @param {State} state */
export function settled(state) {
  const recipes = state.experiment?.recipe.runs ?? [];
  const runs = { ...state.runs };
  for (const recipe of recipes) {
    const run = runs[recipe.name];
    if (!run) continue;
    const settings = inForce(recipe, editsSoFar(run), askedOf(state, run.name), state.catalog);
    runs[recipe.name] = { ...run, settings };
  }
  return { ...state, runs };
}

/**
 * Speed and pace as the server has them, for another page may have chosen them; what is chosen here comes first.
 * @param {State} state
 * @param {{speed?: number|"max", pace?: import("./types.js").Pace}} told
 */
export function heard({ playback, pending }, { speed = playback.speed, pace = playback.pace }) {
  const isAsked = Object.values(pending).some((command) => command.do === "play");
  return isAsked || playback.isOwn ? playback : { ...playback, speed, pace };
}
