/**
 * All words that explain themselves, in one list.
 * Owns: its template.
 */

import { html, nothing } from "lit";
import { CARD_TEXTS, TERMS } from "../../core/terms.ts";
import type { Term } from "../../core/terms.ts";

const entry = ([key, { name, says, formula, further, docs }]: [string, Term]) =>
  html`<div data-word=${key} tabindex="-1">
    <dt><a href="docs/${docs}" title=${CARD_TEXTS.more}>${name}</a></dt>
    <dd>${says}${formula ? html` <code>${formula}</code>` : nothing}${further ? html` ${further}` : nothing}</dd>
  </div>`;

export const wordList = () => html`<dl class="all-words">${Object.entries(TERMS).map(entry)}</dl>`;
