/**
 * Merges neighbouring buckets without losing an extreme.
 * Owns: which buckets may merge (aligned pairs of equal, power-of-two width), and merging columns.
 * The server uses the same rule, so that both agree exactly.
 */

import type { Stat } from "./types.ts";

/** Buckets per doubling at which a bucket is too narrow to see on a log axis. */
export const FINE = 128;

const powerOfTwoBelow = (value: number) => 2 ** Math.floor(Math.log2(Math.max(1, value)));

/**
 * Maximum width of a bucket that starts at `first`.
 * @param even bound for a linear axis
 * @param relative bound for a log axis, in buckets per doubling; 0 = no bound
 */
export function widths(even: number, relative: number): (first: number) => number {
  return (first) => (relative ? Math.min(even, powerOfTwoBelow(first / relative)) : even);
}

/** Plans a merge: the index at which each group starts, and the length at the end. */
export function plan(
  first: ArrayLike<number>,
  last: ArrayLike<number>,
  length: number,
  allowed: (first: number) => number,
): number[] {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let i = 0; i < length; i++) {
    starts.push(i);
    ends.push(last[i]);
    while (starts.length > 1) {
      const top = starts.length - 1;
      const left = first[starts[top - 1]];
      const middle = first[starts[top]];
      const width = middle - left;
      const pairs = ends[top] - middle + 1 === width && ends[top - 1] === middle - 1;
      if (!pairs || left % (2 * width) !== 0 || 2 * width > allowed(left)) break;
      ends[top - 1] = ends[top];
      starts.pop();
      ends.pop();
    }
  }
  starts.push(length);
  return starts;
}

/**
 * The least even width with which `atMost` buckets are possible; narrower ones need not be tried.
 */
function finestPossible(
  first: ArrayLike<number>,
  last: ArrayLike<number>,
  length: number,
  atMost: number,
) {
  for (let limit = 1; ; limit *= 2) {
    let least = 0;
    for (let i = 0; i < length; i++) least += Math.min(1, (last[i] - first[i] + 1) / limit);
    if (least <= atMost || limit > last[length - 1]) return limit;
  }
}

/**
 * The finest plan with at most `atMost` buckets.
 * @param geometric keep the beginning fine, for a log axis
 */
export function planFor(
  first: ArrayLike<number>,
  last: ArrayLike<number>,
  length: number,
  atMost: number,
  geometric: boolean,
) {
  let limit = geometric ? FINE : finestPossible(first, last, length, atMost);
  let groups = plan(first, last, length, geometric ? widths(Infinity, limit) : widths(limit, 0));
  for (let tries = 1; groups.length - 1 > atMost && tries <= 60; tries++) {
    limit = geometric ? limit / 2 : limit * 2;
    groups = coarser(
      first,
      last,
      groups,
      tries === 60 ? () => Infinity : geometric ? widths(Infinity, limit) : widths(limit, 0),
    );
  }
  return groups;
}

/** Merges the groups of a plan further, where wider buckets are allowed. */
function coarser(
  first: ArrayLike<number>,
  last: ArrayLike<number>,
  groups: number[],
  allowed: (first: number) => number,
) {
  const starts = groups.slice(0, -1);
  const joined = plan(
    starts.map((start) => first[start]),
    groups.slice(1).map((end) => last[end - 1]),
    starts.length,
    allowed,
  );
  return joined.map((place) => groups[place]);
}

/**
 * Copies each group's last entry of a column that holds values at bucket ends; `which` 0 copies its
 * first.
 */
export function pick(column: Float64Array, groups: number[], which: 0 | 1, out: Float64Array) {
  for (let g = 0; g + 1 < groups.length; g++)
    out[g] = column[which ? groups[g + 1] - 1 : groups[g]];
}

/**
 * Merges one series by groups; `out` may be `stat` itself. Means are weighted by counts; NaN means
 * "no finite value".
 * @param sizes steps in each bucket
 */
export function fold(stat: Stat, sizes: ArrayLike<number>, groups: number[], out: Stat) {
  for (let g = 0; g + 1 < groups.length; g++) {
    const begin = groups[g];
    const end = groups[g + 1];
    if (end - begin === 1) copyRow(stat, begin, out, g);
    else foldRows(stat, sizes, begin, end, out, g);
  }
}

function copyRow(stat: Stat, from: number, out: Stat, to: number) {
  out.min[to] = stat.min[from];
  out.max[to] = stat.max[from];
  out.mean[to] = stat.mean[from];
  out.last[to] = stat.last[from];
  out.count[to] = stat.count[from];
}

/** Halves that wait for their other half: at most one of each width. */
const STACK = emptyStat(64);
const SIZES = new Float64Array(64);

/**
 * Merges a bucket from its halves, recursively as the server does, so that means agree to the last
 * bit.
 * @param sizes steps in each row
 */
function foldRows(
  stat: Stat,
  sizes: ArrayLike<number>,
  begin: number,
  end: number,
  out: Stat,
  to: number,
) {
  let depth = 0;
  for (let i = begin; i < end; i++) {
    let size = sizes[i];
    copyRow(stat, i, STACK, depth);
    while (depth > 0 && SIZES[depth - 1] === size) {
      joinRow(STACK, depth - 1, depth);
      depth--;
      size *= 2;
    }
    SIZES[depth++] = size;
  }
  for (; depth > 1; depth--) joinRow(STACK, depth - 2, depth - 1);
  copyRow(STACK, 0, out, to);
}

/** The mean of two means of equally many values; equal ones stay exact. */
function halfway(one: number, other: number) {
  const mean = (other - one) * 0.5 + one;
  return Number.isFinite(mean) ? mean : 0.5 * one + 0.5 * other;
}

const weighed = (one: number, other: number, share: number) => (1 - share) * one + share * other;

/** Merges the right row into the left one. */
function joinRow(rows: Stat, left: number, right: number) {
  const before = rows.count[left];
  const more = rows.count[right];
  if (more === 0) return;
  if (before === 0) return copyRow(rows, right, rows, left);
  const [one, other] = [rows.mean[left], rows.mean[right]];
  const min = (rows.min[left] = Math.min(rows.min[left], rows.min[right]));
  const max = (rows.max[left] = Math.max(rows.max[left], rows.max[right]));
  if (before === more) rows.mean[left] = halfway(one, other);
  else if (one !== other)
    rows.mean[left] = Math.min(max, Math.max(min, weighed(one, other, more / (before + more))));
  rows.last[left] = rows.last[right];
  rows.count[left] = before + more;
}

/** A series of columns, each made by its name. */
function statOf(column: (name: keyof Stat) => Float64Array): Stat {
  const [min, max, mean] = [column("min"), column("max"), column("mean")];
  return { min, max, mean, last: column("last"), count: column("count") };
}

export function emptyStat(size: number) {
  return statOf((name) => new Float64Array(size).fill(name === "count" ? 0 : NaN));
}

/** Steps in each bucket. */
export function sizesOf(first: ArrayLike<number>, last: ArrayLike<number>, length: number) {
  const sizes = new Float64Array(length);
  for (let i = 0; i < length; i++) sizes[i] = last[i] - first[i] + 1;
  return sizes;
}

/** A view of some rows of a series, without copying. */
export const part = (stat: Stat, from: number, to: number) =>
  statOf((name) => stat[name].subarray(from, to));

/** The same rows, copied. */
export const copyOf = (stat: Stat, from: number, to: number) =>
  statOf((name) => stat[name].slice(from, to));

/**
 * Points of a chart over a whole run, and how many of them a bucket may span before it shows as a
 * line.
 */
const DRAWN = { points: 800, most: 4 };

/**
 * The first step of buckets much wider than the whole run needs, or null. The server holds at least
 * 512 even buckets over a run, so a new request from there returns finer ones that start exactly
 * there.
 */
export function coarseFrom(first: ArrayLike<number>, last: ArrayLike<number>, length: number) {
  if (!length) return null;
  const widest = widestDrawn(last[length - 1]);
  for (let i = 0; i < length; i++) if (last[i] - first[i] + 1 > widest) return first[i];
  return null;
}

/** The server has at least so many buckets of one width for a run, a power of two; so many first steps it has one by one. */
const TRUNK = { buckets: 512, firstSteps: 1_024 };

/**
 * The last step, at most the end, at which a bucket begins here and on the server, although the run
 * may be twice as long there already.
 */
export function lastJoint(first: ArrayLike<number>, length: number, end: number) {
  const width = end <= TRUNK.firstSteps ? 1 : 2 ** Math.ceil(Math.log2((2 * end) / TRUNK.buckets));
  if (end % width === 0) return end;
  for (let i = length - 1; i >= 0; i--) if (first[i] % width === 0) return first[i];
  return end;
}

/** Steps of the widest bucket that does not show as a line, in a run up to this step. */
const widestDrawn = (end: number) => Math.max(1, (DRAWN.most * (end + 1)) / DRAWN.points);

/** The newest buckets hold several steps, and would not show as lines if they were so many times wider. */
export function areFinerThanDrawn(
  first: ArrayLike<number>,
  last: ArrayLike<number>,
  length: number,
  times: number,
) {
  const widths = [length - 1, length - 2].map((i) => (i < 0 ? 0 : last[i] - first[i] + 1));
  const width = Math.max(...widths);
  return width > 1 && times * width <= widestDrawn(last[length - 1]) / 2;
}
