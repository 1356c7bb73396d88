/**
 * Flags of edits, findings and clauses of what happened on a chart.
 * Owns: which are shown, where, and their words. Pure.
 */

import { placeOf } from "./horizontal.ts";
import { originWords } from "../core/forks.ts";
import { toneOf } from "../core/findings.ts";
import { editsInWords, foundSince } from "../core/markers.ts";
import { markedClauses } from "../core/questions.ts";
import { shownRuns, stateOnView } from "../core/state-on-view.ts";
import type { SeriesStore, State } from "../core/types.ts";
import type { Horizontal } from "./horizontal.ts";
import type { Flag } from "./labels.ts";

/** More lines would hide the chart; the newest stay. */
const MOST = 40;

/** @returns without flags at 0 on a log axis, which has no such place */
export function flagsOf(state: State, series: SeriesStore, { axis, log }: Horizontal): Flag[] {
  const { experiment, catalog } = state;
  if (!experiment) return [];
  const clauses = markedClauses(state);
  return shownRuns(state).flatMap((run, place) => {
    const recipe = experiment.recipe.runs.find(({ name }) => name === run.name);
    if (!recipe) return [];
    const flag = (step: number, text: string) => ({
      run: run.name,
      lane: run.lane,
      step,
      text,
      x: placeOf(series.of(run.name), axis, experiment.trainSamples, step),
    });
    const flags = editsInWords(run, recipe, catalog).map(({ step, words }) => flag(step, words));
    const { origin } = recipe;
    // flags that a fork inherits are shown at its parent
    const own = flags.filter(({ step }) => step >= (origin?.at_step ?? 0));
    // a fork that puts a rate back to what it was before still shows its own change
    if (origin && own[0]?.step === origin.at_step) own[0].text ||= originWords(state, run.name);
    else if (origin) own.unshift(flag(origin.at_step, originWords(state, run.name)));
    // clauses of what happened take the place of findings
    const runClauses = clauses.filter((clause) =>
      clause.run ? clause.run === run.name : place === 0,
    );
    const clauseFlags = runClauses.map((clause) => ({
      ...flag(clause.step, clause.text),
      tone: clause.tone,
      place: clause.place,
    }));
    // looking back, later findings are gone; later edits stay, as the later part of the line does
    const { [run.name]: then = run } = stateOnView(state).runs;
    const findingFlags = (clauses.length ? [] : foundSince(then, origin)).map((finding) => ({
      ...flag(finding.since_step, finding.mark),
      tone: toneOf(finding),
    }));
    return [...own, ...findingFlags, ...clauseFlags]
      .filter(({ x, text }) => text && (!log || x > 0))
      .slice(-MOST);
  });
}
