/**
 * The kind of an opened file by its name, its content, and words for a wrong one.
 * Owns: that check. Pure. The server checks recipes and parameters.
 */

/** @typedef {import("./types.js").Json} Json */
/** @typedef {import("./types.js").Problem} Problem */

/** The types that the browser's file dialog offers. */
export const TYPES = ".json,.npz,application/json";

/** @param {string} name @returns {Problem} */
const otherFile = (name) => ({ title: `${name} is neither a recipe nor parameters.`, detail: "Open a .json recipe or .npz parameters from Export. Drop a CSV file on Data." });

/** @param {string} name @returns {Problem} */
const noRecipe = (name) => ({ title: `${name} holds no recipe.`, detail: "A recipe is a JSON object, like recipe.json under Export." });

/**
 * @param {string} name
 * @param {string} [text]  its content, if it is text
 * @returns {{recipe: Json}|{isParameters: true}|{problem: Problem}}
 */
export function openedAs(name, text = "") {
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

/** @param {string} name */
export const recipeWords = (name) => `Opened from ${name}, at step 0. Press play to train it with its edits.`;
