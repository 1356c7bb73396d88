/**
 * The loss chart: the server's figure filled, and what only a screen needs: ranges, markers along the lines, labels.
 * Owns: how loss is shown. Pure; answers data, layout and labels. Must not know Plotly or the DOM.
 */

import { fill } from "./bind.js";
import { flagLines, flagsOf } from "./edits.js";
import { NAMES, placeNow } from "./horizontal.js";
import { lossRange, lossTicks } from "./loss-range.js";
import { dress, laneLook, shownRuns, surface, templateOf } from "./looks.js";
import { axisOf, boundTo, columnsFor, withinAxis } from "./scene.js";
import { briefTicks, number } from "../state/format.js";

/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./horizontal.js").Horizontal} Horizontal */
/** @typedef {import("./labels.js").End} End */
/** @typedef {{run: Run, x: number[], y: number[]}} Line */

const SERIES = ["train_loss", "test_loss"];
const TOP = 26;
const BOTTOM = 28;
/** What is not received yet gets this share of the axis. */
const UNKNOWN = 1.2;

/**
 * @param {Json} figure
 * @param {Scene} scene
 */
export function lossChart(figure, scene) {
  const { state, look, room } = scene;
  const missing = missingFrom(scene);
  const axis = axisOf(scene, missing?.to ?? 0);
  const width = room.width - room.left - room.right;
  const columns = columnsFor(scene, axis, SERIES, width);
  const log = state.view.y === "log";
  const asked = log ? figure : { ...figure, layout: { ...figure.layout, meta: null } };
  const bare = fill(dress(asked, state, look, boundTo(scene)), columns, state.experiment?.trainSamples ?? 1);
  const shelf = log ? shelfOf(bare.layout) : null;
  const zero = log ? shelf?.place ?? null : 0;
  const data = bare.data.map((/** @type {Json} */ trace) => withinAxis(upToNow(trace, scene, axis, zero), axis));
  const lines = linesOf(data, state);
  const y = scene.zoom.y ?? lossRange(lines, scene, shelf?.bottom);
  for (const line of lines) leaveThroughTheTop(line, y, log);
  const ends = lines.map((line) => endOf(line, scene, y)).filter((end) => end !== null);
  const flags = flagsOf(state, scene.series, axis);
  const start = lines.some(({ x }) => x.length) ? null : startOf(scene);
  /** @type {Json} */
  const layout = layoutOf(scene, axis, y, shelf);
  layout.shapes = [...(shelf ? [{ ...shelf.shape, fillcolor: surface(look, "rail") }] : []), ...shapesOf(scene, flags, missing)];
  return {
    data: [...data, ...lines.flatMap((line) => alongTheLine(line, scene, axis, width)), ...endMarkers(ends, look), ...startMarkers(start, scene)],
    layout,
    labels: { flags, ends, start, baseline: baselineLabel(scene, axis, lines, y), axis: NAMES[state.view.x], missing },
    readable: { columns, panels: [panelOf(scene, layout.xaxis)] },
    y,
  };
}

/** What a cursor can read. @param {Scene} scene @param {import("./labels.js").Axis} x @returns {import("./cursor.js").Panel} */
function panelOf({ state, room }, x) {
  const lines = [{ name: "", series: "train_loss" }, ...(state.experiment?.testSamples ? [{ name: "test", series: "test_loss" }] : [])];
  return { name: "", left: room.left, top: TOP, width: room.width - room.left - room.right, height: room.height - TOP - BOTTOM, x, lines };
}

/**
 * For a run that stands still the loss of the parameters now is known too, and belongs at the line's end.
 * @param {Json} trace
 * @param {Scene} scene
 * @param {Horizontal} axis
 * @param {number|null} zero  where exactly 0 stands, if it has a place
 */
function upToNow(trace, { state, series, zoom }, axis, zero) {
  const run = state.runs[trace.meta.run];
  const latest = run.latest[trace.meta.y];
  if (zoom.x || trace.meta.role === "band" || !latest || latest.step !== run.step || !trace.x.length) return trace;
  const now = placeNow(run, series.of(run.name), axis.axis);
  const y = latest.value === 0 ? zero : latest.value;
  return y !== null && now > trace.x[trace.x.length - 1] ? { ...trace, x: [...trace.x, now], y: [...trace.y, y] } : trace;
}

/**
 * Exactly 0 has no place on a log axis: where it occurs, filling the figure has put it on a shelf.
 * @param {Json} layout
 */
function shelfOf({ shapes, yaxis }) {
  const shape = shapes.find((/** @type {Json} */ { name, visible }) => name === "shelf" && visible);
  return shape ? { shape, bottom: yaxis.range[0], floor: Math.log10(yaxis.tickvals[1]), place: yaxis.tickvals[0] } : null;
}

/** @param {Json[]} data @param {Scene["state"]} state @returns {Line[]} */
function linesOf(data, state) {
  return data.filter(({ meta }) => meta.role === "train").map(({ meta, x, y }) => ({ run: state.runs[meta.run], x, y }));
}

/**
 * The step that made a run diverge is not recorded, but its line goes there: up and out. Changes the line's own arrays.
 * @param {Line} line
 * @param {[number, number]} range
 * @param {boolean} log
 */
function leaveThroughTheTop({ run, x, y }, [low, high], log) {
  if (run.status !== "diverged" || !x.length) return;
  x.push(x[x.length - 1]);
  y.push(log ? 10 ** (high + 1) : high + (high - low));
}

/**
 * Where a line ends and what it is called there; a diverged one leaves through the top edge.
 * @param {Line} line
 * @param {Scene} scene
 * @param {[number, number]} range
 * @returns {End|null}
 */
function endOf({ run, x, y }, { state, look }, range) {
  if (!x.length) return null;
  const log = state.view.y === "log";
  const top = log ? 10 ** (range[1] - 0.02 * (range[1] - range[0])) : range[1] - 0.02 * (range[1] - range[0]);
  const bad = run.status === "diverged";
  const out = bad ? y.findIndex((value) => value > top) : -1;
  const last = out >= 0 ? out : x.length - 1;
  const value = look.compact ? "" : bad ? "diverged" : number(run.latest.train_loss?.value ?? y[last]);
  return { run: run.name, lane: run.lane, name: run.label, value, bad, x: x[last], y: Math.min(y[last], top) };
}

/**
 * Hollow markers so that a line is known by its shape too: one every 96 px.
 * @param {Line} line
 * @param {Scene} scene
 * @param {Horizontal} axis
 * @param {number} width
 */
function alongTheLine({ run, x, y }, { look, zoom }, axis, width) {
  if (x.length < 3) return [];
  const [low, high] = zoom.x ?? axis.range;
  const { line, symbol } = laneLook(look, run.lane);
  const many = Math.max(2, Math.floor(width / look.spec.fallline.marker_every_px));
  const shift = { a: 0.55, b: 0.85, c: 0.25, d: 0.7 }[run.lane];
  const places = new Set();
  for (let k = 0; k < many; k++) {
    const wished = low + ((high - low) * (k + shift)) / many;
    const at = x.findIndex((place) => (axis.log ? Math.log10(place) : place) >= wished);
    if (at > 0 && at < x.length * 0.97) places.add(at);
  }
  const chosen = [...places];
  return [{
    type: "scatter", mode: "markers", x: chosen.map((i) => x[i]), y: chosen.map((i) => y[i]), hoverinfo: "skip", showlegend: false,
    marker: { symbol, size: 7, color: surface(look, "paper"), line: { color: line, width: 1.6 } },
  }];
}

/** @param {End[]} ends @param {import("./looks.js").Look} look */
const endMarkers = (ends, look) => ends.map(({ lane, bad, x, y }) => {
  const { line, symbol } = laneLook(look, lane);
  return {
    type: "scatter", mode: "markers", x: [x], y: [y], hoverinfo: "skip", cliponaxis: false, showlegend: false,
    marker: { symbol: bad ? "x" : symbol, size: 10, color: bad ? surface(look, "bad") : line, line: { color: surface(look, "paper"), width: 1.5 } },
  };
});

/** Before the first step all runs stand at one point. @param {Scene} scene */
function startOf({ state }) {
  const loss = state.experiment?.initialLoss;
  const many = shownRuns(state).length;
  if (loss === null || loss === undefined || !many) return null;
  const who = many === 1 ? "the run starts" : many === 2 ? "both runs start" : "all runs start";
  return { x: 0, y: loss, text: `${who} here: loss ${number(loss)}` };
}

/** Shapes in each other, so that all are seen at one point. @param {{x: number, y: number}|null} start @param {Scene} scene */
function startMarkers(start, { state, look }) {
  if (!start) return [];
  const shown = shownRuns(state);
  return shown.map((run, place) => {
    const { line, symbol } = laneLook(look, run.lane);
    const inner = place === shown.length - 1;
    return {
      type: "scatter", mode: "markers", x: [start.x], y: [start.y], hoverinfo: "skip", cliponaxis: false, showlegend: false,
      marker: { symbol, size: 7 + 8 * (shown.length - 1 - place), color: inner ? line : surface(look, "paper"), line: { color: line, width: inner ? 0 : 2.5 } },
    };
  });
}

/**
 * Where the line broke, and how far the axis goes on from there.
 * @param {Scene} scene
 */
function missingFrom({ state: { connection, view } }) {
  if (view.x !== "steps" || connection.lastStep === null || connection.lastStep === 0) return null;
  const { status, lastStep, progress } = connection;
  if (status === "catching-up" && progress && progress.of > progress.have) return { from: progress.have, to: progress.of };
  if (status === "reconnecting" || status === "offline") return { from: lastStep, to: lastStep * UNKNOWN };
  return null;
}

/** @param {Scene} scene @param {Horizontal} axis @param {[number, number]} y @param {ReturnType<typeof shelfOf>} shelf */
function layoutOf({ state, look, room, zoom }, axis, y, shelf) {
  const log = state.view.y === "log";
  return {
    template: templateOf(look),
    showlegend: false,
    margin: { l: room.left, r: room.right, t: TOP, b: BOTTOM, pad: 0 },
    xaxis: { type: axis.log ? "log" : "linear", range: zoom.x ?? axis.range, autorange: false, tickangle: 0, ticklabeloverflow: "allow", nticks: look.compact ? 5 : axis.log ? 12 : 8, tickformat: axis.log ? "~s" : axis.end < 10 ? "" : ",d", hoverformat: axis.axis === "steps" ? ",d" : ".4~s" },
    yaxis: { type: log ? "log" : "linear", range: y, autorange: false, tickangle: 0, ticklabeloverflow: "allow", ...(log ? ticksOf(y, shelf, look.compact) : { tickformat: y[1] >= (look.compact ? 1e4 : 1e5) ? "~s" : ",~g" }) },
  };
}

/** @param {[number, number]} y @param {ReturnType<typeof shelfOf>} shelf @param {boolean} compact */
function ticksOf(y, shelf, compact) {
  const ticks = lossTicks(y, shelf);
  return compact ? { ...ticks, ticktext: briefTicks(ticks.tickvals, ticks.ticktext) } : ticks;
}

/** @param {Scene} scene @param {import("./labels.js").Flag[]} flags @param {{from: number, to: number}|null} missing */
function shapesOf({ state, look }, flags, missing) {
  const drawn = look.spec.fallline.baseline;
  const mean = state.experiment?.baseline?.train;
  return [
    ...(missing ? [{ type: "rect", xref: "x", x0: missing.from, x1: missing.to, yref: "paper", y0: 0, y1: 1, fillcolor: surface(look, "rail"), line: { width: 0 }, layer: "below" }] : []),
    ...(mean ? [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: mean, y1: mean, layer: "below", line: { color: drawn[look.theme], width: drawn.width, dash: drawn.dash } }] : []),
    ...flagLines(flags, look, "x", "paper"),
  ];
}

/** Room of the baseline's words: a third of the width, and so much of the height. */
const WORDS = { across: 0.3, down: 0.06 };

/**
 * The baseline's words stand under it, in the corner where fewer lines run.
 * @param {Scene} scene
 * @param {Horizontal} axis
 * @param {Line[]} lines
 * @param {[number, number]} y
 */
function baselineLabel({ state, zoom }, axis, lines, y) {
  const mean = state.experiment?.baseline?.train;
  if (!mean) return null;
  const [low, high] = zoom.x ?? axis.range;
  const at = (/** @type {number} */ value) => (state.view.y === "log" ? Math.log10(value) : value);
  const inTheWay = (/** @type {number} */ from) => lines.reduce((sum, line) => sum + line.x.filter((place, i) => {
    const share = ((axis.log ? Math.log10(place) : place) - low) / (high - low);
    const under = (at(mean) - at(line.y[i])) / (y[1] - y[0]);
    return share >= from && share <= from + WORDS.across && under > 0.005 && under < WORDS.down;
  }).length, 0);
  const empty = lines.every(({ x }) => !x.length);
  return { y: mean, text: `predicting the mean: ${number(mean)}`, side: empty || inTheWay(1 - WORDS.across) > inTheWay(0) ? "left" : "right" };
}
