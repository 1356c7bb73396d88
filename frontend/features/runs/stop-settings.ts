/**
 * When a run stops by itself: a choice and its number.
 * Owns: these controls.
 */

import { make } from "../../ui/dom.ts";
import { changingBoxes, methodSelect, parameterBox } from "../../ui/setting-box.ts";
import { explanationOf } from "../../core/parameters.ts";
import { choices, chosen, conditionsOf, numberOf } from "../../core/stops.ts";
import { nameFor } from "../../core/words.ts";
import type { Parameter } from "../../core/catalog.ts";
import type { Condition } from "../../core/stops.ts";
import type { App, Experiment, Run } from "../../core/types.ts";

const HELP = { help: "the run stops at the first step that meets this; the others continue" };

/** @param run its name and label do not change */
export function stopSettings(run: Run, app: App) {
  const inForce = () => (app.store.get().runs[run.name]?.settings.stop ?? []) as Condition[];
  const when = methodSelect({
    text: "Stop when",
    name: `Stop ${run.label} when`,
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
    return [
      parameterBox({
        parameter: parameter as Parameter,
        name,
        apply: (value) => void app.edit(run.name, { stop: [change(value)] }),
      }),
    ];
  });

  function show({ settings }: Run, experiment: Experiment | null) {
    if (!experiment) return;
    const conditions = settings.stop ?? [];
    const choice = chosen(conditions);
    when.show(choices(experiment, conditions), choice, explanationOf(HELP));
    const number = conditions.length === 1 ? numberOf(conditions[0]) : null;
    for (const each of boxes.put(choice)) if (number) each.show(number.value);
  }
  return { root: make("div", {}, when.root, boxes.root), show };
}
