/**
 * The cursor's bins, its moves by key or pointer, and the values it reads, in words.
 * Owns: that. Pure. Values come from the columns, not from the drawing: exactly 0 reads 0 everywhere.
 */

import { middles, pointsOf } from "./bind.js";
import { BOUND, placeNow } from "./horizontal.js";
import { shareOf } from "./labels.js";
import { shownRuns } from "./looks.js";
import { epochs, integer, number, plural } from "../state/format.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("./bind.js").Bound} Bound */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {{name: string, series: string}} Line  `name` is "" where none is needed */
/**
 * @typedef {object} Panel  px, the axis as drawn, and the series to read
 * @property {string} name
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 * @property {import("./labels.js").Axis} x
 * @property {Line[]} lines
 */
/** @typedef {{columns: Record<string, Bound>, panels: Panel[]}} Readable  what the cursor can read in the chart's last draw */
/** @typedef {{x: number, from: number, to: number}} Bin  its place on the axis, and its steps */
/** @typedef {{run: string, lane: string, label: string, values: string[]}} Row */
/** @typedef {{at: number, name: string, panels: {left: number, panel: Panel, rows: Row[]}[], spoken: string}} Readout */

/** @param {Scene} scene */
const samplesOf = ({ state }) => state.experiment?.trainSamples ?? 1;

/**
 * All places in the drawn range where some run has a bin or stands now, from left to right.
 * @param {Readable} readable
 * @param {Scene} scene
 * @returns {Bin[]}
 */
export function binsOf({ columns, panels }, scene) {
  const { x } = scene.state.view;
  /** @type {Map<number, Bin>} */
  const bins = new Map();
  for (const run of shownRuns(scene.state)) {
    const bound = columns[run.name];
    if (!bound) continue;
    middles(bound, BOUND[x], samplesOf(scene)).forEach((place, i) => bins.set(place, { x: place, from: bound.first[i], to: bound.last[i] }));
    const now = nowOf(run, scene);
    if (run.latest[panels[0].lines[0].series]?.step === run.step) bins.set(now, { x: now, from: run.step, to: run.step });
  }
  const isDrawn = (/** @type {Bin} */ bin) => {
    const share = shareOf(bin.x, panels[0].x);
    return share >= 0 && share <= 1;
  };
  return [...bins.values()].filter(isDrawn).sort((a, b) => a.x - b.x);
}

/** @param {Run} run @param {Scene} scene */
const nowOf = (run, { state, series }) => placeNow(run, series.of(run.name), state.view.x);

/** The bin nearest to a place. As a run goes on bins merge; the cursor stays. @param {Bin[]} bins @param {number} at */
export function nearest(bins, at) {
  let best = 0;
  for (let i = 1; i < bins.length; i++) if (Math.abs(bins[i].x - at) < Math.abs(bins[best].x - at)) best = i;
  return best;
}

/** @type {Record<string, (place: number|null, last: number) => number>} */
const MOVES = {
  ArrowLeft: (place, last) => (place === null ? last : Math.max(0, place - 1)),
  ArrowRight: (place, last) => (place === null ? 0 : Math.min(last, place + 1)),
  Home: () => 0,
  End: (_, last) => last,
};

/** @param {string} key */
export const isMove = (key) => Object.hasOwn(MOVES, key);

/**
 * The place to which a key moves the cursor; the first key enters from its own side.
 * @param {Bin[]} bins
 * @param {number|null} at
 * @param {string} key
 * @returns {number|null}
 */
export function moved(bins, at, key) {
  if (!bins.length) return null;
  return bins[MOVES[key](at === null ? null : nearest(bins, at), bins.length - 1)].x;
}

/**
 * The place on the axis under a pointer; null outside the panels.
 * @param {Readable} readable
 * @param {number} left  px, from the chart's corner
 * @param {number} top
 * @returns {number|null}
 */
export function pointedAt({ panels }, left, top) {
  const panel = panels.find((one) => left >= one.left && left <= one.left + one.width && top >= one.top && top <= one.top + one.height);
  if (!panel) return null;
  const { type, range: [low, high] } = panel.x;
  const place = low + ((high - low) * (left - panel.left)) / panel.width;
  return type === "log" ? 10 ** place : place;
}

/**
 * @param {Bin} bin
 * @param {import("../state/types.js").XAxis} axis
 */
function nameOf({ x, from, to }, axis) {
  if (axis === "epochs") return `epoch ${epochs(x)}`;
  if (axis === "samples") return `${plural(x, "sample")} seen`;
  if (axis === "seconds") return `${number(x)} seconds`;
  return from === to ? `step ${integer(from)}` : `steps ${integer(from)} to ${integer(to)}`;
}

/**
 * The last value at or before a place; null where the run has not come that far.
 * @param {Run} run
 * @param {string} series
 * @param {number} at
 * @param {Readable} readable
 * @param {Scene} scene
 */
function valueAt(run, series, at, { columns }, scene) {
  const now = nowOf(run, scene);
  const latest = run.latest[series];
  if (at > now) return null;
  if (at === now && latest?.step === run.step) return latest.value;
  const { x, y } = pointsOf({ x: BOUND[scene.state.view.x], y: series, stat: "mean" }, columns[run.name], samplesOf(scene));
  let i = x.length - 1;
  while (i >= 0 && x[i] > at) i--;
  return i < 0 ? null : y[i];
}

/**
 * The cursor's values and words at a place; null before there are values.
 * @param {Readable} readable
 * @param {Scene} scene
 * @param {number} wished
 * @returns {Readout|null}
 */
export function readoutAt(readable, scene, wished) {
  const bins = binsOf(readable, scene);
  if (!bins.length) return null;
  const bin = bins[nearest(bins, wished)];
  const name = nameOf(bin, scene.state.view.x);
  const panels = readable.panels.map((panel) => ({
    left: panel.left + panel.width * shareOf(bin.x, panel.x),
    panel,
    rows: shownRuns(scene.state).map((run) => ({
      run: run.name, lane: run.lane, label: run.label,
      values: panel.lines.map((line) => [line.name, number(valueAt(run, line.series, bin.x, readable, scene))].filter(Boolean).join(" ")),
    })),
  }));
  return { at: bin.x, name, panels, spoken: spokenOf(name, panels) };
}

/** @param {string} name @param {Readout["panels"]} panels */
function spokenOf(name, panels) {
  const run = (/** @type {Row} */ { label, values }) => `${label} ${values.join(", ")}`.replaceAll("–", "nothing");
  const parts = panels.map(({ panel, rows }) =>
    panel.name ? `${panel.name}: ${rows.map(run).join(", ")}.` : rows.map((row) => `${run(row)}.`).join(" "));
  return [`${name[0].toUpperCase()}${name.slice(1)}.`, ...parts].join(" ");
}
