/**
 * Words about a run, from its numbers.
 * Owns: the words. Pure.
 */

import { isStandardized } from "./data-recipe.ts";
import { isAhead, isFarAhead, openOf } from "./findings.ts";
import { integer, number } from "./format.ts";
import { AT_REST as REST_FORMULA, VERDICTS as FORMULAS } from "./formulas.ts";
import { panelsFor } from "./gradient-panels.ts";
import { shownRuns } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
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

/** The line is cut, or the server has lost the experiment: it answers nothing about the past. */
export const isCut = ({ connection }: State) => DISCONNECTED.includes(connection.status);

/** Somebody else's experiment: the page has no token to change it. */
export const isVisitor = ({ experiment }: State) =>
  experiment !== null && experiment.token === null;

/** One's own experiment, which nothing can change before the line is there. */
export const waitsForLine = (state: State) => isLocked(state) && !isVisitor(state);

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
/** `says` is a sentence about it, `formula` is as NumPy */
export type StateWords = {
  word: string;
  glyph: Glyph | null;
  tone: "ok" | "warn" | "bad" | "muted";
  says?: string;
  formula?: string;
};

const VERDICTS: Record<Verdict, StateWords> = {
  waiting: {
    word: texts.waiting,
    glyph: null,
    tone: "muted",
    says: texts.itHasNotMadeAStep,
    formula: FORMULAS.waiting,
  },
  learning: {
    word: texts.learning,
    glyph: "check",
    tone: "ok",
    says: texts.itsTrainLossIsBelowThat,
    formula: FORMULAS.learning,
  },
  overfitting: {
    word: texts.overfitting,
    glyph: "rising",
    tone: "warn",
    says: texts.itsTestLossIs20Above,
    formula: FORMULAS.overfitting,
  },
  on_the_way: {
    word: texts.onItsWay,
    glyph: "dot",
    tone: "muted",
    says: texts.itIsNoBetterThanA,
    formula: FORMULAS.on_the_way,
  },
  flat: {
    word: texts.flat,
    glyph: "flat",
    tone: "warn",
    says: texts.itIsNoBetterThanASentence,
    formula: FORMULAS.flat,
  },
  dead: {
    word: texts.dead,
    glyph: "dead",
    tone: "bad",
    says: texts.aHiddenLayerOutputs0For,
    formula: FORMULAS.dead,
  },
  diverged: {
    word: texts.diverged,
    glyph: "cross",
    tone: "bad",
    says: texts.itsNumbersGrewWithoutBoundSo,
    formula: FORMULAS.diverged,
  },
};

/** A loss that does not fall, and that the Doctor expects to grow. */
const DIVERGING: StateWords = {
  word: texts.diverging,
  glyph: "rising",
  tone: "bad",
  says: texts.itsLossGrowsWithoutBound,
  formula: FORMULAS.diverged,
};

/** A loss below the mean's that rests with much left to learn, by the Doctor. */
const AT_REST: StateWords = {
  word: texts.flat,
  glyph: "flat",
  tone: "warn",
  says: texts.itsLossRestsWithMuchLeft,
  formula: REST_FORMULA,
};

/** No verdict of that step is known. */
const NOT_KNOWN: StateWords = { word: "", glyph: null, tone: "muted" };
const NO_NEWS: StateWords = {
  word: texts.noNews,
  glyph: null,
  tone: "muted",
  says: texts.itPlaysOnButTheConnection,
};

/** The words that a run's state can have. */
export const STATE_WORDS = [
  ...Object.values(VERDICTS).map(({ word }) => word),
  texts.layerXDead(1),
  DIVERGING.word,
  NO_NEWS.word,
];

/**
 * The word for a run's state, with glyph and tone: the server's verdict. A past step has none;
 * there the Doctor's findings and the units of then say what they can. Without a connection a
 * playing run's state is unknown.
 */
export function stateOf(run: Run, state: State): StateWords {
  const { playback, looking } = state;
  if (run.status === "diverged") return VERDICTS.diverged;
  const word = deadWords(run);
  if (word) return { ...VERDICTS.dead, word };
  if (run.step === 0) return VERDICTS.waiting;
  if (playback.playing && !looking && isCut(state)) return NO_NEWS;
  if (!run.verdict || run.verdict === "waiting") return NOT_KNOWN;
  if (run.verdict === "flat" && openOf(run, "will_diverge")) return verdictOf(run, DIVERGING);
  const isAtRest = run.verdict === "learning" && openOf(run, "plateau")?.severity === "warning";
  if (isAtRest) return verdictOf(run, AT_REST);
  // the trend of the last steps may pause while the finding stays open
  const overfits = run.verdict === "learning" && openOf(run, "overfitting");
  return verdictOf(run, VERDICTS[overfits ? "overfitting" : run.verdict]);
}

/**
 * Names the verdict's step where the Doctor is behind: "... As of step 1,234." Far behind, the verdict
 * is muted; the Doctor says in sight how far it has looked.
 */
function verdictOf(run: Run, { says, tone, ...words }: StateWords): StateWords {
  const tail = isAhead(run) ? texts.asOfStepXTail(integer(run.findingsCompleteTo)) : "";
  return { ...words, tone: isFarAhead(run) ? "muted" : tone, says: `${says}${tail}` };
}

/**
 * "layer 2 dead" by the Doctor's findings; "" if none is. If these are of an earlier step, or there
 * is no verdict, the units on view decide.
 */
function deadWords(run: Run) {
  const finding = openOf(run, "dead_layer");
  if (finding) return finding.mark;
  if (run.verdict && run.verdict !== "dead" && !isAhead(run)) return "";
  const layer = deadLayer(run);
  return layer === null ? "" : texts.layerXDead(layer);
}

/** " since step 214" for a dead layer. */
export function sinceWords(run: Run) {
  const dead = openOf(run, "dead_layer");
  return dead ? texts.sinceStepXTail(integer(dead.since_step)) : "";
}

/** The loss chart in one sentence a run, rewritten only when the story changes. */
export function lossSummary(state: State) {
  const start = number(state.experiment?.initialLoss);
  const stories = shownRuns(state).map((run) => {
    if (run.step === 0) return texts.xStartsAtY(run.label, start);
    if (run.status === "diverged")
      return texts.xStartedAtYAndDiverged(run.label, start, integer(run.divergedAt ?? run.step));
    const { word } = stateOf(run, state);
    return texts.xStartedAtYZ(run.label, start, word && `: ${word}${sinceWords(run)}`);
  });
  return texts.lossByXY(AXIS_WORDS[state.view.x], stories.join(" "));
}

export const X_AXES: { value: XAxis; text: string }[] = [
  { value: "steps", text: texts.steps },
  { value: "epochs", text: texts.epochs },
  { value: "samples", text: texts.samplesSeen },
  { value: "seconds", text: texts.seconds },
];

export const AXIS_WORDS = {
  steps: texts.stepWord,
  epochs: texts.epochWord,
  samples: texts.samplesSeen,
  seconds: texts.secondsOfComputing,
};

export function gradientSummary({ view, experiment, order, runs }: State) {
  const what = {
    grad_l1: texts.sumOfAbsoluteGradients,
    grad_l2: texts.l2NormOfTheGradient,
    grad_mean: texts.meanAbsoluteGradient,
    ratio: texts.updateOverWeight,
    whole: texts.l2NormOfTheWholeGradient,
  };
  const panels = panelsFor(view.measure, experiment?.weights ?? []);
  const zero = order.filter((name) =>
    panels.some(({ series }) => runs[name].latest[series]?.value === 0),
  );
  const dead = zero.length
    ? texts.exactly0InXTail(zero.map((name) => runs[name].label).join(texts.andBetween))
    : "";
  const where = view.measure === "whole" ? "" : texts.ofEachLayerTail;
  return texts.xYByZU(what[view.measure], where, AXIS_WORDS[view.x], dead);
}

export function scatterSummary({ order, runs, experiment }: State) {
  const split = experiment?.testSamples ? texts.test : texts.training;
  const values = isStandardized(experiment, "targets")
    ? texts.standardizedValues
    : texts.valuesWord;
  return texts.predictedAgainstTrueXOfY(
    values,
    split,
    order.map((name) => runs[name].label).join(", "),
  );
}

/** The largest step of the visible runs. */
export const furthest = (state: State) => Math.max(0, ...shownRuns(state).map(({ step }) => step));

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
    .map((run) => texts.xAtY(run.label, integer(run.step)));
  return others.length ? `${integer(step)} (${others.join(", ")})` : integer(step);
}

/** The same without names: "1,284 (least 184)". */
export function rangeWords(
  state: State,
  places: { step: number }[] = state.order.map((name) => state.runs[name]),
) {
  const steps = places.map(({ step }) => step);
  const [least, most] = [Math.min(...steps), Math.max(0, ...steps)];
  return most - least > slackAt(state, most)
    ? texts.xLeastY(integer(most), integer(least))
    : integer(most);
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
  return places.length ? texts.stepX(whereWords(state, places)) : "";
}

/** The same without names, for a short line: "steps 871 to 1,128". */
export function viewSteps(state: State, visible: Run[], view: View) {
  const steps = viewPlaces(state, visible, view).map(({ step }) => step);
  const [least, most] = [Math.min(...steps), Math.max(...steps)];
  if (!steps.length) return "";
  return most - least > slackAt(state, most)
    ? texts.stepsXToY(integer(least), integer(most))
    : texts.stepX(integer(most));
}
