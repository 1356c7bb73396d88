/**
 * The switch GD | Mini-batch | SGD of a run: in its card, and where the rail is hidden in its row of
 * the table.
 * Owns: the batch size of each choice, and its words.
 */

import { switchOf } from "../../ui/controls.ts";
import { every, plural } from "../../core/format.ts";
import * as texts from "../../words/english.ts";
import type { App, Experiment, Run } from "../../core/types.ts";

/** How a run samples: GD, mini-batch or SGD. */
export const samplingOf = ({ settings: { batch_size: size } }: Run): "gd" | "mini" | "sgd" =>
  size === null ? "gd" : size === 1 ? "sgd" : "mini";

const SAMPLINGS = [
  { value: "gd" as const, text: "GD" },
  { value: "mini" as const, text: texts.miniBatch },
  { value: "sgd" as const, text: "SGD" },
];
const BATCH = { gd: null, mini: 32, sgd: 1 };

/** "all 900 samples", of each step. */
export function samplesOf(run: Run, { trainSamples }: Experiment) {
  const size = run.settings.batch_size;
  return size === null
    ? every(trainSamples, "sample")
    : plural(Math.min(size, trainSamples), "sample");
}

/** @param more help of the switch, and whether it is locked */
export function methodSwitch(
  run: Run,
  app: App,
  more: { look?: string; helpId?: string; title?: unknown; disabled?: boolean } = {},
) {
  const sampling = samplingOf(run);
  return switchOf(sampling, {
    name: texts.samplesPerStepOfX(run.label),
    choices: SAMPLINGS,
    choose: (value) => value !== sampling && app.edit(run.name, { batch_size: BATCH[value] }),
    ...more,
  });
}
