/**
 * A look at a run: units, and the drawn parts of weights and predictions, merged and packed by the
 * server.
 * Owns: its request, and reading its answer. Pure.
 */

import { decode } from "./columns.ts";
import type { DrawnMatrix, Json } from "./types.ts";

/** A larger layer is drawn as a strip of this many cells. */
export const MOST_CELLS = 16;

/** The query besides units: the cells of weights to draw, the predictions to show. */
export const lookQuery = ({ weights, predictions }: { weights: boolean; predictions: boolean }) =>
  [
    ...(weights ? [`weights=${MOST_CELLS}`] : []),
    `predictions=${predictions ? "pairs" : "none"}`,
  ].join("&");

const numbers = (column: any) => Array.from(decode(column));

/** The parts of an answer, each with its step. */
export function readLook({ step, units, weights, predictions }: Json) {
  return {
    units: { ...units, step },
    ...(weights && { weights: { of: weights, step } }),
    ...(predictions && {
      predictions: {
        split: predictions.split,
        y: numbers(predictions.y),
        y_pred: numbers(predictions.y_pred),
        step,
      },
    }),
  };
}

/** Each cell as a signed share of the largest, row by row. */
export function sharesOf({ cells }: DrawnMatrix): number[] {
  const values = numbers(cells);
  const largest = Math.max(...values.map(Math.abs)) || 1;
  return values.map((cell) => cell / largest);
}
