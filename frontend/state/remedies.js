/**
 * The Doctor's remedies as commands: a fork with a name of its own, or an edit; and their undo.
 * Owns: that, and its words. Pure.
 */

import { defaultsOf, rowOf } from "./catalog.js";
import { openFindings } from "./doctor.js";
import { forkOf } from "./forks.js";
import { integer } from "./format.js";
import { LANES } from "./opened.js";
import { settingsWords } from "./run-words.js";
import { wordFor } from "./words.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Json} Json */
/** @typedef {import("./types.js").Remedy} Remedy */
/** @typedef {{do: string, run: string|null, body: Json}} CommandRequest  as net/commands.js takes it */

/** Number of runs in an experiment, if the catalog has no bound. */
const MOST_RUNS = 8;

/** @param {Remedy} remedy */
export const isFork = ({ command }) => command.do === "add_run";

/**
 * The remedy as a command; its fork gets the usual name and label.
 * @param {State} state
 * @param {Remedy} remedy
 * @returns {CommandRequest}
 */
export function requestFor(state, { command }) {
  const { do: what, run = null, ...body } = command;
  if (what !== "add_run") return { do: what, run, body };
  const { fork_of: parent, at_step: step, ...change } = body;
  return { do: what, run, body: state.runs[parent] ? forkOf(state, parent, step, change) : body };
}

/** @param {Json|undefined} current @param {Json} target */
const holds = (current, target) => current !== undefined && Object.entries(target).every(([name, value]) => JSON.stringify(current[name]) === JSON.stringify(value));

/**
 * True if there is a fork of that step with that change: another would have the same numbers, random draws included.
 * @param {State} state
 * @param {Json} body
 */
function isMade({ experiment, runs }, { fork_of: parent, at_step: step, name: _, label: __, ...change }) {
  const forks = (experiment?.recipe.runs ?? []).filter(({ origin }) => origin?.run === parent && origin?.at_step === step);
  return forks.some(({ name }) => holds(Object.assign({}, ...(runs[name]?.edits ?? []).filter(({ at_step: at }) => at === step)), change));
}

/**
 * True if a remedy is applied: its fork exists, or the settings are already in force. Its finding stays open for now.
 * @param {State} state
 * @param {Remedy} remedy
 */
export function isInForce(state, { command: { do: what, run, ...body } }) {
  return what === "add_run" ? isMade(state, body) : what === "edit" && holds(state.runs[run ?? ""]?.settings, body);
}

/** Why a fork cannot be made now; empty if it can. @param {State} state */
export function noRoomWords({ catalog, order }) {
  const most = catalog?.bounds?.runs ?? MOST_RUNS;
  return order.length >= most ? `There are already ${integer(order.length)} runs. Remove one to fork.` : "";
}

/** Values of settings that a run does not name. @type {Json} */
const DEFAULTS = { schedule: "constant", stop: [] };

/**
 * The undo of a remedy: removes the fork, or edits back.
 * @param {State} state  before the command
 * @param {CommandRequest} asked
 * @returns {CommandRequest}
 */
export function undoing(state, { do: what, run, body }) {
  if (what === "add_run") return { do: "remove_run", run: body.name, body: {} };
  const settings = state.runs[run ?? ""].settings;
  const { catalog } = state;
  const isOther = body.optimizer !== undefined && body.optimizer !== settings.optimizer;
  const brought = isOther ? defaultsOf(catalog, "optimizers", body.optimizer) : {};
  const own = isOther ? Object.keys(defaultsOf(catalog, "optimizers", settings.optimizer)) : [];
  // layers drawn again are no setting and stay
  const names = [...own, ...Object.keys(body).filter((name) => name !== "redraw" && !(name in brought))];
  const former = (/** @type {string} */ name) => settings[name] ?? DEFAULTS[name] ?? rowOf(catalog, "run_settings", name)?.default ?? null;
  return { do: "edit", run, body: Object.fromEntries(names.map((name) => [name, former(name)])) };
}

/**
 * The applied remedy, for the notice with Undo. From the fifth run on colours repeat, and the notice says so.
 * @param {State} state  after the command
 * @param {Remedy} remedy
 * @param {CommandRequest} asked
 */
export function doneWords({ runs, order }, { label }, { do: what, run, body }) {
  if (what !== "add_run") return `${label}: applied to ${runs[run ?? ""]?.label ?? run}.`;
  const fork = runs[body.name];
  const twin = order.map((name) => runs[name]).find(({ name, lane }) => name !== body.name && lane === fork?.lane);
  const alike = twin && order.length > LANES.length ? ` It shares colour and shape with ${twin.label}.` : "";
  return `${label}: new run ${fork?.label ?? body.name}.${alike}`;
}

/** The next thing to do, until somebody plays. @param {CommandRequest} asked */
export const waitsWords = ({ do: what }) => (what === "add_run" ? "Press play to continue." : "");

/**
 * A remedy with its whole effect, for a button far from its finding: "Rewind GD to 300, rate 0.03".
 * @param {State} state
 * @param {import("./doctor.js").RunFinding} entry
 * @param {Remedy} remedy
 */
export function wholeWords({ runs }, { run }, { label, command }) {
  if (command.do !== "add_run") return `${run.label}: ${label}`;
  const { do: _, fork_of: parent, at_step: step, name: __, label: ___, redraw, ...settings } = command;
  const method = settings.optimizer && wordFor("optimizers", settings.optimizer);
  const drawn = redraw && `all reinitialized, ${wordFor("initializers", redraw.weights)}`;
  return [`Rewind ${runs[parent]?.label ?? parent} to ${integer(step)}`, drawn, method, settingsWords(settings)].filter(Boolean).join(", ");
}

/** The first remedy in the list that is not applied yet, with its finding. @param {State} state */
export function firstRemedy(state) {
  const offered = openFindings(state).flatMap((entry) => entry.finding.remedies.map((remedy) => ({ ...entry, remedy })));
  return offered.find(({ remedy }) => !isInForce(state, remedy)) ?? null;
}
