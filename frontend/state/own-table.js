/**
 * What the page says of somebody's own table, and the data's part of a recipe that uses it.
 * Owns: the words for columns, rows left out, and refusals. Pure; must not know elements, or how a table is read.
 */

import { FILE, standardFor } from "./data-recipe.js";
import { integer, plural } from "./format.js";
import { capital } from "./words.js";

/** @typedef {import("./wire-types.js").Json} Json */
/** @typedef {import("./wire-types.js").Table} Table */
/** @typedef {import("./wire-types.js").TableColumn} TableColumn */
/** @typedef {import("./wire-types.js").Problem} Problem */
/** @typedef {import("./wire-types.js").Catalog} Catalog */

const MIB = 1024 * 1024;

/** "1 MiB", "1.4 MiB". @param {number} bytes */
const size = (bytes) => `${Number((bytes / MIB).toFixed(1))} MiB`;

/** What a file may be, before one is chosen. @param {Catalog|null} catalog */
export function boundWords(catalog) {
  const { csv_bytes: bytes, csv_rows: rows, csv_columns: columns } = catalog?.bounds ?? {};
  return `At most ${size(bytes)}, ${plural(rows, "row")} and ${plural(columns, "column")}, as text in UTF-8. It goes to this server and no further.`;
}

/** Why a file is not even sent, or null. @param {number} bytes @param {Catalog|null} catalog */
export function tooLarge(bytes, catalog) {
  const most = catalog?.bounds?.csv_bytes ?? MIB;
  const has = size(bytes) === size(most) ? `more than ${size(most)}` : size(bytes);
  return bytes > most ? `The file has ${has}; at most ${size(most)} can be read.` : null;
}

/** What is counted where a bound is passed. @type {Record<string, string>} */
const COUNTED = { csv_rows: "rows", csv_columns: "columns", classes: "classes", features: "inputs" };

/** A refusal in the words of somebody who chose a file. @param {Problem} problem */
export function refusalWords({ title, detail, status, bound, limit, asked, errors }) {
  const what = COUNTED[bound ?? ""];
  if (what) return `${integer(asked ?? 0)} ${what} are too many: at most ${integer(limit ?? 0)}.`;
  if (status === 413) return "The file is too large.";
  const told = errors?.length ? errors.map((error) => error.detail ?? error.message).join("; ") : detail;
  return `${capital(told || title).replace(/\.$/, "")}.`;
}

/** What can be learnt, or taken for an input. @param {Table} table */
export const usable = ({ columns }) => columns.filter(({ used }) => used);

/** @param {Table} table @param {string} name */
const columnOf = ({ columns }, name) => /** @type {TableColumn} */ (columns.find((column) => column.name === name));

/**
 * As what a column may be learnt: texts are classes, and too many classes cannot be told apart.
 * @param {Table} table
 * @param {string} target
 * @param {Catalog|null} catalog
 * @returns {("regression"|"classification")[]}
 */
export function tasksOf(table, target, catalog) {
  const { kind, distinct } = columnOf(table, target);
  const [number, classes] = [kind === "number", distinct <= (catalog?.bounds?.classes ?? Infinity)];
  return [...(number ? [/** @type {const} */ ("regression")] : []), ...(classes ? [/** @type {const} */ ("classification")] : [])];
}

/** The guess, where it can be. @param {Table} table @param {string} target @param {Catalog|null} catalog */
export function guessOf(table, target, catalog) {
  const tasks = tasksOf(table, target, catalog);
  return tasks.find((task) => task === columnOf(table, target).task) ?? tasks[0] ?? "regression";
}

/** "Inputs: length, colour (2 values)." and what is no input. @param {Table} table @param {string} target */
export function inputWords(table, target) {
  const inputs = usable(table).filter(({ name }) => name !== target);
  const left = table.columns.filter(({ used }) => !used).map(({ name, reason }) => `${name} (${reason})`);
  const told = inputs.map(({ name, kind, distinct }) => (kind === "category" ? `${name} (${distinct} values)` : name));
  return [`Inputs: ${told.join(", ")}.`, left.length ? `Not used: ${left.join("; ")}.` : ""].filter(Boolean).join(" ");
}

/** "60 rows can be used". @param {Table} table */
export const rowWords = ({ rows }) => `${plural(rows, "row")} can be used`;

/** The rows that are left out, in a line and one by one; nothing where all are taken. @param {Table} table */
export function skippedWords({ skipped, skipped_count: count }) {
  if (!count) return null;
  const lines = skipped.map(({ line, reason }) => `Line ${integer(line)}: ${reason}`);
  const more = count - skipped.length;
  return { says: `${plural(count, "row")} ${count === 1 ? "is" : "are"} left out`, lines: more > 0 ? [...lines, `and ${integer(more)} more`] : lines };
}

/**
 * @param {Table} table
 * @param {string} target
 * @param {"regression"|"classification"} task
 * @returns {Json}
 */
export const dataOf = ({ id }, target, task) => ({ name: FILE, dataset: id, target, task, standardize: standardFor(task) });

/** What a page says of the table that it trains on. @param {Json} data */
export const targetWords = ({ target, task }) => `${target}, ${task === "classification" ? "as classes" : "as a number"}`;
