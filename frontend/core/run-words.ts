/**
 * A run's method and an edit's changes in words.
 * Owns: the sentence of a run and the words of a flag. Pure.
 */

import { defaultsOf, methodName, ownOf, rowOf } from "./catalog.ts";
import { integer, number, setting } from "./format.ts";
import { changed } from "./settings.ts";
import { stopWords } from "./stops.ts";
import { wordFor } from "./words.ts";
import * as texts from "../words/english.ts";
import type { Method } from "./catalog.ts";
import type { Catalog, Json, Run } from "./types.ts";

/** The name of a batch size: GD for all samples, SGD for one. */
const batchWord = (batch: number | null | undefined) =>
  batch === null ? "GD" : batch === 1 ? "SGD" : texts.miniBatchX(integer(Number(batch)));

/** A setting with its value: "beta 1 0.5", "clip norm off", "layer rates 1, 0.1". */
export const settingWord = (name: string, value: number | number[] | null) =>
  `${wordFor("settings", name)} ${[value ?? []].flat().map(setting).join(", ") || texts.switchedOff}`;

/**
 * Settings with their values: "rate 0.03, clip norm 1".
 * @param settings numbers, or off
 */
export const settingsWords = (settings: Json) =>
  Object.entries(settings)
    .filter(([, value]) => value === null || typeof value === "number")
    .map(([name, value]) => settingWord(name, value))
    .join(", ");

/** "momentum 0.9", "Nesterov 0.9", "Adam"; null if the update is the plain gradient. */
function methodWord({ optimizer, momentum }: Json) {
  if (optimizer === "sgd") return null;
  const word = wordFor("optimizers", optimizer);
  return momentum === undefined ? word : `${word} ${setting(momentum)}`;
}

/** The schedule that follows when this one's steps are over, if any. */
export const nextSchedule = (schedule: Method): Method | null =>
  (typeof schedule === "string" ? null : schedule.next) ?? null;

/** "cosine", "warm-up then cosine"; null for a constant rate. */
export function scheduleWord(schedule: Method | undefined) {
  if (!schedule || methodName(schedule) === "constant") return null;
  const second = nextSchedule(schedule);
  const both = second ? [schedule, second] : [schedule];
  return both.map((each) => wordFor("schedules", methodName(each))).join(texts.thenBetween);
}

/** Settings of any method: schedule, penalties, clipping. */
function asides({
  schedule,
  l1,
  l2,
  clip_norm: norm,
  clip_value: value,
  layer_rates: rates = [],
}: Json) {
  return [
    scheduleWord(schedule),
    ...Object.entries({ l1, l2, clip_norm: norm, clip_value: value }).map(([each, size]) =>
      size ? settingWord(each, size) : null,
    ),
    rates.length ? settingWord("layer_rates", rates) : null,
  ];
}

/** A run's method: "full batch, momentum 0.9, rate 0.03, cosine, L2 0.001". */
export function runSentence({ settings }: { settings: Json }) {
  const { learning_rate: rate, batch_size: batch } = settings;
  const size = batch === null ? texts.fullBatch : texts.batchOfX(integer(batch));
  return [size, methodWord(settings), texts.rateX(setting(rate)), ...asides(settings)]
    .filter(Boolean)
    .join(", ");
}

/** The explanation of `descended`. */
export const DESCENDED = texts.minimizedTheLossOfTheLast;

/**
 * With penalties the minimized value differs from the loss on view: "minimized: 0.123"; otherwise
 * empty.
 */
export function descendedWords({
  settings: { l1, l2 },
  latest: { objective },
}: Pick<Run, "settings" | "latest">) {
  return (l1 || l2) && objective ? texts.minimizedX(number(objective.value)) : "";
}

/** A schedule in an edit starts anew, so it is named even if it was in force before. */
function scheduleWords(schedule: Method, before: Method, catalog: Catalog | null) {
  const name = methodName(schedule);
  const base =
    methodName(before) === name
      ? ownOf(catalog, "schedules", before)
      : defaultsOf(catalog, "schedules", name);
  const second = nextSchedule(schedule);
  const usual = second ? defaultsOf(catalog, "schedules", methodName(second)) : {};
  return [
    texts.scheduleX(wordFor("schedules", name)),
    ...differing(catalog, schedule, base),
    ...(second ? [texts.thenX(wordFor("schedules", methodName(second)))] : []),
    ...(second ? differing(catalog, second, usual) : []),
  ].join(", ");
}

/** The numbers of a schedule that differ from others: "steps 500". */
const differing = (catalog: Catalog | null, schedule: Method, base: Json) =>
  Object.entries(ownOf(catalog, "schedules", schedule))
    .filter(
      ([name, value]) => typeof value === "number" && ![undefined, value].includes(base[name]),
    )
    .map(([name, value]) => settingWord(name, value));

/** "layer 2 reinitialized, He", "layers 1, 2 reinitialized, Xavier". */
function redrawWords({ layers, weights }: { layers: number[]; weights: string }) {
  return texts.xYReinitializedZ(
    layers.length > 1 ? texts.layers : texts.layer,
    layers.join(", "),
    wordFor("initializers", weights),
  );
}

/** Settings with words of their own. */
const WITH_OWN_WORDS = [
  "at_step",
  "label",
  "batch_size",
  "optimizer",
  "momentum",
  "learning_rate",
  "schedule",
  "order",
  "redraw",
  "stop",
];

/**
 * The flag of an edit: "rate 0.03 → 0.006", "momentum 0.9", "SGD → mini-batch 32", "Adam", "clip
 * norm 1". It leaves out unchanged settings and defaults of a new optimizer, but always shows
 * momentum's number.
 * @param before settings in force before
 */
export function editWords(edit: Json, before: Json, catalog: Catalog | null = null) {
  const isOther = edit.optimizer !== undefined && edit.optimizer !== before.optimizer;
  const base = isOther ? changed(before, { optimizer: edit.optimizer }, catalog) : before;
  const current = (name: string) =>
    base[name] === undefined ? rowOf(catalog, "run_settings", name)?.default : base[name];
  const has = (name: string) =>
    edit[name] !== undefined && String(edit[name]) !== String(current(name));
  const words = [
    has("batch_size") && `${batchWord(before.batch_size)} → ${batchWord(edit.batch_size)}`,
    isOther && (methodWord({ ...base, ...edit }) ?? wordFor("optimizers", edit.optimizer)),
    !isOther && has("momentum") && settingWord("momentum", edit.momentum),
    has("learning_rate") &&
      texts.rateXRightArrowY(setting(before.learning_rate), setting(edit.learning_rate)),
    ...Object.keys(edit)
      .filter((name) => !WITH_OWN_WORDS.includes(name) && has(name))
      .map((name) => settingWord(name, edit[name])),
    edit.schedule && scheduleWords(edit.schedule, before.schedule ?? "constant", catalog),
    has("order") && wordFor("orders", edit.order),
    edit.redraw && redrawWords(edit.redraw),
    edit.stop && stopWords(edit.stop),
  ];
  return words.filter(Boolean).join(", ");
}

/** Changes that a run takes also when it makes no more steps. */
const ALWAYS = ["label", "stop"];

/** The fate of a change to a run that makes no more steps; empty for other runs and changes. */
export function overWords(run: Run | undefined, change: Json) {
  const counts = Object.keys(change).some((name) => !ALWAYS.includes(name));
  if (!run || !counts) return "";
  if (run.status === "diverged")
    return texts.xDivergedAtStepYThe(run.label, integer(run.divergedAt ?? run.step));
  return run.status === "finished" ? texts.xStoppedAtStepYThe(run.label, integer(run.step)) : "";
}
