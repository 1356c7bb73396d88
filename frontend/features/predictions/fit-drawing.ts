/**
 * The fit as paths: samples, filled to train and hollow to test, and the curve of every run with its
 * name at the end.
 * Owns: its axes and geometry, in px. Pure.
 */

import { fewTicks } from "../../charts/across-ticks.ts";
import { axesOf } from "../../charts/axes.ts";
import { placeEnds } from "../../charts/end-labels.ts";
import { pxAcross, pxDown } from "../../charts/labels.ts";
import { boldWidth, tickWidth } from "../../charts/letter-widths.ts";
import { isInside, px, symbol } from "../../charts/paths.ts";
import { extent } from "../../core/numbers.ts";
import type { Word } from "../../charts/axes.ts";
import type { Frame } from "../../charts/labels.ts";
import type { Curve, Points, Samples } from "../../core/data-picture.ts";
import type { Run } from "../../core/types.ts";

type Ticks = { tickvals?: number[]; ticktext?: string[] };
/** a run with its curve, if it has come */
export type Fitted = { run: Run; curve: Curve | null };

interface DrawnCurve {
  run: Run;
  step: number;
  d: string;
  end: { left: number; top: number; lines: string[] } | null; // of its name
}
export interface Fit {
  frame: Frame;
  grid: string;
  axis: string;
  words: Word[];
  dots: { train: string; test: string };
  curves: DrawnCurve[];
  off: string[]; // names of runs without a point on the axis
}

const DOT = 5.6;
const MARK = 9;
const TOP = 6;
const BOTTOM = 24;
const LEAST_LEFT = 24;
const APART = 8;
/** Room for names: of the widest one, and at most this share of the picture. */
const NAMES = { most: 112, share: 0.34 };
const MARGIN = 0.06;
/** Curves are cut this many ranges beyond the axis. */
const BEYOND = 2;

function rangeOf(values: number[]): [number, number] {
  const range = extent(values);
  if (!range) return [0, 1];
  const [low, high] = range;
  const around = MARGIN * (high - low || 1);
  return [low - around, high + around];
}

/** @param letter width of a letter over the usual */
export function fitOf(
  samples: Samples,
  fitted: Fitted[],
  size: { width: number; height: number },
  letter = 1,
): Fit {
  const { train, test } = samples;
  const frame = frameOf([train, test], fitted, size, letter);
  const { grid, line, words } = axesOf(frame);
  const curves = fitted.flatMap(({ run, curve }) => (curve ? [drawn(run, curve, frame)] : []));
  const off = fitted
    .filter(({ run, curve }) => run.status === "diverged" || (curve && !isSeen(curve, frame)))
    .map(({ run }) => run.name);
  const curvesOnAxis = curves.filter(({ run }) => !off.includes(run.name));
  const ends = placeEnds(
    curvesOnAxis.map(({ run, last }) => ({
      run: run.name,
      lane: run.lane,
      name: run.label,
      value: "",
      bad: false,
      goesOn: false,
      x: frame.x.range[1],
      y: last,
    })),
    frame,
  );
  return {
    frame,
    grid: grid.d,
    axis: line.d,
    words,
    dots: { train: dotsOf(train, frame), test: dotsOf(test, frame) },
    curves: curvesOnAxis.map(({ run, step, d }) => {
      const end = ends.find((one) => one.run === run.name);
      return {
        run,
        step,
        d,
        end: end ? { left: px(end.left), top: px(end.top), lines: end.names } : null,
      };
    }),
    off,
  };
}

function frameOf(
  splits: Points[],
  fitted: Fitted[],
  { width, height }: { width: number; height: number },
  letter: number,
): Frame {
  const across =
    fitted.find(({ curve }) => curve)?.curve?.edges ?? rangeOf(splits.flatMap(({ x }) => x));
  const up = rangeOf(splits.flatMap(({ y }) => y));
  const xTicks: Ticks = fewTicks(across);
  const yTicks: Ticks = fewTicks(up);
  const left = Math.max(
    LEAST_LEFT,
    ...(yTicks.ticktext ?? []).map((text) => tickWidth(text) + APART),
  );
  const longest = Math.max(0, ...fitted.map(({ run }) => boldWidth(run.label) * letter));
  const beyond = Math.min(NAMES.share * width, NAMES.most * letter, longest) + MARK + 2 * APART;
  return {
    left,
    top: TOP,
    width: Math.max(1, width - left - beyond),
    height: Math.max(1, height - TOP - BOTTOM),
    beyond: beyond - MARK,
    letter,
    x: { type: "linear", range: [...across], ...xTicks },
    y: { type: "linear", range: up, ...yTicks },
  };
}

const placesOf = ({ edges: [low, high], values }: Curve) =>
  Array.from(values, (y, k) => ({ x: low + ((high - low) * k) / (values.length - 1), y }));

/** Some point of the curve is on the axis. */
const isSeen = (curve: Curve, frame: Frame) =>
  placesOf(curve).some(({ x, y }) => isInside(frame, pxAcross(frame, x), pxDown(frame, y)));

function drawn(run: Run, curve: Curve, frame: Frame) {
  const [low, high] = frame.y.range;
  const cut = (y: number) =>
    Math.min(high + BEYOND * (high - low), Math.max(low - BEYOND * (high - low), y));
  let d = "";
  let isOn = false;
  let last = (low + high) / 2;
  for (const { x, y } of placesOf(curve)) {
    if (Number.isFinite(y)) {
      d += `${isOn ? "L" : "M"}${px(pxAcross(frame, x))},${px(pxDown(frame, cut(y)))}`;
      last = Math.min(high, Math.max(low, y));
    }
    isOn = Number.isFinite(y);
  }
  return { run, step: curve.step, d, last };
}

const dotsOf = ({ x, y }: Points, frame: Frame) =>
  x.map((value, k) => symbol("a", DOT, pxAcross(frame, value), pxDown(frame, y[k]))).join("");

/** The mark before a name. */
export const endMark = (run: Run, left: number, top: number) =>
  symbol(run.lane, MARK, left + MARK / 2 - 2, top);

/** The left edge of the name. */
export const nameLeft = (left: number) => left + MARK + 3;
