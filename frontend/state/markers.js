/**
 * Marks on the timeline: edits, resets, divergence, findings and forks.
 * Owns: which marks there are, their words and places, and which is next. Pure.
 */

import { flaggedFindings, toneOf } from "./findings.js";
import { integer } from "./format.js";
import { editsSoFar } from "./parts.js";
import { editWords } from "./run-words.js";
import { changed } from "./settings.js";
import { furthestStep } from "./moments.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {{step: number, kind: "edit"|"reset"|"diverged"|"fork"|"finding", run: string, lane: import("./types.js").Lane, text: string, tone?: string}} Marker */

/** px within which a scrubbing finger snaps to a mark. */
const SNAPS = 12;
/** Marks nearer than this many px to the previous one share its flag, because a pointer could not hit both. */
const SHARES = 16;

/** The marks of visible runs, by step. @param {State} state @returns {Marker[]} */
export function markersOf(state) {
  const visible = state.order.map((name) => state.runs[name]).filter(({ hidden }) => !hidden);
  return visible.flatMap((run) => marksOf(run, state)).sort((a, b) => a.step - b.step);
}

/** The marks of one run. @param {Run} run @param {State} state @returns {Marker[]} */
export function marksOf(run, { experiment, catalog, runs }) {
  const recipe = experiment?.recipe.runs.find(({ name }) => name === run.name);
  if (!recipe) return [];
  const mark = (/** @type {Marker["kind"]} */ kind, /** @type {number} */ step, /** @type {string} */ text) => ({ kind, step, text: `${run.label}: ${text}`, run: run.name, lane: run.lane });
  const { origin } = recipe;
  const parent = origin ? runs[origin.run]?.label ?? origin.run : "";
  let before = /** @type {import("./types.js").Json} */ (recipe);
  const edits = editsSoFar(run).map((edit) => {
    const text = editWords(edit, before, catalog);
    const { at_step: step, ...change } = edit;
    before = changed(before, change, catalog);
    return { ...mark("edit", step, text), words: text };
  });
  const changes = edits.find(({ step }) => step === origin?.at_step)?.words;
  return [
    // a fork's inherited edits are marked at its parent
    ...(origin ? [mark("fork", origin.at_step, [`fork of ${parent}`, changes].filter(Boolean).join(", "))] : []),
    ...edits.map(({ words: _, ...edit }) => edit).filter(({ step }) => !origin || step > origin.at_step),
    ...foundSince(run, origin).map((finding) => ({ ...mark("finding", finding.since_step, finding.mark), tone: toneOf(finding) })),
    ...(run.divergedAt === null ? [] : [mark("diverged", run.divergedAt, "diverged")]),
    ...(run.restarted && isAlone(run.restarted, runs) ? [mark("reset", run.restarted.step, "starts again at step 0")] : []),
  ];
}

/**
 * A reset stays in the past of runs not reset with it. A reset of all arrives run by run and ends every past.
 * @param {NonNullable<Run["restarted"]>} restarted
 * @param {State["runs"]} runs
 */
const isAlone = ({ beside }, runs) => Object.entries(beside).some(([name, generation]) => runs[name]?.generation === generation);

/**
 * Findings since a fork began; earlier ones are its parent's.
 * @param {Run} run
 * @param {import("./wire-types.js").Origin} [origin]
 */
export const foundSince = (run, origin) => flaggedFindings(run).filter(({ since_step: since }) => !origin || since > origin.at_step);

/**
 * The step of the next or previous mark; beyond the last is the present, before the first the start.
 * @param {State} state
 * @param {number} step
 * @param {1|-1} direction
 */
export function nextMarker(state, step, direction) {
  const steps = markersOf(state).map((marker) => marker.step);
  if (direction > 0) return steps.find((each) => each > step) ?? furthestStep(state);
  return Math.max(0, ...steps.filter((each) => each < step));
}

/**
 * The step that a finger means: a near mark's, the first of several, or the step under it.
 * @param {Marker[]} markers  by step
 * @param {number} step
 * @param {number} end  last step of the track
 * @param {number} pixels  length of the track
 */
export function snapped(markers, step, end, pixels) {
  const apart = (/** @type {Marker} */ marker) => (Math.abs(marker.step - step) * pixels) / Math.max(1, end);
  const nearest = Math.min(...markers.map(apart));
  return nearest <= SNAPS ? markers.find((marker) => apart(marker) < nearest + 1)?.step ?? step : step;
}

/**
 * Marks grouped into flags that do not overlap.
 * @param {Marker[]} markers  by step
 * @param {number} end  last step of the track
 * @param {number} pixels  length of the track
 * @returns {Marker[][]}
 */
export function flagsOf(markers, end, pixels) {
  const flags = /** @type {Marker[][]} */ ([]);
  for (const marker of markers) {
    const last = flags[flags.length - 1];
    if (last && ((marker.step - last[0].step) * pixels) / Math.max(1, end) < SHARES) last.push(marker);
    else flags.push([marker]);
  }
  return flags;
}

/** "step 420: GD: rate 0.1 → 0.05" of each mark of a flag. @param {Marker[]} flag */
export const flagWords = (flag) => flag.map(({ step, text }) => `step ${integer(step)}: ${text}`);

/** The step to which a flag leads: its first, or the next of its own if the view is at one. @param {Marker[]} flag @param {number} current */
export function stepFrom(flag, current) {
  const isOwn = flag.some(({ step }) => step === current);
  return (isOwn && flag.find(({ step }) => step > current) || flag[0]).step;
}
