/**
 * The kind of an opened file by its name, its content, and words for a wrong one.
 * Owns: that check. Pure. The server checks recipes and parameters.
 */

import * as texts from "../../words/english.ts";
import type { Json, Problem } from "../../core/types.ts";

/** The types that the browser's file dialog offers. */
export const TYPES = ".json,.npz,application/json";

const otherFile = (name: string): Problem => ({
  title: texts.xIsNeitherARecipeNor(name),
  detail: texts.openAJsonRecipeOrNpz,
});

const noRecipe = (name: string): Problem => ({
  title: texts.xHoldsNoRecipe(name),
  detail: texts.aRecipeIsAJSONObject,
});

/** @param text its content, if it is text */
export function openedAs(
  name: string,
  text = "",
): { recipe: Json } | { isParameters: true } | { problem: Problem } {
  if (/\.npz$/i.test(name)) return { isParameters: true };
  if (!/\.json$/i.test(name)) return { problem: otherFile(name) };
  try {
    const recipe = JSON.parse(text);
    if (typeof recipe === "object" && recipe !== null && !Array.isArray(recipe)) return { recipe };
  } catch {
    // reported below
  }
  return { problem: noRecipe(name) };
}

export const recipeWords = (name: string) => texts.openedFromXAtStep0(name);
