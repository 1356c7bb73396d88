/**
 * The kind of an opened file by its name, its content, and words for a wrong one.
 * Owns: that check. Pure. The server checks recipes and parameters.
 */

import type { Json, Problem } from "../../core/types.ts";

/** The types that the browser's file dialog offers. */
export const TYPES = ".json,.npz,application/json";

const otherFile = (name: string): Problem => ({
  title: `${name} is neither a recipe nor parameters.`,
  detail: "Open a .json recipe or .npz parameters from Export. Drop a CSV file on Data.",
});

const noRecipe = (name: string): Problem => ({
  title: `${name} holds no recipe.`,
  detail: "A recipe is a JSON object, like recipe.json under Export.",
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

export const recipeWords = (name: string) =>
  `Opened from ${name}, at step 0. Press play to train it with its edits.`;
