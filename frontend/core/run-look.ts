/**
 * A look at a run: units, and the drawn parts of weights and predictions, merged and packed by the
 * server. At a beat also what a frame says of it.
 * Owns: its request, and reading its answer. Pure.
 */

import { decode } from "./columns.ts";
import type { DrawnMatrix, Json, Run, Shown } from "./types.ts";

/** an answer about a run at a beat */
export type RunAtBeat = {
  shown: Shown;
  looks: Partial<Pick<Run, "units" | "weights" | "predictions">>;
};

/** A larger layer is drawn as a strip of this many cells. */
export const MOST_CELLS = 16;

/** The query besides units: the cells of weights to draw, the predictions to show. */
export const lookQuery = ({ weights, predictions }: { weights: boolean; predictions: boolean }) =>
  [
    ...(weights ? [`weights=${MOST_CELLS}`] : []),
    `predictions=${predictions ? "pairs" : "none"}`,
  ].join("&");

const numbers = (column: any) => Array.from(decode(column));

/**
 * The parts of an answer, each with its step.
 * @param y the true values, for an answer without them
 */
export function readLook({ step, units, weights, predictions }: Json, y: number[] = []) {
  return {
    units: { ...units, step },
    ...(weights && { weights: { of: weights, step } }),
    ...(predictions && {
      predictions: {
        split: predictions.split,
        y: predictions.y ? numbers(predictions.y) : y,
        y_pred: numbers(predictions.y_pred),
        step,
      },
    }),
  };
}

/** Losses and scores. Before the first step gradients would give the answer of a question away. */
const evaluated = (latest: Run["latest"]) =>
  Object.fromEntries(Object.entries(latest).filter(([name]) => /^(train|test)_/.test(name)));

/**
 * The contents of a frame for the run at that moment, and the look.
 * @param y the true values, for an answer without them
 */
export const readRun = (answer: Json, y?: number[]): RunAtBeat => ({
  shown: {
    generation: answer.generation,
    status: answer.status,
    step: answer.step,
    epoch: answer.epoch,
    samplesSeen: answer.samples_seen,
    latest: answer.step ? answer.latest : evaluated(answer.latest),
    verdict: answer.verdict,
    harm: answer.harm,
    findingsCompleteTo: answer.findings_complete_to,
    doctor: answer.doctor,
    news: answer.findings ?? [],
  },
  looks: readLook(answer, y),
});

/** Each cell as a signed share of the largest, row by row. */
export function sharesOf({ cells }: DrawnMatrix): number[] {
  const values = numbers(cells);
  const largest = Math.max(...values.map(Math.abs)) || 1;
  return values.map((cell) => cell / largest);
}
