/**
 * State changes by server events: edit, reset, divergence, finding, new or removed run, another
 * page's play, storage failure.
 * Owns: that. Pure. reduce.ts handles other messages.
 */

import { lookedAt, selectTroubledRun, withFinding } from "./findings.ts";
import { laneOf, newest, runsOf, shownLabel } from "./experiment-answer.ts";
import { withPlayback, settled, withRun } from "./parts.ts";
import { isReadOnlyProblem } from "./problem-kinds.ts";
import { fromNow, withEdit } from "./settings.ts";
import type { Edit, Json, State } from "./types.ts";

export const EVENTS: Record<string, (state: State, event: Json) => State> = {
  edit(state, event) {
    const run = state.runs[event.run];
    const edit = editOf(event);
    const label = event.edit?.label ?? event.label;
    const isOlder = pendingLabel(state, event.run);
    const labelled = run && label && !isOlder ? withRun(state, event.run, { label }) : state;
    return run && edit
      ? settled(withRun(labelled, event.run, { edits: withEdit(run.edits, edit, state.catalog) }))
      : labelled;
  },
  reset: (state, event) => settled(restarted(state, event)),
  run_added: (state, event) => (state.runs[event.run] ? state : joined(state, event)),
  diverged,
  finding: onFinding,
  finished,
  run_removed: (state, event) => without(state, event.run),
  playback: driven,
  storage: (state, event) => withStorage(state, Boolean(event.read_only)),
};

/** True if an unanswered edit sets the label: what arrives before its answer is older. */
const pendingLabel = ({ pending }: State, run: string) =>
  Object.values(pending).some((each) => each.do === "edit" && each.run === run && each.body.label);

/** The event carries the losses of the last step: no frame brings them while others play. */
function diverged(state: State, event: Json) {
  const run = state.runs[event.run];
  if (!run || (event.generation ?? run.generation) < run.generation) return state;
  const divergedAt = event.diverged_at ?? event.step;
  return withRun(state, event.run, {
    status: "diverged",
    divergedAt,
    latest: newest(run.latest, event.latest),
  });
}

/** The run met a stop condition; the event carries its losses for the same reason. */
function finished(state: State, event: Json) {
  const run = state.runs[event.run];
  if (!run || (event.generation ?? run.generation) < run.generation) return state;
  return withRun(state, event.run, {
    status: "finished",
    finishedBy: event.condition ?? null,
    latest: newest(run.latest, event.latest),
  });
}

/** Findings of a past generation are dropped. */
function onFinding(state: State, { run: name, generation, finding }: Json) {
  const run = state.runs[name];
  if (!run || (generation ?? run.generation) < run.generation) return state;
  const looked = finding.withdrawn ? 0 : lookedAt(finding);
  return selectTroubledRun(
    withRun(state, name, {
      findings: withFinding(run.findings, finding),
      findingsCompleteTo: Math.max(run.findingsCompleteTo, looked),
    }),
  );
}

/**
 * Once storage works again, clears refusals for want of it. An event says so, or after a cut an
 * answer.
 */
export function withStorage(state: State, isReadOnly: boolean): State {
  const isOver = !isReadOnly && isReadOnlyProblem(state.problem);
  return { ...state, isReadOnly, problem: isOver ? null : state.problem };
}

/**
 * Somebody pressed play or pause, maybe on another page: it overrides a speed chosen here but not
 * played.
 */
function driven(state: State, event: Json) {
  const playing = event.playing ? "playing" : "paused";
  const runs = Object.entries(state.runs).map(([name, run]) => [
    name,
    ["playing", "paused"].includes(run.status) ? { ...run, status: playing } : run,
  ]);
  const playback = event.playing ? { ...state.playback, isOwn: false } : state.playback;
  return {
    ...state,
    runs: Object.fromEntries(runs),
    playback: withPlayback({ ...state, playback }, event),
  };
}

const NOT_SETTINGS = [
  "type",
  "experiment",
  "run",
  "step",
  "generation",
  "event",
  "id",
  "at",
  "at_step",
  "label",
];

/** @param event an event or an answer: {run, at_step, ...settings} */
function editOf(event: Json): Edit | null {
  const { at_step = event.step, ...rest } = event.edit ?? event.change ?? event;
  const change = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !NOT_SETTINGS.includes(name)),
  );
  return Object.keys(change).length ? { at_step: at_step ?? event.step, ...change } : null;
}

/** The run begins again; if a reset is undone it returns with its edits, and no mark stands there. */
function restarted(state: State, { run: name, generation, recipe: newRecipe, undone }: Json) {
  const run = state.runs[name];
  const experiment = state.experiment;
  if (!run || !experiment || generation <= run.generation) return state;
  const recipes = experiment.recipe.runs.map((recipe) =>
    recipe.name === name ? (newRecipe ?? fromNow(recipe, run)) : recipe,
  );
  const next = {
    ...state,
    experiment: { ...experiment, recipe: { ...experiment.recipe, runs: recipes } },
  };
  const others = Object.values(state.runs).filter((other) => other !== run && other.step > 0);
  return withRun(next, name, {
    restarted: undone
      ? null
      : {
          step: Math.max(0, ...others.map(({ step }) => step)),
          beside: Object.fromEntries(others.map((other) => [other.name, other.generation])),
        },
    startsLate: !undone && others.length > 0,
    step: 0,
    epoch: 0,
    samplesSeen: 0,
    edits: newRecipe?.edits ?? [],
    latest: {},
    divergedAt: null,
    generation,
    label: newRecipe ? shownLabel(newRecipe) : run.label,
    status: run.status === "diverged" ? "paused" : run.status,
    units: null,
    predictions: null,
    weights: null,
    findings: [],
    findingsCompleteTo: 0,
    verdict: "waiting",
    harm: null,
  });
}

function joined(state: State, { added, recipe, place = state.order.length }: Json) {
  const { experiment } = state;
  if (!experiment) return state;
  const among = <T>(others: T[], own: T) => [
    ...others.slice(0, place),
    own,
    ...others.slice(place),
  ];
  const recipes = { ...experiment.recipe, runs: among(experiment.recipe.runs, recipe) };
  const answer = { id: experiment.id, kernel: experiment.kernel, recipe: recipes, runs: [added] };
  const lane = laneOf(recipe, state.runs);
  const isWayBack = state.runs[recipe.origin?.run]?.status === "diverged";
  const startsLate = Object.values(state.runs).some(({ step }) => step > 0);
  const run = { ...runsOf(answer, {}, false)[added.name], lane, isWayBack, startsLate };
  return settled({
    ...state,
    experiment: { ...experiment, recipe: recipes },
    runs: { ...state.runs, [run.name]: run },
    order: among(state.order, run.name),
  });
}

export function without(state: State, name: string) {
  const { [name]: removed, ...runs } = state.runs;
  if (!removed || !state.experiment) return state;
  const order = state.order.filter((other) => other !== name);
  const recipe = {
    ...state.experiment.recipe,
    runs: state.experiment.recipe.runs.filter((run) => run.name !== name),
  };
  const keep = (run: string | null) => (run === name ? (order[0] ?? null) : run);
  const { view } = state;
  // a removed run loses the selection
  const selection = {
    selectedRun: keep(view.selectedRun),
    networkRun: keep(view.networkRun),
    isRunChosen: view.isRunChosen && view.networkRun !== name,
  };
  return selectTroubledRun({
    ...state,
    runs,
    order,
    view: { ...view, ...selection },
    experiment: { ...state.experiment, recipe },
  });
}
