/**
 * Words about a run, from its numbers.
 * Owns: the words. Pure.
 */

import { isStandardized } from "./data-recipe.js";
import { openOf } from "./findings.js";
import { integer, number, plural } from "./format.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {{step: number, value: number}} Reading */
/** @typedef {"units"|"predictions"|"weights"|((run: Run) => {step?: number}|null|undefined)} View  updated only a few times a second */

/** The connection is lost, or the server has lost the experiment. */
const DISCONNECTED = ["reconnecting", "offline", "restarted"];

/** Nothing may be changed: no connection, or no token. @param {State} state */
export const isLocked = (state) =>
  state.experiment === null || state.experiment.token === null ||
  ["connecting", ...DISCONNECTED].includes(state.connection.status);

/** Controls that change something are offered: not to visitors, and not while the server cannot store. @param {State} state */
export const mayChange = ({ experiment, isReadOnly }) => experiment !== null && experiment.token !== null && !isReadOnly;

/** The lowest hidden layer whose units are all dead, counted from 1. @param {Run} run */
export function deadLayer({ units }) {
  const place = (units?.layers ?? []).findIndex(({ dead }) => dead.length > 0 && dead.every(Boolean));
  return place < 0 ? null : place + 1;
}

/**
 * Recent steps for the trend: an eighth of the run's steps, at least 20. The Doctor calls a run healthy while the loss
 * falls by 1 % from the first eighth to the last, over an eighth of the run or 200 steps. Here two halves are
 * compared, which lie four sevenths as far apart, and over fewer steps a loss falls by less.
 */
const LATELY = { share: 0.125, least: 20, doctors: 200 };
const FLAT = (0.01 * 4) / 7;
/** Limits in standard errors below which a difference is noise, and in losses beyond which the last one is a jump. */
const NOISE = 2, JUMP = 2;

/** Number of recent steps used for the trend. @param {number} step */
const lately = (step) => Math.max(LATELY.least, Math.floor(step * LATELY.share));

/**
 * Compares the mean loss of the later half of recent losses with the earlier half: falling, flat or rising. Returns
 * null for a single loss, for a difference within the noise, and for a last loss far beyond the others.
 * @param {Reading[]} readings  oldest first
 * @param {number} step  the run's present step
 * @returns {"falling"|"flat"|"rising"|undefined}
 */
export function trendOf(readings, step) {
  const recent = readings.filter((reading) => reading.step >= step - lately(step)).map(({ value }) => value);
  if (recent.length < 2) return undefined;
  const last = recent[recent.length - 1], others = recent.slice(0, -1);
  if (last > JUMP * Math.max(...others)) return "rising";
  if (JUMP * last < Math.min(...others)) return "falling";
  const half = Math.floor(recent.length / 2);
  const before = meanOf(recent.slice(0, half));
  const change = meanOf(recent.slice(half)) - before;
  const flat = FLAT * Math.min(1, lately(step) / LATELY.doctors);
  if (Math.abs(change) <= Math.max(flat * before, NOISE * errorOf(recent))) return "flat";
  return change < 0 ? "falling" : "rising";
}

/** The standard error of the difference of the halves' means, from differences of neighbours, so that a slope is no noise. @param {number[]} values */
function errorOf(values) {
  if (values.length < 4) return 0;
  const apart = values.slice(1).map((value, k) => (value - values[k]) ** 2);
  return Math.sqrt((2 * meanOf(apart)) / values.length);
}

/**
 * Recent losses for the trend, oldest first.
 * @param {import("./types.js").RunSeries|null} series
 * @param {number} [until]  the last step that counts
 * @returns {Reading[]}
 */
export function readingsOf(series, until = Infinity) {
  const loss = series?.values("train_loss");
  if (!series || !loss) return [];
  const readings = [];
  for (let i = series.length - 1; i >= 0 && readings.length < 400; i--) {
    if (loss.count[i] > 0 && series.last[i] <= until) readings.push({ step: series.last[i], value: loss.mean[i] });
  }
  return readings.reverse();
}

/** @param {number[]} values */
const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** True if a command to remove the run is not answered yet. @param {State} state @param {string} name */
export const isLeaving = ({ pending }, name) => Object.values(pending).some(({ do: what, run }) => what === "remove_run" && run === name);

/** @typedef {"problem"|"warning"|"check"|"dead"|"cross"|"dot"|"flat"|"rising"} Glyph */
/** @typedef {{word: string, glyph: Glyph|null, tone: "ok"|"warn"|"bad"|"muted", of?: string}} Verdict  `of` is the thing with that state */

/** @type {Record<"falling"|"flat"|"rising", Verdict>} */
const TRENDS = {
  falling: { word: "falling", glyph: "check", tone: "ok" },
  flat: { word: "flat", glyph: "flat", tone: "warn" },
  rising: { word: "rising", glyph: "rising", tone: "warn" },
};

/** Before two losses the trend is unknown. @type {Verdict} */
const NOT_KNOWN = { word: "", glyph: null, tone: "muted" };

/**
 * The word for a run's state, with glyph and tone. Problems come before playing; without a connection a playing run's
 * state is unknown.
 * @param {Run} run
 * @param {State} state
 * @returns {Verdict}
 */
export function stateOf(run, { playback, looking, connection }) {
  if (run.status === "diverged") return { word: "diverged", glyph: "cross", tone: "bad" };
  const dead = deadWords(run);
  if (dead) return { word: dead, glyph: "dead", tone: "bad" };
  if (run.step === 0) return { word: "waiting", glyph: null, tone: "muted" };
  if (run.status === "finished") return { word: "finished", glyph: "check", tone: "ok" };
  if (!playback.playing && !looking) return { word: "paused", glyph: null, tone: "muted" };
  if (!looking && DISCONNECTED.includes(connection.status)) return { word: "no news", glyph: null, tone: "muted" };
  return run.trend ? { ...TRENDS[run.trend], of: `train loss, the last ${plural(Math.min(run.step, lately(run.step)), "step")}` } : NOT_KNOWN;
}

/** "layer 2 dead", by the Doctor's findings or the units on view; empty if there is none. @param {Run} run */
function deadWords(run) {
  const dead = openOf(run, "dead_layer");
  const layer = deadLayer(run);
  return dead?.mark ?? (layer === null ? "" : `layer ${layer} dead`);
}

/** " since step 214" for a dead layer. @param {Run} run */
export function sinceWords(run) {
  const dead = openOf(run, "dead_layer");
  return dead ? ` since step ${integer(dead.since_step)}` : "";
}

/** The loss chart in one sentence a run, rewritten only when the story changes. @param {State} state */
export function lossSummary(state) {
  const { experiment, order, runs, view } = state;
  const stories = order.filter((name) => !runs[name].hidden).map((name) => {
    const run = runs[name];
    const start = number(experiment?.initialLoss);
    if (run.step === 0) return `${run.label} starts at ${start}.`;
    if (run.status === "diverged") return `${run.label} started at ${start} and diverged at step ${integer(run.divergedAt ?? run.step)}.`;
    const { word } = stateOf(run, state);
    return `${run.label} started at ${start}${word && `: ${word}${sinceWords(run)}`}.`;
  });
  return `Loss by ${AXIS_WORDS[view.x]}. ${stories.join(" ")}`;
}

export const AXIS_WORDS = { steps: "step", epochs: "epoch", samples: "samples seen", seconds: "seconds of computing" };

/** @param {State} state */
export function gradientSummary({ view, experiment, order, runs }) {
  const what = { grad_l1: "Sum of absolute gradients", grad_l2: "L2 norm of the gradient", grad_mean: "Mean absolute gradient", ratio: "Update over weight" };
  const zero = order.filter((name) => experiment?.weights.some((weight) => runs[name].latest[`${view.measure}/${weight}`]?.value === 0));
  const dead = zero.length ? ` Exactly 0 in ${zero.map((name) => runs[name].label).join(" and ")}.` : "";
  return `${what[view.measure]} of each layer by ${AXIS_WORDS[view.x]}.${dead}`;
}

/** @param {State} state */
export function scatterSummary({ order, runs, experiment }) {
  const split = experiment?.testSamples ? "test" : "training";
  const values = isStandardized(experiment, "targets") ? "standardized values" : "values";
  return `Predicted against true ${values} of ${split} samples, one square a run: ${order.map((name) => runs[name].label).join(", ")}.`;
}

/** The largest step of the visible runs. @param {State} state */
export const furthest = ({ order, runs }) => Math.max(0, ...order.filter((name) => !runs[name].hidden).map((name) => runs[name].step));

/** Tolerance while runs play level by steps: their answers are of slightly different moments. */
const LEVEL = { least: 8, share: 0.02 };

/** @param {State} state */
const isOnTheMove = ({ playback, looking }) => playback.playing && !looking;

/** How far a run may be behind and still count as level. @param {State} state @param {number} step */
const slackAt = (state, step) => (isOnTheMove(state) ? Math.max(LEVEL.least, LEVEL.share * step) : 0);

/**
 * The step of all numbers, and the runs that stand elsewhere: "1,284", "900 (GD at 184)".
 * @param {State} state
 * @param {{label: string, step: number}[]} [places]
 */
export function whereWords(state, places = state.order.map((name) => state.runs[name])) {
  const step = Math.max(0, ...places.map((run) => run.step));
  const slack = slackAt(state, step);
  const others = places.filter((run) => step - run.step > slack).map((run) => `${run.label} at ${integer(run.step)}`);
  return others.length ? `${integer(step)} (${others.join(", ")})` : integer(step);
}

/**
 * Steps of a view that is updated a few times a second: while runs move, and where it differs from the table's step;
 * else none.
 * @param {State} state
 * @param {Run[]} visible
 * @param {View} view
 */
function viewPlaces(state, visible, view) {
  const places = visible.flatMap((run) => {
    const step = (typeof view === "string" ? run[view] : view(run))?.step;
    return step === undefined ? [] : [{ label: run.label, step, isElsewhere: step !== run.step }];
  });
  return isOnTheMove(state) || places.some(({ isElsewhere }) => isElsewhere) ? places : [];
}

/** The step of a view: "step 1,128 (GD at 871)"; may be empty. @param {State} state @param {Run[]} visible @param {View} view */
export function viewWords(state, visible, view) {
  const places = viewPlaces(state, visible, view);
  return places.length ? `step ${whereWords(state, places)}` : "";
}

/** The same without names, for a short line: "steps 871 to 1,128". @param {State} state @param {Run[]} visible @param {View} view */
export function viewSteps(state, visible, view) {
  const steps = viewPlaces(state, visible, view).map(({ step }) => step);
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  if (!steps.length) return "";
  return most - least > slackAt(state, most) ? `steps ${integer(least)} to ${integer(most)}` : `step ${integer(most)}`;
}
