/**
 * state, message -> state. The messages are the server's own plus a few local ones.
 * Owns: what each message changes. Pure: no clock, no network, no DOM. Columns live in series.js.
 */

import { askedOf, fromNow, inForce, withEdit } from "./settings.js";
import { experimentOf, laneOf, newest, runsOf } from "./opened.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").ExperimentAnswer} ExperimentAnswer */
/** @typedef {import("./types.js").Json} Json */

/** @returns {State} */
export function initialState() {
  return {
    connection: { status: "connecting", latency: null, retryIn: null, progress: null, lastStep: null },
    catalog: null,
    exhibit: { name: "The notebook: log-linear regression" },
    experiment: null,
    runs: {},
    order: [],
    playback: { playing: false, speed: 60, pace: "steps" },
    view: {
      x: "steps", y: "log", measure: "grad_l1", theme: "auto", selectedRun: null, networkRun: null,
      singleKeys: true, sheet: null, dialog: null, tab: "charts",
    },
    pending: {},
    notice: null,
    problem: null,
    loading: null,
    figures: {},
    frames: 0,
    isDrawingSlow: false,
  };
}

/**
 * @param {State} state
 * @param {string} name
 * @param {Partial<Run>} part
 * @returns {State}
 */
function withRun(state, name, part) {
  const run = state.runs[name];
  return run ? { ...state, runs: { ...state.runs, [name]: { ...run, ...part } } } : state;
}

/** Settings in force follow recipe, edits and what is asked; computed anew wherever one of these may have changed. @param {State} state */
function settled(state) {
  const recipes = state.experiment?.recipe.runs ?? [];
  const runs = { ...state.runs };
  for (const recipe of recipes) {
    const run = runs[recipe.name];
    if (!run) continue;
    const settings = inForce(recipe, run.edits, askedOf(state, run.name), state.catalog);
    runs[recipe.name] = { ...run, settings };
  }
  return { ...state, runs };
}

/** Playing is what was asked for; once nothing is asked, what the runs say. @param {State} state */
function beat(state) {
  const asked = Object.values(state.pending).filter((command) => ["play", "pause", "step", "reset"].includes(command.do));
  const newest = asked.at(-1);
  const playing = newest ? newest.do === "play" : Object.values(state.runs).some((run) => run.status === "playing");
  const { status } = state.connection;
  /** @type {State["connection"]["status"]} */
  const word = status !== "ready" && status !== "live" ? status : playing ? "live" : "ready";
  const playback = playing === state.playback.playing ? state.playback : { ...state.playback, playing };
  const connection = word === status ? state.connection : { ...state.connection, status: word };
  return playback === state.playback && connection === state.connection ? state : { ...state, playback, connection };
}

/**
 * Speed and pace as the server has them, for another page may have chosen them; what is chosen here comes first.
 * @param {State} state
 * @param {{speed?: number|"max", pace?: import("./types.js").Pace}} told
 */
function heard({ playback, pending }, { speed = playback.speed, pace = playback.pace }) {
  const isAsked = Object.values(pending).some((command) => command.do === "play");
  return isAsked || playback.isOwn ? playback : { ...playback, speed, pace };
}

/**
 * The server's whole answer about an experiment; `token` only where it is news.
 * @param {State} state
 * @param {ExperimentAnswer} answer
 * @param {string|null} [token]
 * @returns {State}
 */
function opened(state, answer, token) {
  const again = state.experiment?.id === answer.id;
  const runs = runsOf(answer, state.runs, again);
  const order = answer.runs.map(({ name }) => name);
  const kept = (/** @type {string|null} */ name) => (name && order.includes(name) ? name : order[0] ?? null);
  const playback = again ? heard(state, answer) : heard({ ...state, pending: {}, playback: { ...state.playback, isOwn: false } }, answer);
  return settled({
    ...state,
    experiment: experimentOf(answer, again ? state.experiment : null, token),
    runs, order, playback, loading: null,
    pending: again ? state.pending : {},
    figures: again ? state.figures : {},
    view: { ...state.view, selectedRun: kept(state.view.selectedRun), networkRun: kept(state.view.networkRun) },
  });
}

/**
 * @param {State} state
 * @param {string} name
 * @param {Json} told  a run in a frame
 */
function framed(state, name, told) {
  const run = state.runs[name];
  if (!run || told.generation < run.generation) return state;
  const again = told.generation > run.generation;
  if (!again && told.step < run.step) return withRun(state, name, { latest: newest(run.latest, told.latest) });
  return withRun(state, name, {
    status: told.status, step: told.step, epoch: told.epoch, samplesSeen: told.samples_seen,
    generation: told.generation,
    latest: newest(again ? {} : run.latest, told.latest),
    divergedAt: told.status === "diverged" ? run.divergedAt ?? told.step : null,
    ...(again ? { units: null, predictions: null, snapshot: null, trend: undefined } : {}),
  });
}

/** What each event changes. @type {Record<string, (state: State, event: Json) => State>} */
const EVENTS = {
  edit(state, event) {
    const run = state.runs[event.run];
    const edit = editOf(event);
    const label = event.edit?.label ?? event.label;
    const told = run && label ? withRun(state, event.run, { label }) : state;
    return run && edit ? settled(withRun(told, event.run, { edits: withEdit(run.edits, edit) })) : told;
  },
  reset: (state, event) => settled(restarted(state, event)),
  run_added: (state, event) => (state.runs[event.run] ? state : joined(state, event)),
  diverged,
  finished: (state, event) => withRun(state, event.run, { status: "finished" }),
  run_removed: (state, event) => without(state, event.run),
  playback: driven,
};

/**
 * The run stays where it is, so the losses of that step are told with the event: nothing else will tell them while others play.
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
 * Somebody pressed play or pause, maybe on another page: a speed that was chosen here and not played is outdone.
 * @param {State} state
 * @param {Json} event
 */
function driven(state, event) {
  const playing = event.playing ? "playing" : "paused";
  const runs = Object.entries(state.runs).map(([name, run]) => [name, ["playing", "paused"].includes(run.status) ? { ...run, status: playing } : run]);
  const playback = event.playing ? { ...state.playback, isOwn: false } : state.playback;
  return { ...state, runs: Object.fromEntries(runs), playback: heard({ ...state, playback }, event) };
}

const NOT_SETTINGS = ["type", "experiment", "run", "step", "generation", "event", "id", "at", "at_step", "label"];

/**
 * @param {Json} event  an event or an answer: {run, at_step, ...settings}
 * @returns {import("./types.js").Edit|null}
 */
function editOf(event) {
  const { at_step = event.step, ...rest } = event.edit ?? event.change ?? event;
  const change = Object.fromEntries(Object.entries(rest).filter(([name]) => !NOT_SETTINGS.includes(name)));
  return Object.keys(change).length ? { at_step: at_step ?? event.step, ...change } : null;
}

/**
 * @param {State} state
 * @param {Json} event
 */
function restarted(state, { run: name, generation, recipe: told }) {
  const run = state.runs[name];
  const experiment = state.experiment;
  if (!run || !experiment || generation <= run.generation) return state;
  const recipes = experiment.recipe.runs.map((recipe) => (recipe.name === name ? told ?? fromNow(recipe, run) : recipe));
  const next = { ...state, experiment: { ...experiment, recipe: { ...experiment.recipe, runs: recipes } } };
  return withRun(next, name, {
    step: 0, epoch: 0, samplesSeen: 0, edits: [], latest: {}, divergedAt: null, generation, trend: undefined,
    status: run.status === "diverged" ? "paused" : run.status, units: null, predictions: null, snapshot: null,
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
  const told = { id: experiment.id, kernel: experiment.kernel, recipe: recipes, runs: [added] };
  const lane = laneOf(added.name, state.order.length, state.runs);
  const run = { ...runsOf(told, {}, false)[added.name], lane };
  return settled({
    ...state, experiment: { ...experiment, recipe: recipes }, runs: { ...state.runs, [run.name]: run }, order: [...state.order, run.name],
  });
}

/**
 * @param {State} state
 * @param {string} name
 */
function without(state, name) {
  const { [name]: gone, ...runs } = state.runs;
  if (!gone || !state.experiment) return state;
  const order = state.order.filter((other) => other !== name);
  const recipe = { ...state.experiment.recipe, runs: state.experiment.recipe.runs.filter((run) => run.name !== name) };
  const kept = (/** @type {string|null} */ run) => (run === name ? order[0] ?? null : run);
  const view = { ...state.view, selectedRun: kept(state.view.selectedRun), networkRun: kept(state.view.networkRun) };
  return { ...state, runs, order, view, experiment: { ...state.experiment, recipe } };
}

/**
 * A command leaves the list of pending ones; its answer, if any, is taken as the server's word.
 * @param {State} state
 * @param {string} id
 * @param {Json|null} answer
 */
function answered(state, id, answer) {
  const { [id]: command, ...pending } = state.pending;
  const before = command ? { ...state, pending } : state;
  if (command?.do === "remove_run" && answer) return without(before, command.run ?? "");
  if (answer && Array.isArray(answer.runs)) return opened(before, /** @type {any} */ (answer));
  if (command?.do === "edit" && answer) return EVENTS.edit(settled(before), { run: command.run, ...answer });
  return settled(before);
}

/** @type {Record<string, (state: State, message: Message) => State>} */
const MESSAGES = {
  catalog: (state, { catalog }) => settled({ ...state, catalog, exhibit: { name: catalog.exhibits?.[0]?.title ?? state.exhibit.name } }),
  loading: (state, { since }) => ({ ...state, loading: since === null ? null : { since } }),
  opened: (state, { answer, token = null }) => opened({ ...state, problem: null }, answer, token),
  experiment: (state, { state: answer }) => opened(state, answer),
  frame(state, { runs }) {
    const next = Object.entries(runs).reduce((before, [name, told]) => framed(before, name, told), state);
    return { ...next, frames: state.frames + 1 };
  },
  event: (state, event) => EVENTS[event.event]?.(state, event) ?? state,
  sent(state, { id, do: what, run = null, body }) {
    // one that waits may be asked again: what was asked last stands last
    const { [id]: _, ...others } = state.pending;
    const pending = { ...others, [id]: { do: what, run, body } };
    const playback = what === "play" ? { ...state.playback, ...body, isOwn: false } : state.playback;
    const next = settled({ ...state, pending, playback, problem: null });
    return what === "edit" && body.label ? withRun(next, run, { label: body.label }) : next;
  },
  ack: (state, { id, answer }) => answered(state, id, answer ?? {}),
  error: (state, { id, problem }) => ({ ...answered(state, id ?? "", null), problem }),
  connection: (state, { type: _, ...part }) => ({ ...state, connection: { ...state.connection, ...part } }),
  token: (state, { token }) => (state.experiment ? { ...state, experiment: { ...state.experiment, token } } : state),
  view: (state, { part }) => ({ ...state, view: { ...state.view, ...part } }),
  playback: (state, { part }) => ({ ...state, playback: { ...state.playback, ...part, isOwn: true } }),
  hidden: (state, { run, hidden }) => withRun(state, run, { hidden }),
  measured: (state, { runs }) => Object.entries(runs).reduce(
    (before, [name, { generation, ...found }]) => (before.runs[name]?.generation === generation ? withRun(before, name, found) : before),
    state,
  ),
  figure: (state, { name, figure }) => ({ ...state, figures: { ...state.figures, [name]: figure } }),
  notice: (state, { notice }) => ({ ...state, notice }),
  problem: (state, { problem }) => ({ ...state, problem }),
  slowed: (state) => ({ ...state, isDrawingSlow: true }),
};

/**
 * @param {State} state
 * @param {Message} message
 * @returns {State}
 */
export function reduce(state, message) {
  const change = MESSAGES[message.type];
  return change ? beat(change(state, message)) : state;
}
