/**
 * Edits and findings on a chart: where they stand, and the words of their flags.
 * Owns: which are shown, and how they are told. Pure.
 */

import { placeOf } from "./horizontal.js";
import { shownRuns } from "./looks.js";
import { originWords } from "../state/forks.js";
import { toneOf } from "../state/findings.js";
import { foundSince } from "../state/markers.js";
import { editsSoFar } from "../state/parts.js";
import { editWords } from "../state/run-words.js";
import { changed } from "../state/settings.js";

/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").SeriesBook} SeriesBook */
/** @typedef {import("./labels.js").Flag} Flag */

/** More lines than this would be a curtain; the newest stay. */
const MOST = 40;

/**
 * @param {State} state
 * @param {SeriesBook} series
 * @param {import("./horizontal.js").Horizontal} horizontal
 * @returns {Flag[]} none at 0 on a log axis, which has no such place
 */
export function flagsOf(state, series, { axis, log }) {
  const { experiment, catalog } = state;
  if (!experiment) return [];
  return shownRuns(state).flatMap((run) => {
    const recipe = experiment.recipe.runs.find(({ name }) => name === run.name);
    if (!recipe) return [];
    let before = /** @type {import("../state/types.js").Json} */ (recipe);
    const flag = (/** @type {number} */ step, /** @type {string} */ text) =>
      ({ run: run.name, lane: run.lane, step, text, x: placeOf(series.of(run.name), axis, experiment.trainSamples, step) });
    const flags = editsSoFar(run).map((edit) => {
      const text = editWords(edit, before, catalog);
      const { at_step: step, ...change } = edit;
      before = changed(before, change, catalog);
      return flag(step, text);
    });
    const { origin } = recipe;
    // what a fork has of its parent is told where the parent is
    const own = flags.filter(({ step }) => step >= (origin?.at_step ?? 0));
    // a rate put back to what it was before the parent's last edit changes nothing in the fork's own story
    if (origin && own[0]?.step === origin.at_step) own[0].text ||= originWords(state, run.name);
    else if (origin) own.unshift(flag(origin.at_step, originWords(state, run.name)));
    const found = foundSince(run, origin).map((finding) => ({ ...flag(finding.since_step, finding.mark), tone: toneOf(finding) }));
    return [...own, ...found].filter(({ x }) => !log || x > 0).slice(-MOST);
  });
}
