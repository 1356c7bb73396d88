/**
 * The switch for the inspected run, by shape and name; the network drawing and the instruments share the choice.
 * Owns: its choices.
 */

import { segmentedSwitch } from "./controls.js";
import { set } from "./dom.js";
import { marker } from "./icons.js";
import { briefName } from "../state/brief-names.js";
import { inspectedRun } from "../state/inspected.js";

/** Limits of few and many runs: names get shorter with each. */
const FEW = 2;
const MANY = 3;

/**
 * @param {import("./live-element.js").LiveElement} host  on the page as long as the switch
 * @param {HTMLElement} place
 * @param {string} name  accessible name
 * @param {{few: number, many: number, most?: number}} letters  of a run's name
 */
export function keepRunSwitch(host, place, name, letters) {
  /** @type {(run: string|null) => void} */
  let show = () => {};
  host.follow((state) => [...state.order, ...state.order.map((run) => state.runs[run].label)], (_, state) => {
    const { order, runs } = state;
    const isMany = order.length > FEW;
    const most = order.length > MANY ? letters.most ?? letters.many : isMany ? letters.many : letters.few;
    const labels = order.map((run) => runs[run].label);
    const choices = order.map((run, k) => {
      const text = briefName(labels[k], labels, most);
      return { value: run, text, title: labels[k], ...(text === labels[k] ? {} : { name: labels[k] }), before: () => marker(runs[run].lane) };
    });
    const tabs = segmentedSwitch({ name, choices, choose: (networkRun) => host.app.setView({ networkRun }) });
    set(tabs.root, { "data-many": isMany });
    place.replaceChildren(tabs.root);
    show = tabs.show;
    show(inspectedRun(state)?.name ?? null);
  });
  host.follow((state) => inspectedRun(state)?.name ?? null, (run) => show(run));
}
