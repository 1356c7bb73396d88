/**
 * The first rows of an uploaded table: which column is the target, and which are not used.
 * Owns: the element.
 */

import { make, set, write } from "../../ui/dom.ts";
import type { Table } from "../../core/wire-types.ts";

export function tablePreview({ columns, preview }: Table) {
  const roles = columns.map(() => make("span", { class: "role" }));
  const heads = columns.map(({ name, reason }, k) =>
    make("th", { scope: "col", title: reason ?? null }, make("b", {}, name), roles[k]),
  );
  const rows = preview.map((row) =>
    make("tr", {}, ...columns.map((_, k) => make("td", {}, row[k] ?? ""))),
  );
  const cells = (k: number) => [heads[k], ...rows.map((row) => row.children[k])];
  const caption = make(
    "caption",
    { class: "unseen" },
    `The first ${preview.length} rows that can be used`,
  );
  const root = make(
    "div",
    { class: "preview", role: "region", tabindex: 0, "aria-label": "The first rows" },
    make(
      "table",
      {},
      caption,
      make("thead", {}, make("tr", {}, ...heads)),
      make("tbody", {}, ...rows),
    ),
  );
  function mark(target: string) {
    columns.forEach(({ name, kind, used }, k) => {
      const role = name === target ? "target" : used ? "input" : "unused";
      write(roles[k], role === "target" ? "to learn" : role === "unused" ? "not used" : kind);
      for (const cell of cells(k)) set(cell, { "data-role": role });
    });
  }
  return { root, mark };
}
