/**
 * The question of an exhibit, the bet on its answer, and what happened.
 * Owns: when each is on the page, and the words of the verdict. Pure.
 */

import { exhibitCalled, exhibitOf, isUntouched } from "./exhibits.ts";
import { toneOf } from "./findings.ts";
import { integer, number } from "./format.ts";
import * as texts from "../words/english.ts";
import type { Exhibit } from "./exhibits.ts";
import type { Run, State } from "./types.ts";
import type { Clause, Question, StoryAnswer } from "./wire-types.ts";

/** an answer chosen in this browser: a choice's id, or a number */
export type Bet = { experiment: string; exhibit: string; answer: string | number };
/** what happened in an experiment; `key` names its runs */
export type Story = StoryAnswer & { key: string; exhibit: string };
/** a clause with its number, and the tone of what begins at its step */
export type NumberedClause = Clause & { place: number; tone: "bad" | "warn" | "muted" };
/** a clause on the timeline and the charts */
export type MarkedClause = NumberedClause & { step: number };

/** The bet on the experiment on the page. */
export const betOf = ({ bet, experiment }: State) =>
  bet !== null && bet.experiment === experiment?.id ? bet : null;

/**
 * The exhibit whose question is on the page. A recipe changed after the first step keeps the
 * question on which somebody has bet.
 */
export function askedExhibit(state: State): Exhibit | null {
  const exhibit = exhibitOf(state);
  if (exhibit) return exhibit.question ? exhibit : null;
  const bet = betOf(state);
  return bet && !isUntouched(state) ? (exhibitCalled(state, bet.exhibit) ?? null) : null;
}

const runsOf = ({ order, runs }: State) => order.map((name) => runs[name]);

/** The question that can be bet on: no run has made a step yet. */
export function openQuestion(state: State): Question | null {
  const isBefore = !state.playback.playing && runsOf(state).every(({ step }) => step === 0);
  return isBefore ? (exhibitOf(state)?.question ?? null) : null;
}

/** Samples of a step of a run. */
const batchOf = ({ settings }: Run, state: State) =>
  settings.batch_size ?? state.experiment?.trainSamples ?? 1;

function hasArrived(run: Run, state: State, { x, until }: Exhibit["view"]) {
  if (run.status === "diverged" || run.status === "finished") return true;
  return x === "steps" ? run.step >= until : run.samplesSeen > until - batchOf(run, state);
}

/** Every run has come to the end of the question. */
export function hasEnded(state: State) {
  const exhibit = askedExhibit(state);
  const runs = runsOf(state);
  return (
    exhibit !== null && runs.length > 0 && runs.every((run) => hasArrived(run, state, exhibit.view))
  );
}

/** The end of the next play: the end of the question, once. */
export function untilOf(state: State) {
  const exhibit = askedExhibit(state);
  return exhibit && !hasEnded(state) ? { [exhibit.view.x]: exhibit.view.until } : null;
}

/** Names the runs of a story: a reset begins another one. */
export const storyKey = (state: State) =>
  [
    state.experiment?.id,
    askedExhibit(state)?.name,
    ...runsOf(state).map(({ name, generation }) => `${name}:${generation}`),
  ].join(" ");

/** The story, once all runs have come to the end. */
export function storyOf(state: State): Story | null {
  const { story } = state;
  return story && hasEnded(state) && story.key === storyKey(state) ? story : null;
}

/** The end has come, and what happened is not known yet. */
export const awaitsStory = (state: State) =>
  !state.playback.playing && hasEnded(state) && storyOf(state) === null;

/** No run has gone beyond the end. */
export function isAtEnd(state: State) {
  const view = askedExhibit(state)?.view;
  return (
    !state.playback.playing &&
    view !== undefined &&
    runsOf(state).every(
      ({ step, samplesSeen }) => (view.x === "steps" ? step : samplesSeen) <= view.until,
    )
  );
}

/** The clauses with a step, numbered as on the chart and on the timeline. */
export const clausesOf = (state: State): NumberedClause[] =>
  (storyOf(state)?.explain ?? []).map((clause, place) => ({
    ...clause,
    place: place + 1,
    tone: toneOfClause(clause, state),
  }));

/** Bad if its run diverges there, or if a problem begins there; a warning if one begins. */
function toneOfClause({ step, run: name }: Clause, state: State) {
  const run = state.runs[name ?? ""];
  if (!run || step === undefined) return "muted";
  if (run.divergedAt === step) return "bad";
  const tones = run.findings.filter(({ since_step: since }) => since === step).map(toneOf);
  return tones.includes("bad") ? "bad" : tones.includes("warn") ? "warn" : "muted";
}

/**
 * Clauses that are marked: not at the start, where every run begins, and not while presenting, where
 * nobody could read what a number stands for.
 */
export const markedClauses = (state: State): MarkedClause[] =>
  isAtEnd(state) && state.view.hero === null
    ? clausesOf(state).flatMap((each) => (each.step ? [{ ...each, step: each.step }] : []))
    : [];

const NONE = "none";

/** The answer that came out, as its choice says it; null before the end. */
export function answerWords(state: State) {
  const story = storyOf(state);
  const question = story && exhibitCalled(state, story.exhibit)?.question;
  const { choice, number: value } = story?.outcome ?? {};
  if (!question) return null;
  if (typeof value === "number") return [count(value), question.unit].filter(Boolean).join(" ");
  return question.choices.find(({ id }) => id === choice)?.text ?? null;
}

const count = (value: number) => (Number.isInteger(value) ? integer(value) : number(value));

/** An answer in the middle of a sentence: names of runs stay as they are. */
function inSentence(question: Question, answer: string | number, exhibit: Exhibit) {
  if (typeof answer === "number") return [count(answer), question.unit].filter(Boolean).join(" ");
  const text = question.choices.find(({ id }) => id === answer)?.text ?? answer;
  const names = exhibit.recipe.runs.map(({ name }) => name);
  const isRun = answer !== NONE && answer.split("+").every((name) => names.includes(name));
  return isRun ? text : texts.lower(text);
}

/** "Your bet: SGD", in the table's corner. */
export function betWords(state: State) {
  const bet = betOf(state);
  const exhibit = bet && askedExhibit(state);
  if (!bet || !exhibit || bet.exhibit !== exhibit.name) return "";
  const { choices, unit } = exhibit.question;
  const text =
    typeof bet.answer === "number"
      ? [count(bet.answer), unit].filter(Boolean).join(" ")
      : choices.find(({ id }) => id === bet.answer)?.text;
  return text ? texts.yourBetX(text) : "";
}

/** Says how a single run ended, after a right bet on it. */
function fateOf({ answer }: Story) {
  if (answer.rule !== "verdict") return texts.thatIsRight;
  return answer.verdicts?.includes("flat") ? texts.itGotStuck : texts.itDiverged;
}

/** A bet on a number within this share of it is right. */
const NEAR = 0.1;

/** "You bet on GD. It was SGD."; null without a bet. */
export function verdictOf(state: State): { text: string; isRight: boolean } | null {
  const story = storyOf(state);
  const bet = betOf(state);
  const exhibit = bet && askedExhibit(state);
  if (!story || !exhibit || bet.exhibit !== story.exhibit) return null;
  const { question } = exhibit;
  const say = (answer: string | number) => inSentence(question, answer, exhibit);
  const result = story.outcome?.choice ?? story.outcome?.number ?? null;
  const yours = texts.youBetOnX(say(bet.answer));
  if (result === null) return { text: texts.xNoAnswerFitsTheseRuns(yours), isRight: false };
  if (typeof result === "number" && typeof bet.answer === "number") {
    const isNear = Math.abs(bet.answer - result) <= NEAR * Math.abs(result);
    const rest = bet.answer === result ? texts.thatIsRight : texts.itWasX(count(result));
    return { text: `${yours} ${rest}`, isRight: isNear };
  }
  if (bet.answer !== result) return { text: texts.xItWasY(yours, say(result)), isRight: false };
  const isOneRun = exhibit.recipe.runs.some(({ name }) => name === result);
  return { text: `${yours} ${isOneRun ? fateOf(story) : texts.thatIsRight}`, isRight: true };
}
