/**
 * Names of new runs, which say what differs: the method, else batch or rate; a fork is its parent
 * and what changed.
 * Owns: the words. Pure.
 */

import { methodName } from "./catalog.ts";
import { integer, setting } from "./format.ts";
import { settingWord } from "./run-words.ts";
import { nameFor, wordFor } from "./words.ts";
import * as texts from "../words/english.ts";
import type { Json, State } from "./types.ts";

/** A name has at most so many changes; the tooltip has all. */
const MOST_CHANGES = 2;

const batchWord = (size: number | null) =>
  size === null ? texts.allSamples : texts.batchX(integer(size));

/** What a change sets: "rate 0.02", "He", "Adam". */
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
    stop && "stop",
  ].filter((word): word is string => Boolean(word));
}

/** A number only if two names would be equal: "SGD 2". */
function free(label: string, { order, runs }: State) {
  const taken = new Set(order.map((name) => runs[name].label));
  for (let k = 1; ; k++) {
    const numbered = k === 1 ? label : `${label} ${k}`;
    if (!taken.has(numbered)) return numbered;
  }
}

/** "SGD, rate 0.02", and of a fork of that "SGD, rate 0.02, He". */
export function forkLabel(state: State, parent: string, change: Json) {
  const [root, ...before] = state.runs[parent].label.split(", ");
  const changes = [...before, ...changeWords(change)];
  return free([root, ...changes.slice(-MOST_CHANGES)].join(", "), state);
}

const methodWord = ({ optimizer, batch_size: size }: Json) => {
  if (optimizer !== "sgd") return nameFor("optimizers", optimizer);
  return size === null ? "GD" : size === 1 ? "SGD" : texts.miniBatch;
};

/** The method, else the batch or the rate in which it differs from all others. */
export function newLabel(state: State, settings: Json) {
  const others = state.order.map((name) => state.runs[name]);
  const isNew = (label: string) => !others.some((run) => run.label === label);
  const differs = (name: string) =>
    others.every((run) => run.settings[name] !== settings[name]) && settings[name] !== null;
  const wished = [
    methodWord(settings),
    ...(differs("batch_size") ? [texts.batchXLabel(integer(settings.batch_size))] : []),
    ...(differs("learning_rate") ? [texts.rateXLabel(setting(settings.learning_rate))] : []),
  ];
  return wished.find(isNew) ?? free(wished[0], state);
}
