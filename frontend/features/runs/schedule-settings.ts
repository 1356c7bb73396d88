/**
 * The schedule of a run's rate: the choice of one, the one that follows it, and their numbers.
 * Owns: these controls.
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { fullName } from "./run-knobs.ts";
import { methodName, ownOf, parametersOf, rowOf, rowsOf } from "../../core/catalog.ts";
import { explanationOf } from "../../core/parameters.ts";
import { nextSchedule } from "../../core/run-words.ts";
import { nameFor, wordFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Method } from "../../core/catalog.ts";
import type { Catalog, Json, Run } from "../../core/types.ts";

const NONE = { value: "", text: texts.none };

export function scheduleSettings(
  { label, settings }: Run,
  catalog: Catalog | null,
  edit: (change: Json) => void,
) {
  const schedule: Method = settings.schedule ?? "constant";
  const second = nextSchedule(schedule);
  const row = rowOf(catalog, "schedules", methodName(schedule));
  const options = rowsOf(catalog, "schedules").map(({ name }) => ({
    value: name,
    text: nameFor("schedules", name),
  }));
  const choose = (next: Method) => edit({ schedule: next });
  const follow = (next: Method | null) => {
    const { next: _, ...first } = ownOf(catalog, "schedules", schedule);
    edit({ schedule: { ...first, name: methodName(schedule), ...(next && { next }) } });
  };
  /** Boxes for the numbers of one schedule: "Steps of GD", "Steps of cosine of GD". */
  const boxes = (stage: Method, apply: (next: Method) => void, of: string) => {
    const name = methodName(stage);
    const own = ownOf(catalog, "schedules", stage);
    const all = parametersOf(catalog, "schedules", name).map(
      (parameter) => html`<setting-box .parameter=${parameter} .value=${own[parameter.name]}
        .name=${texts.xOfRunY(texts.capital(fullName(parameter.name)), of)}
        .apply=${(value: number) => apply({ ...own, name, [parameter.name]: value })}></setting-box>`,
    );
    return keyed(name, all.length ? html`<div class="pair">${all}</div>` : nothing);
  };
  return html`
    <setting-select text=${texts.scheduleOfTheRate} name=${texts.scheduleOfX(label)} .options=${options}
      .value=${methodName(schedule)} .explanation=${explanationOf(row)} .choose=${choose}></setting-select>
    ${boxes(schedule, choose, label)}
    ${
      row?.next
        ? html`<setting-select text=${texts.nextSchedule} name=${texts.nextScheduleOfX(label)}
            .options=${[NONE, ...options]} .value=${second ? methodName(second) : ""}
            .explanation=${explanationOf(row.next)}
            .choose=${(name: string) => follow(name || null)}></setting-select>`
        : nothing
    }
    ${second ? boxes(second, follow, texts.xOfY(wordFor("schedules", methodName(second)), label)) : nothing}`;
}
