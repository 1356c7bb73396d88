/**
 * What the page knows of a run's train loss at a step, in words.
 * Owns: that nothing of another step is told as that of this one: several steps held as one tell their least and largest.
 */

import { number } from "./format.js";

/** @typedef {import("./types.js").RunSeries} RunSeries */

/**
 * @param {RunSeries|null} series
 * @param {number} step
 * @returns {{least: number, most: number}|null}  null where no loss was evaluated there
 */
export function lossAt(series, step) {
  const loss = series?.values("train_loss");
  if (!series || !loss) return null;
  const k = series.last.findIndex((last) => last >= step);
  if (k < 0 || series.first[k] > step || !Number.isFinite(loss.min[k])) return null;
  return { least: loss.min[k], most: loss.max[k] };
}

/** "0.0118", or "0.0118 to 0.0170". @param {ReturnType<typeof lossAt>} loss */
export function lossAtWords(loss) {
  if (!loss) return "–";
  const [least, most] = [number(loss.least), number(loss.most)];
  return least === most ? least : `${least} to ${most}`;
}
