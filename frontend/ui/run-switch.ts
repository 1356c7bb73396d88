/**
 * The switch for the inspected run, by shape and name; the network drawing and the instruments
 * share the choice.
 * Owns: its choices.
 */

import { switchOf } from "./controls.ts";
import { marker } from "./icons.ts";
import { briefName, hasCutWord } from "../core/brief-names.ts";
import { inspectedRun } from "../core/inspected.ts";
import type { App, State } from "../core/types.ts";

/** Limits of few and many runs: names get shorter with each. */
const FEW = 2;
const MANY = 3;
/** With more runs only the chosen one shows its name; tooltips have the others. */
const SHAPES_ONLY = 4;
const NAME = 16;

/** Letters of a run's name */
type Letters = { few: number; many: number; most?: number };

/** Slice of the state that the switch shows. */
export const runSwitchParts = (state: State) => [
  inspectedRun(state)?.name,
  ...state.order.flatMap((name) => [name, state.runs[name].label]),
];

/** @param name accessible name */
export function runSwitch(state: State, app: App, name: string, letters: Letters) {
  const { order, runs } = state;
  const isMany = order.length > FEW;
  const most =
    order.length > SHAPES_ONLY
      ? NAME
      : order.length > MANY
        ? (letters.most ?? letters.many)
        : isMany
          ? letters.many
          : letters.few;
  const labels = order.map((run) => runs[run].label);
  const choices = order.map((run, k) => {
    // two names may be as wide as their buttons, where capitals need the room of a letter more
    const isLong = labels[k].length > most;
    const brief = isLong ? briefName(labels[k], labels, isMany ? most : most - 1) : labels[k];
    // its shape says more than a part of a word
    const text = hasCutWord(brief, labels[k]) ? "" : brief;
    const before = marker(runs[run].lane);
    const full = text === labels[k] ? undefined : labels[k];
    return { value: run, text, title: labels[k], name: full, before };
  });
  const choose = (networkRun: string) => app.setView({ networkRun });
  const look = order.length > SHAPES_ONLY ? "shapes" : "";
  return switchOf(inspectedRun(state)?.name ?? null, { name, choices, choose, isMany, look });
}
