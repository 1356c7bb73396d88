/**
 * One run's confusion table: a row for each true class, a column for each predicted one, darker for
 * more samples.
 * Owns: its template. confusion.ts counts.
 */

import { html, nothing } from "lit";
import { accuracyTitle } from "./accuracy-title.ts";
import { confusionOf, confusionWords, headsOf, highestCount } from "./confusion.ts";
import { widthOf } from "../../charts/text-width.ts";
import { integer } from "../../core/format.ts";
import type { Run } from "../../core/types.ts";

/** Size of the names of classes, in px, and the weight of their font. */
const LETTERS = { size: 11, weight: 400 };

/** @param room px */
export const headsIn = (classes: string[], room: number, runs: Run[]) =>
  headsOf(
    classes.map((name) => widthOf(name, LETTERS.size, LETTERS.weight)),
    room,
    highestCount(runs.find(({ predictions }) => predictions)?.predictions, classes.length),
  );

type Heads = ReturnType<typeof headsIn>;

/** A column's number is only seen: its name is read aloud. */
const columnHead = (name: string, place: number, isNumbered: boolean) =>
  html`<th scope="col" title=${name}>${
    isNumbered
      ? html`<span aria-hidden="true">${place + 1}</span><span class="unseen">${name}</span>`
      : name
  }</th>`;

const rowHead = (name: string, place: number, isNumbered: boolean) =>
  html`<th scope="row">${
    isNumbered ? html`<span class="class-number" aria-hidden="true">${place + 1}</span>` : nothing
  }<span>${name}</span></th>`;

export function confusionTable(
  run: Run,
  classes: string[],
  isTest: boolean,
  { isNumbered, first, isTall }: Heads,
) {
  const matrix = confusionOf(run.predictions, classes.length);
  const { counts, totals, right, all } = matrix;
  const cell = (count: number, truth: number, guess: number) => html`<td
    class=${count ? "" : "none"} ?data-right=${truth === guess}
    style="--share: ${(count / (totals[truth] || 1)).toFixed(3)}">${all ? integer(count) : "–"}</td>`;
  const rows = classes.map(
    (name, truth) =>
      html`<tr>${rowHead(name, truth, isNumbered)}${classes.map((_, guess) =>
        cell(counts[truth][guess], truth, guess),
      )}</tr>`,
  );
  return html`<div class="confusion" ?data-tall=${isTall} data-run=${run.name} data-lane=${run.lane}
      data-step=${run.predictions?.step ?? nothing}>
    ${accuracyTitle(run, all ? right / all : null)}
    <table>
      <caption class="unseen">${confusionWords(run.label, matrix, isTest)}</caption>
      <thead><tr><td style="width: ${first}px"></td>${classes.map((name, place) =>
        columnHead(name, place, isNumbered),
      )}</tr></thead>
      <tbody>${rows}</tbody>
    </table>
  </div>`;
}
