/**
 * What an instrument told as a chart: the server's figure filled, and the page's own axes, levels and title.
 * Owns: how such a figure is shown: its ranges, where it has none of its own, and its clothes. Pure. Must not know Plotly or the DOM.
 */

import { acrossTicks, fewTicks } from "./across-ticks.js";
import { axesOf, undrawn } from "./axes.js";
import { fillMeasured } from "./bind-measured.js";
import { pxDown } from "./labels.js";
import { laneLook, surface, templateOf } from "./looks.js";
import { lossTicks } from "./loss-range.js";
import { isInside, px } from "./paths.js";
import { measuredAt, toldOf } from "../state/instruments.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("../state/instruments.js").Gauge} Gauge */

const TOP = 23;
const LEFT = 40;
const LEFT_COMPACT = 32;
/** The needle stands on the edge of the plot. */
const RIGHT = 12;
const PAD = 0.06;
/** A trail of one point is drawn on an axis of so many steps. */
const FEWEST_STEPS = 10;

/**
 * @param {Json} figure
 * @param {Scene} scene
 * @param {Gauge} gauge
 */
export function instrumentChart(figure, scene, gauge) {
  const { state, look, room } = scene;
  const at = measuredAt(state);
  const { last, trail } = at ? toldOf(state, at.run.name, gauge.instrument) : { last: undefined, trail: [] };
  const filled = fillMeasured(figure, trail, last);
  const data = filled.data.map((/** @type {Json} */ trace) => clothed(trace, scene, at?.run.lane ?? "a"));
  const left = look.compact ? LEFT_COMPACT : LEFT;
  const margin = { l: left, r: RIGHT, t: TOP, b: look.compact ? 20 : 23, pad: 0 };
  const [width, height] = [room.width - left - RIGHT, room.height - TOP - margin.b];
  const x = acrossAxis(data, width);
  const y = downAxis(filled.layout.yaxis, data);
  const frame = { left, top: TOP, width, height, beyond: RIGHT, x, y };
  const { grid, line, words } = axesOf(frame);
  const levels = (filled.layout.shapes ?? []).filter((/** @type {Json} */ { name }) => name === "level");
  const drawn = look.spec.fallline.baseline;
  return {
    data,
    layout: { template: templateOf(look), showlegend: false, hovermode: false, margin, xaxis: undrawn(x), yaxis: undrawn(y) },
    ground: [grid, ...levels.map((/** @type {Json} */ { y0 }) => levelOf(frame, y0, drawn)).filter((/** @type {Json} */ { d }) => d)],
    words,
    marks: [line],
    labels: {
      titles: [titleOf(gauge, at?.run, last, scene)],
      levels: look.compact ? [] : levels.map((/** @type {Json} */ { y0, label }) => ({ left: left + 4, top: pxDown(frame, y0) - 15, text: label.text })).filter((/** @type {Json} */ { top }) => top > TOP - 15 && top < TOP + height),
    },
    readable: { columns: {}, panels: [] },
    y: null,
  };
}

/**
 * The name and, of the run that is measured, the number.
 * @param {Gauge} gauge
 * @param {import("../state/types.js").Run|undefined} run
 * @param {Json|undefined} last
 * @param {Scene} scene
 */
function titleOf({ name, brief, value, least }, run, last, { room, look: { compact } }) {
  const values = run && last ? [{ run: run.name, label: run.label, lane: run.lane, value: (compact ? least : value)(last) }] : [];
  return { name: compact ? brief : name, shape: "", left: 0, width: room.width - (compact ? 0 : RIGHT), dense: compact, values };
}

/** @param {import("./labels.js").Frame} frame @param {number} y @param {Json} drawn */
function levelOf(frame, y, drawn) {
  const top = pxDown(frame, y);
  return { name: "baseline", width: drawn.width, dash: drawn.dash, d: isInside(frame, frame.left, top) ? `M${px(frame.left)},${px(top)}H${px(frame.left + frame.width)}` : "" };
}

/** In the colours of the run that is measured, or of the page. @param {Json} trace @param {Scene} scene @param {string} lane @returns {Json} */
function clothed(trace, { look }, lane) {
  const { meta } = trace;
  const { line, text } = laneLook(look, lane);
  const stroke = meta.ink ? surface(look, meta.ink) : line;
  return {
    ...trace, hoverinfo: "skip", hovertemplate: null,
    ...(trace.line ? { line: { ...trace.line, color: stroke } } : {}),
    ...(trace.marker ? { marker: { ...trace.marker, color: meta.ink ? stroke : text, line: { width: 0 } } } : {}),
  };
}

/** All numbers on one axis of the traces. @param {Json[]} data @param {"x"|"y"} axis */
const numbersOn = (data, axis) => data.flatMap((trace) => trace[axis] ?? []).filter((/** @type {any} */ value) => Number.isFinite(value));

/** @param {number[]} numbers @returns {[number, number]|null} */
const extent = (numbers) => (numbers.length ? [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))] : null);

/** @param {Json[]} data @param {number} width @returns {import("./labels.js").Axis} */
function acrossAxis(data, width) {
  const [low, high] = extent(numbersOn(data, "x")) ?? [0, FEWEST_STEPS];
  const range = [Math.min(low, high - FEWEST_STEPS < 0 ? 0 : high - FEWEST_STEPS), Math.max(high, FEWEST_STEPS)];
  const axis = { type: /** @type {const} */ ("linear"), range };
  return { ...axis, ...acrossTicks(axis, { width, before: LEFT - 6, after: RIGHT, most: 5, least: 1 }, true) };
}

/** @param {Json} specified @param {Json[]} data @returns {import("./labels.js").Axis} */
function downAxis({ type = "linear", range }, data) {
  if (type === "log") {
    const [low, high] = extent(numbersOn(data, "y").filter((/** @type {number} */ value) => value > 0)) ?? [1, 10];
    const [least, most] = [Math.floor(Math.log10(low) - PAD), Math.ceil(Math.log10(high) + PAD)];
    return { type: "log", range: [least, most], ...lossTicks([least, most]) };
  }
  const [low, high] = range ?? padded(extent(numbersOn(data, "y")) ?? [0, 1]);
  return { type: "linear", range: [low, high], ...fewTicks([low, high]) };
}

/** @param {[number, number]} range @returns {[number, number]} */
function padded([low, high]) {
  const pad = PAD * (high - low || Math.abs(high) || 1);
  return [low - pad, high + pad];
}
