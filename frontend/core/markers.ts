/**
 * Marks on the timeline: edits, resets, divergence, findings and forks.
 * Owns: which marks there are, their words and places, and which is next. Pure.
 */

import { flaggedFindings, toneOf } from "./findings.ts";
import { integer } from "./format.ts";
import { pxBetween } from "./long-runs.ts";
import { editsSoFar } from "./parts.ts";
import { markedClauses } from "./questions.ts";
import { editWords } from "./run-words.ts";
import { changed } from "./settings.ts";
import { furthestStep, shownRuns } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Track } from "./long-runs.ts";
import type { Json, Lane, Run, State } from "./types.ts";
import type { Origin } from "./wire-types.ts";

export type Marker = {
  step: number;
  kind: "edit" | "reset" | "diverged" | "fork" | "finding" | "clause";
  run: string;
  lane: Lane;
  text: string;
  tone?: string;
  place?: number; // of a clause of what happened
};

/** px within which a scrubbing finger snaps to a mark. */
const SNAPS = 12;
/**
 * Marks nearer than this many px to the previous one share its flag, because a pointer could not
 * hit both.
 */
const SHARES = 16;

/** The marks of visible runs, by step. Clauses of what happened take the place of findings. */
export function markersOf(state: State): Marker[] {
  const clauses = clauseMarks(state);
  const others = shownRuns(state)
    .flatMap((run) => marksOf(run, state))
    .filter(({ kind }) => !clauses.length || kind === "edit" || kind === "fork");
  return [...others, ...clauses].sort((a, b) => a.step - b.step);
}

const clauseMarks = (state: State): Marker[] =>
  markedClauses(state).map(({ step, text, place, tone, run = state.order[0] }) => ({
    kind: "clause",
    step,
    run,
    lane: state.runs[run]?.lane ?? "a",
    text,
    place,
    tone,
  }));

/** The steps of a run's edits, and what each changed: "" if it set the value in force. */
export function editsInWords(run: Run, recipe: Json, catalog: State["catalog"]) {
  let before = recipe;
  return editsSoFar(run).map((edit) => {
    const { at_step: step, ...change } = edit;
    const words = editWords(edit, before, catalog);
    before = changed(before, change, catalog);
    return { step, words };
  });
}

/** The marks of one run. */
export function marksOf(run: Run, { experiment, catalog, runs }: State): Marker[] {
  const recipe = experiment?.recipe.runs.find(({ name }) => name === run.name);
  if (!recipe) return [];
  const mark = (kind: Marker["kind"], step: number, text: string) => ({
    kind,
    step,
    text: `${run.label}: ${text}`,
    run: run.name,
    lane: run.lane,
  });
  const { origin } = recipe;
  const parent = origin ? (runs[origin.run]?.label ?? origin.run) : "";
  const edits = editsInWords(run, recipe, catalog);
  const changes = edits.find(({ step }) => step === origin?.at_step)?.words;
  return [
    // a fork's inherited edits are marked at its parent
    ...(origin
      ? [mark("fork", origin.at_step, [texts.forkOfX(parent), changes].filter(Boolean).join(", "))]
      : []),
    ...edits
      .filter(({ step, words }) => words && (!origin || step > origin.at_step))
      .map(({ step, words }) => mark("edit", step, words)),
    ...foundSince(run, origin).map((finding) => ({
      ...mark("finding", finding.since_step, finding.mark),
      tone: toneOf(finding),
    })),
    ...(run.divergedAt === null ? [] : [mark("diverged", run.divergedAt, "diverged")]),
    ...(run.restarted && isAlone(run.restarted, runs)
      ? [mark("reset", run.restarted.step, texts.startsAgainAtStep0)]
      : []),
  ];
}

/**
 * A reset stays in the past of runs not reset with it. A reset of all arrives run by run and ends
 * every past.
 */
const isAlone = ({ beside }: NonNullable<Run["restarted"]>, runs: State["runs"]) =>
  Object.entries(beside).some(([name, generation]) => runs[name]?.generation === generation);

/** Findings since a fork began; earlier ones are its parent's. */
export const foundSince = (run: Run, origin?: Origin) =>
  flaggedFindings(run).filter(({ since_step: since }) => !origin || since > origin.at_step);

/**
 * The step of the next or previous mark; beyond the last is the present, then the first again.
 * Before the first is the start.
 */
export function nextMarker(state: State, step: number, direction: 1 | -1) {
  const steps = markersOf(state).map((marker) => marker.step);
  const end = furthestStep(state);
  // at the present, the next mark is the first of all
  if (direction > 0)
    return steps.find((each) => each > step) ?? (step < end ? end : (steps[0] ?? end));
  return Math.max(0, ...steps.filter((each) => each < step));
}

/**
 * The step that a finger means: a near mark's, the first of several, or the step under it.
 * @param markers by step
 * @param pixels length of the track
 */
export function snapped(markers: Marker[], step: number, track: Track, pixels: number) {
  const apart = (marker: Marker) => pxBetween(track, marker.step, step, pixels);
  const nearest = Math.min(...markers.map(apart));
  return nearest <= SNAPS
    ? (markers.find((marker) => apart(marker) < nearest + 1)?.step ?? step)
    : step;
}

/**
 * Marks grouped into flags that do not overlap.
 * @param markers by step
 * @param pixels length of the track
 */
export function flagsOf(markers: Marker[], track: Track, pixels: number): Marker[][] {
  const flags = [] as Marker[][];
  for (const marker of markers) {
    const last = flags[flags.length - 1];
    if (last && pxBetween(track, last[0].step, marker.step, pixels) < SHARES) last.push(marker);
    else flags.push([marker]);
  }
  return flags;
}

/** "step 420: GD: rate 0.1 → 0.05" of each mark of a flag. */
export const flagWords = (flag: Marker[]) =>
  flag.map(({ step, text }) => texts.stepXY(integer(step), text));

/** The step to which a flag leads: its first, or the next of its own if the view is at one. */
export function stepFrom(flag: Marker[], current: number) {
  const isOwn = flag.some(({ step }) => step === current);
  return ((isOwn && flag.find(({ step }) => step > current)) || flag[0]).step;
}
