/**
 * The state as it was at the step that one looks at: the same shape, so that every view shows past and present alike.
 * Owns: which step that is, and what a run was there. Pure. Training goes on meanwhile: nothing here is told to the server.
 */

import { findingsAt } from "./findings.js";
import { inForce } from "./settings.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Moment} Moment */

/** How far the furthest run is. @param {State} state */
export const furthestStep = (state) => Math.max(0, ...state.order.map((name) => state.runs[name].step));

/** The step that the page shows. @param {State} state */
export const shownStep = (state) => state.looking?.step ?? furthestStep(state);

/** How many steps the training is ahead of what is shown. @param {State} state */
export const stepsAhead = (state) => furthestStep(state) - shownStep(state);

/** Where a run stands at the step that one looks at: there, or where it is if it has not come so far. @param {Run} run @param {number} step */
export const stepOf = (run, step) => Math.min(step, run.step);

/**
 * A look back ends where there is no past any more.
 * @param {State} state
 * @returns {State}
 */
export function withoutLostPast(state) {
  if (!state.looking) return state;
  const end = furthestStep(state);
  return end === 0 || state.looking.step > end ? { ...state, looking: null, offer: null } : state;
}

/** Runs as they were, by what was found of them; a view is drawn anew only when something of its own has changed. @type {WeakMap<Moment, {of: unknown[], run: Run}>} */
const MADE = new WeakMap();
/** @type {WeakMap<State, State>} */
const SEEN = new WeakMap();

/**
 * What the page shows: every run as it was at the step that one looks at. A run whose past is still being asked for is shown
 * as it was found last, at the step of that; each run names its own.
 * @param {State} state
 * @returns {State}
 */
export function seen(state) {
  if (!state.looking) return state;
  const known = SEEN.get(state);
  if (known) return known;
  const runs = Object.fromEntries(Object.values(state.runs).map((run) => [run.name, runThen(run, state)]));
  const shown = { ...state, runs };
  SEEN.set(state, shown);
  return shown;
}

/** @param {Run} run @param {State} state @returns {Run} */
function runThen(run, state) {
  const moment = state.looking?.found[run.name];
  const recipe = state.experiment?.recipe.runs.find(({ name }) => name === run.name);
  if (!moment || !recipe || moment.generation !== run.generation) return run;
  const of = [run.label, run.lane, run.hidden, run.edits, run.findings, run.divergedAt, recipe, state.catalog];
  const made = MADE.get(moment);
  if (made && of.every((each, k) => each === made.of[k])) return made.run;
  const { step, epoch, samples_seen: samplesSeen, latest, units, predictions, weights, trend } = moment;
  const edits = run.edits.filter(({ at_step }) => at_step <= step);
  /** @type {Run} */
  const then = {
    ...run, step, epoch, samplesSeen, latest, units, predictions, weights, trend, edits,
    findings: findingsAt(run.findings, step),
    status: run.divergedAt === step ? "diverged" : "paused",
    divergedAt: run.divergedAt === step ? step : null,
    settings: inForce(recipe, edits, [], state.catalog),
  };
  MADE.set(moment, { of, run: then });
  return then;
}
