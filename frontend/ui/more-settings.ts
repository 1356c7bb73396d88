/**
 * "More" with rarely used settings. The line beside it shows values that differ from the defaults.
 * Owns: the disclosure.
 */

import { make, write } from "./dom.ts";

/** @param whose "settings of GD", for screen readers */
export function moreSettings(whose: string, ...content: Node[]) {
  const what = make("span", { class: "unseen" }, ` ${whose}`);
  const differs = make("span", { class: "muted" });
  const root = make(
    "details",
    { class: "more" },
    make("summary", {}, make("span", {}, "More", what), differs),
    make("div", { class: "more-body" }, ...content),
  );
  return {
    root,
    list: (words: (string | false | null | undefined)[]) =>
      write(differs, words.filter(Boolean).join(", ")),
  };
}
