/**
 * The gradient panels, one a layer: the server's figure filled with the measure that is on, and the page's own axes.
 * Owns: how gradients are shown. Pure. Must not know Plotly or the DOM.
 */

import { fill } from "./bind.js";
import { flagLines, flagsOf } from "./edits.js";
import { dress, laneLook, shownRuns, surface, templateOf } from "./looks.js";
import { axisOf, boundTo, columnsFor } from "./scene.js";
import { number } from "../state/format.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./horizontal.js").Horizontal} Horizontal */

const TITLE = 17;
const TOP = TITLE + 6;
const RIGHT = 6;

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
  const axis = axisOf(scene);
  const plot = room.width - room.left - RIGHT;
  const gap = gapOf(weights.length, look.compact);
  const panel = (plot - gap * (weights.length - 1)) / weights.length;
  const series = (/** @type {string} */ y) => `${view.measure}/${y.slice(y.indexOf("/") + 1)}`;
  const asked = { ...figure, layout: { ...figure.layout, meta: { shelf: { measure: view.measure } } } };
  const names = weights.map((weight) => `${view.measure}/${weight}`);
  const dressed = dress(asked, state, look, boundTo(scene), series);
  const filled = fill(dressed, columnsFor(scene, axis, names, panel), experiment?.trainSamples ?? 1);
  return {
    data: [...filled.data, ...endMarkers(filled.data, scene)],
    layout: layoutOf(filled.layout, scene, axis, weights.map((_, k) => [(k * (panel + gap)) / plot, (k * (panel + gap) + panel) / plot])),
    labels: { titles: titlesOf(scene, panel, gap) },
    y: null,
  };
}

/** @param {Json[]} data @param {Scene} scene */
function endMarkers(data, { state, look }) {
  return data.filter(({ meta, x }) => meta.role === "line" && x.length).map(({ meta, x, y, xaxis, yaxis }) => {
    const { line, symbol } = laneLook(look, state.runs[meta.run].lane);
    return {
      type: "scatter", mode: "markers", xaxis, yaxis, x: [x[x.length - 1]], y: [y[y.length - 1]], hoverinfo: "skip", cliponaxis: false,
      showlegend: false, marker: { symbol, size: 8, color: line, line: { color: surface(look, "paper"), width: 1.2 } },
    };
  });
}

/**
 * @param {Json} specified
 * @param {Scene} scene
 * @param {Horizontal} axis
 * @param {number[][]} domains
 */
function layoutOf(specified, scene, axis, domains) {
  const { state, look, room, zoom } = scene;
  const flags = flagsOf(state, scene.series, axis);
  /** @type {Json} */
  const layout = {
    template: templateOf(look), showlegend: false, hovermode: "x", annotations: [],
    margin: { l: room.left, r: RIGHT, t: TOP, b: look.compact ? 20 : 23, pad: 0 },
    shapes: specified.shapes.map((/** @type {Json} */ shape) => ({ ...shape, fillcolor: surface(look, "rail") })),
  };
  domains.forEach((domain, k) => {
    const suffix = k ? k + 1 : "";
    const { range, tickvals, ticktext } = specified[`yaxis${suffix}`] ?? {};
    layout[`xaxis${suffix}`] = {
      domain: domain.map((share) => Math.min(1, Math.max(0, share))), anchor: `y${suffix}`, type: axis.log ? "log" : "linear",
      range: zoom.x ?? axis.range, autorange: false, nticks: look.compact || domains.length > 4 ? 3 : 5,
      tickformat: look.compact || axis.log ? "~s" : axis.end < 10 ? "" : ",d", hoverformat: axis.axis === "steps" ? ",d" : ".4~s",
    };
    layout[`yaxis${suffix}`] = {
      type: "log", anchor: `x${suffix}`, range, autorange: false, tickvals, ticktext: k ? ticktext?.map(() => "") : ticktext,
      ...(k ? { matches: "y" } : {}),
    };
    layout.shapes.push(...flagLines(flags, look, `x${suffix}`, `y${suffix} domain`));
  });
  return layout;
}

/** @param {Scene} scene @param {number} panel @param {number} gap */
function titlesOf({ state, room }, panel, gap) {
  const { experiment, view } = state;
  return (experiment?.weights ?? []).map((weight, k) => ({
    name: weight,
    shape: (experiment?.shapes[weight] ?? []).join(" × "),
    left: room.left + k * (panel + gap),
    width: panel,
    values: shownRuns(state).map((run) => ({ run: run.name, label: run.label, lane: run.lane, value: number(run.latest[`${view.measure}/${weight}`]?.value) })),
  }));
}
