/**
 * The Doctor's findings of one run: which exist, which were open at a step, their words and glyphs.
 * Owns: that, and the run that the page selects because of a problem. Pure. doctor.ts lists all
 * runs' findings.
 */

import { integer } from "./format.ts";
import * as texts from "../words/english.ts";
import type { Glyph } from "./selectors.ts";
import type { Finding, FindingNews, FindingUpdate, Run, State } from "./types.ts";

export const isOpen = ({ until_step: until }: Finding) => until === null;

/** The server examines a run so often in each doubling of its steps. */
const IN_A_DOUBLING = 64;

/** The run is more than one examination ahead of the Doctor. */
export const isAhead = ({ step, findingsCompleteTo: to }: Run) =>
  step - to > Math.max(1, 2 ** Math.floor(Math.log2(Math.max(1, step))) / IN_A_DOUBLING);

/** The Doctor lacks so large a part of a run's steps that its verdict is muted. */
const LACKING = 1 / 8;

/** The Doctor is far behind the run: while kernels are compiled, or at full speed. */
export const isFarAhead = (run: Run) =>
  isAhead(run) && run.step - run.findingsCompleteTo > LACKING * run.step;

/** Adds a finding, or replaces the one with its id. Drops a withdrawn one. */
export function withFinding(stored: Finding[], incoming: FindingNews): Finding[] {
  if ("withdrawn" in incoming) return stored.filter(({ id }) => id !== incoming.id);
  const existing = stored.find(({ id }) => id === incoming.id);
  return existing
    ? stored.map((each) => (each === existing ? withNewerEvidence(incoming, existing) : each))
    : [...stored, incoming];
}

/** The findings of an answer, which are all there are. */
export const answeredFindings = (stored: Finding[], incoming: Finding[]) =>
  incoming.map((each) =>
    withNewerEvidence(
      each,
      stored.find(({ id }) => id === each.id),
    ),
  );

/** An open finding keeps the evidence of a later examination, which a frame brought. */
const withNewerEvidence = (incoming: Finding, existing: Finding | undefined): Finding =>
  existing && isOpen(incoming) && isOpen(existing) && incoming.seen_at < existing.seen_at
    ? { ...incoming, seen_at: existing.seen_at, evidence: existing.evidence }
    : incoming;

/** The last step that a finding speaks of: the Doctor has looked up to there. */
export const lookedAt = ({ found_at: foundAt, seen_at: seenAt, until_step: until }: Finding) =>
  Math.max(foundAt, seenAt, until ?? 0);

/**
 * Updates the evidence of open findings and the outcomes of remedies; skips unknown ones.
 * @returns the same object if nothing differs
 */
export function withEvidence(stored: Finding[], updates: FindingUpdate[] | undefined): Finding[] {
  const next = stored.map((finding) => {
    const update = updates?.find(({ id }) => id === finding.id);
    return update ? updated(finding, update) : finding;
  });
  return next.some((finding, place) => finding !== stored[place]) ? next : stored;
}

function updated(finding: Finding, { seen_at, evidence, outcomes = [] }: FindingUpdate): Finding {
  const isNewer = seen_at > finding.seen_at;
  const isOther = JSON.stringify(outcomes) !== JSON.stringify(finding.outcomes ?? []);
  if (!isNewer && !isOther) return finding;
  return { ...finding, ...(isNewer ? { seen_at, evidence } : {}), outcomes };
}

/**
 * The findings at a step: later ones are left out, as are later outcomes, and later closings are
 * undone, with severity and evidence of then. One that began by then and was found later has no
 * evidence yet.
 */
export const findingsAt = (findings: Finding[], step: number) =>
  findings
    .filter(({ since_step: since }) => since <= step)
    // a run was not yet called healthy
    .filter(({ rule, found_at: foundAt }) => rule !== "healthy" || foundAt <= step)
    .map((finding) =>
      finding.until_step !== null && finding.until_step > step
        ? { ...finding, until_step: null }
        : finding,
    )
    .map((finding) => atStage(finding, step))
    .map((finding) =>
      finding.outcomes?.some((outcome) => outcome.step > step)
        ? { ...finding, outcomes: finding.outcomes.filter((outcome) => outcome.step <= step) }
        : finding,
    );

/** As the last stage by that step says it, with the evidence of a later examination by then. */
function atStage(finding: Finding, step: number): Finding {
  const { stages = [], found_at, first_evidence } = finding;
  const stage = stages.filter((each) => each.step <= step).at(-1) ?? stages[0];
  const { severity, title, mark } = stage ?? finding;
  const then = { ...finding, severity, title, mark };
  if (found_at > step) return { ...then, seen_at: step, evidence: "" };
  const sighting =
    finding.seen_at <= step ? finding : { seen_at: found_at, evidence: first_evidence };
  if (stage && stage.step > sighting.seen_at)
    return { ...then, seen_at: stage.step, evidence: stage.evidence };
  return { ...then, seen_at: sighting.seen_at, evidence: sighting.evidence };
}

/** Octagon for problems, triangle for warnings, check for healthy, dot for the rest. */
export function glyphOf({ rule, severity }: Finding): Glyph {
  if (rule === "diverged") return "cross";
  if (rule === "healthy") return "check";
  return severity === "problem" ? "problem" : severity === "warning" ? "warning" : "dot";
}

export const toneOf = ({ rule, severity }: Finding) =>
  severity === "problem"
    ? "bad"
    : severity === "warning"
      ? "warn"
      : rule === "healthy"
        ? "ok"
        : "muted";

/** A glyph's meaning, for screen readers. */
export const kindWord = ({ rule, severity }: Finding) =>
  rule === "healthy"
    ? texts.healthy
    : { problem: texts.problem, warning: texts.warning, info: texts.note }[severity];

/** The evidence, and the last step at which it was seen; before there is any, the first step. */
export const evidenceWords = ({ evidence, seen_at: seenAt, since_step: since }: Finding) =>
  evidence ? texts.xSeenAtStepY(evidence, integer(seenAt)) : texts.sinceStepX(integer(since));

/** The newest open finding of some rules. */
export const openOf = ({ findings }: Run, ...rules: string[]) =>
  findings.filter((finding) => isOpen(finding) && rules.includes(finding.rule)).at(-1);

/** Warnings that stay marked when they are over: a unit died, and later the whole layer. */
const DEATHS = ["dead_units"];

/**
 * Findings with a flag on charts and timeline: all problems, open warnings, and deaths. Divergence has
 * its own mark.
 */
export const flaggedFindings = ({ findings }: Run) =>
  findings.filter(
    (finding) =>
      finding.rule !== "diverged" &&
      (finding.severity === "problem" ||
        (finding.severity === "warning" && (isOpen(finding) || DEATHS.includes(finding.rule)))),
  );

const isInTrouble = (run: Run | undefined) =>
  run !== undefined &&
  run.findings.some((finding) => isOpen(finding) && finding.severity === "problem");

/**
 * Shows the run in trouble in the network drawing, so that a dead layer's hollow units are visible.
 * Not if a person chose a run, the run on view has a problem itself, or its steps are being read.
 */
export function selectTroubledRun(state: State): State {
  const { view, runs, order } = state;
  const networkRun = order.find((name) => isInTrouble(runs[name]));
  if (!networkRun || view.isRunChosen || view.inspector || isInTrouble(runs[view.networkRun ?? ""]))
    return state;
  return { ...state, view: { ...view, networkRun } };
}
