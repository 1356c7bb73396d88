/**
 * A run that stands at step 0 while others have steps, and the steps that bring it level.
 * Owns: that choice. Pure.
 */

import type { Run, State } from "./types.ts";

/** The most steps of one command. */
const MOST = 1_000_000;

/** Steps of a run until it has seen so many samples. The last batch of a pass may be smaller. */
function stepsFor(samples: number, { settings: { batch_size } }: Run, trainSamples: number) {
  const batch = Math.min(batch_size ?? trainSamples, trainSamples);
  const passes = Math.floor(samples / trainSamples);
  return passes * Math.ceil(trainSamples / batch) + Math.ceil((samples % trainSamples) / batch);
}

/**
 * The first run that was added or restarted and has no step yet, with the steps to catch up. Null
 * while runs play, or if all are level. Level means equal steps or equal samples, as they play.
 */
export function runBehind({ order, runs, playback, experiment }: State) {
  if (playback.playing || !experiment) return null;
  const all = order.map((name) => runs[name]);
  const run = all.find(
    ({ step, status, startsLate }) => startsLate && step === 0 && status === "paused",
  );
  const most = (of: (run: Run) => number) => Math.max(0, ...all.map(of));
  if (!run || most(({ step }) => step) === 0) return null;
  const { trainSamples } = experiment;
  const steps =
    playback.pace === "samples"
      ? stepsFor(
          most(({ samplesSeen }) => samplesSeen),
          run,
          trainSamples,
        )
      : most(({ step }) => step);
  return { run, steps: Math.min(MOST, steps) };
}
