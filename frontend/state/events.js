/**
 * State changes by server events: edit, reset, divergence, finding, new or removed run, another page's play, storage
 * failure.
 * Owns: that. Pure. reduce.js handles other messages.
 */

import { selectTroubledRun, withFinding } from "./findings.js";
import { laneOf, newest, runsOf } from "./opened.js";
import { withPlayback, settled, withRun } from "./parts.js";
import { fromNow, withEdit } from "./settings.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Json} Json */

/** @type {Record<string, (state: State, event: Json) => State>} */
export const EVENTS = {
  edit(state, event) {
    const run = state.runs[event.run];
    const edit = editOf(event);
    const label = event.edit?.label ?? event.label;
    const labelled = run && label ? withRun(state, event.run, { label }) : state;
    return run && edit ? settled(withRun(labelled, event.run, { edits: withEdit(run.edits, edit, state.catalog) })) : labelled;
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

/**
 * The event carries the losses of the last step: no frame brings them while others play.
 * @param {State} state
 * @param {Json} event
 */
function diverged(state, event) {
  const run = state.runs[event.run];
  if (!run || (event.generation ?? run.generation) < run.generation) return state;
  const divergedAt = event.diverged_at ?? event.step;
  return withRun(state, event.run, { status: "diverged", divergedAt, latest: newest(run.latest, event.latest) });
}

/**
 * The run met a stop condition; the event carries its losses for the same reason.
 * @param {State} state
 * @param {Json} event
 */
function finished(state, event) {
  const run = state.runs[event.run];
  if (!run || (event.generation ?? run.generation) < run.generation) return state;
  return withRun(state, event.run, { status: "finished", finishedBy: event.condition ?? null, latest: newest(run.latest, event.latest) });
}

/** Findings of a past generation are dropped. @param {State} state @param {Json} event */
function onFinding(state, { run: name, generation, finding }) {
  const run = state.runs[name];
  if (!run || (generation ?? run.generation) < run.generation) return state;
  return selectTroubledRun(withRun(state, name, { findings: withFinding(run.findings, finding) }));
}

/**
 * Once storage works again, clears refusals for want of it. An event says so, or after a cut an answer.
 * @param {State} state
 * @param {boolean} isReadOnly
 * @returns {State}
 */
export function withStorage(state, isReadOnly) {
  const isOver = !isReadOnly && state.problem?.type === "/problems/read-only";
  return { ...state, isReadOnly, problem: isOver ? null : state.problem };
}

/**
 * Somebody pressed play or pause, maybe on another page: it overrides a speed chosen here but not played.
 * @param {State} state
 * @param {Json} event
 */
function driven(state, event) {
  const playing = event.playing ? "playing" : "paused";
  const runs = Object.entries(state.runs).map(([name, run]) => [name, ["playing", "paused"].includes(run.status) ? { ...run, status: playing } : run]);
  const playback = event.playing ? { ...state.playback, isOwn: false } : state.playback;
  return { ...state, runs: Object.fromEntries(runs), playback: withPlayback({ ...state, playback }, event) };
}

const NOT_SETTINGS = ["type", "experiment", "run", "step", "generation", "event", "id", "at", "at_step", "label"];

/** @param {Json} event  an event or an answer: {run, at_step, ...settings} @returns {import("./types.js").Edit|null} */
function editOf(event) {
  const { at_step = event.step, ...rest } = event.edit ?? event.change ?? event;
  const change = Object.fromEntries(Object.entries(rest).filter(([name]) => !NOT_SETTINGS.includes(name)));
  return Object.keys(change).length ? { at_step: at_step ?? event.step, ...change } : null;
}

/**
 * @param {State} state
 * @param {Json} event
 */
function restarted(state, { run: name, generation, recipe: newRecipe }) {
  const run = state.runs[name];
  const experiment = state.experiment;
  if (!run || !experiment || generation <= run.generation) return state;
  const recipes = experiment.recipe.runs.map((recipe) => (recipe.name === name ? newRecipe ?? fromNow(recipe, run) : recipe));
  const next = { ...state, experiment: { ...experiment, recipe: { ...experiment.recipe, runs: recipes } } };
  const others = Object.values(state.runs).filter((other) => other !== run && other.step > 0);
  return withRun(next, name, {
    restarted: { step: Math.max(0, ...others.map(({ step }) => step)), beside: Object.fromEntries(others.map((other) => [other.name, other.generation])) },
    step: 0, epoch: 0, samplesSeen: 0, edits: [], latest: {}, divergedAt: null, generation, trend: undefined,
    status: run.status === "diverged" ? "paused" : run.status, units: null, predictions: null, weights: null, findings: [],
  });
}

/**
 * @param {State} state
 * @param {Json} event
 */
function joined(state, { added, recipe }) {
  const { experiment } = state;
  if (!experiment) return state;
  const recipes = { ...experiment.recipe, runs: [...experiment.recipe.runs, recipe] };
  const answer = { id: experiment.id, kernel: experiment.kernel, recipe: recipes, runs: [added] };
  const lane = laneOf(added.name, state.order.length, state.runs);
  const isWayBack = state.runs[recipe.origin?.run]?.status === "diverged";
  const run = { ...runsOf(answer, {}, false)[added.name], lane, isWayBack };
  return settled({
    ...state, experiment: { ...experiment, recipe: recipes }, runs: { ...state.runs, [run.name]: run }, order: [...state.order, run.name],
  });
}

/**
 * @param {State} state
 * @param {string} name
 */
export function without(state, name) {
  const { [name]: removed, ...runs } = state.runs;
  if (!removed || !state.experiment) return state;
  const order = state.order.filter((other) => other !== name);
  const recipe = { ...state.experiment.recipe, runs: state.experiment.recipe.runs.filter((run) => run.name !== name) };
  const keep = (/** @type {string|null} */ run) => (run === name ? order[0] ?? null : run);
  const { view } = state;
  // a removed run loses the selection
  const selection = { selectedRun: keep(view.selectedRun), networkRun: keep(view.networkRun), isRunChosen: view.isRunChosen && view.networkRun !== name };
  return selectTroubledRun({ ...state, runs, order, view: { ...view, ...selection }, experiment: { ...state.experiment, recipe } });
}
