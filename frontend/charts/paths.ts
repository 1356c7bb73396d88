/**
 * Ground below and marks above a chart's lines, as path data in px. A path costs almost nothing; a
 * Plotly shape or trace costs up to 1 ms a draw.
 * Owns: that geometry. Pure. charts.css sets colours by name and lane; drawing-layer.ts makes the
 * elements.
 */

import { pxAcross, pxDown } from "./labels.ts";
import type { Area, Frame } from "./labels.ts";
import type { Look } from "./figure-style.ts";
import type { Json } from "../core/types.ts";

export interface Path {
  name: string; // "shelf", "missing", "baseline", "edit", "finding", "along", "end", "start", ...
  lane?: string;
  run?: string;
  width?: number;
  dash?: string;
  opacity?: number; // of a filled path
  d: string;
}

/** in data units */
interface Ground {
  shelf?: [number, number] | null; // lower and upper edge
  missing?: { from: number; to: number } | null;
  grid?: Path; // in px
  baseline?: number | null;
  flags?: { lane: string; x: number; tone?: string }[];
}

const SHARP = Math.SQRT1_2;

/** Rounded to hundredths. */
export const px = (value: number) => Math.round(100 * value) / 100;

const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** True if a place is in the plot or on its edge. */
export const isInside = ({ left: l, top: t, width, height }: Frame, left: number, top: number) =>
  left >= l - 0.01 && left <= l + width + 0.01 && top >= t - 0.01 && top <= t + height + 0.01;

/**
 * A rectangle clipped to the plot; empty outside.
 * @param down px
 */
function area(frame: Frame, across: number[], down: number[]) {
  const [left, right] = across.map((x) => within(x, frame.left, frame.left + frame.width));
  const [top, bottom] = down.map((y) => within(y, frame.top, frame.top + frame.height));
  return right > left && bottom > top
    ? `M${px(left)},${px(top)}H${px(right)}V${px(bottom)}H${px(left)}Z`
    : "";
}

/** A level across the plot; empty outside. */
export const levelLine = (frame: Frame, top: number, { width, dash }: Json): Path => ({
  name: "baseline",
  width,
  dash,
  d: isInside(frame, frame.left, top)
    ? `M${px(frame.left)},${px(top)}H${px(frame.left + frame.width)}`
    : "",
});

/** The ground of one plot, lowest first, clipped to it. */
export function groundOf(
  frame: Frame,
  { shelf = null, missing = null, grid, baseline = null, flags = [] }: Ground,
  { spec: { fallline: drawn } }: Look,
): Path[] {
  const right = frame.left + frame.width;
  const bottom = frame.top + frame.height;
  const level = baseline === null ? NaN : pxDown(frame, baseline);
  const unknown = missing && [pxAcross(frame, missing.from), pxAcross(frame, missing.to)];
  const zeros = shelf && [pxDown(frame, shelf[1]), pxDown(frame, shelf[0])];
  const edits = flags
    .map(({ lane, x, tone }) => ({ lane, tone, left: pxAcross(frame, x) }))
    .filter(({ left }) => isInside(frame, left, frame.top));
  return [
    { name: "missing", d: unknown ? area(frame, unknown, [frame.top, bottom]) : "" },
    { name: "shelf", d: zeros ? area(frame, [frame.left, right], zeros) : "" },
    ...(grid ? [grid] : []),
    levelLine(frame, level, drawn.baseline),
    ...joined(
      edits.map(({ lane, tone, left }) => ({
        ...(tone
          ? { name: `finding ${tone}` }
          : { name: "edit", lane, dash: drawn.edit_marker.dash }),
        width: drawn.edit_marker.width,
        d: `M${px(left)},${px(bottom)}V${px(frame.top)}`,
      })),
    ),
  ].filter(({ d }) => d);
}

/** A plot with equal ranges, and its diagonal where predictions are true. */
export const square = ({ left, top, width, height }: Area): Path[] => [
  { name: "square", d: `M${px(left)},${px(top)}h${px(width)}v${px(height)}h${px(-width)}Z` },
  { name: "diagonal", d: `M${px(left)},${px(top + height)}l${px(width)},${px(-height)}` },
];

/** Joins paths that look alike. */
export function joined(paths: Path[]): Path[] {
  const all: Map<string, Path> = new Map();
  for (const path of paths) {
    const key = `${path.name} ${path.lane ?? ""}`;
    const same = all.get(key);
    all.set(key, same ? { ...same, d: same.d + path.d } : path);
  }
  return [...all.values()];
}

/** The run's shape as Plotly draws it; "x" marks a run that diverged. */
const CORNERS: Record<string, (r: number) => [number, number][]> = {
  b: (r) => [
    [-r, -r],
    [r, -r],
    [r, r],
    [-r, r],
  ],
  c: (r) => [
    [-1.3 * r, 0],
    [0, -1.3 * r],
    [1.3 * r, 0],
    [0, 1.3 * r],
  ],
  d: (r) => [
    [(-2 * r) / Math.sqrt(3), r / 2],
    [(2 * r) / Math.sqrt(3), r / 2],
    [0, -r],
  ],
  e: (r) => [
    [(-2 * r) / Math.sqrt(3), -r / 2],
    [(2 * r) / Math.sqrt(3), -r / 2],
    [0, r],
  ],
  f: (r) => {
    const [out, arm] = [1.1 * r, 0.42 * r];
    return [
      [-arm, -out],
      [arm, -out],
      [arm, -arm],
      [out, -arm],
      [out, arm],
      [arm, arm],
      [arm, out],
      [-arm, out],
      [-arm, arm],
      [-out, arm],
      [-out, -arm],
      [-arm, -arm],
    ];
  },
  g: (r) =>
    Array.from({ length: 10 }, (_, k) => {
      const [far, angle] = [(k % 2 ? 0.55 : 1.4) * r, (k * Math.PI) / 5];
      return [far * Math.sin(angle), -far * Math.cos(angle)];
    }),
  h: (r) => [
    [-r, -r],
    [r, -r],
    [0.28 * r, 0],
    [r, r],
    [-r, r],
    [-0.28 * r, 0],
  ],
  x: (r) => {
    const arm = 0.8 * r * SHARP;
    return [
      [0, arm],
      [arm, 2 * arm],
      [2 * arm, arm],
      [arm, 0],
      [2 * arm, -arm],
      [arm, -2 * arm],
      [0, -arm],
      [-arm, -2 * arm],
      [-2 * arm, -arm],
      [-arm, 0],
      [-2 * arm, arm],
      [-arm, 2 * arm],
    ];
  },
};

/**
 * @param shape a lane, or "x"
 * @param size px
 */
export function symbol(shape: string, size: number, left: number, top: number) {
  const r = size / 2;
  if (!(shape in CORNERS))
    return `M${px(left + r)},${px(top)}A${r},${r} 0 1,1 ${px(left - r)},${px(top)}A${r},${r} 0 1,1 ${px(left + r)},${px(top)}Z`;
  return `M${CORNERS[shape](r)
    .map(([x, y]) => `${px(left + x)},${px(top + y)}`)
    .join("L")}Z`;
}
