/**
 * A word with a dotted line, which explains itself on hover, Enter or tap.
 * Owns: its markup. features/words opens its card.
 */

import { html, nothing } from "lit";
import { termsIn } from "../core/terms.ts";

/** A span, because a button would be off in a locked set of fields. */
export const termOf = (key: string, text: unknown, name?: string) =>
  html`<span class="term" role="button" tabindex="0" aria-haspopup="dialog" data-term=${key}
    aria-label=${name ?? nothing}>${text}</span>`;

/** The same for keys, where a picture has the word: it shows only while it has the focus. */
export const termByKey = (key: string, text: unknown) =>
  html`<span class="term by-key" role="button" tabindex="0" aria-haspopup="dialog" data-term=${key}
    >${text}</span>`;

/** The same inside a button, or in a picture: it opens on hover only. */
export const hoverTerm = (key: string, text: unknown) =>
  html`<span class="term" data-term=${key} title="">${text}</span>`;

/** A sentence of the server with its terms. */
export const explained = (text: string, mark: (key: string, text: string) => unknown = termOf) =>
  termsIn(text).map((piece) => (piece.term ? mark(piece.term, piece.text) : piece.text));
