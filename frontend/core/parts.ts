/**
 * Changes one part of the state and keeps the rest consistent.
 * Owns: changes of a run, settings in force, the server's speed and pace.
 */

import { pendingChanges, inForce } from "./settings.ts";
import type { Pace, Run, State } from "./types.ts";

export function withRun(state: State, name: string, part: Partial<Run>): State {
  const run = state.runs[name];
  return run ? { ...state, runs: { ...state.runs, [name]: { ...run, ...part } } } : state;
}

/**
 * Edits in force at the run's step. A new edit counts although the steps up to it have not arrived;
 * planned ones wait.
 */
export const editsSoFar = ({ edits, step, planned = [] }: Run) =>
  edits.filter(({ at_step }) => at_step <= step || !planned.includes(at_step));

/** True if a planned edit takes effect between two steps. */
export const reachesPlanned = ({ step, planned = [] }: Run, until: number) =>
  planned.some((at) => at > step && at <= until);

/** Recomputes the settings in force from recipe, edits and unanswered commands. */
export function settled(state: State) {
  const recipes = state.experiment?.recipe.runs ?? [];
  const runs = { ...state.runs };
  for (const recipe of recipes) {
    const run = runs[recipe.name];
    if (!run) continue;
    const settings = inForce(
      recipe,
      editsSoFar(run),
      pendingChanges(state, run.name),
      state.catalog,
    );
    runs[recipe.name] = { ...run, settings };
  }
  return { ...state, runs };
}

/** Merges the server's speed and pace, which another page may have set; a choice made here wins. */
export function withPlayback(
  { playback, pending }: State,
  { speed = playback.speed, pace = playback.pace }: { speed?: number | "max"; pace?: Pace },
) {
  const isAsked = Object.values(pending).some((command) => command.do === "play");
  return isAsked || playback.isOwn ? playback : { ...playback, speed, pace };
}
