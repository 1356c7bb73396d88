/**
 * A line of words in parts. Whole parts at the end are hidden where room is short; the title has
 * all.
 * Owns: its template.
 */

import { html } from "lit";
import { held } from "./dom.ts";

/** @param parts with their separators, most important first */
export function wordsOf(look: string, parts: (string | null)[]) {
  const visible = parts.filter(Boolean);
  return html`<span class="fitting ${look}" title=${visible.join("")}
    >${visible.map((part) => html`<span>${part}</span>`)}</span>`;
}

/** The same for elements built by hand. */
export function fittingWords(look: string) {
  const { root, show } = held((parts: (string | null)[]) => wordsOf(look, parts), []);
  return { root, show: (...parts: (string | null)[]) => show(parts) };
}
