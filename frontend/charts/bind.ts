/**
 * Fills a figure with columns, by the names in its traces' `meta`.
 * Owns: how a bucket becomes a point. Twin of backend figures/binding.py; tests/golden holds both
 * to the same figure. The order of arithmetic must stay the same on both sides. Knows no figure and
 * no Plotly.
 */

import { shelfScale } from "./shelf.ts";
import type { Json, Stat4 } from "../core/types.ts";
import type { ShelfScale } from "./shelf.ts";

/** decoded columns of one run */
export interface Bound {
  first: ArrayLike<number>;
  last: ArrayLike<number>;
  samples_seen: ArrayLike<number>;
  seconds: ArrayLike<number>;
  series: Record<string, Stat4>;
}

/** @returns a new figure; the argument is not changed */
export function fill(figure: Json, columns: Record<string, Bound>, trainSamples: number): Json {
  const points: (Points | null)[] = figure.data.map((trace: Json) =>
    trace.meta?.run === undefined
      ? null
      : pointsOf(trace.meta, columns[trace.meta.run], trainSamples),
  );
  const shelf = figure.layout.meta?.shelf;
  const needed = shelf && !(shelf.only_for_zero && !points.some(hasZero));
  const scale = needed ? scaleOver(shelf.measure, points) : null;
  const data = figure.data.map((trace: Json, place: number) => {
    const curve = points[place];
    if (!curve) return trace;
    const { x, y, upper } = curve;
    return { ...trace, x, y: scale ? y.map((value, i) => scale.place(value, upper[i])) : y };
  });
  return { ...figure, data, layout: scale ? laidOut(figure.layout, scale) : figure.layout };
}

type Points = { x: number[]; y: number[]; upper: number[] };

/**
 * The buckets that hold a value, as points.
 * @param meta series, statistic and axis
 */
export function pointsOf(meta: Json, columns: Bound | undefined, trainSamples: number): Points {
  const points = { x: [], y: [], upper: [] } as Points;
  const stat = columns?.series[meta.y];
  if (!columns || !stat) return points;
  const x = middles(columns, meta.x, trainSamples);
  const y = stat[meta.stat as "min" | "max" | "mean" | "last"];
  for (let i = 0; i < x.length; i++) {
    const value = y[i];
    if (value === null || !Number.isFinite(value)) continue;
    points.x.push(x[i]);
    points.y.push(value);
    points.upper.push(stat.max[i] as number);
  }
  return points;
}

/**
 * Place of each bucket on an axis: the mean place of its records. A record stands where its step
 * begins.
 * @param axis step, epoch, samples_seen, seconds
 */
export function middles(columns: Bound, axis: string, trainSamples: number) {
  const { first, last } = columns;
  const end = endsOf(columns, axis, trainSamples);
  const x = new Float64Array(end.length);
  for (let i = 0; i < x.length; i++) {
    const start = i ? end[i - 1] : (end[0] * first[0]) / (last[0] + 1);
    const count = last[i] - first[i] + 1;
    x[i] = start + ((end[i] - start) * (count - 1)) / (2 * count);
  }
  return x;
}

/** End of each bucket on an axis. */
export function endsOf(
  { last, samples_seen: samples, seconds }: Bound,
  axis: string,
  trainSamples: number,
): ArrayLike<number> {
  if (axis === "seconds") return seconds;
  if (axis === "samples_seen") return samples;
  if (axis === "epoch") return Float64Array.from(samples, (count) => count / trainSamples);
  return Float64Array.from(last, (step) => step + 1);
}

const hasZero = (points: Points | null) =>
  points?.y.some((value, i) => value === 0 && points.upper[i] === 0) ?? false;

function scaleOver(measure: string, points: (Points | null)[]) {
  let least = Infinity;
  let greatest = 0;
  for (const curve of points) {
    for (const value of curve?.y ?? []) {
      if (value > 0 && value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  return shelfScale(measure, least, greatest);
}

function laidOut(layout: Json, scale: ShelfScale) {
  const { values, texts } = scale.ticks();
  const [y0, y1] = scale.tint;
  const placed: Json = { ...layout };
  placed.shapes = layout.shapes.map((shape: Json) =>
    shape.name === "shelf" ? { ...shape, y0, y1, visible: true } : shape,
  );
  for (const name of Object.keys(layout)) {
    if (name.startsWith("yaxis"))
      placed[name] = { ...layout[name], range: scale.range, tickvals: values, ticktext: texts };
  }
  return placed;
}
