/**
 * The seed of one part of a recipe as a parameter.
 * Owns: its place in the catalog, and its check.
 */

import { rowOf } from "../core/catalog.ts";
import * as texts from "../words/english.ts";
import type { Parameter } from "../core/catalog.ts";
import type { Catalog } from "../core/types.ts";

const LARGEST = 2 ** 32 - 1;

export const seedOf = (catalog: Catalog | null, part: "data" | "network" | "runs"): Parameter => ({
  default: 0,
  ...rowOf(catalog, "seeds", part),
  name: "seed",
});

export const refuseSeed = (value: number) =>
  Number.isInteger(value) && value >= 0 && value <= LARGEST ? null : texts.aSeedIsAWholeNumber;
