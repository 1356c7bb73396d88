/**
 * Places of the fall line in px: paths, dots, labels.
 * Owns: that geometry. Pure.
 */

import { px } from "../../charts/paths.ts";
import type { Area } from "../../charts/labels.ts";
import type { Region, Trace } from "../../core/fall-line.ts";

export interface Frame {
  width: number;
  height: number;
  /** units of the plane in a px */
  unit: number;
  x: (s: number) => number;
  y: (t: number) => number;
}

/** a path in px */
export interface Track {
  steps: number[];
  x: number[];
  y: number[];
}

/** px between two dots of a path, at least */
const APART = 9;
const ALONG = 12;
/** px of a place that is one point */
const CELL = 3;
/** The latest steps, which are drawn wider. */
export const LATEST = 30;
/** Most strokes of a widening path. */
export const WIDTHS = 3;

/** The region in the middle of a frame, with equal units both ways. */
export function frameOf(
  [west, east, south, north]: Region,
  { width, height }: { width: number; height: number },
): Frame {
  const unit = Math.max((east - west) / width, (north - south) / height);
  const [s0, t0] = [(west + east) / 2, (south + north) / 2];
  return {
    width,
    height,
    unit,
    x: (s) => width / 2 + (s - s0) / unit,
    y: (t) => height / 2 - (t - t0) / unit,
  };
}

/** px beyond which a diverged run's path is not drawn exactly */
const FAR = 1e5;
const near = (place: number) => Math.min(FAR, Math.max(-FAR, place)) || 0;

export const trackOf = ({ steps, s, t }: Trace, { x, y }: Frame): Track => ({
  steps,
  x: s.map((value) => near(x(value))),
  y: t.map((value) => near(y(value))),
});

/** The track up to a step, and after it. The end of the first is the place at that step. */
export function cutAt({ steps, x, y }: Track, step: number, place: [number, number]) {
  const count = steps.filter((one) => one < step).length;
  const first = steps[count] === step ? count + 1 : count;
  const before: Track = {
    steps: [...steps.slice(0, count), step],
    x: [...x.slice(0, count), place[0]],
    y: [...y.slice(0, count), place[1]],
  };
  const after: Track = {
    steps: [step, ...steps.slice(first)],
    x: [place[0], ...x.slice(first)],
    y: [place[1], ...y.slice(first)],
  };
  return { before, after };
}

const lineThrough = ({ x, y }: Track, from: number) =>
  x.length - from < 2
    ? ""
    : `M${x
        .slice(from)
        .map((left, k) => `${px(left)},${px(y[from + k])}`)
        .join("L")}`;

export const lineOf = (track: Track) => lineThrough(track, 0);

/** The latest steps as strokes that begin later and later, for lines that widen. */
export function latestOf(track: Track): string[] {
  const end = track.steps.at(-1) ?? 0;
  return Array.from({ length: WIDTHS }, (_, k) => {
    const first = end - Math.round((LATEST * (WIDTHS - k)) / WIDTHS);
    return lineThrough(
      track,
      Math.max(
        0,
        track.steps.findIndex((step) => step >= first),
      ),
    );
  });
}

/** Dots at steps that stand apart. */
export function dotsOf({ x, y }: Track, radius: number): string {
  let [left, top] = [-Infinity, -Infinity];
  let d = "";
  for (let k = 0; k < x.length; k++) {
    if (Math.hypot(x[k] - left, y[k] - top) < APART) continue;
    [left, top] = [x[k], y[k]];
    d += `M${px(left - radius)},${px(top)}a${radius},${radius} 0 1,0 ${2 * radius},0a${radius},${radius} 0 1,0 ${-2 * radius},0Z`;
  }
  return d;
}

/**
 * Points along a track, at most so many px apart, inside the frame: what labels keep clear of. One
 * for all steps at a place: a long run has thousands there.
 */
export function pointsAlong({ x, y }: Track, { width, height }: Frame): [number, number][] {
  const points: Map<string, [number, number]> = new Map();
  for (let k = 0; k < x.length; k++) {
    const [left, top] = k ? [x[k - 1], y[k - 1]] : [x[k], y[k]];
    const pieces = Math.min(200, Math.ceil(Math.hypot(x[k] - left, y[k] - top) / ALONG));
    for (let piece = pieces ? 1 : 0; piece <= pieces; piece++) {
      const share = pieces ? piece / pieces : 1;
      const at: [number, number] = [left + share * (x[k] - left), top + share * (y[k] - top)];
      if (at[0] >= 0 && at[1] >= 0 && at[0] <= width && at[1] <= height)
        points.set(`${Math.round(at[0] / CELL)} ${Math.round(at[1] / CELL)}`, at);
    }
  }
  return [...points.values()];
}

/** A number of a rising column between its neighbours. */
function between(steps: number[], values: number[], step: number) {
  const after = steps.findIndex((one) => one >= step);
  if (after < 0) return values.at(-1) as number;
  if (after === 0 || steps[after] === step) return values[after];
  const share = (step - steps[after - 1]) / (steps[after] - steps[after - 1]);
  return values[after - 1] + share * (values[after] - values[after - 1]);
}

/** The track on its way from where its steps were drawn before. */
export function glided(from: Track | undefined, to: Track, share: number): Track {
  if (!from?.steps.length || share >= 1) return to;
  const mix = (name: "x" | "y") =>
    to[name].map((value, k) => {
      const before = between(from.steps, from[name], to.steps[k]);
      return before + share * (value - before);
    });
  return { steps: to.steps, x: mix("x"), y: mix("y") };
}

const touches = (one: Area, other: Area) =>
  one.left < other.left + other.width &&
  other.left < one.left + one.width &&
  one.top < other.top + other.height &&
  other.top < one.top + one.height;

const holds = (box: Area, left: number, top: number) =>
  left > box.left && left < box.left + box.width && top > box.top && top < box.top + box.height;

const around = ({ left, top, width, height }: Area, by: number): Area => ({
  left: left - by,
  top: top - by,
  width: width + 2 * by,
  height: height + 2 * by,
});

/** Largest distance by which a box lies beyond the frame; 0 inside. */
const beyond = ({ left, top, width, height }: Area, frame: Frame) =>
  Math.max(0, -left, -top, left + width - frame.width, top + height - frame.height);

/** The box where the frame cuts nothing of it. */
const movedInside = (box: Area, { width, height }: Frame): Area => ({
  ...box,
  left: Math.max(0, Math.min(box.left, width - box.width)),
  top: Math.max(0, Math.min(box.top, height - box.height)),
});

/** px between a marker and its label */
const BESIDE = 13;
const LINE = 18;
/** px around a label without a path's dots, where there is such a place */
const CLEAR = 5;

/** Rows of labels above and below a point, where many runs stand at one place. */
const MOST_ROWS = 8;
/** The cost of touching a marker, and words: words that overlap cannot be read. */
const TOUCHES = { marker: 40, words: 1000 };

/** Places beside a point, the best first: right, left, above, below, corners, and rows further off. */
function placesBeside(x: number, y: number, width: number): Area[] {
  const box = (left: number, top: number): Area => ({ left, top, width, height: LINE });
  const further = Array.from({ length: MOST_ROWS }, (_, k) => [
    -(k + 3) * LINE - 4,
    (k + 2) * LINE + 4,
  ]);
  const rows = [-LINE / 2, -LINE - 8, 8, -2 * LINE - 4, LINE + 4, ...further.flat()];
  return rows.flatMap((row) => [
    box(x + BESIDE, y + row),
    box(x - BESIDE - width, y + row),
    ...(Math.abs(row) < LINE / 2 + 1 ? [] : [box(x - width / 2, y + row)]),
  ]);
}

/**
 * A box for each label beside its point: inside the frame, and free of others, of the points and of
 * taken boxes. The first label chooses first.
 */
export function labelBoxes(
  labels: { x: number; y: number; width: number }[],
  frame: Frame,
  points: [number, number][] = [],
  taken: Area[] = [],
): Area[] {
  const words = [...taken];
  const markers = labels.map(({ x, y }) => markerBox(x, y));
  return labels.map(({ x, y, width }) => {
    const costs = placesBeside(x, y, width).map((box, k) => {
      const wide = around(box, CLEAR);
      const near = points.filter(([left, top]) => holds(wide, left, top));
      const cost =
        100 * beyond(box, frame) +
        TOUCHES.words * words.filter((other) => touches(box, other)).length +
        TOUCHES.marker * markers.filter((other) => touches(box, other)).length +
        4 * near.filter(([left, top]) => holds(box, left, top)).length +
        2 * near.length +
        k;
      return { box, cost };
    });
    const best = costs.reduce((least, one) => (one.cost < least.cost ? one : least));
    const box = movedInside(best.box, frame);
    words.push(box);
    return box;
  });
}

/** px from a marker to its label beyond which a line leads there */
const NEAR = 22;

/** A line from a marker to a label that stands away from it; null where it stands beside it. */
export function leadTo(x: number, y: number, { left, top, width, height }: Area) {
  const [to, down] = [
    Math.min(left + width, Math.max(left, x)),
    Math.min(top + height, Math.max(top, y)),
  ];
  return Math.hypot(to - x, down - y) > NEAR ? `M${px(x)},${px(y)}L${px(to)},${px(down)}` : null;
}

export const markerBox = (x: number, y: number): Area => ({
  left: x - 8,
  top: y - 8,
  width: 16,
  height: 16,
});

/** px from the edges at which a contour's number may stand */
const INSET = 24;
/** px around it without another label, a path, or a point */
const FREE = 26;

/**
 * A place on a contour for its number: as far as possible from everything else; null if there is
 * none.
 * @param line pieces (x, y, x, y) in px
 */
export function numberPlace(
  line: number[],
  frame: Frame,
  points: [number, number][],
  boxes: Area[],
): [number, number] | null {
  let best: { room: number; at: [number, number] } | null = null;
  const stride = 4 * Math.max(1, Math.floor(line.length / 4 / 60));
  for (let k = 0; k < line.length; k += stride) {
    const at: [number, number] = [line[k], line[k + 1]];
    if (at[0] < INSET || at[1] < INSET) continue;
    if (at[0] > frame.width - INSET || at[1] > frame.height - INSET) continue;
    const own: Area = { left: at[0] - 22, top: at[1] - 11, width: 44, height: 22 };
    if (boxes.some((box) => touches(own, box))) continue;
    const room = Math.min(
      200,
      ...points.map(([x, y]) => Math.hypot(x - at[0], y - at[1])),
      ...boxes.map((b) => Math.hypot(b.left + b.width / 2 - at[0], b.top + b.height / 2 - at[1])),
    );
    if (room > FREE && (!best || room > best.room)) best = { room, at };
  }
  return best?.at ?? null;
}

/** The corner of a closer view that hides the fewest points: top right, if it is free. */
export function lensCorner(side: number, inset: number, frame: Frame, points: [number, number][]) {
  const right = frame.width - side - inset;
  const low = frame.height - side - inset;
  const corners = [
    { name: "top right", left: right, top: inset },
    { name: "top left", left: inset, top: inset },
    { name: "bottom right", left: right, top: low },
  ];
  const counts = corners.map(({ left, top }) => {
    const box = { left: left - 12, top: top - 12, width: side + 24, height: side + 24 };
    const inside = ([x, y]: [number, number]) =>
      x > box.left && x < box.left + box.width && y > box.top && y < box.top + box.height;
    return points.filter(inside).length;
  });
  return corners[counts.indexOf(Math.min(...counts))];
}
