/**
 * When a run stops by itself: a choice and its number.
 * Owns: these controls.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { explanationOf } from "../../core/parameters.ts";
import { choices, chosen, conditionsOf, numberOf } from "../../core/stops.ts";
import { nameFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Condition } from "../../core/stops.ts";
import type { Experiment, Json, Run } from "../../core/types.ts";

const HELP = { help: texts.theRunStopsAtTheFirst };

export function stopSettings(
  { label, settings }: Run,
  experiment: Experiment,
  edit: (change: Json) => void,
) {
  const conditions = (settings.stop ?? []) as Condition[];
  const choice = chosen(conditions);
  const number = conditions.length === 1 ? numberOf(conditions[0]) : null;
  const choose = (value: string) => {
    const stop = conditionsOf(value);
    if (stop) edit({ stop });
  };
  const box =
    number &&
    html`<div class="pair"><setting-box .parameter=${number.parameter} .value=${number.value}
      .name=${texts.xOfTheStopOfY(nameFor("settings", number.parameter.name), label)}
      .apply=${(value: number) => edit({ stop: [number.change(value)] })}></setting-box></div>`;
  return html`<div>
    <setting-select text=${texts.stopWhen} name=${texts.stopXWhen(label)} .value=${choice}
      .options=${choices(experiment, conditions)} .explanation=${explanationOf(HELP)}
      .choose=${choose}></setting-select>
    ${keyed(choice, box ?? nothing)}
  </div>`;
}
