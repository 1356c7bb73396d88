/**
 * Ranges and ticks of an instrument's panels where its figure has none.
 * Owns: those rules. Pure.
 */

import { acrossTicks, fewTicks } from "./across-ticks.js";
import { tickWidth } from "./letters.js";
import { lossTicks } from "./loss-range.js";
import { briefName } from "../state/brief-names.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./labels.js").Axis} Axis */

const PAD = 0.06;
/** Least number of steps that an axis of steps shows. */
const FEWEST_STEPS = 10;
const APART = 8;
/** Letters of a name beside a plot. */
const MOST_LETTERS = 14;

/** All numbers of the traces on one axis. @param {Json[]} data @param {"x"|"y"} axis */
const numbersOn = (data, axis) => data.flatMap((trace) => trace[axis] ?? []).filter((/** @type {any} */ value) => Number.isFinite(value));

/** @param {number[]} numbers @returns {[number, number]|null} */
const extent = (numbers) => (numbers.length ? [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))] : null);

/** Values that differ by less than this share are drawn as level. */
const LEAST_SHARE = 1e-4;

/** @param {[number, number]} range @returns {[number, number]} */
function padded([low, high]) {
  const size = Math.max(Math.abs(low), Math.abs(high));
  const pad = high > low ? Math.max(PAD * (high - low), (LEAST_SHARE * size - (high - low)) / 2) : PAD * (size || 1);
  return [low - pad, high + pad];
}

/** Names below a plot, as many as fit. @param {Json} specified @param {number} width */
function named({ tickvals, ticktext }, width) {
  const widest = Math.max(...ticktext.map(tickWidth)) + APART;
  const every = Math.max(1, Math.ceil((widest * tickvals.length) / width));
  const fits = (/** @type {any} */ _, /** @type {number} */ k) => k % every === 0;
  return { tickvals: tickvals.filter(fits), ticktext: ticktext.filter(fits) };
}

/**
 * Names if the figure has some, steps if it shows a course, else plain numbers.
 * @param {Json} specified
 * @param {Json[]} data
 * @param {{width: number, before: number, after: number}} room  px
 * @returns {Axis}
 */
export function acrossAxis(specified, data, room) {
  if (specified.tickvals?.length) return { type: "linear", range: [0.4, specified.tickvals.length + 0.6], ...named(specified, room.width) };
  const [low, high] = extent(numbersOn(data, "x")) ?? [0, 1];
  if (data.some(({ meta }) => meta.role === "trail")) {
    /** @type {Axis} */
    const steps = { type: "linear", range: [Math.min(low, Math.max(0, high - FEWEST_STEPS)), Math.max(high, FEWEST_STEPS)] };
    return { ...steps, ...acrossTicks(steps, { ...room, most: 5, least: 1 }, true) };
  }
  const bar = data.some(({ type }) => type === "bar") && data[0].x.length > 1 ? (data[0].x[1] - data[0].x[0]) / 2 : 0;
  if (isMap(data)) return mapAxis([low, high]);
  const range = specified.range ?? (bar ? [low - bar, high + bar] : padded([low, high]));
  return { type: "linear", range, ...fewTicks(range) };
}

/** True if an image fills the plot to its edges. @param {Json[]} data */
const isMap = (data) => data.some(({ meta }) => meta.role === "ground");

/** @param {[number, number]} range @returns {Axis} */
const mapAxis = (range) => ({ type: "linear", range, ...fewTicks(range) });

/** Names beside a plot, shortened if too long. @param {string[]} names */
const beside = (names) => names.map((name) => briefName(name, names, MOST_LETTERS));

/**
 * Room beside a plot for its numbers or names.
 * @param {Json} specified
 * @param {Json[]} data  of the first plot
 * @param {number} least  px
 */
export function roomBeside(specified, data, least) {
  const { ticktext = [] } = downAxis(specified, data);
  return Math.max(least, ...ticktext.map((text) => Math.ceil(tickWidth(text) + (specified.ticktext?.length ? APART : 1))));
}

/** @param {Json} specified @param {Json[]} data @returns {Axis} */
export function downAxis({ type = "linear", range, rangemode, autorange, tickvals, ticktext }, data) {
  if (tickvals?.length) return { type: "linear", range: autorange === "reversed" ? [tickvals.length + 0.5, 0.5] : [0.5, tickvals.length + 0.5], tickvals, ticktext: beside(ticktext) };
  if (isMap(data)) return mapAxis(extent(numbersOn(data, "y")) ?? [0, 1]);
  if (type === "log") {
    const [low, high] = extent(numbersOn(data, "y").filter((/** @type {number} */ value) => value > 0)) ?? [1, 10];
    const [least, most] = [Math.floor(Math.log10(low) - PAD), Math.ceil(Math.log10(high) + PAD)];
    return { type: "log", range: [least, most], ...lossTicks([least, most]) };
  }
  const [low, high] = range ?? padded(extent(numbersOn(data, "y")) ?? [0, 1]);
  const all = rangemode === "tozero" ? [0, Math.max(high, 1)] : [low, high];
  return { type: "linear", range: all, ...fewTicks(all) };
}
