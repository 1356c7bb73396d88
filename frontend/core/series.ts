/**
 * The page's measurements: bounded columns, one table a run.
 * Owns: adding frames without a gap, and staying below a ceiling. thinning.ts picks what charts
 * show.
 */

import {
  FINE,
  areFinerThanDrawn,
  coarseFrom,
  copyOf,
  emptyStat,
  fold,
  lastJoint,
  part,
  pick,
  plan,
  sizesOf,
  widths,
} from "./buckets.ts";
import { decode } from "./columns.ts";
import { firstFrom } from "./numbers.ts";
import type { Columns, Stat } from "./types.ts";

/** The server keeps so many first steps one by one. */
const BEGINNING = 1_024;
/** Buckets a run. Above this, older ones merge in aligned pairs. */
export const CEILING = 4096;

type TakeResult = "taken" | "stale" | "gap";
/** by run */
type Positions = Record<string, { generation: number; step: number }>;

/**
 * One run's columns. `take` returns "gap" and changes nothing when new buckets do not join.
 * @param origin the first step of all
 */
export function createRunSeries(ceiling = CEILING, origin = 0) {
  let size = 256;
  let length = 0;
  let generation = 0;
  let even = 1;
  /** The series that the page asked for when the first bucket came. */
  let asked: string[] | null = null;
  const rows = { first: fresh(), last: fresh(), samplesSeen: fresh(), seconds: fresh() };
  const stats: Map<string, Stat> = new Map();

  function fresh() {
    return new Float64Array(size);
  }

  function grow(needed: number) {
    if (needed <= size) return;
    while (size < needed) size *= 2;
    const longer = (old: Float64Array) => {
      const column = fresh();
      column.set(old);
      return column;
    };
    for (const key of keysOf(rows)) rows[key] = longer(rows[key]);
    for (const stat of stats.values())
      for (const key of keysOf(stat)) stat[key] = longer(stat[key]);
  }

  function statOf(name: string) {
    let stat = stats.get(name);
    if (!stat) stats.set(name, (stat = emptyStat(size)));
    return stat;
  }

  /** How many buckets stay when new ones start at `first`, or -1 if they would not join. */
  function keepBefore(first: number) {
    let keep = length;
    while (keep > 0 && rows.first[keep - 1] >= first) keep--;
    const end = keep ? rows.last[keep - 1] + 1 : origin;
    return end === first ? keep : -1;
  }

  function take(columns: Columns): TakeResult {
    if (columns.generation < generation) return "stale";
    const first = decode(columns.first);
    const again = columns.generation > generation;
    const keep = again
      ? first.length === 0 || first[0] === origin
        ? 0
        : -1
      : first.length
        ? keepBefore(first[0])
        : length;
    if (keep < 0) return "gap";
    if (again) even = 1;
    if (keep === 0) begin(columns);
    generation = columns.generation;
    length = keep;
    append(columns, first);
    if (length > ceiling) compact();
    return "taken";
  }

  /** All buckets are new, and with them the series. */
  function begin(columns: Columns) {
    asked = columns.asked ?? null;
    for (const name of stats.keys()) if (!(name in columns.series)) stats.delete(name);
  }

  function append(columns: Columns, first: ArrayLike<number>) {
    const count = first.length;
    grow(length + count);
    const last = decode(columns.last);
    rows.first.set(first, length);
    rows.last.set(last, length);
    rows.samplesSeen.set(decode(columns.samples_seen), length);
    rows.seconds.set(decode(columns.seconds), length);
    for (const name of stats.keys())
      if (!(name in columns.series)) blank(statOf(name), length, length + count);
    for (const [name, wire] of Object.entries(columns.series))
      write(statOf(name), wire, first, last);
    length += count;
  }

  /** A series recorded at every step has no counts: each bucket counts its steps. */
  function write(stat: Stat, wire: any, first: ArrayLike<number>, last: ArrayLike<number>) {
    for (const key of ["min", "max", "mean", "last"] as const)
      stat[key].set(decode(wire[key]), length);
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
    for (const key of ["last", "samplesSeen", "seconds"] as const)
      pick(rows[key], groups, 1, rows[key]);
    for (const stat of stats.values()) fold(stat, sizes, groups, stat);
    length = groups.length - 1;
  }

  /** Replaces the first buckets by finer ones that end where one of them does. */
  function refine(columns: Columns) {
    const first = decode(columns.first);
    const end = endOf(decode(columns.last)) - 1;
    const place = rows.last.subarray(0, length).indexOf(end);
    const isFiner = first[0] === origin && place >= 0 && first.length > place + 1;
    const isWhole = [...stats.keys()].every((name) => name in columns.series);
    if (columns.generation !== generation || !isFiner || !isWhole) return;
    const rest = [place + 1, length] as const;
    const behind = keysOf(rows).map((key) => [key, rows[key].slice(...rest)] as const);
    const stand = [...stats].map(([name, stat]) => [name, copyOf(stat, ...rest)] as const);
    length = 0;
    append(columns, first);
    grow(length + rest[1] - rest[0]);
    for (const [key, column] of behind) rows[key].set(column, length);
    for (const [name, stat] of stand)
      for (const key of keysOf(stat)) statOf(name)[key].set(stat[key], length);
    length += rest[1] - rest[0];
    if (length > ceiling) compact();
  }

  /** The last of the buckets with the first steps, if one of them has several steps; else null. */
  function coarseBeginning() {
    let place = 0;
    while (place < length && rows.first[place] < BEGINNING) place++;
    const end = place ? rows.last[place - 1] : -1;
    return place <= Math.min(BEGINNING - 1, end) ? { until: end, buckets: place } : null;
  }

  return {
    take,
    refine,
    coarseBeginning,
    get generation() {
      return generation;
    },
    get length() {
      return length;
    },
    get first() {
      return rows.first.subarray(0, length);
    },
    get last() {
      return rows.last.subarray(0, length);
    },
    get samplesSeen() {
      return rows.samplesSeen.subarray(0, length);
    },
    get seconds() {
      return rows.seconds.subarray(0, length);
    },
    names: () => [...stats.keys()],
    /** True if one of these was not asked for. */
    lacks: (names: string[]) => asked !== null && names.some((name) => !asked?.includes(name)),
    values(name: string) {
      const stat = stats.get(name);
      return stat ? part(stat, 0, length) : null;
    },
  };
}

const keysOf = <T extends object>(object: T): (keyof T)[] => Object.keys(object) as (keyof T)[];

function blank(stat: Stat, from: number, to: number) {
  for (const key of ["min", "max", "mean", "last"] as const) stat[key].fill(NaN, from, to);
  stat.count.fill(0, from, to);
}

/** The first step after the buckets. */
const endOf = (last: ArrayLike<number>) => (last.length ? last[last.length - 1] + 1 : 0);

function endsBefore({ generation, last }: Columns, current: ReturnType<typeof createRunSeries>) {
  const end = endOf(decode(last));
  return generation === current.generation && end > 0 && end < endOf(current.last);
}

/** Pieces and the next one; without the pieces if it does not join. */
function joined(pieces: Columns[], next: Columns): Columns[] {
  const before = pieces.at(-1);
  const joins =
    before &&
    before.generation === next.generation &&
    decode(next.first)[0] === endOf(decode(before.last));
  return joins ? [...pieces, next] : [next];
}

export type ColumnStore = ReturnType<typeof createSeriesStore>;

/** Every run's columns, by name. */
export function createSeriesStore() {
  const runs: Map<string, ReturnType<typeof createRunSeries>> = new Map();
  /** Finer columns of ranges on view. */
  const closers: typeof runs = new Map();
  /** The records of the steps at which forks leave their parents, where buckets hide them. */
  const origins: typeof runs = new Map();
  /**
   * Columns sent again so far, by run. They wait until complete: added one by one, they would cut
   * off what follows them.
   */
  const waiting: Map<string, Columns[]> = new Map();

  /** Columns that begin at their first bucket, in the place of those before. */
  function keep(kept: typeof runs, run: string, columns: Columns | null) {
    kept.delete(run);
    const first = columns ? decode(columns.first) : [];
    if (!columns || !first.length) return;
    const fresh = createRunSeries(CEILING, first[0]);
    fresh.take(columns);
    kept.set(run, fresh);
  }

  /** What is kept of a run's present generation. */
  function keptOf(kept: typeof runs, run: string) {
    const columns = kept.get(run);
    return columns && columns.generation === runs.get(run)?.generation ? columns : null;
  }

  /** The first missing step of every run, for `since`. */
  function positions() {
    const since: Positions = {};
    for (const [name, series] of runs)
      since[name] = { generation: series.generation, step: endOf(series.last) };
    return since;
  }

  /** Runs to be sent from step 0 on, with series that the page has not asked for so far. */
  const lacking = (wanted: string[] | null) =>
    [...runs].filter(([, series]) => series.lacks(wanted ?? [])).map(([run]) => run);

  return {
    positions,
    of: (run: string) => runs.get(run) ?? null,
    /** Finer columns of a range, if any. */
    closer: (run: string) => keptOf(closers, run),
    /** The record of the step at which a fork leaves its parent; null if it is not needed. */
    origin: (run: string) => keptOf(origins, run),
    /** True if a bucket of several steps holds this one. */
    hidesStep(run: string, step: number) {
      const { first, last } = runs.get(run) ?? { first: [], last: [] };
      const place = firstFrom(last, step);
      return first[place] <= step && first[place] < last[place];
    },
    /** Steps from 0 on that the server has one by one, if the page has not. */
    coarseBeginning: (run: string) => runs.get(run)?.coarseBeginning() ?? null,
    refine: (run: string, columns: Columns) => runs.get(run)?.refine(columns),
    keepCloser: (run: string, columns: Columns | null) => keep(closers, run, columns),
    keepOrigin: (run: string, columns: Columns) => keep(origins, run, columns),
    take(run: string, columns: Columns): TakeResult {
      let series = runs.get(run);
      if (!series) runs.set(run, (series = createRunSeries()));
      const pieces = joined(waiting.get(run) ?? [], columns);
      waiting.delete(run);
      if (endsBefore(columns, series)) {
        waiting.set(run, pieces);
        return "taken";
      }
      let result: TakeResult = "taken";
      for (const piece of pieces) if (result !== "gap") result = series.take(piece);
      return result;
    },
    forget: (run: string) => (runs.delete(run), origins.delete(run), void waiting.delete(run)),
    clear: () => [runs, closers, origins, waiting].forEach((each) => each.clear()),
    /**
     * First steps of ranges to request again: frames at high speed had too few buckets for the
     * run's present length.
     */
    coarse() {
      const since: Positions = {};
      for (const [name, { generation, length, first, last }] of runs) {
        const step = coarseFrom(first, last, length);
        if (step !== null) since[name] = { generation, step };
      }
      return since;
    },
    /**
     * The same; for a run sent again, the first step not yet sent again.
     * @param wanted the series
     */
    arrived(wanted: string[] | null = null) {
      const since = positions();
      for (const run of lacking(wanted)) since[run].step = 0;
      for (const [name, pieces] of waiting)
        since[name].step = endOf(decode(pieces[pieces.length - 1].last));
      return since;
    },
    /**
     * Steps near the ends from which the server can go on: its buckets begin there too, also after it
     * has merged them. Otherwise it would begin at step 0 again.
     * @param wanted the series
     */
    joints(wanted: string[] | null = null) {
      const steps = positions();
      for (const [name, { first, length }] of runs) {
        steps[name].step = lastJoint(first, length, steps[name].step);
      }
      for (const run of lacking(wanted)) steps[run].step = 0;
      return steps;
    },
    /**
     * True if the newest buckets of a run hold several steps, and are finer than the drawn ones by this
     * factor. That is so at high speed, after some seconds.
     */
    isFinerThanDrawn: (times: number) =>
      [...runs.values()].some(({ first, last, length }) =>
        areFinerThanDrawn(first, last, length, times),
      ),
  };
}
