/**
 * One run's confusion table: a row for each true class, a column for each predicted one, darker for
 * more samples.
 * Owns: its template. confusion.ts counts.
 */

import { html, nothing } from "lit";
import { accuracyTitle } from "./accuracy-title.ts";
import { confusionOf, confusionWords } from "./confusion.ts";
import { integer } from "../../core/format.ts";
import type { Run } from "../../core/types.ts";

const heading = (name: string, scope: "row" | "col") =>
  html`<th scope=${scope} title=${name}><span>${name}</span></th>`;

export function confusionTable(run: Run, classes: string[], isTest: boolean) {
  const matrix = confusionOf(run.predictions, classes.length);
  const { counts, totals, right, all } = matrix;
  const cell = (count: number, truth: number, guess: number) => html`<td
    class=${count ? "" : "none"} ?data-right=${truth === guess}
    style="--share: ${(count / (totals[truth] || 1)).toFixed(3)}">${all ? integer(count) : "–"}</td>`;
  const rows = classes.map(
    (name, truth) =>
      html`<tr>${heading(name, "row")}${classes.map((_, guess) =>
        cell(counts[truth][guess], truth, guess),
      )}</tr>`,
  );
  return html`<div class="confusion" data-run=${run.name} data-lane=${run.lane}
      data-step=${run.predictions?.step ?? nothing}>
    ${accuracyTitle(run, all ? right / all : null)}
    <table>
      <caption class="unseen">${confusionWords(run.label, matrix, isTest)}</caption>
      <thead><tr><td></td>${classes.map((name) => heading(name, "col"))}</tr></thead>
      <tbody>${rows}</tbody>
    </table>
  </div>`;
}
