/**
 * The switch GD | Mini-batch | SGD of a run: in its card, and where the rail is hidden in its row of
 * the table.
 * Owns: its words.
 */

import { switchOf } from "../../ui/controls.ts";
import { every, plural } from "../../core/format.ts";
import { batchOf, samplingOf } from "../../core/sampling.ts";
import * as texts from "../../words/english.ts";
import type { App, Experiment, Run } from "../../core/types.ts";

const SAMPLINGS = [
  { value: "gd" as const, text: "GD" },
  { value: "mini" as const, text: texts.miniBatch },
  { value: "sgd" as const, text: "SGD" },
];

/** "all 900 samples", of each step. */
export function samplesOf({ settings }: Run, experiment: Experiment) {
  const { trainSamples } = experiment;
  const { batch_size: size } = settings;
  return size === null || samplingOf(settings, experiment) === "gd"
    ? every(trainSamples, "sample")
    : plural(Math.min(size, trainSamples), "sample");
}

/** @param more help of the switch, and whether it is locked */
export function methodSwitch(
  run: Run,
  app: App,
  more: { look?: string; helpId?: string; title?: unknown; disabled?: boolean } = {},
) {
  const experiment = app.store.get().experiment as Experiment;
  const sampling = samplingOf(run.settings, experiment);
  return switchOf(sampling, {
    name: texts.samplesPerStepOfX(run.label),
    choices: SAMPLINGS,
    choose: (value) =>
      value !== sampling && app.edit(run.name, { batch_size: batchOf(value, experiment) }),
    ...more,
  });
}
