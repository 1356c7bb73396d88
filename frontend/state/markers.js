/**
 * What happened on the way, as marks on the timeline: edits, resets, divergence, what the Doctor found, and where a run became two.
 * Owns: which marks there are, their words, where they stand, and which one is next. Pure.
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

/** Within so many px a finger that scrubs is taken to a mark. */
const SNAPS = 12;
/** Marks nearer than so many px to the one before them share its flag: a pointer could not tell theirs from it. */
const SHARES = 16;

/**
 * The marks of the runs that are shown, in the order of their steps.
 * @param {State} state
 * @returns {Marker[]}
 */
export function markersOf(state) {
  const shown = state.order.map((name) => state.runs[name]).filter(({ hidden }) => !hidden);
  return shown.flatMap((run) => marksOf(run, state)).sort((a, b) => a.step - b.step);
}

/** Those of one run. @param {Run} run @param {State} state @returns {Marker[]} */
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
    // a fork shares its parent's edits, whose marks are the parent's
    ...(origin ? [mark("fork", origin.at_step, [`fork of ${parent}`, changes].filter(Boolean).join(", "))] : []),
    ...edits.map(({ words: _, ...edit }) => edit).filter(({ step }) => !origin || step > origin.at_step),
    ...foundSince(run, origin).map((finding) => ({ ...mark("finding", finding.since_step, finding.mark), tone: toneOf(finding) })),
    ...(run.divergedAt === null ? [] : [mark("diverged", run.divergedAt, "diverged")]),
    ...(run.restarted && isAlone(run.restarted, runs) ? [mark("reset", run.restarted.step, "starts again at step 0")] : []),
  ];
}

/**
 * A reset stands in the past of those that were not reset with it: one of all is told run by run, and ends every past.
 * @param {NonNullable<Run["restarted"]>} restarted
 * @param {State["runs"]} runs
 */
const isAlone = ({ beside }, runs) => Object.entries(beside).some(([name, generation]) => runs[name]?.generation === generation);

/**
 * What was found of a fork before it was one is its parent's.
 * @param {Run} run
 * @param {import("./wire-types.js").Origin} [origin]
 */
export const foundSince = (run, origin) => flaggedFindings(run).filter(({ since_step: since }) => !origin || since > origin.at_step);

/**
 * The step of the next mark from a step on, or of the one before; past the last one is the present, before the first the start.
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
 * The step that a finger means: that of a mark close to it, of several in one place that of the first; else the one it is at.
 * @param {Marker[]} markers  in the order of their steps
 * @param {number} step
 * @param {number} end     the last step of the track
 * @param {number} pixels  how long the track is
 */
export function snapped(markers, step, end, pixels) {
  const apart = (/** @type {Marker} */ marker) => (Math.abs(marker.step - step) * pixels) / Math.max(1, end);
  const nearest = Math.min(...markers.map(apart));
  return nearest <= SNAPS ? markers.find((marker) => apart(marker) < nearest + 1)?.step ?? step : step;
}

/**
 * Marks as flags, of which no one lies under another: those that stand close together share one.
 * @param {Marker[]} markers  in the order of their steps
 * @param {number} end        the last step of the track
 * @param {number} pixels     how long the track is
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

/** Where a flag leads: to its first step, and from a step of its own to the next of them. @param {Marker[]} flag @param {number} shown */
export function stepFrom(flag, shown) {
  const isOwn = flag.some(({ step }) => step === shown);
  return (isOwn && flag.find(({ step }) => step > shown) || flag[0]).step;
}
