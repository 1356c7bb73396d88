/**
 * A look at a run: its units, and of its weights and predictions what is drawn; merged and packed by the server.
 * Owns: what the server is asked for, and how its answer is read. Pure.
 */

import { decode } from "./columns.js";

/** @typedef {import("./types.js").Json} Json */

/** A layer with more units than this is drawn as a strip of so many cells. */
export const MOST_CELLS = 16;

/**
 * What is asked for beside the units: the cells of weights that are drawn, the predictions that are shown.
 * @param {{weights: boolean, predictions: boolean}} wanted
 */
export const lookQuery = ({ weights, predictions }) => [...(weights ? [`weights=${MOST_CELLS}`] : []), `predictions=${predictions ? "pairs" : "none"}`].join("&");

/** @param {any} column */
const numbers = (column) => Array.from(decode(column));

/**
 * What was asked for, each with the step of which it is.
 * @param {Json} told
 */
export function readLook({ step, units, weights, predictions }) {
  return {
    units: { ...units, step },
    ...(weights && { weights: { of: weights, step } }),
    ...(predictions && { predictions: { split: predictions.split, y: numbers(predictions.y), y_pred: numbers(predictions.y_pred), step } }),
  };
}

/**
 * Each cell as a share of the largest one, with its sign, row by row.
 * @param {import("./types.js").DrawnMatrix} told
 * @returns {number[]}
 */
export function sharesOf({ cells }) {
  const held = numbers(cells);
  const largest = Math.max(...held.map(Math.abs)) || 1;
  return held.map((cell) => cell / largest);
}
