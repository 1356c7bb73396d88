/**
 * The Doctor's findings of one run: which exist, which were open at a step, their words and glyphs.
 * Owns: that, and the run that the page selects because of a problem. Pure. doctor.js lists all runs' findings.
 */

import { integer } from "./format.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Finding} Finding */
/** @typedef {import("./selectors.js").Glyph} Glyph */

/** @param {Finding} finding */
export const isOpen = ({ until_step: until }) => until === null;

/**
 * Adds a finding, or closes it; a closed one never opens again.
 * @param {Finding[]} stored  oldest first
 * @param {Finding} incoming
 * @returns {Finding[]}
 */
export function withFinding(stored, incoming) {
  const existing = stored.find(({ id }) => id === incoming.id);
  if (!existing) return [...stored, incoming];
  if (isOpen(incoming) && !isOpen(existing)) return stored;
  const isOlder = isOpen(incoming) && incoming.seen_at < existing.seen_at;
  return stored.map((each) => (each === existing ? { ...incoming, ...(isOlder ? { seen_at: existing.seen_at, evidence: existing.evidence } : {}) } : each));
}

/**
 * Merges an answer into the stored findings, which may be newer.
 * @param {Finding[]} stored
 * @param {Finding[]|undefined} incoming  an older server may send none
 */
export const joinedFindings = (stored, incoming) => (incoming ?? []).reduce(withFinding, stored);

/**
 * Updates the evidence of open findings; skips unknown ones.
 * @param {Finding[]} stored
 * @param {{id: string, seen_at: number, evidence: string}[]|undefined} updates
 * @returns {Finding[]}  the same object if nothing differs
 */
export function withEvidence(stored, updates) {
  const newer = (/** @type {Finding} */ finding) => updates?.find(({ id, seen_at: at }) => id === finding.id && at > finding.seen_at);
  return stored.some(newer) ? stored.map((finding) => (newer(finding) ? { ...finding, ...newer(finding) } : finding)) : stored;
}

/** The findings at a step: later ones are left out, and later closings are undone, with the first evidence. @param {Finding[]} findings @param {number} step */
export const findingsAt = (findings, step) => findings
  .filter(({ since_step: since }) => since <= step)
  .map((finding) => (finding.until_step !== null && finding.until_step > step ? { ...finding, until_step: null } : finding))
  .map((finding) => (finding.seen_at > step ? { ...finding, seen_at: finding.found_at, evidence: finding.first_evidence } : finding));

/** Octagon for problems, triangle for warnings, check for healthy, dot for the rest. @param {Finding} finding @returns {Glyph} */
export function glyphOf({ rule, severity }) {
  if (rule === "diverged") return "cross";
  if (rule === "healthy") return "check";
  return severity === "problem" ? "problem" : severity === "warning" ? "warning" : "dot";
}

/** @param {Finding} finding */
export const toneOf = ({ rule, severity }) => (severity === "problem" ? "bad" : severity === "warning" ? "warn" : rule === "healthy" ? "ok" : "muted");

/** A glyph's meaning, for screen readers. @param {Finding} finding */
export const kindWord = ({ rule, severity }) => (rule === "healthy" ? "Healthy" : { problem: "Problem", warning: "Warning", info: "Note" }[severity]);

/** The evidence, and the last step at which it was seen. @param {Finding} finding */
export const evidenceWords = ({ evidence, seen_at: step }) => `${evidence} Seen at step ${integer(step)}.`;

/** The newest open finding of some rules. @param {Run} run @param {...string} rules */
export const openOf = ({ findings }, ...rules) => findings.filter((finding) => isOpen(finding) && rules.includes(finding.rule)).at(-1);

/**
 * Findings with a flag on charts and timeline: all problems, and open warnings. Divergence has its own mark.
 * @param {Run} run
 */
export const flaggedFindings = ({ findings }) => findings.filter((finding) =>
  finding.rule !== "diverged" && (finding.severity === "problem" || (finding.severity === "warning" && isOpen(finding))));

/** @param {Run|undefined} run */
const isInTrouble = (run) => run !== undefined && run.findings.some((finding) => isOpen(finding) && finding.severity === "problem");

/**
 * Shows the run in trouble in the network drawing, so that a dead layer's hollow units are visible. Not if a person
 * chose a run, the run on view has a problem itself, or its steps are being read.
 * @param {State} state
 * @returns {State}
 */
export function selectTroubledRun(state) {
  const { view, runs, order } = state;
  const isRead = view.inspector || view.tab === "step";
  const networkRun = order.find((name) => isInTrouble(runs[name]));
  if (!networkRun || view.isRunChosen || isRead || isInTrouble(runs[view.networkRun ?? ""])) return state;
  return { ...state, view: { ...view, networkRun } };
}
