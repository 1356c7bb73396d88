/**
 * The card of a word: sentence, formula, present values, and where to go on.
 * Owns: its template and its picture.
 */

import { html, nothing, svg } from "lit";
import { marker } from "../../ui/icons.ts";
import { termOf } from "../../ui/term.ts";
import { SHAPES } from "../../core/lanes.ts";
import { CARD_TEXTS, TERMS } from "../../core/terms.ts";
import type { Card, Row, Scale } from "./present-values.ts";

/** px, as wide as the card's content. */
const WIDTH = 288;
const [FROM, TO] = [10, 278];
/** px of a letter, of a line of labels, and of the axis below them. */
const LETTER = 7;
const LINE = 16;
const AXIS = 46;
/** With more runs, or labels on more lines, the values stand in a list. */
const MOST_LINES = 3;

const across = (at: number) => FROM + at * (TO - FROM);
const halfOf = (text: string) => (text.length * LETTER) / 2;
/** The middle of a label, inside the card. */
const anchor = (at: number, text: string) =>
  Math.min(WIDTH - halfOf(text), Math.max(halfOf(text), across(at)));

/** The line of each label, from below, so that none touches another; null if there are too many. */
function linesOf(values: { at: number; text: string }[]): number[] | null {
  const ends: number[] = [];
  const lines: number[] = values.map(() => 0);
  const order = values.map((_, place) => place).sort((a, b) => values[a].at - values[b].at);
  for (const place of order) {
    const { at, text } = values[place];
    const [half, middle] = [halfOf(text), anchor(at, text)];
    const free = ends.findIndex((end) => end < middle - half);
    lines[place] = free < 0 ? ends.length : free;
    ends[lines[place]] = middle + half;
  }
  return ends.length > MOST_LINES ? null : lines;
}

/** Runs on a line: name and value over the marker. */
function scaleOf({ ticks, values }: Scale) {
  const named = values.map(({ run, at, text }) => ({ run, at, text: `${run.label} ${text}` }));
  const lines = linesOf(named);
  if (!lines) return null;
  const over = LINE * Math.max(...lines.map((line) => line + 1));
  const axis = over + 22;
  return html`<svg class="word-scale" viewBox="0 0 ${WIDTH} ${over + AXIS}" role="img"
      aria-label=${named.map(({ text }) => text).join(", ")}>
    <path class="axis" d="M${FROM} ${axis}H${TO}"></path>
    ${ticks.map(
      ({ at, text }) => svg`<path class="axis" d="M${across(at)} ${axis - 6}v12"></path>
        <text x=${anchor(at, text)} y=${axis + 20}>${text}</text>`,
    )}
    ${named.map(
      ({ run, at, text }, k) => svg`<g data-lane=${run.lane}>
        <text class="value" x=${anchor(at, text)} y=${over - LINE * lines[k] - 4}>${text}</text>
        <path class="mark" transform="translate(${across(at) - 5} ${axis - 17})" d=${SHAPES[run.lane]}></path></g>`,
    )}</svg>`;
}

/** Letters of a formula that fit into a narrow card. */
const NARROW = 34;
const isWide = (formula: string) => formula.split("\n").some((line) => line.length > NARROW);

/** The values of runs, a line each. */
const listOf = (rows: Row[]) =>
  html`<dl class="word-values">${rows.map(
    ({ run, text }) => html`<div><dt>${marker(run.lane)}${run.label}</dt><dd>${text}</dd></div>`,
  )}</dl>`;

/** @param show opens the line of a step; null if there is none */
export function wordCard(
  { name, says, formula, further, facts, also = [], docs }: Card,
  { show, all }: { show: (() => void) | null; all: (() => void) | null },
) {
  const { scale, rows = [], note } = facts;
  const picture = scale ? (scaleOf(scale) ?? listOf(scale.values)) : nothing;
  return html`<h3>${name}</h3>
    <p>${says}</p>
    ${formula ? html`<pre class=${isWide(formula) ? "wide" : nothing}>${formula}</pre>` : nothing}
    ${further ? html`<p class="soft">${further}</p>` : nothing}
    ${picture}${rows.length ? listOf(rows) : nothing}
    ${note ? html`<p class="soft">${note}</p>` : nothing}
    ${
      also.length
        ? html`<p class="soft also">${CARD_TEXTS.also} ${also.map(
            (key, k) => html`${k ? ", " : ""}${termOf(key, TERMS[key].name)}`,
          )}</p>`
        : nothing
    }
    <div class="acts">
      ${show ? html`<button type="button" class="button quiet" @click=${show}>${CARD_TEXTS.inNumpy}</button>` : nothing}
      ${all ? html`<button type="button" class="button quiet" @click=${all}>${CARD_TEXTS.all}</button>` : nothing}
      <a class="button quiet" href="docs/${docs}">${CARD_TEXTS.more}</a>
    </div>`;
}
