/**
 * "More" with rarely used settings. The line beside it shows values that differ from the defaults.
 * Owns: the disclosure.
 */

import { make, write } from "./dom.js";

/** @param {string} whose  "settings of GD", for screen readers @param {...Node} content */
export function moreSettings(whose, ...content) {
  const what = make("span", { class: "unseen" }, ` ${whose}`);
  const differs = make("span", { class: "muted" });
  const root = make("details", { class: "more" }, make("summary", {}, make("span", {}, "More", what), differs), make("div", { class: "more-body" }, ...content));
  return {
    root,
    /** @param {(string|false|null|undefined)[]} words */
    list: (words) => write(differs, words.filter(Boolean).join(", ")),
  };
}
