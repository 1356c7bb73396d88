/**
 * The page's measurements: bounded columns, one table a run.
 * Owns: adding frames without a gap, and staying below a ceiling. thinning.js picks what charts show.
 */

import { FINE, coarseFrom, emptyStat, fold, part, pick, plan, sizesOf, widths } from "./buckets.js";
import { decode } from "./columns.js";

/** @typedef {import("./types.js").Columns} Columns */
/** @typedef {import("./types.js").Stat} Stat */
/** @typedef {import("./types.js").RunSeries} RunSeries */

/** Buckets a run. Above this, older ones merge in aligned pairs. */
export const CEILING = 4096;

/** @typedef {"taken"|"stale"|"gap"} TakeResult */
/** @typedef {Record<string, {generation: number, step: number}>} Positions  by run */

/**
 * One run's columns. `take` returns "gap" and changes nothing when new buckets do not join.
 * @param {number} [ceiling]
 * @param {number} [origin]  the first step of all
 */
export function createRunSeries(ceiling = CEILING, origin = 0) {
  let size = 256;
  let length = 0;
  let generation = 0;
  let even = 1;
  const rows = { first: fresh(), last: fresh(), samplesSeen: fresh(), seconds: fresh() };
  /** @type {Map<string, Stat>} */
  const stats = new Map();

  function fresh() {
    return new Float64Array(size);
  }

  /** @param {number} needed */
  function grow(needed) {
    if (needed <= size) return;
    while (size < needed) size *= 2;
    /** @param {Float64Array} old */
    const longer = (old) => {
      const column = fresh();
      column.set(old);
      return column;
    };
    for (const key of keysOf(rows)) rows[key] = longer(rows[key]);
    for (const stat of stats.values()) for (const key of keysOf(stat)) stat[key] = longer(stat[key]);
  }

  /** @param {string} name */
  function statOf(name) {
    let stat = stats.get(name);
    if (!stat) stats.set(name, (stat = emptyStat(size)));
    return stat;
  }

  /** How many buckets stay when new ones start at `first`, or -1 if they would not join. @param {number} first */
  function keepBefore(first) {
    let keep = length;
    while (keep > 0 && rows.first[keep - 1] >= first) keep--;
    const end = keep ? rows.last[keep - 1] + 1 : origin;
    return end === first ? keep : -1;
  }

  /**
   * @param {Columns} columns
   * @returns {TakeResult}
   */
  function take(columns) {
    if (columns.generation < generation) return "stale";
    const first = decode(columns.first);
    const again = columns.generation > generation;
    const keep = again ? (first.length === 0 || first[0] === origin ? 0 : -1) : first.length ? keepBefore(first[0]) : length;
    if (keep < 0) return "gap";
    if (again) even = 1;
    generation = columns.generation;
    length = keep;
    append(columns, first);
    if (length > ceiling) compact();
    return "taken";
  }

  /**
   * @param {Columns} columns
   * @param {ArrayLike<number>} first
   */
  function append(columns, first) {
    const count = first.length;
    grow(length + count);
    const last = decode(columns.last);
    rows.first.set(first, length);
    rows.last.set(last, length);
    rows.samplesSeen.set(decode(columns.samples_seen), length);
    rows.seconds.set(decode(columns.seconds), length);
    for (const name of stats.keys()) if (!(name in columns.series)) blank(statOf(name), length, length + count);
    for (const [name, wire] of Object.entries(columns.series)) write(statOf(name), wire, first, last);
    length += count;
  }

  /**
   * A series recorded at every step has no counts: each bucket counts its steps.
   * @param {Stat} stat
   * @param {any} wire
   * @param {ArrayLike<number>} first
   * @param {ArrayLike<number>} last
   */
  function write(stat, wire, first, last) {
    for (const key of /** @type {const} */ (["min", "max", "mean", "last"])) stat[key].set(decode(wire[key]), length);
    if (wire.count) return stat.count.set(decode(wire.count), length);
    for (let i = 0; i < first.length; i++) {
      stat.count[length + i] = Number.isNaN(stat.mean[length + i]) ? 0 : last[i] - first[i] + 1;
    }
  }

  function compact() {
    let groups = plan(rows.first, rows.last, length, widths(even, FINE));
    while (groups.length - 1 > ceiling / 2 && even < 2 ** 50) {
      even *= 2;
      groups = plan(rows.first, rows.last, length, widths(even, FINE));
    }
    const sizes = sizesOf(rows.first, rows.last, length);
    pick(rows.first, groups, 0, rows.first);
    for (const key of /** @type {const} */ (["last", "samplesSeen", "seconds"])) pick(rows[key], groups, 1, rows[key]);
    for (const stat of stats.values()) fold(stat, sizes, groups, stat);
    length = groups.length - 1;
  }

  return {
    take,
    get generation() { return generation; },
    get length() { return length; },
    get first() { return rows.first.subarray(0, length); },
    get last() { return rows.last.subarray(0, length); },
    get samplesSeen() { return rows.samplesSeen.subarray(0, length); },
    get seconds() { return rows.seconds.subarray(0, length); },
    names: () => [...stats.keys()],
    /** @param {string} name */
    values(name) {
      const stat = stats.get(name);
      return stat ? part(stat, 0, length) : null;
    },
  };
}

/**
 * @template {object} T
 * @param {T} object
 * @returns {(keyof T)[]}
 */
const keysOf = (object) => /** @type {(keyof T)[]} */ (Object.keys(object));

/**
 * @param {Stat} stat
 * @param {number} from
 * @param {number} to
 */
function blank(stat, from, to) {
  for (const key of /** @type {const} */ (["min", "max", "mean", "last"])) stat[key].fill(NaN, from, to);
  stat.count.fill(0, from, to);
}

/** The first step after the buckets. @param {ArrayLike<number>} last */
const endOf = (last) => (last.length ? last[last.length - 1] + 1 : 0);

/** @param {Columns} columns @param {ReturnType<typeof createRunSeries>} current */
function endsBefore({ generation, last }, current) {
  const end = endOf(decode(last));
  return generation === current.generation && end > 0 && end < endOf(current.last);
}

/** Pieces and the next one; without the pieces if it does not join. @param {Columns[]} pieces @param {Columns} next @returns {Columns[]} */
function joined(pieces, next) {
  const before = pieces.at(-1);
  const joins = before && before.generation === next.generation && decode(next.first)[0] === endOf(decode(before.last));
  return joins ? [...pieces, next] : [next];
}

/** Every run's columns, by name. */
export function createSeriesStore() {
  /** @type {Map<string, ReturnType<typeof createRunSeries>>} */
  const runs = new Map();
  /** Finer columns of ranges on view. @type {typeof runs} */
  const closers = new Map();
  /**
   * Columns sent again so far, by run. They wait until complete: added one by one, they would cut off what follows
   * them.
   * @type {Map<string, Columns[]>}
   */
  const waiting = new Map();

  /** The first missing step of every run, for `since`. */
  function positions() {
    /** @type {Positions} */
    const since = {};
    for (const [name, series] of runs) since[name] = { generation: series.generation, step: endOf(series.last) };
    return since;
  }

  return {
    positions,
    /** @param {string} run */
    of: (run) => runs.get(run) ?? null,
    /** Finer columns of a range, if any. @param {string} run */
    closer(run) {
      const closer = closers.get(run);
      return closer && closer.generation === runs.get(run)?.generation ? closer : null;
    },
    /** @param {string} run @param {Columns|null} columns */
    keepCloser(run, columns) {
      closers.delete(run);
      const first = columns ? decode(columns.first) : [];
      if (!columns || !first.length) return;
      const closer = createRunSeries(CEILING, first[0]);
      closer.take(columns);
      closers.set(run, closer);
    },
    /**
     * @param {string} run
     * @param {Columns} columns
     * @returns {TakeResult}
     */
    take(run, columns) {
      let series = runs.get(run);
      if (!series) runs.set(run, (series = createRunSeries()));
      const pieces = joined(waiting.get(run) ?? [], columns);
      waiting.delete(run);
      if (endsBefore(columns, series)) {
        waiting.set(run, pieces);
        return "taken";
      }
      /** @type {TakeResult} */
      let result = "taken";
      for (const piece of pieces) if (result !== "gap") result = series.take(piece);
      return result;
    },
    /** @param {string} run */
    forget: (run) => (runs.delete(run), void waiting.delete(run)),
    clear: () => (runs.clear(), closers.clear(), waiting.clear()),
    /** First steps of ranges to request again: frames at high speed had too few buckets for the run's present length. */
    coarse() {
      /** @type {Positions} */
      const since = {};
      for (const [name, { generation, length, first, last }] of runs) {
        const step = coarseFrom(first, last, length);
        if (step !== null) since[name] = { generation, step };
      }
      return since;
    },
    /** The same; for a run sent again, the first step not yet sent again. */
    arrived() {
      const since = positions();
      for (const [name, pieces] of waiting) since[name].step = endOf(decode(pieces[pieces.length - 1].last));
      return since;
    },
  };
}
