/**
 * A line of words in parts. Whole parts at the end are hidden where room is short; the title has
 * all.
 * Owns: its template.
 */

import { html } from "lit";

/** @param parts with their separators, most important first */
export function wordsOf(look: string, parts: (string | null)[]) {
  const visible = parts.filter(Boolean);
  return html`<span class="fitting ${look}" title=${visible.join("")}
    >${visible.map((part) => html`<span>${part}</span>`)}</span>`;
}
