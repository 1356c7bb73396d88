/**
 * A line below a control with its meaning, range and source. Screen readers read it with the
 * control, hovering shows
 * it, and it stays visible while the recipe is explained.
 * Owns: the line and its link to the control.
 */

import { make, set, write } from "./dom.ts";
import type { Explanation } from "../core/parameters.ts";

let lines = 0;

/** @param controls all controls that it describes */
export function helpLine(...controls: Element[]): {
  root: HTMLElement;
  show: (explanation: Explanation) => void;
} {
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
      for (const control of controls)
        set(control, { title: [explanation.says, explanation.more].join(" ").trim() || null });
    },
  };
}

export const words = (says: string, more = ""): Explanation => ({ says, more });
