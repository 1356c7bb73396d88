/**
 * The knobs of a run's card: rate, batch size if there is one, and the method's own parameters.
 * Owns: which are visible, their scales and spoken values.
 */

import { html } from "lit";
import "../../ui/knob.ts";
import { scaleOf } from "../../ui/scales.ts";
import { termOf } from "../../ui/term.ts";
import { parametersOf, rowsOf } from "../../core/catalog.ts";
import { integer, plural, setting } from "../../core/format.ts";
import { nameFor, wordFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { App, Catalog, Experiment, Run } from "../../core/types.ts";

/** Full names of knobs with short labels. */
const IN_FULL: Record<string, string> = {
  learning_rate: texts.learningRateWord,
  batch_size: texts.batchSize,
};
/** Guards against a division by 0, which nobody tunes. */
const GUARDS = new Set(["epsilon"]);

export const fullName = (name: string) => IN_FULL[name] ?? wordFor("settings", name);

/** Own parameters of the run's optimizer: either the guards or the others. */
export const ownParameters = (
  catalog: Catalog | null,
  { settings: { optimizer } }: Run,
  guards: boolean,
) =>
  parametersOf(catalog, "optimizers", optimizer).filter(({ name }) => GUARDS.has(name) === guards);

export function knobParameters(catalog: Catalog | null, run: Run): Parameter[] {
  const size = run.settings.batch_size;
  const isMini = size !== null && size !== 1;
  const always = (rowsOf(catalog, "run_settings") as Parameter[]).filter(
    ({ name }) => name === "learning_rate" || (name === "batch_size" && isMini),
  );
  return [...always, ...ownParameters(catalog, run, false)];
}

export const rateOf = (catalog: Catalog | null) =>
  (rowsOf(catalog, "run_settings") as Parameter[]).find(
    ({ name }) => name === "learning_rate",
  ) as Parameter;

/** "learning rate 0.03", "32 samples". */
function saying({ name, unit }: Parameter) {
  return (value: number) =>
    unit === "samples" ? plural(value, "sample") : `${fullName(name)} ${setting(value)}`;
}

export function knobOf(parameter: Parameter, run: Run, app: App) {
  const { name } = parameter;
  const full = fullName(name);
  return html`<setting-knob data-setting=${name} .parameter=${parameter}
    .name=${texts.xOfRunY(texts.capital(full), run.label)}
    .value=${run.settings[name] ?? 0} .scale=${scaleOf(parameter)} .say=${saying(parameter)}
    .apply=${(value: number) => app.edit(run.name, { [name]: value })}></setting-knob>`;
}

/** A muted line where there is nothing to set. */
const line = (text: unknown, says: string) =>
  html`<div class="knob"><span>${text}</span><span class="muted wide">${says}</span></div>`;

/** For a run without a batch size to choose. */
export function batchLine(run: Run, { trainSamples }: Experiment) {
  const size = run.settings.batch_size;
  const one = run.settings.order === "sequential" ? texts.oneInOrder : texts.oneAtRandom;
  return line(
    termOf("batch_size", texts.batch),
    size === null
      ? texts.xYSample(integer(trainSamples), trainSamples === 1 ? texts.theOnly : texts.everyWord)
      : one,
  );
}

/** For a run whose rule is not in the switch. */
export const ruleLine = (optimizer: string) => line(texts.rule, nameFor("optimizers", optimizer));
