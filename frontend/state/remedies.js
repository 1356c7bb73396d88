/**
 * What the Doctor advises, as it is asked of the server: a fork under a name of its own, or an edit; and what takes it back.
 * Owns: that, and its words. Pure. A remedy's command is the server's; a page that sends it as it is gets what its label says.
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
/** @typedef {{do: string, run: string|null, body: Json}} Asked  as net/commands.js takes it */

/** As many runs as an experiment may have, where the catalog does not say. */
const MOST_RUNS = 8;

/** @param {Remedy} remedy */
export const isFork = ({ command }) => command.do === "add_run";

/**
 * The remedy as a command; a fork gets the name and the label that a fork made by hand would have.
 * @param {State} state
 * @param {Remedy} remedy
 * @returns {Asked}
 */
export function askedBy(state, { command }) {
  const { do: what, run = null, ...body } = command;
  if (what !== "add_run") return { do: what, run, body };
  const { fork_of: parent, at_step: step, ...change } = body;
  return { do: what, run, body: state.runs[parent] ? forkOf(state, parent, step, change) : body };
}

/** @param {Json|undefined} held @param {Json} wanted */
const holds = (held, wanted) => held !== undefined && Object.entries(wanted).every(([name, value]) => JSON.stringify(held[name]) === JSON.stringify(value));

/**
 * Whether there is a fork of that step with that change. Made once more it would have the same numbers, those that are drawn too.
 * @param {State} state
 * @param {Json} body
 */
function isMade({ experiment, runs }, { fork_of: parent, at_step: step, name: _, label: __, ...change }) {
  const forks = (experiment?.recipe.runs ?? []).filter(({ origin }) => origin?.run === parent && origin?.at_step === step);
  return forks.some(({ name }) => holds(Object.assign({}, ...(runs[name]?.edits ?? []).filter(({ at_step: at }) => at === step)), change));
}

/**
 * Whether a remedy has been taken: its fork is there, or the settings are those it would set. Its finding stays, that of a fork's
 * parent for good, the other until the Doctor looks again.
 * @param {State} state
 * @param {Remedy} remedy
 */
export function isInForce(state, { command: { do: what, run, ...body } }) {
  return what === "add_run" ? isMade(state, body) : what === "edit" && holds(state.runs[run ?? ""]?.settings, body);
}

/** Why a fork cannot be made now; nothing where it can. @param {State} state */
export function noRoomWords({ catalog, order }) {
  const most = catalog?.bounds?.runs ?? MOST_RUNS;
  return order.length >= most ? `There are ${integer(order.length)} runs, and no room for a fork: remove one first.` : "";
}

/** What stands where a run's settings say nothing. @type {Json} */
const UNSAID = { schedule: "constant", stop: [] };

/**
 * What undoes it: a fork goes, an edit is edited back.
 * @param {State} state  before it was asked
 * @param {Asked} asked
 * @returns {Asked}
 */
export function undoing(state, { do: what, run, body }) {
  if (what === "add_run") return { do: "remove_run", run: body.name, body: {} };
  const settings = state.runs[run ?? ""].settings;
  const { catalog } = state;
  const isOther = body.optimizer !== undefined && body.optimizer !== settings.optimizer;
  const brought = isOther ? defaultsOf(catalog, "optimizers", body.optimizer) : {};
  const own = isOther ? Object.keys(defaultsOf(catalog, "optimizers", settings.optimizer)) : [];
  // layers that were drawn anew are no setting, and stay as they are
  const names = [...own, ...Object.keys(body).filter((name) => name !== "redraw" && !(name in brought))];
  const former = (/** @type {string} */ name) => settings[name] ?? UNSAID[name] ?? rowOf(catalog, "run_settings", name)?.default ?? null;
  return { do: "edit", run, body: Object.fromEntries(names.map((name) => [name, former(name)])) };
}

/**
 * What was done, for the notice that offers Undo. Shapes and colours are four: from the fifth run on they repeat, which is said.
 * @param {State} state  after it was done
 * @param {Remedy} remedy
 * @param {Asked} asked
 */
export function doneWords({ runs, order }, { label }, { do: what, run, body }) {
  if (what !== "add_run") return `${label}: done in ${runs[run ?? ""]?.label ?? run}.`;
  const made = runs[body.name];
  const twin = order.map((name) => runs[name]).find(({ name, lane }) => name !== body.name && lane === made?.lane);
  const alike = twin && order.length > LANES.length ? ` It shares colour and shape with ${twin.label}.` : "";
  return `${label}: ${made?.label ?? body.name} is a run of its own.${alike}`;
}

/** What is to be done about it before anything moves; said until somebody plays. @param {Asked} asked */
export const waitsWords = ({ do: what }) => (what === "add_run" ? "Press play, and it goes on from there." : "");

/**
 * A remedy with all it does, for a button far from its finding: "Rewind GD to 300, rate 0.03".
 * @param {State} state
 * @param {import("./doctor.js").Told} told
 * @param {Remedy} remedy
 */
export function wholeWords({ runs }, { run }, { label, command }) {
  if (command.do !== "add_run") return `${run.label}: ${label}`;
  const { do: _, fork_of: parent, at_step: step, name: __, label: ___, redraw, ...settings } = command;
  const method = settings.optimizer && wordFor("optimizers", settings.optimizer);
  const drawn = redraw && `all drawn anew, ${wordFor("initializers", redraw.weights)}`;
  return [`Rewind ${runs[parent]?.label ?? parent} to ${integer(step)}`, drawn, method, settingsWords(settings)].filter(Boolean).join(", ");
}

/** The first remedy in the order of the list that is not taken yet, with its finding. @param {State} state */
export function firstRemedy(state) {
  const offered = openFindings(state).flatMap((told) => told.finding.remedies.map((remedy) => ({ ...told, remedy })));
  return offered.find(({ remedy }) => !isInForce(state, remedy)) ?? null;
}
