/**
 * The newest stretch of each line: from the last point that Plotly drew to the newest record. The
 * canvas draws it at the screen's rate until Plotly catches up.
 * Owns: its points and marker, in px, and how they glide. Pure. live-canvas.ts draws them.
 */

import { middles, pointsOf } from "./bind.ts";
import { surface } from "./figure-style.ts";
import { axisAt, pxAcross, pxDown, pxOnAxis } from "./labels.ts";
import { isInside } from "./paths.ts";
import { createGlide } from "../core/glide.ts";
import { firstFrom } from "../core/numbers.ts";
import { newest } from "../core/thinning.ts";
import type { Json, Run, RunSeries, State } from "../core/types.ts";
import type { Bound } from "./bind.ts";
import type { Glide } from "../core/glide.ts";
import type { Frame } from "./labels.ts";
import type { Scene } from "./scene.ts";

/** px */
type Point = [number, number];
/** places of exactly 0 and of the floor above it, on an axis that has them */
export type Shelf = [place: number, floor: number] | null;
type Mark = { shape: string; size: number; fill: string; edge: string; width: number };

export interface LiveLine {
  run: string;
  generation: number;
  meta: Json; // the trace's binding: series, statistic and axis
  after: number; // the last step that Plotly drew
  width: number; // of the widest bucket that Plotly drew, in steps
  from: { x: number; y: number } | null; // the last point that Plotly drew, in data units
  frame: Frame;
  shelf: Shelf;
  stroke: { color: string; width: number; dash: number[] };
  mark: Mark | null; // at its end
}

/** The canvas draws the newest steps of this run. */
export const isLive = (run: Run, { isLive: on }: Scene) => on === true && run.status === "playing";

/**
 * The lines that the canvas continues after a draw.
 * @param data the drawn traces
 * @param columns the drawn columns, by run
 */
export function liveLines(
  data: Json[],
  columns: Record<string, Bound>,
  scene: Scene,
  frame: Frame,
  shelf: Shelf,
  markOf: (trace: Json, run: Run) => Omit<Mark, "edge"> | null,
): LiveLine[] {
  const { runs } = scene.state;
  return data
    .filter(({ meta }) => meta.role !== "band" && isLive(runs[meta.run], scene))
    .map((trace) => {
      const { meta, x, y, line } = trace;
      const run = runs[meta.run];
      const { first, last } = columns[meta.run] ?? { first: [], last: [] };
      const mark = markOf(trace, run);
      return {
        run: run.name,
        generation: run.generation,
        meta,
        after: last.length ? last[last.length - 1] : -1,
        width: Array.from(first, (start, i) => last[i] - start + 1).reduce(
          (widest, width) => Math.max(widest, width),
          1,
        ),
        from: x.length ? { x: x[x.length - 1], y: y[y.length - 1] } : null,
        frame,
        shelf,
        stroke: {
          color: line.color,
          width: line.width,
          dash: (line.dash ?? "").match(/[\d.]+/g)?.map(Number) ?? [],
        },
        mark: mark && { ...mark, edge: surface(scene.look, "paper") },
      };
    });
}

/** The place of a value, as `fill` finds it. */
const placeOn = (shelf: Shelf, value: number, upper: number) =>
  shelf ? (value === 0 && upper === 0 ? shelf[0] : Math.max(value, shelf[1])) : value;

/** The points of a line that its last draw does not show, after the last one that it does. */
export function tailOf(line: LiveLine, series: RunSeries | null, { experiment }: State): Point[] {
  const { meta, after, width, from, frame, shelf, generation } = line;
  if (!series || series.generation !== generation) return [];
  const start = firstFrom(series.last, after + 1);
  const bound = newest(series, [meta.y], width, Math.max(0, start - 1));
  const samples = experiment?.trainSamples ?? 1;
  const { x, y, upper } = pointsOf(meta, bound, samples);
  // the bucket before the new ones only says where they begin
  const placeBefore = start ? middles(bound, meta.x, samples)[0] : -Infinity;
  const points = x.flatMap((place, i): Point[] =>
    place > Math.max(placeBefore, from?.x ?? -Infinity)
      ? [[pxAcross(frame, place), pxDown(frame, placeOn(shelf, y[i], upper[i]))]]
      : [],
  );
  return [...(from ? [[pxAcross(frame, from.x), pxDown(frame, from.y)] as Point] : []), ...points]
    .filter((point) => point.every(Number.isFinite))
    .map(([left, top]) => [left, Math.max(-1e4, Math.min(1e4, top))]);
}

/** The points of a line up to this place across, in px; its last point lies on the line. */
export function cutAt(points: Point[], left: number): Point[] {
  const head = points.filter(([each]) => each <= left);
  const next = points[head.length];
  if (!next || !head.length) return head.length ? head : points.slice(0, 1);
  const [x, y] = head[head.length - 1];
  const share = (left - x) / (next[0] - x);
  return share > 0 ? [...head, [left, y + share * (next[1] - y)]] : head;
}

/** The points of each line, kept until the next frame of data. */
export function createTails() {
  const tails: WeakMap<LiveLine, { frames: number; points: Point[] }> = new WeakMap();
  return {
    /** @param frames of data so far */
    of(line: LiveLine, frames: number, make: () => Point[]) {
      const tail = tails.get(line);
      if (tail?.frames === frames) return tail.points;
      const points = make();
      tails.set(line, { frames, points });
      return points;
    },
  };
}

/** How far each line has come: it glides on to its newest point, at the screen's rate. */
export function createLineGlides() {
  const glides: Map<string, Glide> = new Map();
  return {
    /**
     * The points to show at this time, in ms; the same array once the line is there.
     * @param points all, with the newest
     */
    shown(line: LiveLine, points: Point[], now: number) {
      const { run, meta, frame } = line;
      const end = points.at(-1);
      if (!end) return points;
      const key = [run, meta.y, meta.x, frame.x.type].join(" ");
      const glide = glides.get(key) ?? createGlide();
      glides.set(key, glide);
      glide.toward(axisAt(frame, end[0]), now);
      return glide.isThere(now) ? points : cutAt(points, pxOnAxis(frame, glide.at(now)));
    },
  };
}

/** The place of the marker at the end of a line; null outside the plot. A high loss stays in sight. */
export function markAt({ frame, mark }: LiveLine, points: Point[]): Point | null {
  const end = points.at(-1);
  if (!mark || !end) return null;
  const [left, top] = [end[0], Math.max(end[1], frame.top)];
  return isInside(frame, left, top) ? [left, top] : null;
}
