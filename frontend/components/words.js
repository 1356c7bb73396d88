/**
 * What people read for names of the catalog, and what a catalog row says of itself.
 * Owns: words only. A name that is not here is shown as it is.
 */

/** @type {Record<string, string>} */
const WORDS = {
  log_linear: "y = log(Xβ + 20)", linear: "y = Xβ", sine: "y = Σ sin x",
  normal: "Normal N(0, 1)", he: "He", xavier: "Xavier", zeros: "Zeros",
};

/** @param {string} name */
export const wordFor = (name) => WORDS[name] ?? name.replaceAll("_", " ");

/** What an activation is called on a block: the output's identity is a linear layer. @param {string} name */
export const activationWord = (name) => (name === "identity" ? "linear" : name.replaceAll("_", " "));

/** Initial weights, whichever form the recipe uses. @param {any} weights */
export const initializerName = (weights) => (typeof weights === "string" ? weights : weights?.name ?? "normal");
