/**
 * Words about a run, from its numbers.
 * Owns: the words. Pure.
 */

import { isStandardized } from "./data-recipe.ts";
import { openOf } from "./findings.ts";
import { integer, number, plural } from "./format.ts";
import type { Run, RunSeries, State, XAxis } from "./types.ts";

type Reading = { step: number; value: number };
/** updated only a few times a second */
type View =
  | "units"
  | "predictions"
  | "weights"
  | ((run: Run) => { step?: number } | null | undefined);

/** The connection is lost, or the server has lost the experiment. */
const DISCONNECTED = ["reconnecting", "offline", "restarted"];

/** Nothing may be changed: no connection, or no token. */
export const isLocked = (state: State) =>
  state.experiment === null ||
  state.experiment.token === null ||
  ["connecting", ...DISCONNECTED].includes(state.connection.status);

/**
 * Controls that change something are offered: not to visitors, and not while the server cannot
 * store.
 */
export const mayChange = ({ experiment, isReadOnly }: State) =>
  experiment !== null && experiment.token !== null && !isReadOnly;

/** The lowest hidden layer whose units are all dead, counted from 1. */
export function deadLayer({ units }: Run) {
  const place = (units?.layers ?? []).findIndex(
    ({ dead }) => dead.length > 0 && dead.every(Boolean),
  );
  return place < 0 ? null : place + 1;
}

/**
 * Recent steps for the trend: an eighth of the run's steps, at least 20. The Doctor calls a run
 * healthy while the loss falls by 1 % from the first eighth to the last, over an eighth of the run
 * or 200 steps. Here two halves are compared, which lie four sevenths as far apart, and over fewer
 * steps a loss falls by less.
 */
const LATELY = { share: 0.125, least: 20, doctors: 200 };
const FLAT = (0.01 * 4) / 7;
/**
 * Limits in standard errors below which a difference is noise, and in losses beyond which the last
 * one is a jump.
 */
const NOISE = 2,
  JUMP = 2;

/** Number of recent steps used for the trend. */
const lately = (step: number) => Math.max(LATELY.least, Math.floor(step * LATELY.share));

/**
 * Compares the mean loss of the later half of recent losses with the earlier half: falling, flat or
 * rising. Returns null for a single loss, for a difference within the noise, and for a last loss
 * far beyond the others.
 * @param readings oldest first
 * @param step the run's present step
 */
export function trendOf(
  readings: Reading[],
  step: number,
): "falling" | "flat" | "rising" | undefined {
  const recent = readings
    .filter((reading) => reading.step >= step - lately(step))
    .map(({ value }) => value);
  if (recent.length < 2) return undefined;
  const last = recent[recent.length - 1],
    others = recent.slice(0, -1);
  if (last > JUMP * Math.max(...others)) return "rising";
  if (JUMP * last < Math.min(...others)) return "falling";
  const half = Math.floor(recent.length / 2);
  const before = meanOf(recent.slice(0, half));
  const change = meanOf(recent.slice(half)) - before;
  const flat = FLAT * Math.min(1, lately(step) / LATELY.doctors);
  if (Math.abs(change) <= Math.max(flat * before, NOISE * errorOf(recent))) return "flat";
  return change < 0 ? "falling" : "rising";
}

/**
 * The standard error of the difference of the halves' means, from differences of neighbours, so
 * that a slope is no noise.
 */
function errorOf(values: number[]) {
  if (values.length < 4) return 0;
  const apart = values.slice(1).map((value, k) => (value - values[k]) ** 2);
  return Math.sqrt((2 * meanOf(apart)) / values.length);
}

/**
 * Recent losses for the trend, oldest first.
 * @param until the last step that counts
 */
export function readingsOf(series: RunSeries | null, until = Infinity): Reading[] {
  const loss = series?.values("train_loss");
  if (!series || !loss) return [];
  const readings = [];
  for (let i = series.length - 1; i >= 0 && readings.length < 400; i--) {
    if (loss.count[i] > 0 && series.last[i] <= until)
      readings.push({ step: series.last[i], value: loss.mean[i] });
  }
  return readings.reverse();
}

const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** True if a command to remove the run is not answered yet. */
export const isLeaving = ({ pending }: State, name: string) =>
  Object.values(pending).some(({ do: what, run }) => what === "remove_run" && run === name);

export type Glyph = "problem" | "warning" | "check" | "dead" | "cross" | "dot" | "flat" | "rising";
/** `of` is the thing with that state */
export type Verdict = {
  word: string;
  glyph: Glyph | null;
  tone: "ok" | "warn" | "bad" | "muted";
  of?: string;
};

const TRENDS: Record<"falling" | "flat" | "rising", Verdict> = {
  falling: { word: "falling", glyph: "check", tone: "ok" },
  flat: { word: "flat", glyph: "flat", tone: "warn" },
  rising: { word: "rising", glyph: "rising", tone: "warn" },
};

/** Before two losses the trend is unknown. */
const NOT_KNOWN: Verdict = { word: "", glyph: null, tone: "muted" };

/**
 * The word for a run's state, with glyph and tone. Problems come before playing; without a
 * connection a playing run's state is unknown.
 */
export function stateOf(run: Run, { playback, looking, connection }: State): Verdict {
  if (run.status === "diverged") return { word: "diverged", glyph: "cross", tone: "bad" };
  const dead = deadWords(run);
  if (dead) return { word: dead, glyph: "dead", tone: "bad" };
  if (run.step === 0) return { word: "waiting", glyph: null, tone: "muted" };
  if (run.status === "finished") return { word: "finished", glyph: "check", tone: "ok" };
  if (!playback.playing && !looking) return { word: "paused", glyph: null, tone: "muted" };
  if (!looking && DISCONNECTED.includes(connection.status))
    return { word: "no news", glyph: null, tone: "muted" };
  return run.trend
    ? {
        ...TRENDS[run.trend],
        of: `train loss, the last ${plural(Math.min(run.step, lately(run.step)), "step")}`,
      }
    : NOT_KNOWN;
}

/** "layer 2 dead", by the Doctor's findings or the units on view; empty if there is none. */
function deadWords(run: Run) {
  const dead = openOf(run, "dead_layer");
  const layer = deadLayer(run);
  return dead?.mark ?? (layer === null ? "" : `layer ${layer} dead`);
}

/** " since step 214" for a dead layer. */
export function sinceWords(run: Run) {
  const dead = openOf(run, "dead_layer");
  return dead ? ` since step ${integer(dead.since_step)}` : "";
}

/** The loss chart in one sentence a run, rewritten only when the story changes. */
export function lossSummary(state: State) {
  const { experiment, order, runs, view } = state;
  const stories = order
    .filter((name) => !runs[name].hidden)
    .map((name) => {
      const run = runs[name];
      const start = number(experiment?.initialLoss);
      if (run.step === 0) return `${run.label} starts at ${start}.`;
      if (run.status === "diverged")
        return `${run.label} started at ${start} and diverged at step ${integer(run.divergedAt ?? run.step)}.`;
      const { word } = stateOf(run, state);
      return `${run.label} started at ${start}${word && `: ${word}${sinceWords(run)}`}.`;
    });
  return `Loss by ${AXIS_WORDS[view.x]}. ${stories.join(" ")}`;
}

export const X_AXES: { value: XAxis; text: string }[] = [
  { value: "steps", text: "steps" },
  { value: "epochs", text: "epochs" },
  { value: "samples", text: "samples seen" },
  { value: "seconds", text: "seconds" },
];

export const AXIS_WORDS = {
  steps: "step",
  epochs: "epoch",
  samples: "samples seen",
  seconds: "seconds of computing",
};

export function gradientSummary({ view, experiment, order, runs }: State) {
  const what = {
    grad_l1: "Sum of absolute gradients",
    grad_l2: "L2 norm of the gradient",
    grad_mean: "Mean absolute gradient",
    ratio: "Update over weight",
  };
  const zero = order.filter((name) =>
    experiment?.weights.some(
      (weight) => runs[name].latest[`${view.measure}/${weight}`]?.value === 0,
    ),
  );
  const dead = zero.length
    ? ` Exactly 0 in ${zero.map((name) => runs[name].label).join(" and ")}.`
    : "";
  return `${what[view.measure]} of each layer by ${AXIS_WORDS[view.x]}.${dead}`;
}

export function scatterSummary({ order, runs, experiment }: State) {
  const split = experiment?.testSamples ? "test" : "training";
  const values = isStandardized(experiment, "targets") ? "standardized values" : "values";
  return `Predicted against true ${values} of ${split} samples, one square a run: ${order.map((name) => runs[name].label).join(", ")}.`;
}

/** The largest step of the visible runs. */
export const furthest = ({ order, runs }: State) =>
  Math.max(0, ...order.filter((name) => !runs[name].hidden).map((name) => runs[name].step));

/** Tolerance while runs play level by steps: their answers are of slightly different moments. */
const LEVEL = { least: 8, share: 0.02 };

const isOnTheMove = ({ playback, looking }: State) => playback.playing && !looking;

/** How far a run may be behind and still count as level. */
const slackAt = (state: State, step: number) =>
  isOnTheMove(state) ? Math.max(LEVEL.least, LEVEL.share * step) : 0;

/** The step of all numbers, and the runs that stand elsewhere: "1,284", "900 (GD at 184)". */
export function whereWords(
  state: State,
  places: { label: string; step: number }[] = state.order.map((name) => state.runs[name]),
) {
  const step = Math.max(0, ...places.map((run) => run.step));
  const slack = slackAt(state, step);
  const others = places
    .filter((run) => step - run.step > slack)
    .map((run) => `${run.label} at ${integer(run.step)}`);
  return others.length ? `${integer(step)} (${others.join(", ")})` : integer(step);
}

/**
 * Steps of a view that is updated a few times a second: while runs move, and where it differs from
 * the table's step; else none.
 */
function viewPlaces(state: State, visible: Run[], view: View) {
  const places = visible.flatMap((run) => {
    const step = (typeof view === "string" ? run[view] : view(run))?.step;
    return step === undefined ? [] : [{ label: run.label, step, isElsewhere: step !== run.step }];
  });
  return isOnTheMove(state) || places.some(({ isElsewhere }) => isElsewhere) ? places : [];
}

/** The step of a view: "step 1,128 (GD at 871)"; may be empty. */
export function viewWords(state: State, visible: Run[], view: View) {
  const places = viewPlaces(state, visible, view);
  return places.length ? `step ${whereWords(state, places)}` : "";
}

/** The same without names, for a short line: "steps 871 to 1,128". */
export function viewSteps(state: State, visible: Run[], view: View) {
  const steps = viewPlaces(state, visible, view).map(({ step }) => step);
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  if (!steps.length) return "";
  return most - least > slackAt(state, most)
    ? `steps ${integer(least)} to ${integer(most)}`
    : `step ${integer(most)}`;
}
