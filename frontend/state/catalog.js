/**
 * Reads the catalog: rows of its tables, and methods with their parameters in either form of a recipe.
 * Owns: the shape of the catalog. Pure.
 */

/** @typedef {import("./wire-types.js").Catalog} Catalog */
/** @typedef {import("./wire-types.js").Json} Json */
/** @typedef {string | (Json & {name: string})} Method  "cosine", or an object with its own parameters */
/**
 * @typedef {object} Parameter  as in the catalog
 * @property {string} name
 * @property {Json} [schema]
 * @property {any} default
 * @property {string} [unit]
 * @property {string} [help]
 * @property {string} [source]
 * @property {number} [when_on]  initial value for a parameter that null switches off
 */

/**
 * A table of the catalog as a list of rows; the server sends a list or an object by name.
 * @param {Catalog|null} catalog
 * @param {string} table
 * @returns {Json[]}
 */
export function rowsOf(catalog, table) {
  const rows = catalog?.[table];
  if (Array.isArray(rows)) return rows;
  return rows ? Object.entries(rows).map(([name, row]) => ({ name, ...row })) : [];
}

/** @param {Catalog|null} catalog @param {string} table @param {string} name @returns {Json|undefined} */
export const rowOf = (catalog, table, name) => rowsOf(catalog, table).find((row) => row.name === name);

/** @param {Catalog|null} catalog @param {string} table @param {string} name @returns {Parameter[]} */
export const parametersOf = (catalog, table, name) => rowOf(catalog, table, name)?.parameters ?? [];

/** @param {Catalog|null} catalog @param {string} table @param {string} name @returns {Json} */
export const defaultsOf = (catalog, table, name) =>
  Object.fromEntries(parametersOf(catalog, table, name).map((parameter) => [parameter.name, parameter.default]));

/** Names of parameters that belong to single rows of a table. @param {Catalog|null} catalog @param {string} table */
export const ownNames = (catalog, table) =>
  new Set(rowsOf(catalog, table).flatMap(({ parameters = [] }) => parameters.map((/** @type {Parameter} */ { name }) => name)));

/** @param {Method} method */
export const methodName = (method) => (typeof method === "string" ? method : method.name);

/** A method's own parameters, with defaults filled in. @param {Catalog|null} catalog @param {string} table @param {Method} method @returns {Json} */
export function ownOf(catalog, table, method) {
  const { name, ...own } = typeof method === "string" ? { name: method } : method;
  return { ...defaultsOf(catalog, table, name), ...own };
}
