/**
 * An instrument's measurements as a chart: the server's figure filled, with the page's axes, levels and title.
 * Owns: panels, colours and words of such a figure. Pure: no Plotly, no DOM.
 */

import { axesOf, undrawn } from "./axes.js";
import { fillMeasured } from "./bind-measured.js";
import { acrossAxis, downAxis, roomBeside } from "./instrument-axes.js";
import { pxDown } from "./labels.js";
import { laneLook, surface, templateOf } from "./looks.js";
import { isInside, joined, px } from "./paths.js";
import { requestOf, BRIEF_LEVELS, keyWords, measuredAt, answersOf } from "../state/instruments.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("../state/instruments.js").Gauge} Gauge */

const TOP = 23;
const LEFT = 40;
const LEFT_COMPACT = 32;
/** The marker of the present stands on the edge of the plot. */
const RIGHT = 12;
const GAP = 26;

/**
 * @param {Json} figure
 * @param {Scene} scene
 * @param {Gauge} gauge
 */
export function instrumentChart(figure, scene, gauge) {
  const { state, look, room } = scene;
  const at = measuredAt(state);
  const { last, trail } = at ? answersOf(state, at.run.name, requestOf(gauge)) : { last: undefined, trail: [] };
  const filled = fillMeasured(figure, trail, last);
  const data = filled.data.map((/** @type {Json} */ trace) => coloured(trace, scene, at?.run.lane ?? "a"));
  const margin = { l: roomBeside(filled.layout.yaxis, ofPanel(data, ""), look.compact ? LEFT_COMPACT : LEFT), r: RIGHT, t: TOP, b: look.compact ? 20 : 23, pad: 0 };
  const panels = panelsOf(filled.layout, data, room, margin);
  const axes = panels.map(({ frame }) => axesOf(frame));
  const levels = (filled.layout.shapes ?? []).filter((/** @type {Json} */ { name }) => name === "level");
  const [{ frame }] = panels;
  return {
    data,
    layout: { template: templateOf(look), showlegend: false, hovermode: false, bargap: 0, margin, ...Object.fromEntries(panels.flatMap(({ axes: own }) => own)) },
    ground: joined([...axes.map(({ grid }) => grid), ...levels.map((/** @type {Json} */ { y0 }) => levelOf(frame, y0, look.spec.fallline.baseline)).filter((/** @type {Json} */ { d }) => d)]),
    words: axes.flatMap(({ words }) => words),
    marks: joined(axes.map(({ line }) => line)),
    labels: {
      titles: panels.length > 1 ? panels.map(({ frame: { left, width }, name }) => ({ name, shape: "", left, width, dense: true, values: [] })) : [titleOf(gauge, at?.run, last, scene)],
      levels: levels.map((/** @type {Json} */ { y0, label }) => ({ left: frame.left + 4, top: pxDown(frame, y0) - 15, text: look.compact ? BRIEF_LEVELS[label.text] : label.text }))
        .filter((/** @type {Json} */ { text, top }) => text && top > TOP - 15 && top < TOP + frame.height),
    },
    readable: { columns: {}, panels: [] },
    y: null,
  };
}

/** @param {Json[]} data @param {string} suffix  of its axes */
const ofPanel = (data, suffix) => data.filter(({ xaxis = "x" }) => xaxis === `x${suffix}`);

/**
 * The plots of a figure side by side, with their Plotly axes.
 * @param {Json} layout
 * @param {Json[]} data
 * @param {Scene["room"]} room
 * @param {{l: number, r: number, t: number, b: number}} margin
 */
function panelsOf(layout, data, room, margin) {
  const suffixes = Object.keys(layout).filter((key) => key.startsWith("xaxis")).map((key) => key.slice(5));
  const plot = room.width - margin.l - margin.r;
  const width = (plot - GAP * (suffixes.length - 1)) / suffixes.length;
  const height = room.height - margin.t - margin.b;
  return suffixes.map((suffix, k) => {
    const own = ofPanel(data, suffix);
    const x = acrossAxis(layout[`xaxis${suffix}`], own, { width, before: margin.l - 6, after: margin.r });
    const y = downAxis(layout[`yaxis${suffix}`], own);
    const start = k * (width + GAP);
    const domain = [start / plot, Math.min(1, (start + width) / plot)];
    return {
      name: layout.meta?.panels?.[k] ?? "", frame: { left: margin.l + start, top: margin.t, width, height, beyond: margin.r, x, y },
      axes: [[`xaxis${suffix}`, { ...undrawn(x), domain, anchor: `y${suffix}` }], [`yaxis${suffix}`, { ...undrawn(y), anchor: `x${suffix}` }]],
    };
  });
}

/**
 * The name, with the latest value of the measured run.
 * @param {Gauge} gauge
 * @param {import("../state/types.js").Run|undefined} run
 * @param {Json|undefined} last
 * @param {Scene} scene
 */
function titleOf(gauge, run, last, { state, room, look: { compact } }) {
  const { name, brief, value, least } = gauge;
  const values = run && last ? [{ run: run.name, label: run.label, lane: run.lane, value: (compact ? least : value)(last) }] : [];
  return { name: compact ? brief : name, shape: compact ? "" : keyWords(state, gauge), left: 0, width: room.width - (compact ? 0 : RIGHT), dense: compact, values };
}

/** @param {import("./labels.js").Frame} frame @param {number} y @param {Json} drawn */
function levelOf(frame, y, drawn) {
  const top = pxDown(frame, y);
  return { name: "baseline", width: drawn.width, dash: drawn.dash, d: isInside(frame, frame.left, top) ? `M${px(frame.left)},${px(top)}H${px(frame.left + frame.width)}` : "" };
}

/** From paper to a soft ink, or between the colours of the two signs. @param {Scene["look"]} look @param {string} name */
function scaleOf(look, name) {
  const { pos, neg } = look.spec.fallline.sign[look.theme];
  const paper = surface(look, "paper");
  return name === "ink" ? [[0, paper], [1, surface(look, "ctl")]] : [[0, neg], [0.5, paper], [1, pos]];
}

/** A trace in the colour of its run or of the page. @param {Json} trace @param {Scene} scene @param {string} lane @returns {Json} */
function coloured(trace, { look }, lane) {
  const { meta } = trace;
  const { line, text } = laneLook(look, lane);
  const stroke = meta.ink ? surface(look, meta.ink) : line;
  return {
    ...trace, hoverinfo: "skip", hovertemplate: null,
    ...(meta.scale ? { colorscale: scaleOf(look, meta.scale) } : {}),
    ...(trace.line && !meta.scale ? { line: { ...trace.line, color: stroke } } : {}),
    // a dot at the end of its range, such as a cosine of 1, is not cut
    ...(trace.marker && trace.mode ? { cliponaxis: false } : {}),
    ...(trace.marker ? { marker: { ...trace.marker, color: meta.ink ? stroke : text, line: { width: 0 } } } : {}),
  };
}
