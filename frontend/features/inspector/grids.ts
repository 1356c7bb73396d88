/**
 * A matrix of a sheet as drawn cells: the first rows of many, the number left out, the mean of a
 * batch.
 * Owns: which cells are drawn, their text and strength of colour. Pure.
 */

import { number, setting } from "../../core/format.ts";
import { WHOLE } from "../../core/inspected.ts";
import { isAllZero, sizeOf } from "./sheets.ts";
import type { Piece } from "./expressions.ts";
import type { Cell, Entry } from "../../core/wire-types.ts";

export interface Grid {
  shape: number[]; // of the whole matrix
  rows: { name: string | null; sample: boolean; cells: Cell[] }[];
  moreRows: number; // number of rows left out
  moreColumns: number;
  manySamples: boolean; // the rows left out are samples: `mean` is shown
  mean: Cell[] | null; // over the whole batch, column by column
  turned: boolean; // samples are columns
  whole: boolean; // nothing but 0 and 1
  largest: number;
  odd: (row: number, column: number) => string; // text of cells that are not finite
}

const FIRST = 8;

/**
 * @param list the columns sent
 * @param length of the whole
 */
const firstOf = <T>(list: T[], length: number) => (length > WHOLE ? list.slice(0, FIRST) : list);

const ODD = { nan: "nan", inf: "∞", "-inf": "−∞" };

/** Text of the cells that are not finite. */
function oddWords({
  not_finite: counts = {},
  not_finite_at: places = [],
}: Entry): (row: number, column: number) => string {
  const kinds = new Map(places.map(([row, column, kind]) => [`${row} ${column}`, ODD[kind]]));
  const [only, ...others] = Object.keys(counts) as (keyof typeof ODD)[];
  return (row, column) =>
    kinds.get(`${row} ${column}`) ?? (only && !others.length ? ODD[only] : "–");
}

const rowsOf = ({ values }: Entry): Cell[][] => (Array.isArray(values) ? values : [[values]]);

const compared = (value: Cell, above: number | undefined): Cell =>
  above === undefined || value === null ? value : Number(value > above);

/**
 * @param batch numbers of the samples
 * @param most samples at most
 */
export function gridOf(
  entry: Entry,
  { turned = false, above }: Pick<Piece, "turned" | "above"> = {},
  batch: number[] = [],
  most = Infinity,
): Grid {
  const isOfSamples = entry.rows !== undefined;
  const [height, width] = [entry.shape[0] ?? 1, entry.shape[1] ?? 1];
  const all = rowsOf(entry);
  const rows = (isOfSamples ? all.slice(0, most) : firstOf(all, height)).map((row, k) => ({
    name: isOfSamples && batch.length > 1 ? String(batch[(entry.first ?? 0) + k]) : null,
    sample: isOfSamples,
    cells: firstOf(row, width).map((value) => compared(value, above)),
  }));
  const moreRows = height - rows.length;
  const isPart = isOfSamples && moreRows > 0;
  return {
    shape: turned ? [width, height] : entry.shape,
    rows,
    moreRows,
    moreColumns: width - (rows[0]?.cells.length ?? 0),
    manySamples: isPart,
    mean: isPart && above === undefined && entry.mean ? firstOf(entry.mean, width) : null,
    turned,
    whole: above !== undefined,
    largest: above === undefined ? entry.largest : 1,
    odd: oddWords(entry),
  };
}

/** A number that fits in a cell: "0", "−0.45", "4e−5", "123", "1e7". */
export function cellText(value: Cell, odd = "–") {
  if (value === null) return odd;
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text =
    size < 0.005 || size >= 99_999.5 ? value.toExponential(0) : value.toFixed(size >= 99.5 ? 0 : 2);
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** Letters that fit below a name. */
const BARE = 7;

/** A number outside a matrix: "0.006", "1e−8", "0.0391". */
export function bareText(value: Cell, odd = "–") {
  if (value === null) return odd;
  const text = setting(value);
  return text.length > BARE ? number(value) : text;
}

/** Percentage of its sign's colour in a cell: the root of its share of the largest. */
export function tintOf(value: Cell, largest: number) {
  if (value === null || value === 0) return 0;
  const share = largest > 0 ? Math.min(1, Math.abs(value) / largest) : 1;
  return Math.round(8 + 84 * Math.sqrt(share));
}

/** Colours of tokens.css that cells mix; a test keeps them equal. */
export const COLOURS = {
  light: { paper: [255, 255, 255], positive: [31, 122, 82], negative: [138, 63, 160] },
  dark: { paper: [21, 24, 27], positive: [88, 192, 140], negative: [204, 139, 224] },
};

/** @param colour 0..255 */
function luminance(colour: number[]) {
  const [r, g, b] = colour
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * Black or white, whichever reads better on a cell: contrast 4.5:1 or more.
 * @param tint percent
 */
export function inkOn(
  tint: number,
  sign: "positive" | "negative",
  theme: "light" | "dark",
): "black" | "white" {
  const { paper, [sign]: colour } = COLOURS[theme];
  const light = luminance(
    paper.map((part, k) => Math.round(part + ((colour[k] - part) * tint) / 100)),
  );
  return 1.05 / (light + 0.05) > (light + 0.05) / 0.05 ? "white" : "black";
}

const MOST_CELLS = 5;

/** The one that says most: not finite, else the largest. */
const strongest = (cells: Cell[]) =>
  cells.reduce((most, cell) =>
    most === null || cell === null ? null : Math.abs(cell) > Math.abs(most) ? cell : most,
  );

/**
 * At most five cells that represent a result in the list, each for a part of it. They are all 0 only
 * if the whole matrix is.
 */
export function miniCells(entry: Entry): Cell[] {
  const all = rowsOf(entry).flat();
  const many = Math.min(MOST_CELLS, all.length);
  const at = (part: number) => Math.floor((part * all.length) / many);
  const cells = Array.from({ length: many }, (_, k) => strongest(all.slice(at(k), at(k + 1))));
  const isElsewhere = cells.every((cell) => cell === 0) && !isAllZero(entry);
  return isElsewhere ? [...cells.slice(1), entry.largest] : cells;
}

/** "(4, 1)". */
export const shapeText = (shape: number[]) => `(${shape.join(", ")})`;

/** True if it has more than one number. */
export const isMatrix = (entry: Entry) => entry.shape.length > 0 && sizeOf(entry) > 0;
