/**
 * Run settings used less often: all rules and schedules, order, penalties, gradient bounds, guards,
 * seed.
 * Owns: which of them apply, and the active ones named beside "More".
 */

import { complaintAt } from "../../ui/controls.ts";
import { make } from "../../ui/dom.ts";
import { moreSettings } from "../../ui/more-settings.ts";
import { fullName, ownParameters } from "./run-knobs.ts";
import { refuseSeed, seedOf } from "../../ui/seed.ts";
import { stopSettings } from "./stop-settings.ts";
import { changingBoxes, methodSelect, parameterBox } from "../../ui/setting-box.ts";
import { defaultsOf, methodName, ownOf, parametersOf, rowOf, rowsOf } from "../../core/catalog.ts";
import { setting } from "../../core/format.ts";
import { explanationOf } from "../../core/parameters.ts";
import { stopWords } from "../../core/stops.ts";
import { capital, nameFor, wordFor } from "../../core/words.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { App, Catalog, Json, Run, State } from "../../core/types.ts";

/** These have knobs. */
const IN_SIGHT = ["learning_rate", "batch_size"];
const ORDER = { help: "order of the training samples in a pass; a full batch uses all at once" };
const CONSTANT = "constant";

const nameOf = (run: Run, what: string) => `${capital(what)} of ${run.label}`;
const choicesOf = (catalog: Catalog | null, table: string) =>
  rowsOf(catalog, table).map(({ name }) => ({ value: name, text: nameFor(table, name) }));
const scheduleOf = ({ settings: { schedule } }: Run) => schedule ?? CONSTANT;

/** Settings of every run that have no knob. */
const othersOf = (catalog: Catalog | null) =>
  (rowsOf(catalog, "run_settings") as Parameter[]).filter(({ name }) => !IN_SIGHT.includes(name));

/** Settings that differ from their defaults, for the line beside "More". */
export function asidesOf(run: Run, catalog: Catalog | null) {
  const { settings } = run;
  const schedule = methodName(scheduleOf(run));
  const own = defaultsOf(catalog, "optimizers", settings.optimizer);
  const guards = ownParameters(catalog, run, true).filter(
    ({ name }) => settings[name] !== own[name],
  );
  const others = othersOf(catalog).filter(
    ({ name, default: usual }) => (settings[name] ?? usual) !== usual,
  );
  return [
    schedule !== CONSTANT && wordFor("schedules", schedule),
    settings.batch_size !== null &&
      settings.order === "sequential" &&
      wordFor("orders", settings.order),
    ...[...others, ...guards].map(
      ({ name }) => `${wordFor("settings", name)} ${setting(settings[name])}`,
    ),
    settings.stop?.length > 0 && stopWords(settings.stop),
  ];
}

/** @param run its name and label do not change */
export function runMore(run: Run, app: App) {
  const catalog = app.store.get().catalog;
  const edit = (change: Json) => app.edit(run.name, change);
  const now = () => app.store.get().runs[run.name];
  const box = (parameter: Parameter, apply: (value: any) => void) =>
    parameterBox({ parameter, name: nameOf(run, fullName(parameter.name)), apply });
  const editing = (parameter: Parameter) =>
    box(parameter, (value) => edit({ [parameter.name]: value }));

  // the switch above already has this help
  const rule = methodSelect({
    text: "Rule",
    name: nameOf(run, "rule"),
    choose: (optimizer) => edit({ optimizer }),
  });
  rule.root.classList.add("said-above");
  const schedule = methodSelect({
    text: "Schedule of the rate",
    name: nameOf(run, "schedule"),
    choose: (name) => edit({ schedule: name }),
  });
  const order = methodSelect({
    text: "Order",
    name: nameOf(run, "order"),
    choose: (value) => edit({ order: value }),
  });
  const turning = changingBoxes("pair", (name) =>
    parametersOf(catalog, "schedules", name).map((parameter) =>
      box(parameter, (value) =>
        edit({
          schedule: {
            name,
            ...ownOf(catalog, "schedules", scheduleOf(now())),
            [parameter.name]: value,
          },
        }),
      ),
    ),
  );
  const seed = parameterBox({
    parameter: seedOf(catalog, "runs"),
    name: nameOf(run, "seed"),
    format: String,
    refuse: refuseSeed,
    apply: (value) => void app.newExperiment({ runs: { [run.name]: { seed: value } } }),
  });
  const common = othersOf(catalog).map(editing);
  const stops = stopSettings(run, app);
  let guards: ReturnType<typeof parameterBox>[] = [];
  const boxes = changingBoxes("pair", () => [
    ...common,
    ...(guards = ownParameters(catalog, now(), true).map(editing)),
    seed,
  ]);
  const more = moreSettings(
    `settings of ${run.label}`,
    make(
      "div",
      { class: "rows" },
      rule.root,
      schedule.root,
      turning.root,
      order.root,
      boxes.root,
      stops.root,
    ),
  );
  let lastProblem: State["problem"] = null;

  function show(run: Run, { experiment, problem }: State) {
    const { settings } = run;
    const method = scheduleOf(run);
    const name = methodName(method);
    rule.show(
      choicesOf(catalog, "optimizers"),
      settings.optimizer,
      explanationOf(rowOf(catalog, "optimizers", settings.optimizer)),
    );
    schedule.show(
      choicesOf(catalog, "schedules"),
      name,
      explanationOf(rowOf(catalog, "schedules", name)),
    );
    order.show(
      (catalog?.orders ?? []).map((each: string) => ({
        value: each,
        text: nameFor("orders", each),
      })),
      settings.order,
      explanationOf(ORDER),
    );
    order.root.hidden = settings.batch_size === null;
    const own = ownOf(catalog, "schedules", method);
    for (const each of turning.put(name)) each.show(own[each.parameter.name]);
    boxes.put(settings.optimizer);
    for (const each of [...common, ...guards])
      each.show(settings[each.parameter.name] ?? each.parameter.default);
    const place = experiment?.recipe.runs.findIndex((each) => each.name === run.name) ?? 0;
    seed.show(experiment?.recipe.runs[place]?.seed ?? 0);
    stops.show(run, experiment);
    if (problem !== lastProblem) seed.complain(complaintAt(problem, `/runs/${place}/seed`));
    lastProblem = problem;
    more.list(asidesOf(run, catalog));
  }
  return { root: more.root, show };
}
