/**
 * The line above a run's confusion table or decision map: its shape, name and accuracy.
 * Owns: its elements, patched in place. In narrow places the word "accuracy" goes before the name is shortened.
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

  /**
   * @param {string} name
   * @param {number|null|undefined} right  share of correct predictions
   * @param {string} [brief]  the name, shortened to fit
   */
  function show(name, right, brief = name) {
    write(label, brief);
    write(value, score(right));
    set(root, { title: `${name}: accuracy ${score(right)}` });
  }
  return { root, show };
}
