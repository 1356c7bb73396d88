/**
 * The knobs of a run's card: a table of settings, and which of them apply.
 * Owns: their words, scales and refusals. Must not know the card.
 */

import { make } from "./dom.js";
import { knob } from "./knob.js";
import { evenScale, logScale, ninesScale, powersOfTwo } from "./scales.js";
import { integer, plural, setting } from "../state/format.js";

/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {import("../state/types.js").Experiment} Experiment */
/** @typedef {import("./scales.js").Scale} Scale */

/**
 * @typedef {object} Row
 * @property {string} text
 * @property {string} name     before "of GD"
 * @property {string} setting  the recipe's name for it
 * @property {Scale} scale
 * @property {(run: Run) => boolean} applies
 * @property {(value: number) => string|null} refuse
 * @property {(value: number) => string} say
 * @property {boolean} [whole]
 */

const LARGEST_BATCH = 512;

/** @param {number} value */
const refuseShare = (value) => (value >= 0 && value < 1 ? null : "From 0 to just below 1.");
/** @param {string} name */
const saying = (name) => (/** @type {number} */ value) => `${name} ${setting(value)}`;
/** @param {string} name */
const uses = (name) => (/** @type {Run} */ run) => run.settings.optimizer === name;

/** @type {Row[]} */
const ROWS = [
  {
    text: "Rate", name: "Learning rate", setting: "learning_rate", scale: logScale(1e-5, 4), applies: () => true,
    refuse: (value) => (value > 0 ? (value <= 1e6 ? null : "At most 1,000,000.") : "A rate is a number above 0."), say: saying("learning rate"),
  },
  {
    text: "Batch", name: "Batch size", setting: "batch_size", scale: powersOfTwo(LARGEST_BATCH), whole: true,
    applies: ({ settings: { batch_size: size } }) => size !== null && size !== 1,
    refuse: (value) => (Number.isInteger(value) && value >= 1 && value <= LARGEST_BATCH ? null : `A whole number from 1 to ${LARGEST_BATCH}.`),
    say: (value) => plural(value, "sample"),
  },
  { text: "Momentum", name: "Momentum", setting: "momentum", scale: evenScale(0, 0.99, 0.01), applies: uses("momentum"), refuse: refuseShare, say: saying("momentum") },
  { text: "Beta 1", name: "Beta 1", setting: "beta1", scale: evenScale(0, 0.99, 0.01), applies: uses("adam"), refuse: refuseShare, say: saying("beta 1") },
  { text: "Beta 2", name: "Beta 2", setting: "beta2", scale: ninesScale(5), applies: uses("adam"), refuse: refuseShare, say: saying("beta 2") },
];

/**
 * @param {Run} run
 * @param {App} app
 */
export function knobsFor(run, app) {
  return ROWS.filter((row) => row.applies(run)).map((row) => {
    const { root, show } = knob({
      ...row, name: `${row.name} of ${run.label}`, format: setting,
      apply: (value) => app.edit(run.name, { [row.setting]: value }),
    });
    root.dataset.setting = row.setting;
    return { root, show: (/** @type {Run} */ now) => show(now.settings[row.setting] ?? 0) };
  });
}

/** The muted line of a run that has no batch size to choose. @param {Run} run @param {Experiment} experiment */
export function batchLine(run, { trainSamples }) {
  const one = run.settings.order === "sequential" ? "1, in the order of the data" : "1, drawn at random";
  const text = run.settings.batch_size === null ? `${integer(trainSamples)}, every sample` : one;
  return make("div", { class: "knob" }, make("span", {}, "Batch"), make("span", { class: "muted wide" }, text));
}
