/**
 * The Doctor's remedies as commands: a fork with a name of its own, or an edit; and their undo.
 * Owns: that, and its words. Pure.
 */

import { defaultsOf, rowOf } from "../../core/catalog.ts";
import { frontFindings, furtherFindings } from "./doctor.ts";
import { forkOf } from "../../core/forks.ts";
import { integer } from "../../core/format.ts";
import { namedEdit } from "../../core/run-names.ts";
import { settingsWords } from "../../core/run-words.ts";
import { wordFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { RunFinding } from "./doctor.ts";
import type { Json, Remedy, State } from "../../core/types.ts";

/** as core/net/commands.ts takes it */
export type CommandRequest = { do: string; run: string | null; body: Json };

/** Number of runs in an experiment, if the catalog has no bound. */
const MOST_RUNS = 8;

export const isFork = ({ command }: Remedy) => command.do === "add_run";

/** The remedy as a command; its fork gets the usual name and label, its edit the label that follows. */
export function requestFor(state: State, { command }: Remedy): CommandRequest {
  const { do: what, run = null, ...body } = command;
  if (what === "edit" && run !== null && state.runs[run])
    return { do: what, run, body: namedEdit(state, run, body) };
  if (what !== "add_run") return { do: what, run, body };
  const { fork_of: parent, at_step: step, ...change } = body;
  return { do: what, run, body: state.runs[parent] ? forkOf(state, parent, step, change) : body };
}

const holds = (current: Json | undefined, target: Json) =>
  current !== undefined &&
  Object.entries(target).every(
    ([name, value]) => JSON.stringify(current[name]) === JSON.stringify(value),
  );

/**
 * True if there is a fork of that step with that change: another would have the same numbers,
 * random draws included.
 */
function isMade(
  { experiment, runs }: State,
  { fork_of: parent, at_step: step, name: _, label: __, ...change }: Json,
) {
  const forks = (experiment?.recipe.runs ?? []).filter(
    ({ origin }) => origin?.run === parent && origin?.at_step === step,
  );
  return forks.some(({ name }) =>
    holds(
      Object.assign({}, ...(runs[name]?.edits ?? []).filter(({ at_step: at }) => at === step)),
      change,
    ),
  );
}

/**
 * True if a remedy is applied: its fork exists, or the settings are already in force. Its finding
 * stays open for now.
 */
export function isInForce(state: State, { command: { do: what, run, ...body } }: Remedy) {
  return what === "add_run"
    ? isMade(state, body)
    : what === "edit" && holds(state.runs[run ?? ""]?.settings, body);
}

/** Why a fork cannot be made now; empty if it can. */
export function noRoomWords({ catalog, order }: State) {
  const most = catalog?.bounds?.runs ?? MOST_RUNS;
  return order.length >= most ? texts.thereAreAlreadyXRunsRemove(integer(order.length)) : "";
}

/** Values of settings that a run does not name. */
const DEFAULTS: Json = { schedule: "constant", stop: [] };

/**
 * The undo of a remedy: removes the fork, or edits back.
 * @param state before the command
 */
export function undoing(state: State, { do: what, run, body }: CommandRequest): CommandRequest {
  if (what === "add_run") return { do: "remove_run", run: body.name, body: {} };
  const settings = state.runs[run ?? ""].settings;
  const { catalog } = state;
  const isOther = body.optimizer !== undefined && body.optimizer !== settings.optimizer;
  const brought = isOther ? defaultsOf(catalog, "optimizers", body.optimizer) : {};
  const own = isOther ? Object.keys(defaultsOf(catalog, "optimizers", settings.optimizer)) : [];
  // layers drawn again are no setting and stay
  const names = [
    ...own,
    ...Object.keys(body).filter(
      (name) => !["redraw", "label"].includes(name) && !(name in brought),
    ),
  ];
  const former = (name: string) =>
    settings[name] ?? DEFAULTS[name] ?? rowOf(catalog, "run_settings", name)?.default ?? null;
  const label = body.label === undefined ? {} : { label: state.runs[run ?? ""].label };
  return {
    do: "edit",
    run,
    body: { ...Object.fromEntries(names.map((name) => [name, former(name)])), ...label },
  };
}

/**
 * The undo as a command: the former label comes back too, unless somebody has changed it since.
 * @param state now
 */
export function undoingNow(state: State, request: CommandRequest, undo: CommandRequest) {
  const run = state.runs[undo.run ?? ""];
  if (undo.do !== "edit" || !run || run.label === request.body.label) return undo;
  const { label: _, ...body } = undo.body;
  return { ...undo, body: namedEdit(state, run.name, body) };
}

/**
 * The applied remedy, for the notice with Undo.
 * @param state after the command
 * @param before the run's label before an edit
 */
export function doneWords(
  { runs }: State,
  { label }: Remedy,
  { do: what, run, body }: CommandRequest,
  before?: string,
) {
  if (what !== "add_run") return texts.xAppliedToY(label, before ?? runs[run ?? ""]?.label ?? run);
  return texts.xNewRunY(label, runs[body.name]?.label ?? body.name);
}

/** The next thing to do, until somebody plays. */
export const waitsWords = ({ do: what }: CommandRequest) =>
  what === "add_run" ? texts.pressPlayToContinue : "";

/**
 * A remedy with its whole effect, for a button far from its finding: "Rewind GD to 300, rate 0.03".
 */
export function wholeWords({ runs }: State, { run }: RunFinding, { label, command }: Remedy) {
  if (command.do !== "add_run") return `${run.label}: ${label}`;
  const {
    do: _,
    fork_of: parent,
    at_step: step,
    name: __,
    label: ___,
    redraw,
    ...settings
  } = command;
  const method = settings.optimizer && wordFor("optimizers", settings.optimizer);
  const drawn = redraw && texts.allReinitializedX(wordFor("initializers", redraw.weights));
  return [
    texts.rewindXToY(runs[parent]?.label ?? parent, integer(step)),
    drawn,
    method,
    settingsWords(settings),
  ]
    .filter(Boolean)
    .join(", ");
}

/** The first remedy in the list that is not applied yet, with its finding. */
export function firstRemedy(state: State) {
  const listed = [...frontFindings(state), ...furtherFindings(state)];
  const offered = listed.flatMap((entry) =>
    entry.finding.remedies.map((remedy) => ({ ...entry, remedy })),
  );
  return offered.find(({ remedy }) => !isInForce(state, remedy)) ?? null;
}
