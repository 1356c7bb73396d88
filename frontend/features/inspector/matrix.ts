/**
 * A matrix as a table of numbers on the colour of their sign, with its name and shape below.
 * Owns: templates of one matrix and of its small strip. grids.ts chooses the cells.
 */

import { html, nothing } from "lit";
import { integer } from "../../core/format.ts";
import {
  bareText,
  cellText,
  gridOf,
  inkOn,
  isMatrix,
  miniCells,
  shapeText,
  tintOf,
} from "./grids.ts";
import * as texts from "../../words/english.ts";
import type { Piece } from "./expressions.ts";
import type { Grid } from "./grids.ts";
import type { Cell, Entry } from "../../core/wire-types.ts";

/** A number's class, colour and ink. */
function lookOf(value: Cell, largest: number) {
  if (!value)
    return { look: value === 0 ? "zero" : "odd", light: nothing, dark: nothing, tint: nothing };
  const look = value > 0 ? "positive" : "negative";
  const tint = tintOf(value, largest);
  const [light, dark] = [inkOn(tint, look, "light"), inkOn(tint, look, "dark")];
  return { look, light, dark, tint: `--tint: ${tint}%` };
}

/** @param odd shown if it is not finite */
function cell(value: Cell, { largest, whole }: Grid, odd = "–") {
  const { look, light, dark, tint } = lookOf(value, largest);
  return html`<td class=${look} data-light=${light} data-dark=${dark} style=${tint}
    data-value=${value ?? odd} title=${value ?? nothing}
    >${whole ? bareText(value, odd) : cellText(value, odd)}</td>`;
}

const sampleHead = (name: string | null, scope = "row") =>
  name === null
    ? nothing
    : html`<th scope=${scope} class="sample" title=${texts.sampleX(name)}>${name}</th>`;

const NONE = html`<td class="none"></td>`;

/** Samples, or rows of weights, one below the other. */
function upright(grid: Grid) {
  const { rows, moreRows, moreColumns, mean } = grid;
  const isNamed = rows.some(({ name }) => name !== null);
  const width = (rows[0]?.cells.length ?? 1) + Number(moreColumns > 0);
  const moreBeside = html`<td class="more" rowspan=${rows.length}>${texts.xMore(integer(moreColumns))}</td>`;
  return [
    rows.map(
      ({ name, cells }, k) => html`<tr>
        ${sampleHead(name)}${cells.map((value, j) => cell(value, grid, grid.odd(k, j)))}
        ${moreColumns > 0 && k === 0 ? moreBeside : nothing}</tr>`,
    ),
    moreRows > 0
      ? html`<tr>${isNamed ? NONE : nothing}
          <td class="more" colspan=${width}>${texts.xMoreRows(integer(moreRows))}</td></tr>`
      : nothing,
    mean
      ? html`<tr class="mean"><th scope="row" class="sample">${texts.mean}</th>
          ${mean.map((value) => cell(value, grid))}</tr>`
      : nothing,
  ];
}

/** Samples side by side: rows become columns. */
function turned(grid: Grid) {
  const { rows, moreRows, moreColumns, mean } = grid;
  const isNamed = rows.some(({ name }) => name !== null);
  const height = (rows[0]?.cells.length ?? 0) + Number(moreColumns > 0);
  const moreBeside = html`<td class="more" rowspan=${height}>${texts.xMore(integer(moreRows))}</td>`;
  return [
    isNamed
      ? html`<tr>${rows.map(({ name }) => sampleHead(name, "col"))}
          ${moreRows > 0 ? NONE : nothing}${mean ? sampleHead("mean", "col") : nothing}</tr>`
      : nothing,
    (rows[0]?.cells ?? []).map(
      (_, j) => html`<tr>
        ${rows.map(({ cells }, k) => cell(cells[j], grid, grid.odd(k, j)))}
        ${moreRows > 0 && j === 0 ? moreBeside : nothing}
        ${mean ? cell(mean[j], grid) : nothing}</tr>`,
    ),
    moreColumns > 0
      ? html`<tr><td class="more" colspan=${rows.length}>${texts.xMoreRows(integer(moreColumns))}</td></tr>`
      : nothing,
  ];
}

/**
 * @param piece its part of the expression
 * @param most samples
 */
export function matrix(entry: Entry, piece: Piece, batch: number[], most?: number) {
  const name = piece.text.trim().replace(/^\((.*)\)$/, "$1");
  if (!isMatrix(entry)) return bare(entry, name);
  const grid = gridOf(entry, piece, batch, most);
  const isNamed = grid.rows.some(({ name: sample }) => sample !== null);
  return html`<figure class="matrix" data-name=${name} data-text=${piece.text.trim()}
    ?data-named=${isNamed && !grid.turned} ?data-headed=${isNamed && grid.turned}>
    <div class="brackets"><table aria-label="${name}, ${grid.shape.map(integer).join(texts.byBetween)}"
      >${grid.turned ? turned(grid) : upright(grid)}</table></div>
    <figcaption>${name} <span>${shapeText(grid.shape)}</span></figcaption></figure>`;
}

/** A number that is no matrix. */
function bare(entry: Entry, name: string) {
  const value = entry.values as Cell;
  const odd = gridOf(entry).odd(0, 0);
  const look = value === 0 ? "zero" : value === null ? "odd" : "bare";
  return html`<figure class="matrix" data-bare data-name=${name} data-text=${name}>
    <table aria-label=${name}><tr><td class=${look} data-value=${value ?? odd}
      title=${value ?? nothing}>${bareText(value, odd)}</td></tr></table>
    <figcaption>${name}</figcaption></figure>`;
}

/** The cells that represent a result in a list. */
export const miniStrip = (entry: Entry) =>
  html`<span class="mini" aria-hidden="true">${miniCells(entry).map((value) => {
    const { look, light, dark, tint } = lookOf(value, entry.largest);
    return html`<i class=${look} data-light=${light} data-dark=${dark} style=${tint}></i>`;
  })}</span>`;
