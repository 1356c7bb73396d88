/**
 * When a run stops by itself: a choice and its number.
 * Owns: these controls.
 */

import { make } from "./dom.js";
import { changingBoxes, methodSelect, parameterBox } from "./setting-box.js";
import { explanationOf } from "../state/parameters.js";
import { choices, chosen, conditionsOf, numberOf } from "../state/stops.js";
import { nameFor } from "../state/words.js";

/** @typedef {import("../state/types.js").App} App */
/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {import("../state/types.js").Experiment} Experiment */
/** @typedef {import("../state/catalog.js").Parameter} Parameter */

const HELP = { help: "the run stops at the first step that meets this; the others continue" };

/** @param {Run} run  its name and label do not change @param {App} app */
export function stopSettings(run, app) {
  const inForce = () => /** @type {import("../state/stops.js").Condition[]} */ (app.store.get().runs[run.name]?.settings.stop ?? []);
  const when = methodSelect({
    text: "Stop when", name: `Stop ${run.label} when`,
    choose(choice) {
      const stop = conditionsOf(choice);
      if (stop) void app.edit(run.name, { stop });
    },
  });
  const boxes = changingBoxes("pair", () => {
    const bound = inForce().length === 1 ? numberOf(inForce()[0]) : null;
    if (!bound) return [];
    const { parameter, change } = bound;
    const name = `${nameFor("settings", parameter.name)} of the stop of ${run.label}`;
    return [parameterBox({ parameter: /** @type {Parameter} */ (parameter), name, apply: (value) => void app.edit(run.name, { stop: [change(value)] }) })];
  });

  /** @param {Run} run @param {Experiment|null} experiment */
  function show({ settings }, experiment) {
    if (!experiment) return;
    const conditions = settings.stop ?? [];
    const choice = chosen(conditions);
    when.show(choices(experiment, conditions), choice, explanationOf(HELP));
    const number = conditions.length === 1 ? numberOf(conditions[0]) : null;
    for (const each of boxes.put(choice)) if (number) each.show(number.value);
  }
  return { root: make("div", {}, when.root, boxes.root), show };
}
