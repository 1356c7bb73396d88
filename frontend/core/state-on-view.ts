/**
 * The state at the past step on view, in the same shape, so that every view shows past and present
 * alike.
 * Owns: that step, and the runs there. Pure. Training goes on; the server knows nothing of it.
 */

import { findingsAt } from "./findings.ts";
import { inForce } from "./settings.ts";
import type { Moment, Run, State } from "./types.ts";

/** The step of the furthest run. */
export const furthestStep = (state: State) =>
  Math.max(0, ...state.order.map((name) => state.runs[name].step));

/** The step on view. */
export const shownStep = (state: State) => state.looking?.step ?? furthestStep(state);

/** How many steps training is ahead of the view. */
export const stepsAhead = (state: State) => furthestStep(state) - shownStep(state);

/** A run's step on view: the past step, or its present one if it has not come that far. */
export const stepOf = (run: Run, step: number) => Math.min(step, run.step);

/** Leaves the past view if that past no longer exists. */
export function withoutLostPast(state: State): State {
  if (!state.looking) return state;
  const end = furthestStep(state);
  return end === 0 || state.looking.step > end ? { ...state, looking: null, offer: null } : state;
}

/** Past runs by their answers, so that views redraw only when their own part changed. */
const PAST_RUNS: WeakMap<Moment, { of: unknown[]; run: Run }> = new WeakMap();
const ON_VIEW: WeakMap<State, State> = new WeakMap();

/**
 * The state that every view shows: each run at the step on view. While its answer is on the way, a
 * run keeps the last one and its step.
 */
export function stateOnView(state: State): State {
  if (!state.looking) return state;
  const cached = ON_VIEW.get(state);
  if (cached) return cached;
  const runs = Object.fromEntries(
    Object.values(state.runs).map((run) => [run.name, runThen(run, state)]),
  );
  const result = { ...state, runs };
  ON_VIEW.set(state, result);
  return result;
}

function runThen(run: Run, state: State): Run {
  const moment = state.looking?.moments[run.name];
  const recipe = state.experiment?.recipe.runs.find(({ name }) => name === run.name);
  if (!moment || !recipe || moment.generation !== run.generation) return run;
  const isNow = moment.step === run.step;
  const verdict = isNow ? run.verdict : null;
  const harm = isNow ? run.harm : null;
  const of = [
    run.label,
    run.lane,
    run.hidden,
    run.edits,
    run.findings,
    verdict,
    harm,
    Math.min(run.findingsCompleteTo, moment.step),
    run.divergedAt,
    recipe,
    state.catalog,
  ];
  const cached = PAST_RUNS.get(moment);
  if (cached && of.every((each, k) => each === cached.of[k])) return cached.run;
  const { step, epoch, samples_seen: samplesSeen, latest, units, predictions, weights } = moment;
  const edits = run.edits.filter(({ at_step }) => at_step <= step);
  const then: Run = {
    ...run,
    step,
    epoch,
    samplesSeen,
    latest,
    units,
    predictions,
    weights,
    edits,
    verdict,
    harm,
    findings: findingsAt(run.findings, step),
    findingsCompleteTo: Math.min(run.findingsCompleteTo, step),
    status: run.divergedAt === step ? "diverged" : "paused",
    divergedAt: run.divergedAt === step ? step : null,
    settings: inForce(recipe, edits, [], state.catalog),
  };
  PAST_RUNS.set(moment, { of, run: then });
  return then;
}
