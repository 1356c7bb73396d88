/**
 * The weights of a network as far as they are drawn: at most so many cells a layer, merged by the server.
 * Owns: how many, what the server is asked for, and how its answer is read. Pure.
 */

import { decode } from "./columns.js";

/** A layer with more units than this is drawn as a strip of so many cells. */
export const MOST_CELLS = 16;

/**
 * What is asked for beside the units: the cells of weights that are drawn, the predictions that are shown.
 * @param {{weights: boolean, predictions: boolean}} wanted
 */
export const viewQuery = ({ weights, predictions }) => [weights ? `weights=${MOST_CELLS}` : "", predictions ? "" : "predictions=false"].filter(Boolean).join("&");

/**
 * Each cell as a share of the largest one, with its sign, row by row.
 * @param {import("./types.js").DrawnMatrix} told
 * @returns {number[]}
 */
export function sharesOf({ cells }) {
  const held = Array.from(decode(cells));
  const largest = Math.max(...held.map(Math.abs)) || 1;
  return held.map((cell) => cell / largest);
}
