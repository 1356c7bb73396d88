/**
 * A matrix as a table of numbers on the colour of their sign, with its name and shape below.
 * Owns: markup of one matrix and of its small strip. grids.ts chooses the cells.
 */

import { make } from "../../ui/dom.ts";
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
import type { Piece } from "./expressions.ts";
import type { Grid } from "./grids.ts";
import type { Cell, Entry } from "../../core/wire-types.ts";

function looks(value: Cell, largest: number) {
  if (value === 0) return { class: "zero" };
  if (value === null) return { class: "odd" };
  const [tint, sign] = [
    tintOf(value, largest),
    (value > 0 ? "positive" : "negative") as "positive" | "negative",
  ];
  return {
    class: sign,
    "data-light": inkOn(tint, sign, "light"),
    "data-dark": inkOn(tint, sign, "dark"),
    style: { "--tint": `${tint}%` },
  };
}

/** @param odd shown if it is not finite */
const cell = (value: Cell, { largest, whole }: Grid, odd = "–") =>
  make(
    "td",
    {
      ...looks(value, largest),
      "data-value": value === null ? odd : String(value),
      title: value === null ? null : String(value),
    },
    whole ? bareText(value, odd) : cellText(value, odd),
  );

const sampleHead = (name: string | null, scope = "row") =>
  name === null ? null : make("th", { scope, class: "sample", title: `sample ${name}` }, name);

const more = (count: number, what: string, span: Record<string, any>) =>
  make("td", { class: "more", ...span }, `${integer(count)} more${what}`);

/** Samples, or rows of weights, one below the other. */
function upright(grid: Grid) {
  const { rows, moreRows, moreColumns, mean } = grid;
  const isNamed = rows.some(({ name }) => name !== null);
  const width = (rows[0]?.cells.length ?? 1) + Number(moreColumns > 0);
  const height = rows.length;
  return [
    ...rows.map(({ name, cells }, k) =>
      make(
        "tr",
        {},
        sampleHead(name),
        ...cells.map((value, j) => cell(value, grid, grid.odd(k, j))),
        moreColumns > 0 && k === 0 ? more(moreColumns, "", { rowspan: height }) : null,
      ),
    ),
    moreRows > 0
      ? make(
          "tr",
          {},
          isNamed ? make("td", { class: "none" }) : null,
          more(moreRows, " rows", { colspan: width }),
        )
      : null,
    mean
      ? make(
          "tr",
          { class: "mean" },
          make("th", { scope: "row", class: "sample" }, "mean"),
          ...mean.map((value) => cell(value, grid)),
        )
      : null,
  ];
}

/** Samples side by side: rows become columns. */
function turned(grid: Grid) {
  const { rows, moreRows, moreColumns, mean } = grid;
  const isNamed = rows.some(({ name }) => name !== null);
  const height = (rows[0]?.cells.length ?? 0) + Number(moreColumns > 0);
  const width = rows.length;
  const head = isNamed
    ? make(
        "tr",
        {},
        ...rows.map(({ name }) => sampleHead(name, "col")),
        moreRows > 0 ? make("td", { class: "none" }) : null,
        mean ? sampleHead("mean", "col") : null,
      )
    : null;
  return [
    head,
    ...(rows[0]?.cells ?? []).map((_, j) =>
      make(
        "tr",
        {},
        ...rows.map(({ cells }, k) => cell(cells[j], grid, grid.odd(k, j))),
        moreRows > 0 && j === 0 ? more(moreRows, "", { rowspan: height }) : null,
        mean ? cell(mean[j], grid) : null,
      ),
    ),
    moreColumns > 0 ? make("tr", {}, more(moreColumns, " rows", { colspan: width })) : null,
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
  const isNamed = grid.rows.some(({ name: sample }) => sample !== null) && !grid.turned;
  const table = make(
    "table",
    { "aria-label": `${name}, ${grid.shape.map(integer).join(" by ")}` },
    ...(grid.turned ? turned(grid) : upright(grid)).filter(Boolean),
  );
  return make(
    "figure",
    {
      class: "matrix",
      "data-name": name,
      "data-text": piece.text.trim(),
      "data-named": isNamed,
      "data-headed": grid.turned && grid.rows.some(({ name: sample }) => sample !== null),
    },
    make("div", { class: "brackets" }, table),
    make("figcaption", {}, name, " ", make("span", {}, shapeText(grid.shape))),
  );
}

/** A number that is no matrix. */
function bare(entry: Entry, name: string) {
  const value = entry.values as Cell;
  const odd = gridOf(entry).odd(0, 0);
  const look = value === 0 ? "zero" : value === null ? "odd" : "bare";
  const box = make(
    "td",
    {
      class: look,
      "data-value": value === null ? odd : String(value),
      title: value === null ? null : String(value),
    },
    bareText(value, odd),
  );
  return make(
    "figure",
    { class: "matrix", "data-bare": true, "data-name": name, "data-text": name },
    make("table", { "aria-label": name }, make("tr", {}, box)),
    make("figcaption", {}, name),
  );
}

/** The cells that represent a result in a list. */
export const miniStrip = (entry: Entry) =>
  make(
    "span",
    { class: "mini", "aria-hidden": "true" },
    ...miniCells(entry).map((value) => make("i", looks(value, entry.largest))),
  );
