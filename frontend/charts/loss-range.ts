/**
 * The vertical range of the loss chart: it grows at once, shrinks only on request, and a jump must
 * not flatten the rest. A zoom fits what it shows.
 * Owns: that rule and its ticks. Pure.
 */

import { fewTicks, roundTicks } from "./across-ticks.ts";
import { tick } from "../core/format.ts";
import type { Line } from "./loss-chart.ts";
import type { Scene } from "./scene.ts";

/** One tick alone gives no scale. */
const FEWEST = 2;
/** With fewer decades than this, 2 and 5 stand between the powers of ten. */
const FEW_DECADES = 2;
/** Room above the start and below the baseline, in decades. */
const OVER = 0.7;
const UNDER = 1.25;
const PAD = 0.12;
/** Least height of a fitted range, in decades: a calm line must not look wild. */
const LEAST_FIT = 0.3;
/** Decades above the end of an axis with a shelf: the shelf, and one above its floor. */
const WITH_SHELF = 2.4;
/** A diverging line leaves through the top, at this many times the largest loss before. */
const JUMP = 100;

/**
 * The largest loss before the last uninterrupted rise: in a diverging run that rise is the jump.
 */
function beforeTheJump(losses: number[]) {
  let i = losses.length - 1;
  while (i > 0 && losses[i - 1] < losses[i]) i--;
  let most = losses[i] ?? 0;
  for (let k = 0; k < i; k++) if (losses[k] > most) most = losses[k];
  return most;
}

function ceilingOf(lines: Line[], start: number) {
  const before = lines.map(({ run, y }) =>
    run.status === "diverged"
      ? beforeTheJump(y)
      : y.reduce((most, value) => Math.max(most, value), 0),
  );
  return lines.some(({ run }) => run.status === "diverged")
    ? JUMP * Math.max(start, ...before)
    : Infinity;
}

/**
 * The range, as logarithms on a log axis.
 * @param bottom of an axis with a shelf for exactly 0
 */
export function lossRange(
  lines: Line[],
  { state, previous }: Scene,
  bottom = Infinity,
): [number, number] {
  const start = state.experiment?.initialLoss ?? 1;
  // a baseline of exactly 0, as with one sample, has no place on a log axis
  const mean = state.experiment?.baseline?.train || start;
  const { least, most } = extremes(lines, start);
  if (state.view.y === "linear") return grown([0, Math.max(start, most, mean) * 1.05], previous.y);
  const low = Math.min(Math.log10(Math.min(mean, start)) - UNDER, Math.log10(least) - PAD);
  const high = Math.max(
    Math.log10(Math.max(start, mean)) + OVER,
    most > 0 ? Math.log10(most) + PAD : -Infinity,
  );
  return grown([Math.max(Math.min(low, bottom), -300), high], previous.y);
}

/** The least and the greatest loss above 0; Infinity and 0 if there is none. */
function extremes(lines: Line[], start: number) {
  let least = Infinity;
  let most = 0;
  for (const { y } of lines) {
    for (const value of y) {
      if (value > 0 && value < least) least = value;
      if (value > most) most = value;
    }
  }
  return { least, most: Math.min(most, ceilingOf(lines, start)) };
}

/**
 * The range of the points between two places on the horizontal axis; null if there is none.
 * @param bottom as in `lossRange`
 */
export function fittedRange(
  lines: Line[],
  { state }: Scene,
  [from, to]: [number, number],
  bottom = Infinity,
): [number, number] | null {
  const parts = lines.map(({ run, x, y }) => ({
    run,
    x,
    y: y.filter((_, i) => x[i] >= from && x[i] <= to),
  }));
  const { least, most } = extremes(parts, state.experiment?.initialLoss ?? 1);
  if (least > most) return null;
  if (state.view.y === "linear") {
    const pad = PAD * Math.max(most - least, LEAST_FIT * most);
    return [Math.max(0, least - pad), most + pad];
  }
  const [low, high] = [Math.log10(least), Math.log10(most)];
  const pad = Math.max(PAD, (LEAST_FIT - (high - low)) / 2);
  return [
    Math.max(Math.min(low - pad, bottom), -300),
    Number.isFinite(bottom) ? Math.max(high + pad, bottom + WITH_SHELF) : high + pad,
  ];
}

const grown = (
  [low, high]: [number, number],
  previous: [number, number] | null,
): [number, number] => [Math.min(low, previous?.[0] ?? low), Math.max(high, previous?.[1] ?? high)];

/**
 * Powers of ten, written out; every second or third where there are many, with 2 and 5 between them
 * where there are few. A shelf adds "0" below its floor. A range within one decade gets other round
 * ticks.
 */
export function lossTicks(
  [bottom, high]: [number, number],
  shelf: { floor: number; place: number } | null = null,
) {
  const low = shelf ? shelf.floor : bottom;
  const step = Math.max(1, Math.ceil((high - low) / 8));
  const values = shelf ? [shelf.place] : [];
  const texts = shelf ? ["0"] : [];
  for (
    let exponent = shelf ? low : Math.ceil(low / step) * step;
    exponent <= high;
    exponent += step
  ) {
    values.push(Number(`1e${exponent}`));
    texts.push(tick(exponent));
  }
  if (!shelf && high - low >= 1 && high - low < FEW_DECADES) return betweenPowers(low, high);
  return values.length < FEWEST
    ? fewTicks([10 ** bottom, 10 ** high])
    : { tickvals: values, ticktext: texts };
}

/** 1, 2 and 5 times the powers of ten in a range. */
function betweenPowers(low: number, high: number) {
  const tickvals = [];
  for (let exponent = Math.floor(low); exponent <= high; exponent++)
    for (const digit of [1, 2, 5]) tickvals.push(Number(`${digit}e${exponent}`));
  const inside = tickvals.filter((value) => value >= 10 ** low && value <= 10 ** high);
  return { tickvals: inside, ticktext: inside.map(tickOf) };
}

/** "0.02", "5e−5" */
function tickOf(value: number) {
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  const [digit] = value.toExponential(0);
  return digit === "1" ? tick(exponent) : tick(exponent).replace("1", digit);
}

/** Least distance of two ticks, in px. */
const APART = 40;

/**
 * Round ticks of a linear axis.
 * @param height px
 */
export const evenTicks = (range: [number, number], height: number, compact: boolean) =>
  height > 0
    ? roundTicks(
        range,
        1 + Math.max(4, Math.min(9, height / APART)),
        range[1] >= (compact ? 1e4 : 1e5),
      )
    : {};
