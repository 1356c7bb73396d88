/**
 * What the instruments of a run told while they were open: the last answer of each whole, those before as a trail of numbers.
 * Owns: which instruments belong to a view, how much of a trail is kept, and the words for what is measured. Pure.
 */

import { integer, number, short } from "./format.js";
import { stepOf } from "./moments.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Json} Json */
/** @typedef {{figure: string, instrument: string, name: string, brief: string, value: (told: Json) => string, least: (told: Json) => string, says: (told: Json) => string}} Gauge
 *   `brief` and `least` are name and value where there is little room; a value changes with every measurement, what it `says` with the story */
/** @typedef {{value: string, text: string, gauges: Gauge[]}} Choice */

/** The edge itself is a band: so close to it a run is at it. */
const NEAR = 0.1;

/** @param {number|null} edge */
const edgeWords = (edge) => (edge === null ? "not known yet" : edge > 1 + NEAR ? "beyond the edge of stability" : edge >= 1 - NEAR ? "at the edge of stability" : "below the edge of stability");

/** @param {number|null} alpha */
const alphaWords = (alpha) => (alpha === null ? "no step" : alpha > 1 ? "the step goes uphill" : alpha > 0 ? "the step goes beyond the lowest point" : "the step ends before the lowest point");

/** @param {number|null} scale @param {number} batch */
const noiseWords = (scale, batch) => (scale === null ? "no signal" : scale > batch ? "a batch has more noise than signal" : "a batch has more signal than noise");

/** @type {Record<string, Gauge>} */
export const GAUGES = {
  edge: {
    figure: "edge", instrument: "curvature", name: "Sharpness", brief: "Sharpness", least: ({ sharpness }) => short(sharpness, 2), value: ({ sharpness, limit }) => `${number(sharpness)} of ${number(limit)}`, says: ({ edge }) => edgeWords(edge),
  },
  alpha: { figure: "alpha", instrument: "alpha", name: "Step length α", brief: "Step α", least: ({ batch }) => short(batch.alpha, 2), value: ({ batch }) => number(batch.alpha), says: ({ batch }) => alphaWords(batch.alpha) },
  noise: {
    figure: "noise", instrument: "noise", name: "Noise ÷ signal", brief: "Noise", least: ({ noise_scale: scale }) => short(scale, 2), value: ({ noise_scale: scale, batch_size: batch }) => `${number(scale)}, batch ${integer(batch)}`,
    says: ({ noise_scale: scale, batch_size: batch }) => noiseWords(scale, batch),
  },
};

/** The choice that comes first: the three gauges. */
export const FIRST = "gauges";

/** @type {Choice[]} */
export const CHOICES = [{ value: FIRST, text: "Edge, step, noise", gauges: [GAUGES.edge, GAUGES.alpha, GAUGES.noise] }];

/** @param {State} state */
export const choiceOf = ({ view }) => CHOICES.find(({ value }) => value === view.instruments) ?? CHOICES[0];

/** The instruments that are open, each once. @param {State} state */
export const openInstruments = (state) => (state.view.panel === "instruments" ? [...new Set(choiceOf(state).gauges.map(({ instrument }) => instrument))] : []);

/** The run that is measured, and where: its present step, or that at which one looks. @param {State} state */
export function measuredAt({ order, runs, view, looking }) {
  const run = runs[view.selectedRun ?? order[0]];
  return run ? { run, step: looking ? stepOf(run, looking.step) : run.step, isPast: looking !== null && looking.step < run.step } : null;
}

/** Of all answers of one instrument so many are kept; where there are more, every second of the older ones goes. */
export const MOST = 300;

/** Numbers, and names of numbers: what a trail can be drawn of. @param {Json} told @returns {Json} */
function light(told) {
  const numbers = Object.entries(told).map(([key, value]) => [key, value !== null && typeof value === "object" && !Array.isArray(value) ? light(value) : value]);
  return Object.fromEntries(numbers.filter(([, value]) => !Array.isArray(value)));
}

/** @param {Json[]} trail  by step */
function thinned(trail) {
  return trail.length > MOST ? trail.filter((_, k) => k % 2 === 0 || k === trail.length - 1) : trail;
}

/**
 * The state after an answer. One of another life of the run, or of none, changes nothing.
 * @param {State} state
 * @param {{run: string, name: string, answer: Json}} told
 * @returns {State}
 */
export function withMeasured(state, { run, name, answer }) {
  const { generation } = answer;
  if (state.runs[run]?.generation !== generation) return state;
  /** @type {import("./types.js").Measured} */
  const held = state.instruments[run]?.generation === generation ? state.instruments[run] : { generation, last: {}, trails: {} };
  const others = (held.trails[name] ?? []).filter(({ step }) => step !== answer.step);
  const trail = thinned([...others, light(answer)].sort((a, b) => a.step - b.step));
  return { ...state, instruments: { ...state.instruments, [run]: { generation, last: { ...held.last, [name]: answer }, trails: { ...held.trails, [name]: trail } } } };
}

/** What one instrument told of a run in this life of it. @param {State} state @param {string} run @param {string} name @returns {{last: Json|undefined, trail: Json[]}} */
export function toldOf(state, run, name) {
  const held = state.instruments[run];
  const isOfNow = held?.generation === state.runs[run]?.generation;
  return { last: isOfNow ? held.last[name] : undefined, trail: isOfNow ? held.trails[name] ?? [] : [] };
}

/** A gauge in one sentence, rewritten when its story changes. @param {State} state @param {Gauge} gauge */
export function gaugeSummary(state, { instrument, name, says }) {
  const at = measuredAt(state);
  const last = at ? toldOf(state, at.run.name, instrument).last : undefined;
  return last && at ? `${name} of ${at.run.label}: ${says(last)}.` : `${name}, not measured yet.`;
}

/** All numbers of the open gauges, in words: what the charts show. @param {State} state */
export function readingWords(state) {
  const at = measuredAt(state);
  if (!at) return "";
  const told = choiceOf(state).gauges.map(({ name, instrument, value }) => {
    const { last } = toldOf(state, at.run.name, instrument);
    return last ? `${name} ${value(last)}` : null;
  });
  return [at.run.label, ...told.filter(Boolean)].join(", ");
}

/** What the open instruments cost, and how often they are measured: "takes 12 ms, every 0.4 s". @param {State} state */
export function costWords(state) {
  const at = measuredAt(state);
  const told = at ? openInstruments(state).map((name) => toldOf(state, at.run.name, name).last) : [];
  if (!told.length || told.some((one) => !one)) return "";
  const sum = (/** @type {string} */ field) => told.reduce((all, one) => all + (one?.[field] ?? 0), 0);
  const cost = sum("cost_seconds");
  const takes = `takes ${cost < 0.9995 ? `${integer(Math.max(1, 1000 * cost))} ms` : `${number(cost)} s`}`;
  return state.playback.playing && !state.looking ? `${takes}, every ${Math.max(0.1, cost + sum("again_seconds")).toFixed(1)} s` : takes;
}
