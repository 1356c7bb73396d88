/**
 * A line under a control that says what it is, in which range, and where it was published. Screen readers say it with the
 * control, a pointer that rests on the control shows it, and it stands there for everybody while the recipe is explained.
 * Owns: the line and its tie to the control. Must not know what it says.
 */

import { make, set, write } from "./dom.js";

/** @typedef {import("../state/parameters.js").Explanation} Explanation */

let lines = 0;

/**
 * @param {...Element} controls  all of which it describes
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
