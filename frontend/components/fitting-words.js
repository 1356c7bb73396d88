/**
 * A line of words in parts, of which the last ones go out of sight, whole, where there is no room; all of them are in its title.
 * Owns: its elements, patched in place.
 */

import { make, set, write } from "./dom.js";

/** @param {string} look  further classes */
export function fittingWords(look) {
  const root = make("span", { class: `fitting ${look}` });

  /** @param {(string|null)[]} parts  with what joins them; what matters most comes first */
  function show(...parts) {
    const told = parts.filter((part) => part !== null && part !== "");
    while (root.childElementCount > told.length) root.lastElementChild?.remove();
    while (root.childElementCount < told.length) root.append(make("span", {}));
    told.forEach((part, place) => write(root.children[place], /** @type {string} */ (part)));
    set(root, { title: told.join("") });
  }
  return { root, show };
}
