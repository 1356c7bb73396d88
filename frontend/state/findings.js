/**
 * What the Doctor has found of one run: which findings there are, which were open at a step, what they say of the run, and by which
 * glyph they are known.
 * Owns: that, and which run the page shows by itself because of it. Pure. The findings themselves are the server's; those of all runs as they are listed are in doctor.js.
 */

import { integer } from "./format.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Run} Run */
/** @typedef {import("./types.js").Finding} Finding */
/** @typedef {import("./selectors.js").Glyph} Glyph */

/** @param {Finding} finding */
export const isOpen = ({ until_step: until }) => until === null;

/**
 * A finding is told when it opens and when it closes; one that closed does not open again.
 * @param {Finding[]} held  oldest first
 * @param {Finding} told
 * @returns {Finding[]}
 */
export function withFinding(held, told) {
  const known = held.find(({ id }) => id === told.id);
  if (!known) return [...held, told];
  if (isOpen(told) && !isOpen(known)) return held;
  const isOlder = isOpen(told) && told.seen_at < known.seen_at;
  return held.map((each) => (each === known ? { ...told, ...(isOlder ? { seen_at: known.seen_at, evidence: known.evidence } : {}) } : each));
}

/**
 * An answer that was on its way while something was found says less than what is held.
 * @param {Finding[]} held
 * @param {Finding[]|undefined} told  a server may tell of none at all
 */
export const joinedFindings = (held, told) => (told ?? []).reduce(withFinding, held);

/**
 * The numbers of what is open go on, and are told without being news; of one that is not known yet nothing is.
 * @param {Finding[]} held
 * @param {{id: string, seen_at: number, evidence: string}[]|undefined} seen
 * @returns {Finding[]} the same where nothing differs
 */
export function withEvidence(held, seen) {
  const newer = (/** @type {Finding} */ finding) => seen?.find(({ id, seen_at: at }) => id === finding.id && at > finding.seen_at);
  return held.some(newer) ? held.map((finding) => (newer(finding) ? { ...finding, ...newer(finding) } : finding)) : held;
}

/** Those of that step: what closed later was still open, and later numbers were not there. @param {Finding[]} findings @param {number} step */
export const findingsAt = (findings, step) => findings
  .filter(({ since_step: since }) => since <= step)
  .map((finding) => (finding.until_step !== null && finding.until_step > step ? { ...finding, until_step: null } : finding))
  .map((finding) => (finding.seen_at > step ? { ...finding, seen_at: finding.found_at, evidence: finding.first_evidence } : finding));

/** The octagon is for problems, the triangle for warnings, the check for what is well, the dot for the rest. @param {Finding} finding @returns {Glyph} */
export function glyphOf({ rule, severity }) {
  if (rule === "diverged") return "cross";
  if (rule === "healthy") return "check";
  return severity === "problem" ? "problem" : severity === "warning" ? "warning" : "dot";
}

/** @param {Finding} finding */
export const toneOf = ({ rule, severity }) => (severity === "problem" ? "bad" : severity === "warning" ? "warn" : rule === "healthy" ? "ok" : "muted");

/** What a glyph says, for those who do not see it. @param {Finding} finding */
export const kindWord = ({ rule, severity }) => (rule === "healthy" ? "Healthy" : { problem: "Problem", warning: "Warning", info: "Note" }[severity]);

/** The numbers and their moment: what is found holds on, the numbers are of the step at which it was seen last. @param {Finding} finding */
export const evidenceWords = ({ evidence, seen_at: seen }) => `${evidence} Seen at step ${integer(seen)}.`;

/** The newest open finding of a rule. @param {Run} run @param {...string} rules */
export const openOf = ({ findings }, ...rules) => findings.filter((finding) => isOpen(finding) && rules.includes(finding.rule)).at(-1);

/**
 * What gets a flag on the charts and the timeline: every problem there was, and warnings while they last. Divergence has its
 * cross already.
 * @param {Run} run
 */
export const flaggedFindings = ({ findings }) => findings.filter((finding) =>
  finding.rule !== "diverged" && (finding.severity === "problem" || (finding.severity === "warning" && isOpen(finding))));

/** @param {Run|undefined} run */
const isInTrouble = (run) => run !== undefined && run.findings.some((finding) => isOpen(finding) && finding.severity === "problem");

/**
 * Who is told that a layer is dead should see its hollow units: the network shows the run that is in trouble, unless somebody chose
 * one, the one that is shown is in trouble itself, or its steps are being read.
 * @param {State} state
 * @returns {State}
 */
export function towardsTrouble(state) {
  const { view, runs, order } = state;
  const isRead = view.inspector || view.tab === "step";
  const networkRun = order.find((name) => isInTrouble(runs[name]));
  if (!networkRun || view.isRunChosen || isRead || isInTrouble(runs[view.networkRun ?? ""])) return state;
  return { ...state, view: { ...view, networkRun } };
}
