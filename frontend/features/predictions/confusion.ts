/**
 * The confusion matrix of one run.
 * Owns: the counts, and the sentence about them. Pure.
 */

import { integer } from "../../core/format.ts";
import * as texts from "../../words/english.ts";
import type { PredictionsInstrument } from "../../core/types.ts";

interface Confusion {
  counts: number[][]; // (true class, predicted class)
  totals: number[]; // samples of each true class
  right: number;
  all: number;
}

export function confusionOf(predictions: PredictionsInstrument | null, classes: number): Confusion {
  const counts = Array.from({ length: classes }, () => new Array(classes).fill(0));
  predictions?.y.forEach((truth, k) => counts[truth][predictions.y_pred[k]]++);
  const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  return {
    counts,
    totals,
    right: counts.reduce((sum, row, k) => sum + row[k], 0),
    all: totals.reduce((sum, total) => sum + total, 0),
  };
}

/** "GD: 271 of 300 test samples correct. Rows are true classes, columns predicted ones." */
export function confusionWords(label: string, { right, all }: Confusion, isTest: boolean) {
  const result = all
    ? texts.xOfYZSamplesCorrect(integer(right), integer(all), isTest ? texts.test : texts.training)
    : texts.noPredictionsYet;
  return texts.xYRowsAreTrueClasses(label, result);
}
