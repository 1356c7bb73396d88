/**
 * The state that every view shows, in the same shape: of the last beat, or at the past step on view.
 * Owns: that step, and the runs there. Pure. Training goes on; the server knows nothing of it.
 */

import { findingsAt, withEvidence } from "./findings.ts";
import { inForce } from "./settings.ts";
import type { Moment, Run, RunRecipe, Shown, State } from "./types.ts";

/** The visible runs, in order. */
export const shownRuns = ({ order, runs }: State) =>
  order.map((name) => runs[name]).filter(({ hidden }) => !hidden);

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

/** Runs by their answers, so that views redraw only when their own part changed. */
const RUNS: WeakMap<Moment | Shown, { of: unknown[]; run: Run }> = new WeakMap();
const ON_VIEW: WeakMap<State, State> = new WeakMap();

/**
 * The state that every view shows: each run at the step on view. While its answer is on the way, a
 * run keeps the last one and its step. At the present that is the last beat; only the counter and
 * the newest segment of a line are ahead of it.
 */
export function stateOnView(state: State): State {
  if (!state.looking && !state.beat) return state;
  const lastResult = ON_VIEW.get(state);
  if (lastResult) return lastResult;
  const runs = Object.fromEntries(
    Object.values(state.runs).map((run) => [
      run.name,
      state.looking ? runThen(run, state) : runAtBeat(run, state),
    ]),
  );
  const result = { ...state, runs };
  ON_VIEW.set(state, result);
  return result;
}

/** The step that views show: until a past step's answer is there, the one before it. */
export const stepOnView = (state: State) => furthestStep(stateOnView(state));

/**
 * The newest step of the counter, which was `last`. While runs play it is ahead of the last beat; else
 * it changes with it. When they stop it waits for the last beat where it is: it never runs back.
 */
export function countedStep(state: State, last: number) {
  const beat = shownStep(stateOnView(state));
  if (state.looking) return beat;
  const present = furthestStep(state);
  return Math.max(beat, state.playback.playing ? present : Math.min(last, present));
}

/** The run made for these values, or a new one. */
function cached(answer: Moment | Shown, of: unknown[], make: () => Run) {
  const last = RUNS.get(answer);
  if (last && of.every((each, k) => each === last.of[k])) return last.run;
  const run = make();
  RUNS.set(answer, { of, run });
  return run;
}

/** The part of a run that a frame brings; the rest of it is shown at once. */
export const frameOf = ({
  generation,
  status,
  step,
  epoch,
  samplesSeen,
  latest,
  verdict,
  harm,
  findingsCompleteTo,
  doctor,
  findings,
}: Run): Shown => ({
  generation,
  status,
  step,
  epoch,
  samplesSeen,
  latest,
  verdict,
  harm,
  findingsCompleteTo,
  doctor,
  news: findings,
});

/** The Doctor may go on looking at a run that rests: then frames say more of the same step. */
function runAtBeat(run: Run, { beat, playback }: State): Run {
  const moment = beat?.[run.name];
  if (!moment || moment.generation !== run.generation) return run;
  if (!playback.playing && moment.step === run.step) return run;
  const { news, ...frame } = moment;
  const findingsThen = () => run.findings.filter(({ found_at: at }) => at <= frame.step);
  const of = [
    run.label,
    run.lane,
    run.hidden,
    run.edits,
    run.planned,
    run.settings,
    run.units,
    run.predictions,
    run.weights,
    run.findings,
    run.divergedAt,
    run.finishedBy,
    run.restarted,
    run.isWayBack,
  ];
  return cached(moment, of, () => ({
    ...run,
    ...frame,
    divergedAt: frame.status === "diverged" ? (run.divergedAt ?? frame.step) : null,
    findings: withEvidence(findingsAt(findingsThen(), frame.step), news),
  }));
}

function runThen(run: Run, state: State): Run {
  const moment = state.looking?.moments[run.name];
  const recipe = state.experiment?.recipe.runs.find(({ name }) => name === run.name);
  if (!moment || !recipe || moment.generation !== run.generation) return run;
  const isNow = moment.step === run.step;
  const verdict = isNow ? run.verdict : (moment.verdict ?? null);
  const harm = isNow ? run.harm : (moment.harm ?? null);
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
  return cached(moment, of, () => pastRun(run, moment, recipe, state, { verdict, harm }));
}

function pastRun(
  run: Run,
  moment: Moment,
  recipe: RunRecipe,
  { catalog }: State,
  diagnosis: Pick<Run, "verdict" | "harm">,
): Run {
  const { step, epoch, samples_seen: samplesSeen, latest, units, predictions, weights } = moment;
  const edits = run.edits.filter(({ at_step }) => at_step <= step);
  return {
    ...run,
    step,
    epoch,
    samplesSeen,
    latest,
    units,
    predictions,
    weights,
    edits,
    ...diagnosis,
    findings: findingsAt(run.findings, step),
    findingsCompleteTo: Math.min(run.findingsCompleteTo, step),
    status: run.divergedAt === step ? "diverged" : "paused",
    divergedAt: run.divergedAt === step ? step : null,
    settings: inForce(recipe, edits, [], catalog),
  };
}
