/**
 * A run's method and an edit's changes in words.
 * Owns: the sentence of a run and the words of a flag. Pure.
 */

import { defaultsOf, methodName, ownOf, rowOf } from "./catalog.js";
import { integer, number, setting } from "./format.js";
import { changed } from "./settings.js";
import { stopWords } from "./stops.js";
import { wordFor } from "./words.js";

/** @typedef {import("./types.js").Json} Json */
/** @typedef {import("./types.js").Catalog} Catalog */

/** The name of a batch size: GD for all samples, SGD for one. @param {number|null|undefined} batch */
const batchWord = (batch) => (batch === null ? "GD" : batch === 1 ? "SGD" : `mini-batch ${integer(Number(batch))}`);

/** A setting with its value: "beta 1 0.5", "clip norm off". @param {string} name @param {number|null} value */
const settingWord = (name, value) => `${wordFor("settings", name)} ${value === null ? "off" : setting(value)}`;

/** Settings with their values: "rate 0.03, clip norm 1". @param {Json} settings  numbers, or off */
export const settingsWords = (settings) => Object.entries(settings).filter(([, value]) => value === null || typeof value === "number")
  .map(([name, value]) => settingWord(name, value)).join(", ");

/** "momentum 0.9", "Nesterov 0.9", "Adam"; null if the update is the plain gradient. @param {Json} settings */
function methodWord({ optimizer, momentum }) {
  if (optimizer === "sgd") return null;
  const word = wordFor("optimizers", optimizer);
  return momentum === undefined ? word : `${word} ${setting(momentum)}`;
}

/** Settings of any method: schedule, penalties, clipping. @param {Json} settings */
function asides({ schedule, l1, l2, clip_norm: norm, clip_value: value }) {
  const name = schedule ? methodName(schedule) : "constant";
  return [
    name === "constant" ? null : wordFor("schedules", name),
    ...Object.entries({ l1, l2, clip_norm: norm, clip_value: value }).map(([each, size]) => (size ? settingWord(each, size) : null)),
  ];
}

/** A run's method: "full batch, momentum 0.9, rate 0.03, cosine, L2 0.001". @param {{settings: Json}} run */
export function runSentence({ settings }) {
  const { learning_rate: rate, batch_size: batch } = settings;
  const size = batch === null ? "full batch" : `batch of ${integer(batch)}`;
  return [size, methodWord(settings), `rate ${setting(rate)}`, ...asides(settings)].filter(Boolean).join(", ");
}

/** The explanation of `descended`. */
export const DESCENDED = "Minimized: the loss of the last batch (half of the mean squared error) and the penalties";

/**
 * With penalties the minimized value differs from the loss on view: "minimized: 0.123"; otherwise empty.
 * @param {Pick<import("./types.js").Run, "settings"|"latest">} run
 */
export function descendedWords({ settings: { l1, l2 }, latest: { objective } }) {
  return (l1 || l2) && objective ? `minimized: ${number(objective.value)}` : "";
}

/**
 * A schedule in an edit starts anew, so it is named even if it was in force before.
 * @param {import("./catalog.js").Method} schedule
 * @param {import("./catalog.js").Method} before
 * @param {Catalog|null} catalog
 */
function scheduleWords(schedule, before, catalog) {
  const name = methodName(schedule);
  const base = methodName(before) === name ? ownOf(catalog, "schedules", before) : defaultsOf(catalog, "schedules", name);
  const own = Object.entries(ownOf(catalog, "schedules", schedule)).filter(([each, value]) => base[each] !== undefined && base[each] !== value);
  return [`schedule ${wordFor("schedules", name)}`, ...own.map(([each, value]) => settingWord(each, value))].join(", ");
}

/** "layer 2 reinitialized, He", "layers 1, 2 reinitialized, Xavier". @param {{layers: number[], weights: string}} redraw */
function redrawWords({ layers, weights }) {
  return `${layers.length > 1 ? "layers" : "layer"} ${layers.join(", ")} reinitialized, ${wordFor("initializers", weights)}`;
}

/** Settings with words of their own. */
const WITH_OWN_WORDS = ["at_step", "label", "batch_size", "optimizer", "momentum", "learning_rate", "schedule", "order", "redraw", "stop"];

/**
 * The flag of an edit: "rate 0.03 → 0.006", "momentum 0.9", "SGD → mini-batch 32", "Adam", "clip norm 1". It leaves
 * out unchanged settings and defaults of a new optimizer, but always shows momentum's number.
 * @param {Json} edit
 * @param {Json} before  settings in force before
 * @param {Catalog|null} [catalog]
 */
export function editWords(edit, before, catalog = null) {
  const isOther = edit.optimizer !== undefined && edit.optimizer !== before.optimizer;
  const base = isOther ? changed(before, { optimizer: edit.optimizer }, catalog) : before;
  const current = (/** @type {string} */ name) => (base[name] === undefined ? rowOf(catalog, "run_settings", name)?.default : base[name]);
  const has = (/** @type {string} */ name) => edit[name] !== undefined && edit[name] !== current(name);
  const words = [
    has("batch_size") && `${batchWord(before.batch_size)} → ${batchWord(edit.batch_size)}`,
    isOther && (methodWord({ ...base, ...edit }) ?? wordFor("optimizers", edit.optimizer)),
    !isOther && has("momentum") && settingWord("momentum", edit.momentum),
    has("learning_rate") && `rate ${setting(before.learning_rate)} → ${setting(edit.learning_rate)}`,
    ...Object.keys(edit).filter((name) => !WITH_OWN_WORDS.includes(name) && has(name)).map((name) => settingWord(name, edit[name])),
    edit.schedule && scheduleWords(edit.schedule, before.schedule ?? "constant", catalog),
    has("order") && wordFor("orders", edit.order),
    edit.redraw && redrawWords(edit.redraw),
    edit.stop && stopWords(edit.stop),
  ];
  return words.filter(Boolean).join(", ");
}
