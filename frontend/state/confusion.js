/**
 * The confusion matrix of one run.
 * Owns: the counts, and the sentence about them. Pure.
 */

import { integer } from "./format.js";

/** @typedef {import("./types.js").PredictionsInstrument} PredictionsInstrument */
/**
 * @typedef {object} Confusion
 * @property {number[][]} counts  (true class, predicted class)
 * @property {number[]} totals  samples of each true class
 * @property {number} right
 * @property {number} all
 */

/**
 * @param {PredictionsInstrument|null} predictions
 * @param {number} classes
 * @returns {Confusion}
 */
export function confusionOf(predictions, classes) {
  const counts = Array.from({ length: classes }, () => new Array(classes).fill(0));
  predictions?.y.forEach((truth, k) => counts[truth][predictions.y_pred[k]]++);
  const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  return {
    counts, totals,
    right: counts.reduce((sum, row, k) => sum + row[k], 0),
    all: totals.reduce((sum, total) => sum + total, 0),
  };
}

/**
 * "GD: 271 of 300 test samples correct. Rows are true classes, columns predicted ones."
 * @param {string} label
 * @param {Confusion} confusion
 * @param {boolean} isTest
 */
export function confusionWords(label, { right, all }, isTest) {
  const result = all ? `${integer(right)} of ${integer(all)} ${isTest ? "test" : "training"} samples correct` : "no predictions yet";
  return `${label}: ${result}. Rows are true classes, columns predicted ones.`;
}
