/**
 * Run settings used less often: all rules and schedules, order, penalties, gradient bounds, guards, seed.
 * Owns: which of them apply, and the active ones named beside "More".
 */

import { complaintAt } from "./controls.js";
import { make } from "./dom.js";
import { moreSettings } from "./more-below.js";
import { fullName, ownParameters } from "./run-knobs.js";
import { refuseSeed, seedOf } from "./seed.js";
import { stopSettings } from "./stop-settings.js";
import { changingBoxes, methodSelect, parameterBox } from "./setting-box.js";
import { defaultsOf, methodName, ownOf, parametersOf, rowOf, rowsOf } from "../state/catalog.js";
import { setting } from "../state/format.js";
import { explanationOf } from "../state/parameters.js";
import { stopWords } from "../state/stops.js";
import { capital, nameFor, wordFor } from "../state/words.js";

/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {import("../state/types.js").State} State */
/** @typedef {import("../state/types.js").Catalog} Catalog */
/** @typedef {import("../state/catalog.js").Parameter} Parameter */

/** These have knobs. */
const IN_SIGHT = ["learning_rate", "batch_size"];
const ORDER = { help: "order of the training samples in a pass; a full batch uses all at once" };
const CONSTANT = "constant";

/** @param {Run} run @param {string} what */
const nameOf = (run, what) => `${capital(what)} of ${run.label}`;
/** @param {Catalog|null} catalog @param {string} table */
const choicesOf = (catalog, table) => rowsOf(catalog, table).map(({ name }) => ({ value: name, text: nameFor(table, name) }));
/** @param {Run} run */
const scheduleOf = ({ settings: { schedule } }) => schedule ?? CONSTANT;

/** Settings of every run that have no knob. @param {Catalog|null} catalog */
const othersOf = (catalog) => /** @type {Parameter[]} */ (rowsOf(catalog, "run_settings")).filter(({ name }) => !IN_SIGHT.includes(name));

/** Settings that differ from their defaults, for the line beside "More". @param {Run} run @param {Catalog|null} catalog */
export function asidesOf(run, catalog) {
  const { settings } = run;
  const schedule = methodName(scheduleOf(run));
  const own = defaultsOf(catalog, "optimizers", settings.optimizer);
  const guards = ownParameters(catalog, run, true).filter(({ name }) => settings[name] !== own[name]);
  const others = othersOf(catalog).filter(({ name, default: usual }) => (settings[name] ?? usual) !== usual);
  return [
    schedule !== CONSTANT && wordFor("schedules", schedule),
    settings.batch_size !== null && settings.order === "sequential" && wordFor("orders", settings.order),
    ...[...others, ...guards].map(({ name }) => `${wordFor("settings", name)} ${setting(settings[name])}`),
    settings.stop?.length > 0 && stopWords(settings.stop),
  ];
}

/** @param {Run} run  its name and label do not change @param {App} app */
export function runMore(run, app) {
  const catalog = app.store.get().catalog;
  const edit = (/** @type {import("../state/types.js").Json} */ change) => app.edit(run.name, change);
  const now = () => app.store.get().runs[run.name];
  const box = (/** @type {Parameter} */ parameter, /** @type {(value: any) => void} */ apply) =>
    parameterBox({ parameter, name: nameOf(run, fullName(parameter.name)), apply });
  const editing = (/** @type {Parameter} */ parameter) => box(parameter, (value) => edit({ [parameter.name]: value }));

  // the switch above already has this help
  const rule = methodSelect({ text: "Rule", name: nameOf(run, "rule"), choose: (optimizer) => edit({ optimizer }) });
  rule.root.classList.add("said-above");
  const schedule = methodSelect({ text: "Schedule of the rate", name: nameOf(run, "schedule"), choose: (name) => edit({ schedule: name }) });
  const order = methodSelect({ text: "Order", name: nameOf(run, "order"), choose: (value) => edit({ order: value }) });
  const turning = changingBoxes("pair", (name) => parametersOf(catalog, "schedules", name).map((parameter) =>
    box(parameter, (value) => edit({ schedule: { name, ...ownOf(catalog, "schedules", scheduleOf(now())), [parameter.name]: value } }))));
  const seed = parameterBox({
    parameter: seedOf(catalog, "runs"), name: nameOf(run, "seed"), format: String, refuse: refuseSeed,
    apply: (value) => void app.newExperiment({ runs: { [run.name]: { seed: value } } }),
  });
  const common = othersOf(catalog).map(editing);
  const stops = stopSettings(run, app);
  /** @type {ReturnType<typeof parameterBox>[]} */
  let guards = [];
  const boxes = changingBoxes("pair", () => [...common, ...(guards = ownParameters(catalog, now(), true).map(editing)), seed]);
  const more = moreSettings(`settings of ${run.label}`, make("div", { class: "rows" }, rule.root, schedule.root, turning.root, order.root, boxes.root, stops.root));
  /** @type {State["problem"]} */
  let lastProblem = null;

  /** @param {Run} run @param {State} state */
  function show(run, { experiment, problem }) {
    const { settings } = run;
    const method = scheduleOf(run);
    const name = methodName(method);
    rule.show(choicesOf(catalog, "optimizers"), settings.optimizer, explanationOf(rowOf(catalog, "optimizers", settings.optimizer)));
    schedule.show(choicesOf(catalog, "schedules"), name, explanationOf(rowOf(catalog, "schedules", name)));
    order.show((catalog?.orders ?? []).map((/** @type {string} */ each) => ({ value: each, text: nameFor("orders", each) })), settings.order, explanationOf(ORDER));
    order.root.hidden = settings.batch_size === null;
    const own = ownOf(catalog, "schedules", method);
    for (const each of turning.put(name)) each.show(own[each.parameter.name]);
    boxes.put(settings.optimizer);
    for (const each of [...common, ...guards]) each.show(settings[each.parameter.name] ?? each.parameter.default);
    const place = experiment?.recipe.runs.findIndex((each) => each.name === run.name) ?? 0;
    seed.show(experiment?.recipe.runs[place]?.seed ?? 0);
    stops.show(run, experiment);
    if (problem !== lastProblem) seed.complain(complaintAt(problem, `/runs/${place}/seed`));
    lastProblem = problem;
    more.list(asidesOf(run, catalog));
  }
  return { root: more.root, show };
}
