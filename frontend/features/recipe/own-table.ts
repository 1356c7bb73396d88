/**
 * Words about an uploaded table, and the data part of a recipe that uses it.
 * Owns: words for columns, skipped rows and refusals. Pure.
 */

import { FILE, standardFor } from "../../core/data-recipe.ts";
import { integer, plural } from "../../core/format.ts";
import * as texts from "../../words/english.ts";
import type { Catalog, Json, Problem, Table, TableColumn } from "../../core/wire-types.ts";

const MIB = 1024 * 1024;

/** "1 MiB", "1.4 MiB". */
const size = (bytes: number) => texts.xMib(Number((bytes / MIB).toFixed(1)));

/** Limits of a file, before one is chosen. */
export function boundWords(catalog: Catalog | null) {
  const { csv_bytes: bytes, csv_rows: rows, csv_columns: columns } = catalog?.bounds ?? {};
  return texts.atMostXYAndZ(size(bytes), plural(rows, "row"), plural(columns, "column"));
}

/** Why a file is too large to send, or null. */
export function tooLarge(bytes: number, catalog: Catalog | null) {
  const most = catalog?.bounds?.csv_bytes ?? MIB;
  const has = size(bytes) === size(most) ? texts.moreThanX(size(most)) : size(bytes);
  return bytes > most ? texts.theFileHasXTheLimit(has, size(most)) : null;
}

/** Nouns for bounds. */
const COUNTED: Record<string, string> = {
  csv_rows: texts.rowsWord,
  csv_columns: texts.columnsWord,
  classes: texts.classesWord,
  features: texts.inputs,
};

/** A refusal in words for the person who chose the file. */
export function refusalWords({ title, detail, status, bound, limit, asked, errors }: Problem) {
  const what = COUNTED[bound ?? ""];
  if (what) return texts.tooManyXYTheLimit(what, integer(asked ?? 0), integer(limit ?? 0));
  if (status === 413) return texts.theFileIsTooLarge;
  const text = errors?.length
    ? errors.map((error) => error.detail ?? error.message).join("; ")
    : detail;
  return `${texts.capital(text || title).replace(/\.$/, "")}.`;
}

/** Columns that can be a target or an input. */
export const usable = ({ columns }: Table) => columns.filter(({ used }) => used);

const columnOf = ({ columns }: Table, name: string) =>
  columns.find((column) => column.name === name) as TableColumn;

/** The tasks possible for a column: text means classes, and there is a limit of classes. */
export function tasksOf(
  table: Table,
  target: string,
  catalog: Catalog | null,
): ("regression" | "classification")[] {
  const { kind, distinct } = columnOf(table, target);
  const [number, classes] = [kind === "number", distinct <= (catalog?.bounds?.classes ?? Infinity)];
  return [
    ...(number ? ["regression" as const] : []),
    ...(classes ? ["classification" as const] : []),
  ];
}

/** The suggested task, if possible. */
export function guessOf(table: Table, target: string, catalog: Catalog | null) {
  const tasks = tasksOf(table, target, catalog);
  return tasks.find((task) => task === columnOf(table, target).task) ?? tasks[0] ?? "regression";
}

/** "Inputs: length, colour (2 values)." and the columns not used. */
export function inputWords(table: Table, target: string) {
  const inputs = usable(table).filter(({ name }) => name !== target);
  const left = table.columns
    .filter(({ used }) => !used)
    .map(({ name, reason }) => `${name} (${reason})`);
  const names = inputs.map(({ name, kind, distinct }) =>
    kind === "category" ? texts.xWithYValues(name, distinct) : name,
  );
  return [texts.inputsX(names.join(", ")), left.length ? texts.notUsedX(left.join("; ")) : ""]
    .filter(Boolean)
    .join(" ");
}

/** "60 rows can be used". */
export const rowWords = ({ rows }: Table) => texts.xCanBeUsed(plural(rows, "row"));

/** The skipped rows, in a line and one by one; null if there are none. */
export function skippedWords({ skipped, skipped_count: count }: Table) {
  if (!count) return null;
  const lines = skipped.map(({ line, reason }) => texts.lineXY(integer(line), reason));
  const more = count - skipped.length;
  return {
    says: texts.xYLeftOut(plural(count, "row"), count === 1 ? texts.is : texts.are),
    lines: more > 0 ? [...lines, texts.andXMore(integer(more))] : lines,
  };
}

export const dataOf = (
  { id }: Table,
  target: string,
  task: "regression" | "classification",
): Json => ({ name: FILE, dataset: id, target, task, standardize: standardFor(task) });

/** The target and task of a table in training. */
export const targetWords = ({ target, task }: Json) =>
  `${target}, ${task === "classification" ? texts.asClasses : texts.asANumber}`;
