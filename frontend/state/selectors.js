/**
 * What can be said about a run from its numbers, in the words of the page.
 * Owns: the words. Pure; must not know elements or drawing.
 */

import { isStandardized } from "./data-recipe.js";
import { openOf } from "./findings.js";
import { integer, number, plural } from "./format.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {{step: number, value: number}} Reading */
/** @typedef {"units"|"predictions"|"weights"|((run: Run) => {step?: number}|null|undefined)} View  what is looked at of a run now and then */

/** While the line is cut, or the server has forgotten. */
const UNHEARD = ["reconnecting", "offline", "restarted"];

/** Nothing may be changed: no line to the server, or no token. @param {State} state */
export const isLocked = (state) =>
  state.experiment === null || state.experiment.token === null ||
  ["connecting", ...UNHEARD].includes(state.connection.status);

/** What would change something is offered at all: not to those who only watch, nor on a server that cannot store. @param {State} state */
export const mayChange = ({ experiment, isReadOnly }) => experiment !== null && experiment.token !== null && !isReadOnly;

/**
 * The lowest hidden layer all of whose units are dead, counted from 1.
 * @param {Run} run
 */
export function deadLayer({ units }) {
  const place = (units?.layers ?? []).findIndex(({ dead }) => dead.length > 0 && dead.every(Boolean));
  return place < 0 ? null : place + 1;
}

/**
 * An eighth of what was made so far, but not fewer than 20 steps, is "lately". Flat is what the Doctor no longer calls learning
 * (`healthy`): that eighth, or 200 steps, in which a loss falls by less than a hundredth from the first eighth to the last. Halves
 * lie four sevenths as far apart; and in fewer steps a loss falls by less.
 */
const LATELY = { share: 0.125, least: 20, doctors: 200 };
const FLAT = (0.01 * 4) / 7;
/** A difference of means is noise below so many of its own standard errors; the last loss is a jump beyond so many times all others. */
const NOISE = 2, JUMP = 2;

/** Of how many steps what is lately is, of a run that stands there. @param {number} step */
const lately = (step) => Math.max(LATELY.least, Math.floor(step * LATELY.share));

/**
 * Falling, flat or rising: the mean of the later half of the recent losses against that of the earlier half, unless noise may
 * have made the difference, or the last one lies far beyond all others. One loss tells nothing. It is of the losses alone: what
 * the Doctor found was so when it was seen, and not of those that are shown.
 * @param {Reading[]} readings  oldest first
 * @param {number} step         where the run stands
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

/** The standard error of a difference of both halves' means, by how far neighbours lie apart, so that a slope is no noise. @param {number[]} values */
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

/** Whether it was asked to take a run out, and nothing is answered yet. @param {State} state @param {string} name */
export const isLeaving = ({ pending }, name) => Object.values(pending).some(({ do: what, run }) => what === "remove_run" && run === name);

/** @typedef {"problem"|"warning"|"check"|"dead"|"cross"|"dot"|"flat"|"rising"} Glyph */
/** @typedef {{word: string, glyph: Glyph|null, tone: "ok"|"warn"|"bad"|"muted", of?: string}} Verdict  `of` what the word is */

/** @type {Record<"falling"|"flat"|"rising", Verdict>} */
const TRENDS = {
  falling: { word: "falling", glyph: "check", tone: "ok" },
  flat: { word: "flat", glyph: "flat", tone: "warn" },
  rising: { word: "rising", glyph: "rising", tone: "warn" },
};

/** How a run goes is not known before there are two losses: then nothing is said of it. @type {Verdict} */
const NOT_KNOWN = { word: "", glyph: null, tone: "muted" };

/**
 * The word for a run's state, with its shape and tone. What is wrong with the run comes before whether it moves; and of one
 * that moves on a server which is not heard nothing is known.
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
  if (!looking && UNHEARD.includes(connection.status)) return { word: "no news", glyph: null, tone: "muted" };
  return run.trend ? { ...TRENDS[run.trend], of: `train loss, the last ${plural(Math.min(run.step, lately(run.step)), "step")}` } : NOT_KNOWN;
}

/** "layer 2 dead", by what the Doctor has found or what the units show; nothing where none is. @param {Run} run */
function deadWords(run) {
  const found = openOf(run, "dead_layer");
  const layer = deadLayer(run);
  return found?.mark ?? (layer === null ? "" : `layer ${layer} dead`);
}

/** " since step 214" of a layer that is dead. @param {Run} run */
export function sinceWords(run) {
  const found = openOf(run, "dead_layer");
  return found ? ` since step ${integer(found.since_step)}` : "";
}

/**
 * The loss chart in one sentence a run; rewritten when the story changes, so it leaves fast numbers to the table.
 * @param {State} state
 */
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

/** The largest step of the runs that are shown. @param {State} state */
export const furthest = ({ order, runs }) => Math.max(0, ...order.filter((name) => !runs[name].hidden).map((name) => runs[name].step));

/** While runs are level by steps they are told at slightly different moments: nobody stands elsewhere for that. */
const LEVEL = { least: 8, share: 0.02 };

/** @param {State} state */
const isOnTheMove = ({ playback, looking }) => playback.playing && !looking;

/** How far a run may be behind and still count as level. @param {State} state @param {number} step */
const slackAt = (state, step) => (isOnTheMove(state) ? Math.max(LEVEL.least, LEVEL.share * step) : 0);

/**
 * The step at which all numbers are, and who is elsewhere: "1,284", "900 (GD at 184)".
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
 * Where a view is of each run that is looked at a few times a second only: told while runs move, and wherever it is not the
 * step that the table names; else none.
 * @param {State} state
 * @param {Run[]} shown
 * @param {View} view
 */
function viewPlaces(state, shown, view) {
  const places = shown.flatMap((run) => {
    const step = (typeof view === "string" ? run[view] : view(run))?.step;
    return step === undefined ? [] : [{ label: run.label, step, isElsewhere: step !== run.step }];
  });
  return isOnTheMove(state) || places.some(({ isElsewhere }) => isElsewhere) ? places : [];
}

/** Of which step that is: "step 1,128 (GD at 871)", or nothing. @param {State} state @param {Run[]} shown @param {View} view */
export function viewWords(state, shown, view) {
  const places = viewPlaces(state, shown, view);
  return places.length ? `step ${whereWords(state, places)}` : "";
}

/** The same without names, for many runs in a short line: "steps 871 to 1,128". @param {State} state @param {Run[]} shown @param {View} view */
export function viewSteps(state, shown, view) {
  const steps = viewPlaces(state, shown, view).map(({ step }) => step);
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  if (!steps.length) return "";
  return most - least > slackAt(state, most) ? `steps ${integer(least)} to ${integer(most)}` : `step ${integer(most)}`;
}
