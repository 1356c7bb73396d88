/**
 * Edits on a chart: dotted lines in the run's colour, and the words of their flags.
 * Owns: what an edit looks like. Pure.
 */

import { placeOf } from "./horizontal.js";
import { laneLook, shownRuns } from "./looks.js";
import { editWords } from "../state/selectors.js";
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
 * @returns {Flag[]}
 */
export function flagsOf(state, series, { axis, log }) {
  const { experiment, catalog } = state;
  if (!experiment) return [];
  return shownRuns(state).flatMap((run) => {
    const recipe = experiment.recipe.runs.find(({ name }) => name === run.name);
    if (!recipe) return [];
    let before = /** @type {import("../state/types.js").Json} */ (recipe);
    const flags = run.edits.map((edit) => {
      const text = editWords(edit, before, catalog);
      const { at_step: step, ...change } = edit;
      before = changed(before, change, catalog);
      return { run: run.name, lane: run.lane, step, text, x: placeOf(series.of(run.name), axis, experiment.trainSamples, step) };
    });
    return flags.filter(({ x }) => !log || x > 0).slice(-MOST);
  });
}

/**
 * @param {Flag[]} flags  none at 0 on a log axis, which has no such place
 * @param {import("./looks.js").Look} look
 * @param {string} xref
 * @param {string} yref
 */
export const flagLines = (flags, look, xref, yref) => flags.map(({ lane, x }) => ({
  type: "line", xref, x0: x, x1: x, yref, y0: 0, y1: 1, layer: "below",
  line: { color: laneLook(look, lane).text, width: look.spec.fallline.edit_marker.width, dash: look.spec.fallline.edit_marker.dash },
}));
