/**
 * A line below a control with its meaning, range and source. Screen readers read it with the control, hovering shows
 * it, and it stays visible while the recipe is explained.
 * Owns: the line and its link to the control.
 */

import { make, set, write } from "./dom.js";

/** @typedef {import("../state/parameters.js").Explanation} Explanation */

let lines = 0;

/**
 * @param {...Element} controls  all controls that it describes
 * @returns {{root: HTMLElement, show: (explanation: Explanation) => void}}
 */
export function helpLine(...controls) {
  const id = `help-${++lines}`;
  const says = make("span", {});
  const more = make("span", { class: "muted" });
  const root = make("p", { class: "help", id }, says, " ", more);
  for (const control of controls) set(control, { "aria-describedby": id });
  return {
    root,
    show(explanation) {
      write(says, explanation.says);
      write(more, explanation.more);
      for (const control of controls) set(control, { title: [explanation.says, explanation.more].join(" ").trim() || null });
    },
  };
}

/** @param {string} says @param {string} [more] @returns {Explanation} */
export const words = (says, more = "") => ({ says, more });
