/**
 * Stop conditions of a run: those the page offers, their words, and which one was met.
 * Owns: that. Pure. The server checks them.
 */

import { integer, plural, setting } from "./format.js";

/** @typedef {import("./types.js").Experiment} Experiment */
/** @typedef {{when: string, above?: number, below?: number, steps?: number}} Condition */
/** @typedef {{bound: "above"|"below", usual: number}} Bound */

const NEVER = "never", SEVERAL = "several";
/** The server's default patience of a stalled loss. */
const PATIENCE = 500;

/** Scores have lower bounds, losses upper ones. @type {Record<string, Bound>} */
const BOUNDS = {
  test_r2: { bound: "above", usual: 0.9 }, train_r2: { bound: "above", usual: 0.9 },
  test_accuracy: { bound: "above", usual: 0.95 }, train_accuracy: { bound: "above", usual: 0.95 },
  test_loss: { bound: "below", usual: 0.01 }, train_loss: { bound: "below", usual: 0.01 },
};

/** @type {Record<string, string>} */
const NAMES = {
  test_r2: "test R²", train_r2: "train R²", test_accuracy: "test accuracy", train_accuracy: "train accuracy",
  test_loss: "test loss", train_loss: "train loss",
};

/**
 * The conditions for an experiment, as choices.
 * @param {Pick<Experiment, "score"|"testSamples">} experiment
 * @param {Condition[]} inForce
 */
export function choices({ score, testSamples }, inForce) {
  const splits = testSamples ? ["test", "train"] : ["train"];
  const series = splits.flatMap((split) => [`${split}_${score}`, `${split}_loss`]);
  const one = [
    { value: NEVER, text: "Never" },
    { value: "layer_dies", text: "A layer dies" },
    { value: "loss_stalls", text: "The loss stalls" },
    ...series.map((name) => ({ value: name, text: `${NAMES[name][0].toUpperCase()}${NAMES[name].slice(1)} ${BOUNDS[name].bound} ...` })),
  ];
  return chosen(inForce) === SEVERAL ? [...one, { value: SEVERAL, text: "One of several" }] : one;
}

/** @param {Condition[]} conditions */
export function chosen(conditions) {
  if (conditions.length > 1) return SEVERAL;
  const [one] = conditions;
  if (!one) return NEVER;
  return BOUNDS[one.when] && one[BOUNDS[one.when].bound] === undefined ? SEVERAL : one.when;
}

/** The condition that a choice sets; null if it changes nothing. @param {string} choice @returns {Condition[]|null} */
export function conditionsOf(choice) {
  if (choice === SEVERAL) return null;
  if (choice === NEVER) return [];
  const { bound, usual } = BOUNDS[choice] ?? {};
  return [bound ? { when: choice, [bound]: usual } : { when: choice }];
}

/** The number of a condition as a catalog parameter; "a layer dies" has none. @param {Condition} condition */
export function numberOf({ when, steps, ...bounds }) {
  if (when === "loss_stalls") {
    return {
      value: steps ?? PATIENCE, change: (/** @type {number} */ value) => ({ when, ...bounds, steps: value }),
      parameter: { name: "patience", default: PATIENCE, schema: { type: "integer", minimum: 1 }, unit: "steps", help: "stops after this many steps without the train loss falling by 1 % of its minimum" },
    };
  }
  const row = BOUNDS[when];
  if (!row) return null;
  return {
    value: bounds[row.bound] ?? row.usual, change: (/** @type {number} */ value) => ({ when, [row.bound]: value }),
    parameter: { name: row.bound, default: row.usual, schema: { type: "number" }, help: `stops at the first step with ${NAMES[when]} ${row.bound} this` },
  };
}

/** "when a layer dies", "when test R² is above 0.9", "when the loss stalls for 500 steps". @param {Condition} condition */
export function conditionWords({ when, above, below, steps }) {
  if (when === "layer_dies") return "when a layer dies";
  if (when === "loss_stalls") return `when the loss stalls${steps === undefined ? "" : ` for ${plural(steps, "step")}`}`;
  const bound = above === undefined ? `below ${setting(Number(below))}` : `above ${setting(above)}`;
  return `when ${NAMES[when] ?? when} is ${bound}`;
}

/**
 * The condition that a run met. One that was set after a layer died is met by the dead layer.
 * @param {import("./types.js").Run} run
 */
export function metWords({ finishedBy: met, findings, step }) {
  if (!met) return "";
  const died = met.when === "layer_dies" ? findings.find(({ rule, since_step: since, until_step: until }) => rule === "dead_layer" && until === null && since < step) : undefined;
  return died ? `when a layer is dead, since step ${integer(died.since_step)}` : conditionWords(met);
}

/** "stops when a layer dies", "no stop condition". @param {Condition[]} conditions */
export const stopWords = (conditions) => (conditions.length ? `stops ${conditions.map(conditionWords).join(" or ")}` : "no stop condition");
