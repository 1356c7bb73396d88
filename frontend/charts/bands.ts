/**
 * Bands between minimum and maximum as SVG paths: a filled trace costs Plotly twice as much as a
 * line.
 * Owns: their outlines, clipped to their plot. Pure.
 */

import { pxAcross, shareOf } from "./labels.ts";
import { px } from "./paths.ts";
import type { Json } from "../core/types.ts";
import type { Frame } from "./labels.ts";
import type { Path } from "./paths.ts";

/** px */
type Point = [number, number];

const isEdge = ({ meta }: Json) => meta?.role === "band";

/** The traces that Plotly still draws. */
export const withoutBands = (data: Json[]): Json[] => data.filter((trace) => !isEdge(trace));

/**
 * The bands that have an area. There is none if every step is drawn, because minimum and maximum
 * are equal.
 * @param data filled traces; a band's upper edge comes before its lower one
 * @param untilOf the place on view in the past: lines are faint after it, so no spike stands there
 */
export function bandsOf(
  data: Json[],
  frameOf: (trace: Json) => Frame,
  untilOf: (run: string) => number = () => Infinity,
): Path[] {
  return data.flatMap((lower, place) => {
    const upper = data[place - 1];
    if (
      !lower.fill ||
      !isEdge(lower) ||
      !upper ||
      lower.y.every((value: number, i: number) => value === upper.y[i])
    )
      return [];
    const frame = frameOf(lower);
    const outline = [...edgeOf(upper, frame), ...edgeOf(lower, frame).reverse()];
    const isFlat = outline.every(([, y]) => y === outline[0][1]);
    if (isFlat) return [];
    const { lane, run } = lower.meta;
    const d = `M${outline.map(([x, y]) => `${px(x)},${px(y)}`).join("L")}Z`;
    const spikes = spikesOf(edgesOf(upper, lower, frame), frame, pxAcross(frame, untilOf(run)));
    return [
      { name: "band", lane, run, d },
      ...(spikes ? [{ name: "spike", lane, run, d: spikes }] : []),
    ];
  });
}

/** px: a spike is at least so high, and at most so wide where it begins; a band shows wider ones. */
const SPIKE = { height: 14, width: 8 };
/** A spike rises this many times higher than the band is at its feet: in a noisy band none stands out. */
const STANDS_OUT = 4;

interface Column {
  x: number;
  top: number;
  bottom: number;
}

/** Least and greatest of each bucket, in px. */
function edgesOf(upper: Json, lower: Json, frame: Frame): Column[] {
  const near = (share: number) => Math.max(-1e4, Math.min(1e4, share));
  const down = (value: number) => frame.top + frame.height * (1 - near(shareOf(value, frame.y)));
  return upper.x.map((place: number, i: number) => ({
    x: frame.left + frame.width * near(shareOf(place, frame.x)),
    top: down(upper.y[i]),
    bottom: down(lower.y[i]),
  }));
}

/**
 * Upright lines through the narrow spikes of a band: a fill of one or two px would hardly be seen.
 * A spike goes up or down from a thin band.
 */
function spikesOf(columns: Column[], frame: Frame, until: number): string {
  const { left, top, width, height } = frame;
  const isTall = (place: number) => {
    const [at, before, after] = [columns[place], columns[place - 1], columns[place + 1]];
    const tall = at.bottom - at.top;
    const feet = [footOf(columns, place, -1), footOf(columns, place, 1)].filter((foot) => foot);
    const isPeak = [before, after].every((side) => !side || side.bottom - side.top <= tall);
    return (
      tall >= SPIKE.height &&
      isPeak &&
      feet.length === [before, after].filter(Boolean).length &&
      feet.every((foot) => foot && Math.abs(foot.x - at.x) <= SPIKE.width / 2)
    );
  };
  return columns
    .map(({ x, top: high, bottom: low }, place) => {
      const [from, to] = [Math.max(top, high), Math.min(top + height, low)];
      const isShown = x >= left && x <= Math.min(left + width, until) && to > from && isTall(place);
      return isShown ? `M${px(x)},${px(from)}V${px(to)}` : "";
    })
    .join("");
}

/** The nearest column on a side where the band is thin again; null if none is near enough. */
function footOf(columns: Column[], place: number, side: 1 | -1): Column | null {
  const { x, top, bottom } = columns[place];
  for (let i = place + side; columns[i] && Math.abs(columns[i].x - x) <= SPIKE.width / 2; i += side)
    if ((columns[i].bottom - columns[i].top) * STANDS_OUT <= bottom - top) return columns[i];
  return null;
}

/** One edge of a band, clipped to the plot and led along its border outside. */
function edgeOf({ x, y }: Json, frame: Frame): Point[] {
  const { left, top, width, height } = frame;
  let isInside = true;
  // far enough outside to make the connecting line vertical, near enough for exact arithmetic
  const near = (share: number) => {
    if (share >= 0 && share <= 1) return share;
    isInside = false;
    return Math.max(-1e4, Math.min(1e4, share));
  };
  const points: Point[] = x.map((place: number, i: number) => [
    left + width * near(shareOf(place, frame.x)),
    top + height * (1 - near(shareOf(y[i], frame.y))),
  ]);
  if (isInside) return points;
  const across = cut(cut(points, 0, left, false), 0, left + width, true);
  return [top, top + height]
    .reduce((edge, border) => crossed(edge, border), across)
    .map(([a, b]) => [a, Math.min(top + height, Math.max(top, b))]);
}

/** The point where a segment meets a border. */
function meeting(from: Point, to: Point, which: 0 | 1, border: number): Point {
  const share = (border - from[which]) / (to[which] - from[which]);
  return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
}

const isAcross = (from: Point, to: Point, which: 0 | 1, border: number) =>
  (from[which] - border) * (to[which] - border) < 0;

/** The points on one side of a border, and the crossings with it. */
const cut = (points: Point[], which: 0 | 1, border: number, before: boolean): Point[] =>
  points.flatMap((point, i) => [
    ...(i && isAcross(points[i - 1], point, which, border)
      ? [meeting(points[i - 1], point, which, border)]
      : []),
    ...((before ? point[which] <= border : point[which] >= border) ? [point] : []),
  ]);

/** All points, and those where the line crosses a height. */
const crossed = (points: Point[], border: number): Point[] =>
  points.flatMap((point, i) =>
    i && isAcross(points[i - 1], point, 1, border)
      ? [meeting(points[i - 1], point, 1, border), point]
      : [point],
  );
