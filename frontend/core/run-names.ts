/**
 * Names of runs, which say what differs: the method, else batch or rate; a fork is its parent and
 * what changed. The page's names follow an edit, names by a person do not. The server names runs
 * that are added without a name in the same way (backend runs/naming.py).
 * Owns: the words, and which names are the page's. Pure.
 */

import { methodName, rowsOf } from "./catalog.ts";
import { integer, setting } from "./format.ts";
import { settingWord } from "./run-words.ts";
import { samplingOf } from "./sampling.ts";
import { changed, inForce } from "./settings.ts";
import { nameFor, wordFor } from "./words.ts";
import * as texts from "../words/english.ts";
import type { Json, State } from "./types.ts";

/** A name has at most so many changes, the method first; the tooltip has all. */
const MOST_CHANGES = 2;

const batchWord = (size: number | null) =>
  size === null ? texts.allSamples : texts.batchX(integer(size));

/** The words for a change: "rate 0.02", "He", "Adam". */
function changeWords({ optimizer, batch_size: batch, learning_rate: rate, ...others }: Json) {
  const { schedule, order, redraw, stop, ...settings } = others;
  return [
    optimizer && wordFor("optimizers", optimizer),
    batch !== undefined && batchWord(batch),
    rate !== undefined && texts.rateX(setting(rate)),
    redraw && wordFor("initializers", redraw.weights),
    schedule && wordFor("schedules", methodName(schedule)),
    order && wordFor("orders", order),
    ...Object.entries(settings)
      .filter(([, value]) => value === null || typeof value === "number")
      .map(([name, value]) => settingWord(name, value)),
    stop?.length && "stop",
  ].filter((word): word is string => Boolean(word));
}

/** "rate 0.02" of a setting in force; undefined if no name says it. */
const settingIn = (name: string, settings: Json): string | undefined =>
  changeWords({ [name]: settings[name] })[0];

/** A number only if two names would be equal: "SGD 2". */
function free(label: string, { order, runs }: State) {
  const labels = new Set(order.map((name) => runs[name].label));
  for (let k = 1; ; k++) {
    const numbered = k === 1 ? label : `${label} ${k}`;
    if (!labels.has(numbered)) return numbered;
  }
}

/** True if a name, or a part of one, is this word; `free` may have numbered it. */
const isWord = (part: string, word: string | null | undefined) =>
  Boolean(word) &&
  (part === word ||
    (part.startsWith(`${word} `) &&
      /^([2-9]|[1-9]\d+)$/.test(part.slice((word as string).length + 1))));

const SAMPLINGS = { gd: "GD", mini: texts.miniBatch, sgd: "SGD" };

function methodWord({ experiment }: State, settings: Json) {
  if (settings.optimizer !== "sgd") return nameFor("optimizers", settings.optimizer);
  return SAMPLINGS[samplingOf(settings, experiment ?? { trainSamples: Infinity })];
}

/** Possible first parts of a name, exhibits' names included; null where one does not apply. */
const ROOTS: ((state: State, settings: Json) => string | null)[] = [
  methodWord,
  (_, { optimizer }) => nameFor("optimizers", optimizer),
  (_, { batch_size: size }) => (size === null ? null : texts.batchXLabel(integer(size))),
  (_, { batch_size: size }) => (size === null ? null : texts.miniX(integer(size))),
  (_, { learning_rate: rate }) => texts.rateXLabel(setting(rate)),
];

/** True if the page names the parent of this run so, now or before the parent changed. */
function isRootOfFork(state: State, name: string, root: string) {
  const { experiment, runs, catalog } = state;
  const origin = experiment?.recipe.runs.find((recipe) => recipe.name === name)?.origin;
  const methods = rowsOf(catalog, "optimizers").map((row) => nameFor("optimizers", row.name));
  return (
    runs[origin?.run ?? ""]?.label.split(", ")[0] === root ||
    [...Object.values(SAMPLINGS), ...methods].some((word) => isWord(root, word)) ||
    [texts.rateXLabel(""), texts.batchXLabel("")].some((start) => root.startsWith(start))
  );
}

/** True if a part names a fork's new draw. This is no setting: no edit makes it untrue. */
const isRedraw = (part: string, { catalog }: State) =>
  rowsOf(catalog, "initializers").some((row) => isWord(part, wordFor("initializers", row.name)));

/**
 * A run's name with other settings, without a number. Null if the name is a person's, or says
 * nothing that they change. The page's name is one that it could give to the run as it is.
 */
function rewritten(state: State, name: string, after: Json): string | null {
  const { label, settings: now } = state.runs[name];
  const [root, ...parts] = label.split(", ");
  const rootWord = ROOTS.find((word) => isWord(root, word(state, now)));
  if (!rootWord && !(parts.length && isRootOfFork(state, name, root))) return null;
  const named = parts.map((part) =>
    Object.keys(now).find((each) => isWord(part, settingIn(each, now))),
  );
  if (parts.some((part, k) => !named[k] && !isRedraw(part, state))) return null;

  const method = methodWord(state, after);
  const same = rootWord?.(state, after) === rootWord?.(state, now);
  const first = rootWord && !same ? (rootWord(state, after) ?? method) : root;
  const others = parts.map((part, k) => {
    const of = named[k];
    const word = of && settingIn(of, after);
    if (of === undefined || word === settingIn(of, now)) return part;
    const isSaid = ["optimizer", "batch_size"].includes(of) && isWord(first, method);
    return isSaid ? undefined : word;
  });
  const isSame = first === root && others.every((part, k) => part === parts[k]);
  return isSame ? null : [first, ...others.filter(Boolean)].join(", ");
}

/**
 * An edit together with the name that follows it, if it makes the page's name of the run untrue. A
 * diverged run makes no step with its new settings before it starts again: its name waits till then.
 */
export function namedEdit(state: State, name: string, change: Json): Json {
  const run = state.runs[name];
  if (!run || change.label !== undefined || run.status === "diverged") return change;
  const label = rewritten(state, name, changed(run.settings, change, state.catalog));
  return label === null ? change : { ...change, label: free(label, state) };
}

/** The label that a run gets when it starts again, if it was edited after it diverged; else null. */
export function labelAfterReset(state: State, name: string): string | null {
  const run = state.runs[name];
  const recipe = state.experiment?.recipe.runs.find((each) => each.name === name);
  if (run?.status !== "diverged" || !recipe) return null;
  const made = run.edits.filter(({ at_step: step }) => step < run.step);
  const settings = inForce(recipe, made, [], state.catalog);
  const then = { ...state, runs: { ...state.runs, [name]: { ...run, settings } } };
  const label = rewritten(then, name, run.settings);
  return label === null ? null : free(label, state);
}

/**
 * "SGD, rate 0.02", and of a fork of that "SGD, rate 0.02, He".
 * @param then the parent's settings at the step of the fork
 */
export function forkLabel(
  state: State,
  parent: string,
  change: Json,
  then: Json = state.runs[parent].settings,
) {
  const label = rewritten(state, parent, then) ?? state.runs[parent].label;
  const [root, ...parts] = label.split(", ");
  const before = parts.filter(
    (part) => !Object.keys(change).some((name) => isWord(part, settingIn(name, then))),
  );
  const news = changeWords(change).slice(0, MOST_CHANGES);
  const kept = before.slice(Math.max(0, before.length + news.length - MOST_CHANGES));
  return free([root, ...kept, ...news].join(", "), state);
}

/** The method, else the batch or the rate in which it differs from all others. */
export function newLabel(state: State, settings: Json) {
  const others = state.order.map((name) => state.runs[name]);
  const isNew = (label: string) => !others.some((run) => run.label === label);
  const differs = (name: string) =>
    others.every((run) => run.settings[name] !== settings[name]) && settings[name] !== null;
  const wished = [
    methodWord(state, settings),
    ...(differs("batch_size") ? [texts.batchXLabel(integer(settings.batch_size))] : []),
    ...(differs("learning_rate") ? [texts.rateXLabel(setting(settings.learning_rate))] : []),
  ];
  return wished.find(isNew) ?? free(wished[0], state);
}
