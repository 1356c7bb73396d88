/**
 * One run's confusion table: a row for each true class, a column for each predicted one, darker for
 * more samples.
 * Owns: its cells, patched in place. confusion.ts counts.
 */

import { accuracyTitle } from "./accuracy-title.ts";
import { make, set, write } from "../../ui/dom.ts";
import { confusionOf, confusionWords } from "./confusion.ts";
import { integer } from "../../core/format.ts";
import type { Run } from "../../core/types.ts";

const heading = (name: string, scope: "row" | "col") =>
  make("th", { scope, title: name }, make("span", {}, name));

export function confusionTable(run: Run, classes: string[]) {
  const title = accuracyTitle(run);
  const words = make("caption", { class: "unseen" });
  const cells = classes.map((_, truth) =>
    classes.map((_, guess) => make("td", { "data-right": truth === guess })),
  );
  const rows = cells.map((row, truth) => make("tr", {}, heading(classes[truth], "row"), ...row));
  const head = make("tr", {}, make("td", {}), ...classes.map((name) => heading(name, "col")));
  const table = make("table", {}, words, make("thead", {}, head), make("tbody", {}, ...rows));
  const root = make(
    "div",
    { class: "confusion", "data-run": run.name, "data-lane": run.lane },
    title.root,
    table,
  );

  function show(now: Run, isTest: boolean) {
    const matrix = confusionOf(now.predictions, classes.length);
    title.show(now.label, matrix.all ? matrix.right / matrix.all : null);
    write(words, confusionWords(now.label, matrix, isTest));
    cells.forEach((row, truth) =>
      row.forEach((cell, guess) => {
        const count = matrix.counts[truth][guess];
        write(cell, matrix.all ? integer(count) : "–");
        cell.classList.toggle("none", count === 0);
        set(cell, { style: { "--share": (count / (matrix.totals[truth] || 1)).toFixed(3) } });
      }),
    );
    set(root, { "data-step": now.predictions?.step ?? null });
  }
  return { root, show };
}
