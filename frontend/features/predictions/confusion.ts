/**
 * The confusion matrix of one run.
 * Owns: the counts, the sentence about them, and the room of the names of classes. Pure.
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

/** In px: a figure of a count, and what a column adds; the room beside a name, and beside its number. */
const COLUMN = { figure: 6.7, more: 2, beside: 7, number: 5 };

/** How the names of classes stand in a table. */
interface Heads {
  isNumbered: boolean; // columns have numbers, and rows a number before the name
  first: number; // width of the rows' heads, px
  isTall: boolean; // a name takes two lines
}

/**
 * Columns have names where all of them fit, else numbers. Names of rows are whole.
 * @param widths of the names, px
 * @param room of the table, px
 * @param highest count that a cell may have
 */
export function headsOf(widths: number[], room: number, highest: number): Heads {
  const longest = Math.max(...widths);
  const count = widths.length;
  const isNumbered = longest + 1 > (room - longest - COLUMN.beside) / count - 1;
  const figures = (number: number) => COLUMN.figure * String(number).length;
  const wanted = longest + COLUMN.beside + (isNumbered ? figures(count) + COLUMN.number : 0);
  const column = Math.max(figures(highest), isNumbered ? figures(count) : longest + 1);
  const most = room - count * (column + COLUMN.more);
  return { isNumbered, first: Math.ceil(Math.min(wanted, most)), isTall: wanted > most };
}

/** The most samples of one class. */
export const highestCount = (
  predictions: PredictionsInstrument | null | undefined,
  classes: number,
) => Math.max(0, ...confusionOf(predictions ?? null, classes).totals);

/** "GD: 271 of 300 test samples correct. Rows are true classes, columns predicted ones." */
export function confusionWords(label: string, { right, all }: Confusion, isTest: boolean) {
  const result = all
    ? texts.xOfYZSamplesCorrect(integer(right), integer(all), isTest ? texts.test : texts.training)
    : texts.noPredictionsYet;
  return texts.xYRowsAreTrueClasses(label, result);
}
