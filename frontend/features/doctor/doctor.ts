/**
 * Findings of all runs at the step on view: list, order by harm, and count.
 * Owns: that. Pure. findings.ts handles one run's.
 */

import { isAhead, isOpen } from "../../core/findings.ts";
import { integer, listed, plural } from "../../core/format.ts";
import { stateOnView } from "../../core/state-on-view.ts";
import * as texts from "../../words/english.ts";
import type { Finding, Run, State } from "../../core/types.ts";

/** a finding and its run */
export type RunFinding = { run: Run; finding: Finding };

const SEVERITIES = ["problem", "warning", "info"];
/** Number of past findings folded below the open ones. */
const MOST_EARLIER = 20;

/** From here on the harm of a run makes its warnings as grave as problems. */
const GRAVE = 2;

const harmOf = ({ verdict, harm }: Run) => (verdict === "diverged" ? Infinity : (harm ?? 1));

/** In powers of two, so that two runs alike do not change places at every beat. */
const sizeOf = (run: Run) => Math.round(Math.log2(harmOf(run)));

function rankOf({ run, finding: { severity } }: RunFinding) {
  if (severity === "info") return 2;
  return severity === "problem" || harmOf(run) > GRAVE ? 0 : 1;
}

const byWeight = (a: RunFinding, b: RunFinding) =>
  rankOf(a) - rankOf(b) ||
  sizeOf(b.run) - sizeOf(a.run) ||
  SEVERITIES.indexOf(a.finding.severity) - SEVERITIES.indexOf(b.finding.severity) ||
  b.finding.since_step - a.finding.since_step;

/** False for a fork without own steps: its findings are its parent's. */
function isItself({ experiment, runs }: State, name: string) {
  const origin = experiment?.recipe.runs.find((recipe) => recipe.name === name)?.origin;
  return !origin || !runs[origin.run] || runs[name].step > origin.at_step;
}

const allOf = (state: State): RunFinding[] =>
  state.order
    .filter((name) => isItself(state, name))
    .flatMap((name) =>
      state.runs[name].findings.map((finding) => ({ run: state.runs[name], finding })),
    );

/**
 * A run with a problem is not called healthy, although that finding may close only at the next
 * examination.
 */
const isListed = ({ run, finding }: RunFinding, _: number, all: RunFinding[]) =>
  finding.rule !== "healthy" ||
  !all.some((other) => other.run === run && other.finding.severity === "problem");

/** Open findings at the step on view: the gravest first, by the harm that came to their runs; then the newest. */
export const openFindings = (state: State) =>
  allOf(stateOnView(state))
    .filter(({ finding }) => isOpen(finding))
    .filter(isListed)
    .sort(byWeight);

/** The worst open finding of each run, in the same order: at most one a run. */
export const frontFindings = (state: State) =>
  openFindings(state).filter(
    ({ run }, place, all) => all.findIndex((each) => each.run === run) === place,
  );

/** The other open findings. */
export function furtherFindings(state: State) {
  const front = frontFindings(state).map(({ finding }) => finding);
  return openFindings(state).filter(({ finding }) => !front.includes(finding));
}

/** "Looked up to step 1,234." if the Doctor is behind a run at the step on view; else empty. */
export function lookedWords(state: State) {
  const { order, runs } = stateOnView(state);
  const late = order.map((name) => runs[name]).filter(isAhead);
  if (!late.length) return "";
  const places = late.map(({ label, findingsCompleteTo: to }) =>
    order.length > 1 ? texts.stepXOfY(integer(to), label) : texts.stepX(integer(to)),
  );
  return texts.examinedUpToX(listed(places));
}

/** Problems and notes that are over at that step, the newest first. Many a run is well several times. */
export const earlierFindings = (state: State) =>
  allOf(stateOnView(state))
    .filter(({ finding }) => !isOpen(finding) && finding.rule !== "healthy")
    .sort((a, b) => Number(b.finding.until_step) - Number(a.finding.until_step))
    .slice(0, MOST_EARLIER);

/** The number of open problems. */
export const problemCount = (state: State) =>
  openFindings(state).filter(({ finding }) => finding.severity === "problem").length;

/**
 * Below this many seconds of computing the cost is shown in seconds: one examination may be a large
 * share.
 */
const LONG = 10;
/** Smaller costs are not shown: a share, and seconds. */
const LEAST_COST = { share: 0.0005, seconds: 0.0005 };

/**
 * The Doctor's cost for all runs.
 * - at first: "Its checks have taken 12 ms so far."
 * - later: "Its checks took 2.4 % of the last 30 s of training."
 */
export function waitWords({ runs }: State) {
  const sum = (field: "waited_seconds" | "computed_seconds") =>
    Object.values(runs).reduce((all, { doctor }) => all + (doctor?.[field] ?? 0), 0);
  const waited = sum("waited_seconds"),
    computed = sum("computed_seconds");
  if (computed < LONG)
    return waited < LEAST_COST.seconds
      ? ""
      : texts.itsChecksHaveTakenXMs(Math.round(1000 * waited));
  if (waited / computed < LEAST_COST.share) return "";
  return texts.itsChecksTookXOfThe(
    ((100 * waited) / computed).toFixed(1),
    10 * Math.floor(computed / 10),
  );
}

/** "1 problem, 1 healthy"; warnings are counted if there are any. */
export function countWords(state: State) {
  const open = openFindings(state).map(({ finding }) => finding);
  if (!open.length) return "";
  const warnings = open.filter(({ severity }) => severity === "warning").length;
  const healthy = open.filter(({ rule }) => rule === "healthy").length;
  return [
    plural(problemCount(state), "problem"),
    warnings > 0 && plural(warnings, "warning"),
    texts.xHealthy(healthy),
  ]
    .filter(Boolean)
    .join(", ");
}
