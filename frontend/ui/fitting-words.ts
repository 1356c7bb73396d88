/**
 * A line of words in parts. Whole parts at the end are hidden where room is short; the title has
 * all.
 * Owns: its elements, patched in place.
 */

import { make, set, write } from "./dom.ts";

/** @param look more classes */
export function fittingWords(look: string) {
  const root = make("span", { class: `fitting ${look}` });

  /** @param parts with their separators, most important first */
  function show(...parts: (string | null)[]) {
    const visible = parts.filter((part) => part !== null && part !== "");
    while (root.childElementCount > visible.length) root.lastElementChild?.remove();
    while (root.childElementCount < visible.length) root.append(make("span", {}));
    visible.forEach((part, place) => write(root.children[place], part as string));
    set(root, { title: visible.join("") });
  }
  return { root, show };
}
