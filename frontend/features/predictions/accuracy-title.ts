/**
 * The line above a run's confusion table or decision map: its shape, name and accuracy.
 * Owns: its template. In narrow places the word "accuracy" goes before the name is shortened.
 */

import { html } from "lit";
import { marker } from "../../ui/icons.ts";
import { score } from "../../core/format.ts";
import * as texts from "../../words/english.ts";
import type { Run } from "../../core/types.ts";

/**
 * @param right share of correct predictions
 * @param brief the name, shortened to fit
 */
export const accuracyTitle = (
  { lane, label }: Run,
  right: number | null | undefined,
  brief = label,
) => html`<div class="title" aria-hidden="true" title=${texts.xAccuracyY(label, score(right))}
  >${marker(lane)}<b>${brief}</b><span class="values"><span>${score(right)}</span
  ><span class="word">${texts.accuracyWord}</span></span></div>`;
