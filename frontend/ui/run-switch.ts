/**
 * The switch for the inspected run, by shape and name; the network drawing and the instruments
 * share the choice.
 * Owns: its choices.
 */

import { segmentedSwitch } from "./controls.ts";
import { set } from "./dom.ts";
import { marker } from "./icons.ts";
import { briefName } from "../core/brief-names.ts";
import { inspectedRun } from "../core/inspected.ts";
import type { LiveElement } from "./live-element.ts";

/** Limits of few and many runs: names get shorter with each. */
const FEW = 2;
const MANY = 3;

/**
 * @param host on the page as long as the switch
 * @param name accessible name
 * @param letters of a run's name
 */
export function keepRunSwitch(
  host: LiveElement,
  place: HTMLElement,
  name: string,
  letters: { few: number; many: number; most?: number },
) {
  let show: (run: string | null) => void = () => {};
  host.follow(
    (state) => [...state.order, ...state.order.map((run) => state.runs[run].label)],
    (_, state) => {
      const { order, runs } = state;
      const isMany = order.length > FEW;
      const most =
        order.length > MANY ? (letters.most ?? letters.many) : isMany ? letters.many : letters.few;
      const labels = order.map((run) => runs[run].label);
      const choices = order.map((run, k) => {
        const text = briefName(labels[k], labels, most);
        return {
          value: run,
          text,
          title: labels[k],
          ...(text === labels[k] ? {} : { name: labels[k] }),
          before: () => marker(runs[run].lane),
        };
      });
      const tabs = segmentedSwitch({
        name,
        choices,
        choose: (networkRun) => host.app.setView({ networkRun }),
      });
      set(tabs.root, { "data-many": isMany });
      place.replaceChildren(tabs.root);
      show = tabs.show;
      show(inspectedRun(state)?.name ?? null);
    },
  );
  host.follow(
    (state) => inspectedRun(state)?.name ?? null,
    (run) => show(run),
  );
}
