/**
 * How a run samples: GD, mini-batch or SGD.
 * Owns: which batch sizes count as which, and the batch of each choice. Pure.
 */

import type { Experiment, Json } from "./types.ts";

export type Sampling = "gd" | "mini" | "sgd";

const USUAL = 32;

/** A batch of every training sample is GD, unless samples are drawn with replacement. */
export function samplingOf(
  { batch_size: size, order }: Json,
  { trainSamples }: Pick<Experiment, "trainSamples">,
): Sampling {
  if (size === null) return "gd";
  if (size === 1) return "sgd";
  return size >= trainSamples && order !== "replacement" ? "gd" : "mini";
}

/** 32, or of few samples the largest power of two that is less than all. */
export const miniBatch = ({ trainSamples }: Pick<Experiment, "trainSamples">) =>
  Math.min(USUAL, Math.max(2, 2 ** (Math.ceil(Math.log2(trainSamples)) - 1)));

/** The batch size of a choice. */
export const batchOf = (sampling: Sampling, experiment: Pick<Experiment, "trainSamples">) =>
  sampling === "gd" ? null : sampling === "sgd" ? 1 : miniBatch(experiment);
