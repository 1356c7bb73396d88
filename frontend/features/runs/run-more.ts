/**
 * Run settings used less often: all rules and schedules, order, penalties, gradient bounds, guards,
 * seed.
 * Owns: which of them apply, and the active ones named beside "More".
 */

import { html, nothing } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { moreSettings } from "../../ui/more-settings.ts";
import { fullName, ownParameters } from "./run-knobs.ts";
import { scheduleSettings } from "./schedule-settings.ts";
import { refuseSeed, seedOf } from "../../ui/seed.ts";
import { stopSettings } from "./stop-settings.ts";
import "../../ui/setting-box.ts";
import { defaultsOf, rowOf, rowsOf } from "../../core/catalog.ts";
import { setting } from "../../core/format.ts";
import { explanationOf } from "../../core/parameters.ts";
import { scheduleWord } from "../../core/run-words.ts";
import { stopWords } from "../../core/stops.ts";
import { capital, nameFor, wordFor } from "../../core/words.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { App, Catalog, Json, Run, State } from "../../core/types.ts";

/** These have knobs. */
const IN_SIGHT = ["learning_rate", "batch_size"];
const ORDER = { help: "how a pass takes the training samples; a full batch uses all at once" };

const nameOf = (run: Run, what: string) => `${capital(what)} of ${run.label}`;
const choicesOf = (catalog: Catalog | null, table: string) =>
  rowsOf(catalog, table).map(({ name }) => ({ value: name, text: nameFor(table, name) }));

/** Settings of every run that have no knob. */
const othersOf = (catalog: Catalog | null) =>
  (rowsOf(catalog, "run_settings") as Parameter[]).filter(({ name }) => !IN_SIGHT.includes(name));

/** Settings that differ from their defaults, for the line beside "More". */
export function asidesOf(run: Run, catalog: Catalog | null) {
  const { settings } = run;
  const own = defaultsOf(catalog, "optimizers", settings.optimizer);
  const guards = ownParameters(catalog, run, true).filter(
    ({ name }) => settings[name] !== own[name],
  );
  const others = othersOf(catalog).filter(
    ({ name, default: usual }) => (settings[name] ?? usual) !== usual,
  );
  return [
    scheduleWord(settings.schedule),
    settings.batch_size !== null &&
      settings.order !== "shuffle" &&
      wordFor("orders", settings.order),
    ...[...others, ...guards].map(
      ({ name }) => `${wordFor("settings", name)} ${setting(settings[name])}`,
    ),
    settings.stop?.length > 0 && stopWords(settings.stop),
  ];
}

export function runMore(run: Run, { catalog, experiment, problem }: State, app: App) {
  const { settings } = run;
  const { optimizer } = settings;
  const edit = (change: Json) => void app.edit(run.name, change);
  const editing = (parameter: Parameter) =>
    html`<setting-box .parameter=${parameter} .name=${nameOf(run, fullName(parameter.name))}
      .value=${settings[parameter.name] ?? parameter.default}
      .apply=${(value: any) => edit({ [parameter.name]: value })}></setting-box>`;
  const orders = (catalog?.orders ?? []).map((value: string) => ({
    value,
    text: nameFor("orders", value),
  }));
  const place = experiment?.recipe.runs.findIndex(({ name }) => name === run.name) ?? 0;
  const seed = (value: number) => void app.newExperiment({ runs: { [run.name]: { seed: value } } });
  // the switch above already has the help of the rule
  return moreSettings(
    `settings of ${run.label}`,
    asidesOf(run, catalog),
    html`
      <setting-select class="said-above" text="Rule" .name=${nameOf(run, "rule")}
        .options=${choicesOf(catalog, "optimizers")} .value=${optimizer}
        .explanation=${explanationOf(rowOf(catalog, "optimizers", optimizer))}
        .choose=${(name: string) => edit({ optimizer: name })}></setting-select>
      ${scheduleSettings(run, catalog, edit)}
      ${
        settings.batch_size === null
          ? nothing
          : html`<setting-select text="Order" .name=${nameOf(run, "order")} .options=${orders}
              .value=${settings.order} .explanation=${explanationOf(ORDER)}
              .choose=${(order: string) => edit({ order })}></setting-select>`
      }
      ${keyed(
        optimizer,
        html`<div class="pair">
          ${[...othersOf(catalog), ...ownParameters(catalog, run, true)].map(editing)}
          <setting-box .parameter=${seedOf(catalog, "runs")} .name=${nameOf(run, "seed")}
            .value=${experiment?.recipe.runs[place]?.seed ?? 0} .problem=${problem}
            .pointers=${[`/runs/${place}/seed`]} .refuse=${refuseSeed} .format=${String}
            .apply=${seed}></setting-box>
        </div>`,
      )}
      ${experiment && stopSettings(run, experiment, edit)}`,
  );
}
