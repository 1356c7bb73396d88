/**
 * The gradient panels, one a layer: the server's figure filled with the selected measure, and the page's axes.
 * Owns: how gradients are shown. Pure: no Plotly, no DOM.
 */

import { acrossTicks } from "./across-ticks.js";
import { axesOf, undrawn } from "./axes.js";
import { bandsOf, withoutBands } from "./bands.js";
import { fill } from "./bind.js";
import { flagsOf } from "./edits.js";
import { LEAST_APART } from "./horizontal.js";
import { pxAcross, pxDown } from "./labels.js";
import { styled, shownRuns, templateOf } from "./looks.js";
import { momentLines, placeThen } from "./moment.js";
import { groundOf, isInside, joined, symbol } from "./paths.js";
import { axisOf, boundTo, columnsFor, withinAxis } from "./scene.js";
import { briefTicks, number, short } from "../state/format.js";
import { missingIn } from "../state/missing.js";
import { stateOnView } from "../state/moments.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./horizontal.js").Horizontal} Horizontal */

const TITLE = 17;
const TOP = TITLE + 6;
const RIGHT = 6;
/** Size of the shape at a run's present step, in px. */
const MARK = 8.5;

/** @param {number} layers @param {boolean} compact */
const gapOf = (layers, compact) => (compact || layers > 4 ? 12 : 26);

/**
 * @param {Json} figure
 * @param {Scene} scene
 */
export function gradientChart(figure, scene) {
  const { state, look, room } = scene;
  const { view, experiment } = state;
  const weights = experiment?.weights ?? [];
  const missing = missingIn(scene.state);
  const axis = axisOf(scene, missing?.to ?? 0);
  const plot = room.width - room.left - RIGHT;
  const gap = gapOf(weights.length, look.compact);
  const panel = (plot - gap * (weights.length - 1)) / weights.length;
  const series = (/** @type {string} */ y) => `${view.measure}/${y.slice(y.indexOf("/") + 1)}`;
  const specification = { ...figure, layout: { ...figure.layout, meta: { shelf: { measure: view.measure } } } };
  const names = weights.map((weight) => `${view.measure}/${weight}`);
  const bare = styled(specification, state, look, boundTo(scene), series);
  const columns = columnsFor(scene, axis, names, panel);
  const filled = fill(bare, columns, experiment?.trainSamples ?? 1);
  const domains = weights.map((_, k) => [(k * (panel + gap)) / plot, (k * (panel + gap) + panel) / plot]);
  const layout = layoutOf(filled.layout, scene, axis, domains);
  const data = filled.data.map((/** @type {Json} */ trace) => withinAxis(trace, axis));
  const height = room.height - TOP - layout.margin.b;
  const frames = weights.map((_, k) => ({
    left: room.left + k * (panel + gap), top: TOP, width: panel, height, beyond: 0, x: layout[`xaxis${k ? k + 1 : ""}`], y: layout[`yaxis${k ? k + 1 : ""}`],
  }));
  const { y0, y1 } = filled.layout.shapes[0] ?? {};
  const areas = { shelf: /** @type {[number, number]} */ ([y0, y1]), missing, flags: flagsOf(state, scene.series, axis) };
  const axes = frames.map(axesOf);
  const frameOf = (/** @type {Json} */ { xaxis = "x" }) => frames[Number(xaxis.slice(1) || 1) - 1];
  return {
    data: withoutBands(data),
    layout,
    ground: joined([...frames.flatMap((frame) => groundOf(frame, areas, look)), ...axes.map(({ grid }) => grid), ...bandsOf(data, frameOf)]),
    words: axes.flatMap(({ words }) => words),
    marks: [...joined([...axes.map(({ line }) => line), ...frames.flatMap((frame) => momentLines(scene, frame))]), ...marksOf(data, frameOf, scene)],
    labels: { titles: titlesOf(scene, panel, gap) },
    readable: { columns, panels: frames.map((frame, k) => ({ ...frame, name: weights[k], lines: [{ name: "", series: names[k] }] })) },
    y: null,
  };
}

/**
 * Place of each run, now or at the past step on view.
 * @param {Json[]} data
 * @param {(trace: Json) => import("./labels.js").Frame} frameOf
 * @param {Scene} scene
 * @returns {import("./paths.js").Path[]}
 */
function marksOf(data, frameOf, scene) {
  const { runs } = scene.state;
  return data.filter(({ meta, x }) => meta.role === "line" && x.length).map((trace) => {
    const { meta, x, y } = trace;
    const frame = frameOf(trace);
    const { lane } = runs[meta.run];
    const then = placeThen(runs[meta.run], scene) ?? Infinity;
    const after = x.findIndex((/** @type {number} */ place) => place > then);
    const last = after < 0 ? x.length - 1 : Math.max(0, after - 1);
    const [left, top] = [pxAcross(frame, x[last]), pxDown(frame, y[last])];
    return { name: "now", lane, run: meta.run, d: isInside(frame, left, top) ? symbol(lane, MARK, left, top) : "" };
  });
}

/**
 * @param {Json} specified
 * @param {Scene} scene
 * @param {Horizontal} axis
 * @param {number[][]} domains
 */
function layoutOf(specified, { look, room, zoom }, axis, domains) {
  /** @type {Json} */
  const layout = {
    template: templateOf(look), showlegend: false, hovermode: false, annotations: [],
    margin: { l: room.left, r: RIGHT, t: TOP, b: look.compact ? 20 : 23, pad: 0 },
  };
  const range = zoom.x ?? axis.range;
  const type = axis.log ? "log" : "linear";
  const across = undrawn({ type, range, ...acrossTicks({ type, range }, { ...tickRoom(domains, room, look.compact), least: LEAST_APART[axis.axis] }, look.compact) });
  const { range: down, tickvals, ticktext: texts } = specified.yaxis;
  const ticktext = readable(look.compact ? briefTicks(tickvals, texts) : texts, down, room.height - TOP - layout.margin.b);
  domains.forEach((domain, k) => {
    const suffix = k ? k + 1 : "";
    layout[`xaxis${suffix}`] = { ...across, domain: domain.map((share) => Math.min(1, Math.max(0, share))), anchor: `y${suffix}` };
    layout[`yaxis${suffix}`] = { ...undrawn({ type: "log", range: down, tickvals, ...(k ? {} : { ticktext }) }), anchor: `x${suffix}`, fixedrange: true };
  });
  return layout;
}

/**
 * Labels of neighbouring panels must not join: next to a narrow gap they stay inside.
 * @param {number[][]} domains
 * @param {Scene["room"]} room
 * @param {boolean} compact
 */
function tickRoom(domains, room, compact) {
  const plot = room.width - room.left - RIGHT;
  const out = Math.min(RIGHT, Math.max(0, gapOf(domains.length, compact) - 14));
  return { width: plot * (domains[0][1] - domains[0][0]), before: Math.max(4, out), after: out, most: 5 };
}

/**
 * The labels of 0 and of the floor are 0.95 decades apart. Only 0 stays if they would overlap.
 * @param {string[]|undefined} texts
 * @param {number[]|undefined} range
 * @param {number} height
 */
function readable(texts, range, height) {
  if (!texts || !range) return texts;
  return (0.95 * height) / (range[1] - range[0]) < 11 ? texts.map((text, place) => (place === 1 ? "" : text)) : texts;
}

/** Widths of the parts of a title, in px. */
const PARTS = { name: 26, shape: 42 };
/** Formats of a run's value by width, widest first. */
const VALUES = [{ width: 66, word: number }, { width: 51, word: (/** @type {number|undefined} */ value) => short(value, 2) }, { width: 41, word: (/** @type {number|undefined} */ value) => short(value, 1) }];

/**
 * Titles by room: first the shape goes, then digits, then values. Narrow panels and phones keep the name only.
 * @param {Scene} scene
 * @param {number} panel
 * @param {number} gap
 */
function titlesOf({ state: present, room, look }, panel, gap) {
  const state = stateOnView(present);
  const { experiment, view } = state;
  const visible = shownRuns(state);
  const value = look.compact ? undefined : VALUES.find(({ width }) => panel >= PARTS.name + visible.length * width);
  const isWide = value === VALUES[0] && panel >= PARTS.name + PARTS.shape + visible.length * value.width;
  return (experiment?.weights ?? []).map((weight, k) => ({
    name: weight,
    shape: isWide ? (experiment?.shapes[weight] ?? []).join(" × ") : "",
    left: room.left + k * (panel + gap),
    width: panel,
    dense: value !== VALUES[0],
    values: value ? visible.map((run) => ({ run: run.name, label: run.label, lane: run.lane, value: value.word(run.latest[`${view.measure}/${weight}`]?.value) })) : [],
  }));
}
