/**
 * A matrix of a sheet as drawn cells: the first rows of many, the number left out, the mean of a batch.
 * Owns: which cells are drawn, their text and strength of colour. Pure.
 */

import { number, setting } from "./format.js";
import { sizeOf } from "./sheets.js";

/** @typedef {import("./sheets.js").Cell} Cell */
/** @typedef {import("./sheets.js").Entry} Entry */
/** @typedef {import("./expressions.js").Piece} Piece */
/**
 * @typedef {object} Grid
 * @property {number[]} shape  of the whole matrix
 * @property {{name: string|null, sample: boolean, cells: Cell[]}[]} rows
 * @property {number} moreRows  number of rows left out
 * @property {number} moreColumns
 * @property {boolean} manySamples  the rows left out are samples: `mean` is shown
 * @property {Cell[]|null} mean  over the whole batch, column by column
 * @property {boolean} turned  samples are columns
 * @property {boolean} whole  nothing but 0 and 1
 * @property {number} largest
 * @property {(row: number, column: number) => string} odd  text of cells that are not finite
 */

/** Up to this many columns, or rows that are not samples, are requested and shown whole. */
export const WHOLE = 12;
const FIRST = 8;

/**
 * @template T
 * @param {T[]} list  the columns sent
 * @param {number} length  of the whole
 */
const firstOf = (list, length) => (length > WHOLE ? list.slice(0, FIRST) : list);

const ODD = { nan: "nan", inf: "∞", "-inf": "−∞" };

/** Text of the cells that are not finite. @param {Entry} entry @returns {(row: number, column: number) => string} */
function oddWords({ not_finite: counts = {}, not_finite_at: places = [] }) {
  const kinds = new Map(places.map(([row, column, kind]) => [`${row} ${column}`, ODD[kind]]));
  const [only, ...others] = /** @type {(keyof typeof ODD)[]} */ (Object.keys(counts));
  return (row, column) => kinds.get(`${row} ${column}`) ?? (only && !others.length ? ODD[only] : "–");
}

/** @param {Entry} entry @returns {Cell[][]} */
const rowsOf = ({ values }) => (Array.isArray(values) ? values : [[values]]);

/** @param {Cell} value @param {number|undefined} above @returns {Cell} */
const compared = (value, above) => (above === undefined || value === null ? value : Number(value > above));

/**
 * @param {Entry} entry
 * @param {Pick<Piece, "turned"|"above">} how
 * @param {number[]} batch  numbers of the samples
 * @param {number} [most]  samples at most
 * @returns {Grid}
 */
export function gridOf(entry, { turned = false, above } = {}, batch = [], most = Infinity) {
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
    rows, moreRows, moreColumns: width - (rows[0]?.cells.length ?? 0),
    manySamples: isPart, mean: isPart && above === undefined && entry.mean ? firstOf(entry.mean, width) : null,
    turned, whole: above !== undefined, largest: above === undefined ? entry.largest : 1, odd: oddWords(entry),
  };
}

/** A number that fits in a cell: "0", "−0.45", "4e−5", "123", "1e7". @param {Cell} value @param {string} [odd] */
export function cellText(value, odd = "–") {
  if (value === null) return odd;
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 0.005 || size >= 99_999.5 ? value.toExponential(0) : value.toFixed(size >= 99.5 ? 0 : 2);
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** Letters that fit below a name. */
const BARE = 7;

/** A number outside a matrix: "0.006", "1e−8", "0.0391". @param {Cell} value @param {string} [odd] */
export function bareText(value, odd = "–") {
  if (value === null) return odd;
  const text = setting(value);
  return text.length > BARE ? number(value) : text;
}

/** Percentage of its sign's colour in a cell: the root of its share of the largest. @param {Cell} value @param {number} largest */
export function tintOf(value, largest) {
  if (value === null || value === 0) return 0;
  const share = largest > 0 ? Math.min(1, Math.abs(value) / largest) : 1;
  return Math.round(8 + 84 * Math.sqrt(share));
}

/** Colours of tokens.css that cells mix; a test keeps them equal. */
export const COLOURS = {
  light: { paper: [255, 255, 255], positive: [31, 122, 82], negative: [138, 63, 160] },
  dark: { paper: [21, 24, 27], positive: [88, 192, 140], negative: [204, 139, 224] },
};

/** @param {number[]} colour  0..255 */
function luminance(colour) {
  const [r, g, b] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * Black or white, whichever reads better on a cell: contrast 4.5:1 or more.
 * @param {number} tint  percent
 * @param {"positive"|"negative"} sign
 * @param {"light"|"dark"} theme
 * @returns {"black"|"white"}
 */
export function inkOn(tint, sign, theme) {
  const { paper, [sign]: colour } = COLOURS[theme];
  const light = luminance(paper.map((part, k) => Math.round(part + ((colour[k] - part) * tint) / 100)));
  return 1.05 / (light + 0.05) > (light + 0.05) / 0.05 ? "white" : "black";
}

/** At most five cells that represent a result in the list. @param {Entry} entry @returns {Cell[]} */
export function miniCells(entry) {
  const all = rowsOf(entry).flat();
  const every = Math.ceil(all.length / 5);
  return all.filter((_, k) => k % every === 0).slice(0, 5);
}

/** "(4, 1)". @param {number[]} shape */
export const shapeText = (shape) => `(${shape.join(", ")})`;

/** True if it has more than one number. @param {Entry} entry */
export const isMatrix = (entry) => entry.shape.length > 0 && sizeOf(entry) > 0;
