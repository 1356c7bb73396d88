/**
 * A look at a run: units, and the drawn parts of weights and predictions, merged and packed by the server.
 * Owns: its request, and reading its answer. Pure.
 */

import { decode } from "./columns.js";

/** @typedef {import("./types.js").Json} Json */

/** A larger layer is drawn as a strip of this many cells. */
export const MOST_CELLS = 16;

/**
 * The query besides units: the cells of weights to draw, the predictions to show.
 * @param {{weights: boolean, predictions: boolean}} wanted
 */
export const lookQuery = ({ weights, predictions }) => [...(weights ? [`weights=${MOST_CELLS}`] : []), `predictions=${predictions ? "pairs" : "none"}`].join("&");

/** @param {any} column */
const numbers = (column) => Array.from(decode(column));

/** The parts of an answer, each with its step. @param {Json} told */
export function readLook({ step, units, weights, predictions }) {
  return {
    units: { ...units, step },
    ...(weights && { weights: { of: weights, step } }),
    ...(predictions && { predictions: { split: predictions.split, y: numbers(predictions.y), y_pred: numbers(predictions.y_pred), step } }),
  };
}

/**
 * Each cell as a signed share of the largest, row by row.
 * @param {import("./types.js").DrawnMatrix} told
 * @returns {number[]}
 */
export function sharesOf({ cells }) {
  const values = numbers(cells);
  const largest = Math.max(...values.map(Math.abs)) || 1;
  return values.map((cell) => cell / largest);
}
