/**
 * What is needed less often, behind "More": beside the word stands what of it differs from the usual, so that nothing that
 * acts is out of sight.
 * Owns: the disclosure. Must not know what is inside.
 */

import { make, write } from "./dom.js";

/**
 * @param {string} whose   "settings of GD", for those who hear it
 * @param {...Node} content
 */
export function moreBelow(whose, ...content) {
  const what = make("span", { class: "unseen" }, ` ${whose}`);
  const differs = make("span", { class: "muted" });
  const root = make("details", { class: "more" }, make("summary", {}, make("span", {}, "More", what), differs), make("div", { class: "more-body" }, ...content));
  return {
    root,
    /** @param {(string|false|null|undefined)[]} words */
    tell: (words) => write(differs, words.filter(Boolean).join(", ")),
  };
}
