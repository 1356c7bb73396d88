/**
 * Reads the catalog: rows of its tables, and methods with their parameters in either form of a
 * recipe.
 * Owns: the shape of the catalog. Pure.
 */

import type { Catalog, Json } from "./wire-types.ts";

/** "cosine", or an object with its own parameters */
export type Method = string | (Json & { name: string });
/** as in the catalog */
export interface Parameter {
  name: string;
  schema?: Json;
  default: any;
  unit?: string;
  help?: string;
  source?: string;
  when_on?: number; // initial value for a parameter that null switches off
}

/** A table of the catalog as a list of rows; the server sends a list or an object by name. */
export function rowsOf(catalog: Catalog | null, table: string): Json[] {
  const rows = catalog?.[table];
  if (Array.isArray(rows)) return rows;
  return rows ? Object.entries<Json>(rows).map(([name, row]) => ({ name, ...row })) : [];
}

export const rowOf = (catalog: Catalog | null, table: string, name: string): Json | undefined =>
  rowsOf(catalog, table).find((row) => row.name === name);

export const parametersOf = (catalog: Catalog | null, table: string, name: string): Parameter[] =>
  rowOf(catalog, table, name)?.parameters ?? [];

export const defaultsOf = (catalog: Catalog | null, table: string, name: string): Json =>
  Object.fromEntries(
    parametersOf(catalog, table, name).map((parameter) => [parameter.name, parameter.default]),
  );

/** Names of parameters that belong to single rows of a table. */
export const ownNames = (catalog: Catalog | null, table: string) =>
  new Set(
    rowsOf(catalog, table).flatMap(({ parameters = [] }) =>
      parameters.map(({ name }: Parameter) => name),
    ),
  );

export const methodName = (method: Method) => (typeof method === "string" ? method : method.name);

/** A method's own parameters, with defaults filled in. */
export function ownOf(catalog: Catalog | null, table: string, method: Method): Json {
  const { name, ...own } = typeof method === "string" ? { name: method } : method;
  return { ...defaultsOf(catalog, table, name), ...own };
}
