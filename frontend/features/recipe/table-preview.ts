/**
 * The first rows of an uploaded table: which column is the target, and which are not used.
 * Owns: the template.
 */

import { html, nothing } from "lit";
import * as texts from "../../words/english.ts";
import type { Table } from "../../core/wire-types.ts";

/** Letters of a cell from which it has several lines. */
const LONG = 36;

export function tablePreview({ columns, preview }: Table, target: string) {
  const roles = columns.map(({ name, used }) =>
    name === target ? "target" : used ? "input" : "unused",
  );
  const words = { target: texts.toLearn, unused: texts.notUsed } as Record<string, string>;
  const heads = columns.map(
    ({ name, kind, reason }, k) =>
      html`<th scope="col" title=${reason ?? nothing} data-role=${roles[k]}
        ><b>${name}</b><span class="role">${words[roles[k]] ?? kind}</span></th>`,
  );
  const cell = (text = "", k: number) =>
    html`<td class=${text.length > LONG ? "long" : nothing} data-role=${roles[k]}>${text}</td>`;
  const row = (cells: string[]) => html`<tr>${columns.map((_, k) => cell(cells[k], k))}</tr>`;
  return html`<div class="preview" role="region" tabindex="0" aria-label=${texts.theFirstRows}>
    <table>
      <caption class="unseen">${texts.theFirstXRowsThatCan(preview.length)}</caption>
      <thead><tr>${heads}</tr></thead>
      <tbody>${preview.map(row)}</tbody>
    </table>
  </div>`;
}
