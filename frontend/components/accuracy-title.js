/**
 * The line over a run's table or map of classes: its shape, its name, and how many are right.
 * Owns: its elements, patched in place. Where a long name leaves no room, the word "accuracy" goes before the name is cut.
 */

import { make, set, write } from "./dom.js";
import { marker } from "./icons.js";
import { score } from "../state/format.js";

/** @param {import("../state/types.js").Run} run */
export function accuracyTitle(run) {
  const label = make("b", {});
  const value = make("span", {});
  const values = make("span", { class: "values" }, value, make("span", { class: "word" }, "accuracy"));
  const root = make("div", { class: "title", "aria-hidden": "true" }, marker(run.lane), label, values);

  /** @param {string} name @param {number|null|undefined} right  the share @param {string} [brief]  the name as far as there is room for it */
  function show(name, right, brief = name) {
    write(label, brief);
    write(value, score(right));
    set(root, { title: `${name}: accuracy ${score(right)}` });
  }
  return { root, show };
}
