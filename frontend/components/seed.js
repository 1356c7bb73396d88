/**
 * The seed of one part of a recipe as a parameter.
 * Owns: its place in the catalog, and its check.
 */

import { rowOf } from "../state/catalog.js";

/** @typedef {import("../state/catalog.js").Parameter} Parameter */

const LARGEST = 2 ** 32 - 1;

/** @param {import("../state/types.js").Catalog|null} catalog @param {"data"|"network"|"runs"} part @returns {Parameter} */
export const seedOf = (catalog, part) => ({ default: 0, ...rowOf(catalog, "seeds", part), name: "seed" });

/** @param {number} value */
export const refuseSeed = (value) => (Number.isInteger(value) && value >= 0 && value <= LARGEST ? null : "A seed is a whole number, 0 or more.");
