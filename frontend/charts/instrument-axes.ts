/**
 * Ranges and ticks of an instrument's panels where its figure has none.
 * Owns: those rules. Pure.
 */

import { acrossTicks, fewTicks } from "./across-ticks.ts";
import { tickWidth } from "./letter-widths.ts";
import { lossTicks } from "./loss-range.ts";
import { briefName } from "../core/brief-names.ts";
import { extent } from "../core/numbers.ts";
import type { Json } from "../core/types.ts";
import type { Axis } from "./labels.ts";

const PAD = 0.06;
/** Least number of steps that an axis of steps shows. */
const FEWEST_STEPS = 10;
const APART = 8;
/** px of a row with a name or a number that can be read */
export const ROW = 12;
/** Letters of a name beside a plot. */
const MOST_LETTERS = 14;

/** All numbers of the traces on one axis. */
const numbersOn = (data: Json[], axis: "x" | "y") =>
  data.flatMap((trace) => trace[axis] ?? []).filter((value: any) => Number.isFinite(value));

/** Values that differ by less than this share are drawn as level. */
const LEAST_SHARE = 1e-4;

function padded([low, high]: [number, number]): [number, number] {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const pad =
    high > low
      ? Math.max(PAD * (high - low), (LEAST_SHARE * size - (high - low)) / 2)
      : PAD * (size || 1);
  return [low - pad, high + pad];
}

/** A given range, wider where values lie outside. */
function holding([low, high]: [number, number], own: [number, number] | null): [number, number] {
  if (!own) return [low, high];
  const [least, most] = padded(own);
  return [own[0] < low ? least : low, own[1] > high ? most : high];
}

/** As many names as fit in a row or column of this length, if each takes `own` px. */
function named({ tickvals, ticktext }: Json, own: number, length: number) {
  const every = Math.max(1, Math.ceil((own * tickvals.length) / length));
  const fits = (_: any, k: number) => k % every === 0;
  return { tickvals: tickvals.filter(fits), ticktext: ticktext.filter(fits) };
}

/**
 * Names if the figure has some, steps if it shows a course, else plain numbers.
 * @param room px
 */
export function acrossAxis(
  specified: Json,
  data: Json[],
  room: { width: number; before: number; after: number },
): Axis {
  if (specified.tickvals?.length)
    return {
      type: "linear",
      range: [0.4, specified.tickvals.length + 0.6],
      ...named(specified, Math.max(...specified.ticktext.map(tickWidth)) + APART, room.width),
    };
  const [low, high] = extent(numbersOn(data, "x")) ?? [0, 1];
  if (data.some(({ meta }) => meta.role === "trail")) {
    const steps: Axis = {
      type: "linear",
      range: [Math.min(low, Math.max(0, high - FEWEST_STEPS)), Math.max(high, FEWEST_STEPS)],
    };
    return { ...steps, ...acrossTicks(steps, { ...room, most: 5, least: 1 }, true) };
  }
  const bar =
    data.some(({ type }) => type === "bar") && data[0].x.length > 1
      ? (data[0].x[1] - data[0].x[0]) / 2
      : 0;
  if (isMap(data)) return mapAxis([low, high]);
  const range = specified.range ?? (bar ? [low - bar, high + bar] : padded([low, high]));
  return { type: "linear", range, ...fewTicks(range) };
}

/** True if an image fills the plot to its edges. */
const isMap = (data: Json[]) => data.some(({ meta }) => meta.role === "ground");

const mapAxis = (range: [number, number]): Axis => ({ type: "linear", range, ...fewTicks(range) });

/** Names beside a plot, shortened if too long. */
const beside = (names: string[]) => names.map((name) => briefName(name, names, MOST_LETTERS));

/**
 * Room beside a plot for its numbers or names.
 * @param data of the first plot
 * @param least px
 */
export function roomBeside(specified: Json, data: Json[], least: number) {
  const { ticktext = [] } = downAxis(specified, data);
  return Math.max(
    least,
    ...ticktext.map((text) =>
      Math.ceil(tickWidth(text) + (specified.ticktext?.length ? APART : 1)),
    ),
  );
}

/** @param height px */
export function downAxis(
  { type = "linear", range, rangemode, autorange, tickvals, ticktext }: Json,
  data: Json[],
  height = Infinity,
): Axis {
  if (tickvals?.length)
    return {
      type: "linear",
      range: autorange === "reversed" ? [tickvals.length + 0.5, 0.5] : [0.5, tickvals.length + 0.5],
      ...named({ tickvals, ticktext: beside(ticktext) }, ROW, height),
    };
  if (isMap(data)) return mapAxis(extent(numbersOn(data, "y")) ?? [0, 1]);
  if (type === "log") {
    const [low, high] = extent(numbersOn(data, "y").filter((value: number) => value > 0)) ?? [
      1, 10,
    ];
    const [least, most] = [Math.floor(Math.log10(low) - PAD), Math.ceil(Math.log10(high) + PAD)];
    return { type: "log", range: [least, most], ...lossTicks([least, most]) };
  }
  const own = extent(numbersOn(data, "y"));
  const [low, high] = range ? holding(range, own) : padded(own ?? [0, 1]);
  const all = rangemode === "tozero" ? [0, Math.max(high, 1)] : [low, high];
  return { type: "linear", range: all, ...fewTicks(all) };
}
