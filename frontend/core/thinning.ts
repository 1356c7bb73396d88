/**
 * A part of a run's columns in few enough buckets to draw.
 * Owns: picking and merging for a number of pixels.
 */

import { emptyStat, fold, part, pick, plan, planFor, sizesOf, widths } from "./buckets.ts";
import type { RunSeries, Stat } from "./types.ts";

/**
 * A run's columns in at most `atMost` buckets, only the named series; extremes stay exact.
 * @param geometric fine at the beginning, for a log axis
 * @param window only these buckets, from - to, without their neighbours
 */
export function thin(
  series: RunSeries,
  names: string[],
  atMost: number,
  geometric: boolean,
  [from, to]: [number, number] = [0, series.length],
) {
  const [first, last] = [series.first.subarray(from, to), series.last.subarray(from, to)];
  return merged(series, names, [from, to], planFor(first, last, first.length, atMost, geometric));
}

/**
 * The same with the first bucket as it is: a line starts at its first value, not at the mean of many.
 * @param window as for `thin`
 */
export function thinFromFirst(
  series: RunSeries,
  names: string[],
  atMost: number,
  geometric: boolean,
  [from, to]: [number, number],
) {
  const [first, last] = [series.first.subarray(from + 1, to), series.last.subarray(from + 1, to)];
  const rest = planFor(first, last, first.length, atMost - 1, geometric);
  return merged(series, names, [from, to], [0, ...rest.map((start) => start + 1)]);
}

/**
 * A run's newest buckets, merged up to a width; the first of them stays as it is.
 * @param width steps
 * @param from bucket
 */
export function newest(series: RunSeries, names: string[], width: number, from: number) {
  const [first, last] = [series.first.subarray(from + 1), series.last.subarray(from + 1)];
  const groups = plan(first, last, first.length, widths(width, 0));
  return merged(series, names, [from, series.length], [0, ...groups.map((start) => start + 1)]);
}

export type Merged = ReturnType<typeof merged>;

/**
 * The columns and one more bucket, of one step.
 * @param values of series at that step; unchanged columns without any
 */
export function withStep(columns: Merged, step: number, values: Record<string, number>): Merged {
  if (!Object.keys(values).length) return columns;
  const and = (column: Float64Array, value: number) => {
    const longer = new Float64Array(column.length + 1);
    longer.set(column);
    longer[column.length] = value;
    return longer;
  };
  const again = (column: Float64Array) => and(column, column[column.length - 1]);
  const series = Object.entries(columns.series).map(([name, stat]): [string, Stat] => {
    const value = values[name] ?? Number.NaN;
    const [min, max, mean, last] = [stat.min, stat.max, stat.mean, stat.last].map((each) =>
      and(each, value),
    );
    return [name, { min, max, mean, last, count: and(stat.count, Number.isNaN(value) ? 0 : 1) }];
  });
  return {
    first: and(columns.first, step),
    last: and(columns.last, step),
    // a record stands where its step begins: where the one before it ends
    samples_seen: again(columns.samples_seen),
    seconds: again(columns.seconds),
    series: Object.fromEntries(series),
  };
}

/**
 * The columns from a record of one step on; a bucket that ends with that step makes room for it.
 * @param record a single bucket; series without a value are not in it
 */
export function fromRecord(columns: Merged, record: RunSeries): Merged {
  const step = record.first[0];
  if (!columns.last.length || columns.last[0] < step) return columns;
  const from = columns.last[0] === step ? 1 : 0;
  const after = (column: Float64Array, value: number) =>
    Float64Array.from([value, ...column.subarray(from)]);
  const series = Object.entries(columns.series).map(([name, stat]): [string, Stat] => {
    const own = record.values(name);
    const [min, max, mean, last] = (["min", "max", "mean", "last"] as const).map((key) =>
      after(stat[key], own?.[key][0] ?? Number.NaN),
    );
    return [name, { min, max, mean, last, count: after(stat.count, own?.count[0] ?? 0) }];
  });
  return {
    first: after(columns.first, step),
    last: after(columns.last, step),
    samples_seen: after(columns.samples_seen, record.samplesSeen[0]),
    seconds: after(columns.seconds, record.seconds[0]),
    series: Object.fromEntries(series),
  };
}

/** @param groups where each merged bucket starts, and the end */
function merged(
  series: RunSeries,
  names: string[],
  [from, to]: [number, number],
  groups: number[],
) {
  const [first, last] = [series.first.subarray(from, to), series.last.subarray(from, to)];
  const size = groups.length - 1;
  const sizes = sizesOf(first, last, first.length);
  const picked = (column: Float64Array, which: 0 | 1) => {
    const out = new Float64Array(size);
    pick(column, groups, which, out);
    return out;
  };
  const stats: Record<string, Stat> = {};
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
