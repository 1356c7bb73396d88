/**
 * Words about a run, from its numbers.
 * Owns: the words. Pure.
 */

import { isStandardized } from "./data-recipe.ts";
import { isAhead, openOf } from "./findings.ts";
import { integer, number } from "./format.ts";
import { panelsFor } from "./gradient-panels.ts";
import type { Run, State, Verdict, XAxis } from "./types.ts";

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

/** True if a command to remove the run is not answered yet. */
export const isLeaving = ({ pending }: State, name: string) =>
  Object.values(pending).some(({ do: what, run }) => what === "remove_run" && run === name);

export type Glyph = "problem" | "warning" | "check" | "dead" | "cross" | "dot" | "flat" | "rising";
/** `says` is a sentence about it */
export type StateWords = {
  word: string;
  glyph: Glyph | null;
  tone: "ok" | "warn" | "bad" | "muted";
  says?: string;
};

const VERDICTS: Record<Verdict, StateWords> = {
  waiting: {
    word: "waiting",
    glyph: null,
    tone: "muted",
    says: "It has not made a step yet.",
  },
  learning: {
    word: "learning",
    glyph: "check",
    tone: "ok",
    says: "Its train loss is below that of the best constant guess.",
  },
  overfitting: {
    word: "overfitting",
    glyph: "rising",
    tone: "warn",
    says: "Its test loss is 20 % above its best, and rising.",
  },
  on_the_way: {
    word: "on its way",
    glyph: "dot",
    tone: "muted",
    says: "It is no better than a constant guess yet, but its loss falls.",
  },
  flat: {
    word: "flat",
    glyph: "flat",
    tone: "warn",
    says: "It is no better than a constant guess, and its loss does not fall.",
  },
  dead: {
    word: "dead",
    glyph: "dead",
    tone: "bad",
    says: "A hidden layer outputs 0 for every training sample.",
  },
  diverged: {
    word: "diverged",
    glyph: "cross",
    tone: "bad",
    says: "Its numbers grew without bound, so it stopped.",
  },
};

/** No verdict of that step is known. */
const NOT_KNOWN: StateWords = { word: "", glyph: null, tone: "muted" };
const NO_NEWS: StateWords = {
  word: "no news",
  glyph: null,
  tone: "muted",
  says: "It plays on, but the connection is cut.",
};

/**
 * The word for a run's state, with glyph and tone: the server's verdict. A past step has none;
 * there the Doctor's findings and the units of then say what they can. Without a connection a
 * playing run's state is unknown.
 */
export function stateOf(run: Run, { playback, looking, connection }: State): StateWords {
  if (run.status === "diverged") return VERDICTS.diverged;
  const word = deadWords(run);
  if (word) return { ...VERDICTS.dead, word };
  if (run.step === 0) return VERDICTS.waiting;
  if (playback.playing && !looking && DISCONNECTED.includes(connection.status)) return NO_NEWS;
  return run.verdict && run.verdict !== "waiting" ? verdictOf(run, run.verdict) : NOT_KNOWN;
}

/** Names the verdict's step where the Doctor is behind: "... As of step 1,234." */
function verdictOf(run: Run, verdict: Verdict): StateWords {
  const { says, ...words } = VERDICTS[verdict];
  const when = isAhead(run) ? ` As of step ${integer(run.findingsCompleteTo)}.` : "";
  return { ...words, says: `${says}${when}` };
}

/** "layer 2 dead", by the Doctor's findings, or else by the units on view; "" if none is. */
function deadWords(run: Run) {
  const found = openOf(run, "dead_layer");
  if (found) return found.mark;
  if (run.verdict && run.verdict !== "dead") return "";
  const layer = deadLayer(run);
  return layer === null ? "" : `layer ${layer} dead`;
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
    whole: "L2 norm of the whole gradient, and the rate",
  };
  const panels = panelsFor(view.measure, experiment?.weights ?? []);
  const zero = order.filter((name) =>
    panels.some(({ series }) => runs[name].latest[series]?.value === 0),
  );
  const dead = zero.length
    ? ` Exactly 0 in ${zero.map((name) => runs[name].label).join(" and ")}.`
    : "";
  const where = view.measure === "whole" ? "" : " of each layer";
  return `${what[view.measure]}${where} by ${AXIS_WORDS[view.x]}.${dead}`;
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
