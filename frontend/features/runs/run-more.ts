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
import { explanationOf, isList } from "../../core/parameters.ts";
import { scheduleWord, settingWord } from "../../core/run-words.ts";
import { stopWords } from "../../core/stops.ts";
import { nameFor, wordFor } from "../../core/words.ts";
import * as texts from "../../words/english.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { App, Catalog, Json, Run, State } from "../../core/types.ts";

/** These have knobs. */
const IN_SIGHT = ["learning_rate", "batch_size"];
const ORDER = { help: texts.howAPassTakesTheTraining };

const nameOf = (run: Run, what: string) => texts.xOfRunY(texts.capital(what), run.label);
const choicesOf = (catalog: Catalog | null, table: string) =>
  rowsOf(catalog, table).map(({ name }) => ({ value: name, text: nameFor(table, name) }));

/** Settings of every run that have no knob. */
const othersOf = (catalog: Catalog | null) =>
  (rowsOf(catalog, "run_settings") as Parameter[]).filter(
    (each) => !IN_SIGHT.includes(each.name) && !isList(each),
  );

/** A box for each layer's factor of the rate. */
function layerRates({ settings }: Run, { catalog, experiment }: State) {
  const row = rowOf(catalog, "run_settings", "layer_rates") as Parameter | undefined;
  const count = (experiment?.recipe.network.layers.length ?? 0) + 1;
  if (!row || !experiment) return [];
  const rates: number[] = settings.layer_rates?.length
    ? settings.layer_rates
    : Array.from({ length: count }, () => 1);
  return rates.map((value, place) => ({
    parameter: {
      ...row,
      name: `rate_of_layer_${place + 1}`,
      default: 1,
      schema: row.schema?.items,
    },
    value,
    change(changed: number) {
      const next = rates.map((rate, k) => (k === place ? changed : rate));
      return { layer_rates: next.every((rate) => rate === 1) ? [] : next };
    },
  }));
}

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
    settings.layer_rates?.length > 0 && settingWord("layer_rates", settings.layer_rates),
    settings.stop?.length > 0 && stopWords(settings.stop),
  ];
}

export function runMore(run: Run, state: State, app: App) {
  const { catalog, experiment, problem } = state;
  const { settings } = run;
  const { optimizer } = settings;
  const edit = (change: Json) => void app.edit(run.name, change);
  const box = (parameter: Parameter, value: any, change: (value: any) => Json) =>
    html`<setting-box .parameter=${parameter} .name=${nameOf(run, fullName(parameter.name))}
      .value=${value} .apply=${(changed: any) => edit(change(changed))}></setting-box>`;
  const editing = (parameter: Parameter) =>
    box(parameter, settings[parameter.name] ?? parameter.default, (value) => ({
      [parameter.name]: value,
    }));
  const orders = (catalog?.orders ?? []).map((value: string) => ({
    value,
    text: nameFor("orders", value),
  }));
  const place = experiment?.recipe.runs.findIndex(({ name }) => name === run.name) ?? 0;
  const seed = (value: number) => void app.newExperiment({ runs: { [run.name]: { seed: value } } });
  // the switch above already has the help of the rule
  return moreSettings(
    texts.settingsOfXWord(run.label),
    asidesOf(run, catalog),
    html`
      <setting-select class="said-above" text=${texts.rule} .name=${nameOf(run, "rule")}
        .options=${choicesOf(catalog, "optimizers")} .value=${optimizer}
        .explanation=${explanationOf(rowOf(catalog, "optimizers", optimizer))}
        .choose=${(name: string) => edit({ optimizer: name })}></setting-select>
      ${scheduleSettings(run, catalog, edit)}
      ${
        settings.batch_size === null
          ? nothing
          : html`<setting-select text=${texts.order} .name=${nameOf(run, "order")} .options=${orders}
              .value=${settings.order} .explanation=${explanationOf(ORDER)}
              .choose=${(order: string) => edit({ order })}></setting-select>`
      }
      ${keyed(
        optimizer,
        html`<div class="pair">
          ${[...othersOf(catalog), ...ownParameters(catalog, run, true)].map(editing)}
          ${layerRates(run, state).map(({ parameter, value, change }) => box(parameter, value, change))}
          <setting-box .parameter=${seedOf(catalog, "runs")} .name=${nameOf(run, "seed")}
            .value=${experiment?.recipe.runs[place]?.seed ?? 0} .problem=${problem}
            .pointers=${[`/runs/${place}/seed`]} .refuse=${refuseSeed} .format=${String}
            .apply=${seed}></setting-box>
        </div>`,
      )}
      ${experiment && stopSettings(run, experiment, edit)}`,
  );
}
