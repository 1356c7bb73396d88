/**
 * Words about an uploaded table, and the data part of a recipe that uses it.
 * Owns: words for columns, skipped rows and refusals. Pure.
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

/** Limits of a file, before one is chosen. @param {Catalog|null} catalog */
export function boundWords(catalog) {
  const { csv_bytes: bytes, csv_rows: rows, csv_columns: columns } = catalog?.bounds ?? {};
  return `At most ${size(bytes)}, ${plural(rows, "row")} and ${plural(columns, "column")}, as text in UTF-8. It stays on this server.`;
}

/** Why a file is too large to send, or null. @param {number} bytes @param {Catalog|null} catalog */
export function tooLarge(bytes, catalog) {
  const most = catalog?.bounds?.csv_bytes ?? MIB;
  const has = size(bytes) === size(most) ? `more than ${size(most)}` : size(bytes);
  return bytes > most ? `The file has ${has}; the limit is ${size(most)}.` : null;
}

/** Nouns for bounds. @type {Record<string, string>} */
const COUNTED = { csv_rows: "rows", csv_columns: "columns", classes: "classes", features: "inputs" };

/** A refusal in words for the person who chose the file. @param {Problem} problem */
export function refusalWords({ title, detail, status, bound, limit, asked, errors }) {
  const what = COUNTED[bound ?? ""];
  if (what) return `Too many ${what}: ${integer(asked ?? 0)}; the limit is ${integer(limit ?? 0)}.`;
  if (status === 413) return "The file is too large.";
  const text = errors?.length ? errors.map((error) => error.detail ?? error.message).join("; ") : detail;
  return `${capital(text || title).replace(/\.$/, "")}.`;
}

/** Columns that can be a target or an input. @param {Table} table */
export const usable = ({ columns }) => columns.filter(({ used }) => used);

/** @param {Table} table @param {string} name */
const columnOf = ({ columns }, name) => /** @type {TableColumn} */ (columns.find((column) => column.name === name));

/**
 * The tasks possible for a column: text means classes, and there is a limit of classes.
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

/** The suggested task, if possible. @param {Table} table @param {string} target @param {Catalog|null} catalog */
export function guessOf(table, target, catalog) {
  const tasks = tasksOf(table, target, catalog);
  return tasks.find((task) => task === columnOf(table, target).task) ?? tasks[0] ?? "regression";
}

/** "Inputs: length, colour (2 values)." and the columns not used. @param {Table} table @param {string} target */
export function inputWords(table, target) {
  const inputs = usable(table).filter(({ name }) => name !== target);
  const left = table.columns.filter(({ used }) => !used).map(({ name, reason }) => `${name} (${reason})`);
  const names = inputs.map(({ name, kind, distinct }) => (kind === "category" ? `${name} (${distinct} values)` : name));
  return [`Inputs: ${names.join(", ")}.`, left.length ? `Not used: ${left.join("; ")}.` : ""].filter(Boolean).join(" ");
}

/** "60 rows can be used". @param {Table} table */
export const rowWords = ({ rows }) => `${plural(rows, "row")} can be used`;

/** The skipped rows, in a line and one by one; null if there are none. @param {Table} table */
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

/** The target and task of a table in training. @param {Json} data */
export const targetWords = ({ target, task }) => `${target}, ${task === "classification" ? "as classes" : "as a number"}`;
