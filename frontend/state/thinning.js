/**
 * A part of a run's columns in few enough buckets to draw.
 * Owns: picking and merging for a number of pixels.
 */

import { emptyStat, fold, part, pick, planFor, sizesOf } from "./buckets.js";

/** @typedef {import("./types.js").Stat} Stat */
/** @typedef {import("./types.js").RunSeries} RunSeries */

/**
 * A run's columns in at most `atMost` buckets, only the named series; extremes stay exact.
 * @param {RunSeries} series
 * @param {string[]} names
 * @param {number} atMost
 * @param {boolean} geometric  fine at the beginning, for a log axis
 * @param {[number, number]} [window]  only these buckets, from - to, without their neighbours
 */
export function thin(series, names, atMost, geometric, [from, to] = [0, series.length]) {
  const [first, last] = [series.first.subarray(from, to), series.last.subarray(from, to)];
  const groups = planFor(first, last, first.length, atMost, geometric);
  const size = groups.length - 1;
  const sizes = sizesOf(first, last, first.length);
  /**
   * @param {Float64Array} column
   * @param {0|1} which
   */
  const picked = (column, which) => {
    const out = new Float64Array(size);
    pick(column, groups, which, out);
    return out;
  };
  /** @type {Record<string, Stat>} */
  const stats = {};
  for (const name of names) {
    const stat = series.values(name);
    if (stat) fold(part(stat, from, to), sizes, groups, (stats[name] = emptyStat(size)));
  }
  return {
    first: picked(first, 0),
    last: picked(last, 1),
    samples_seen: picked(series.samplesSeen.subarray(from, to), 1),
    seconds: picked(series.seconds.subarray(from, to), 1),
    series: stats,
  };
}
