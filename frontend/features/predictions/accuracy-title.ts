/**
 * The line above a run's confusion table or decision map: its shape, name and accuracy.
 * Owns: its elements, patched in place. In narrow places the word "accuracy" goes before the name
 * is shortened.
 */

import { make, set, write } from "../../ui/dom.ts";
import { marker } from "../../ui/icons.ts";
import { score } from "../../core/format.ts";
import type { Run } from "../../core/types.ts";

export function accuracyTitle(run: Run) {
  const label = make("b", {});
  const value = make("span", {});
  const values = make(
    "span",
    { class: "values" },
    value,
    make("span", { class: "word" }, "accuracy"),
  );
  const root = make(
    "div",
    { class: "title", "aria-hidden": "true" },
    marker(run.lane),
    label,
    values,
  );

  /**
   * @param right share of correct predictions
   * @param brief the name, shortened to fit
   */
  function show(name: string, right: number | null | undefined, brief = name) {
    write(label, brief);
    write(value, score(right));
    set(root, { title: `${name}: accuracy ${score(right)}` });
  }
  return { root, show };
}
