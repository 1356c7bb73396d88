/**
 * Which run has learned more per sample: the losses when all runs had seen as many samples.
 * Owns: that moment, and an order that the buckets leave no doubt about. Pure.
 */

import { listed, number, plural } from "./format.ts";
import { firstFrom } from "./numbers.ts";
import { shownRuns, stateOnView } from "./state-on-view.ts";
import * as texts from "../words/english.ts";
import type { Run, RunSeries, SeriesStore, State } from "./types.ts";

const ABOUT_AS_MANY = 1.1;

type Loss = { label: string; least: number; most: number };

/** The last known loss of a run after so many samples; a bucket of several steps gives its range. */
function lossAfter(samples: number, run: Run, series: RunSeries | null): Loss | null {
  const { label, latest, samplesSeen } = run;
  const present = latest.train_loss?.value;
  if (samplesSeen === samples && present != null) return { label, least: present, most: present };
  const loss = series?.values("train_loss");
  if (!series || !loss) return null;
  // the step that begins there
  let bucket = Math.min(firstFrom(series.samplesSeen, samples + 1), series.length - 1);
  while (bucket >= 0 && Number.isNaN(loss.min[bucket])) bucket--;
  return bucket < 0 ? null : { label, least: loss.min[bucket], most: loss.max[bucket] };
}

/**
 * "After 300 samples each: SGD 0.0119, GD 6.98"; of more than two runs the names of the lowest, and of
 * those that show the same number. Empty for runs that have seen about as many samples, as the table says it
 * then, and without a certain order.
 */
export function perSampleWords(state: State, series: SeriesStore): string {
  const runs = shownRuns(stateOnView(state));
  const seen = runs.map(({ samplesSeen }) => samplesSeen);
  const samples = Math.min(...seen);
  if (samples === 0 || Math.max(...seen) < ABOUT_AS_MANY * samples) return "";
  const losses = runs.map((run) => lossAfter(samples, run, series.of(run.name)));
  if (!losses.every((loss) => loss !== null)) return "";
  const [lowest, ...others] = losses.sort((a, b) => a.most - b.most);
  const loss = number(lowest.most);
  const equal = others.filter(({ most }) => number(most) === loss);
  const higher = others.slice(equal.length);
  if (!higher.every(({ least }) => least > lowest.most)) return "";
  const after = plural(samples, "sample");
  const [next] = higher;
  return others.length === 1 && next && next.least === next.most
    ? texts.afterXEachLosses(after, lowest.label, loss, next.label, number(next.most))
    : texts.afterXEachLowest(after, listed([lowest, ...equal].map(({ label }) => label)));
}
