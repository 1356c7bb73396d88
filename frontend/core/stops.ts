/**
 * Stop conditions of a run: those the page offers, their words, and which one was met.
 * Owns: that. Pure. The server checks them.
 */

import { integer, plural, setting } from "./format.ts";
import * as texts from "../words/english.ts";
import type { Experiment, Run } from "./types.ts";

export type Condition = { when: string; above?: number; below?: number; steps?: number };
type Bound = { bound: "above" | "below"; usual: number };

const NEVER = "never",
  SEVERAL = "several";
/** The server's default patience of a stalled loss. */
const PATIENCE = 500;

/** Scores have lower bounds, losses upper ones. */
const BOUNDS: Record<string, Bound> = {
  test_r2: { bound: "above", usual: 0.9 },
  train_r2: { bound: "above", usual: 0.9 },
  test_accuracy: { bound: "above", usual: 0.95 },
  train_accuracy: { bound: "above", usual: 0.95 },
  test_loss: { bound: "below", usual: 0.01 },
  train_loss: { bound: "below", usual: 0.01 },
};

const NAMES: Record<string, string> = {
  test_r2: texts.testR2,
  train_r2: texts.trainR2,
  test_accuracy: texts.testAccuracy,
  train_accuracy: texts.trainAccuracy,
  test_loss: texts.testLoss,
  train_loss: texts.trainLoss,
};

/** The conditions for an experiment, as choices. */
export function choices(
  { score, testSamples }: Pick<Experiment, "score" | "testSamples">,
  inForce: Condition[],
) {
  const splits = testSamples ? ["test", "train"] : ["train"];
  const series = splits.flatMap((split) => [`${split}_${score}`, `${split}_loss`]);
  const one = [
    { value: NEVER, text: texts.never },
    { value: "layer_dies", text: texts.aLayerDies },
    { value: "loss_stalls", text: texts.theLossStalls },
    ...series.map((name) => ({
      value: name,
      text: `${texts.capital(NAMES[name])} ${texts.ways[BOUNDS[name].bound]} ...`,
    })),
  ];
  return chosen(inForce) === SEVERAL ? [...one, { value: SEVERAL, text: texts.oneOfSeveral }] : one;
}

export function chosen(conditions: Condition[]) {
  if (conditions.length > 1) return SEVERAL;
  const [one] = conditions;
  if (!one) return NEVER;
  return BOUNDS[one.when] && one[BOUNDS[one.when].bound] === undefined ? SEVERAL : one.when;
}

/** The condition that a choice sets; null if it changes nothing. */
export function conditionsOf(choice: string): Condition[] | null {
  if (choice === SEVERAL) return null;
  if (choice === NEVER) return [];
  const { bound, usual } = BOUNDS[choice] ?? {};
  return [bound ? { when: choice, [bound]: usual } : { when: choice }];
}

/** The number of a condition as a catalog parameter; "a layer dies" has none. */
export function numberOf({ when, steps, ...bounds }: Condition) {
  if (when === "loss_stalls") {
    return {
      value: steps ?? PATIENCE,
      change: (value: number) => ({ when, ...bounds, steps: value }),
      parameter: {
        name: "patience",
        default: PATIENCE,
        schema: { type: "integer", minimum: 1 },
        unit: texts.steps,
        help: texts.stopsAfterThisManyStepsWithout,
      },
    };
  }
  const row = BOUNDS[when];
  if (!row) return null;
  return {
    value: bounds[row.bound] ?? row.usual,
    change: (value: number) => ({ when, [row.bound]: value }),
    parameter: {
      name: row.bound,
      default: row.usual,
      schema: { type: "number" },
      help: texts.stopsAtTheFirstStepWith(NAMES[when], texts.ways[row.bound]),
    },
  };
}

/** "when a layer dies", "when test R² is above 0.9", "when the loss stalls for 500 steps". */
export function conditionWords({ when, above, below, steps }: Condition) {
  if (when === "layer_dies") return texts.whenALayerDies;
  if (when === "loss_stalls")
    return texts.whenTheLossStallsX(
      steps === undefined ? "" : texts.forXTail(plural(steps, "step")),
    );
  const bound =
    above === undefined ? texts.belowX(setting(Number(below))) : texts.aboveX(setting(above));
  return texts.whenXIsY(NAMES[when] ?? when, bound);
}

/** The condition that a run met. One that was set after a layer died is met by the dead layer. */
export function metWords({ finishedBy: met, findings, step }: Run) {
  if (!met) return "";
  const died =
    met.when === "layer_dies"
      ? findings.find(
          ({ rule, since_step: since, until_step: until }) =>
            rule === "dead_layer" && until === null && since < step,
        )
      : undefined;
  return died ? texts.whenALayerIsDeadSince(integer(died.since_step)) : conditionWords(met);
}

/** "stops when a layer dies", "no stop condition". */
export const stopWords = (conditions: Condition[]) =>
  conditions.length
    ? texts.stopsX(conditions.map(conditionWords).join(texts.orBetween))
    : texts.noStopCondition;
