/**
 * Which run has learned more per sample: the losses when all runs had seen as many samples.
 * Owns: that moment, and whether the losses there were measured. Pure.
 */

import { listed, number, plural } from "./format.ts";
import { firstFrom } from "./numbers.ts";
import { shownRuns, stateOnView } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Run, RunSeries, SeriesStore, State } from "./types.ts";

/** Below this ratio of samples seen, the losses in the table compare as they are. */
const ABOUT_AS_MANY = 1.1;

/**
 * Buckets before the step that must have a loss too. A long run has one now and then only, and words
 * that come and go with it could not be read.
 */
const NEAR = 64;

/** A run's loss after so many samples; null if the loss of that step was not measured. */
function lossAfter(samples: number, run: Run, series: RunSeries | null): number | null {
  const { latest, samplesSeen, step } = run;
  if (samplesSeen === samples) {
    const present = latest.train_loss;
    return present && present.step >= step - 1 ? present.value : null;
  }
  const loss = series?.values("train_loss");
  if (!series || !loss) return null;
  // the step that begins there
  const at = firstFrom(series.samplesSeen, samples + 1);
  if (at === series.length) return null;
  for (let k = Math.max(0, at - NEAR); k <= at; k++)
    if (series.first[k] !== series.last[k] || Number.isNaN(loss.mean[k])) return null;
  return loss.mean[at];
}

/**
 * "After 300 samples each: GD 6.98, SGD 0.0119"; of more than two runs the names of the lowest, and of
 * those that show the same number. Empty for runs that have seen about as many samples, as the table
 * says it then, and where a loss was not measured.
 */
export function perSampleWords(state: State, series: SeriesStore): string {
  const runs = shownRuns(stateOnView(state));
  const counts = runs.map(({ samplesSeen }) => samplesSeen);
  const samples = Math.min(...counts);
  if (samples === 0 || Math.max(...counts) < ABOUT_AS_MANY * samples) return "";
  const losses = runs.map((run) => lossAfter(samples, run, series.of(run.name)));
  if (!losses.every((loss) => loss !== null)) return "";
  const after = plural(samples, "sample");
  if (runs.length === 2) {
    const [one, other] = runs.map(({ label }, k) => texts.xWithLossY(label, number(losses[k])));
    return texts.afterXEach(after, `${one}, ${other}`);
  }
  const lowest = number(Math.min(...losses));
  const names = runs.filter((_, k) => number(losses[k]) === lowest).map(({ label }) => label);
  return texts.afterXEachLowest(after, listed(names));
}
