/**
 * Draws the edges of a layer's strip only for the unit under the pointer or chosen by arrow keys.
 * Owns: which unit that is.
 */

import { set } from "./dom.js";

/** @typedef {{place: number, unit: number}} Spot */

const MOVES = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] });

/** @param {number} value @param {number} count */
const within = (value, count) => Math.min(count - 1, Math.max(0, value));

/**
 * @param {SVGSVGElement} svg  its units carry data-place and data-unit
 * @param {(spot: Spot) => SVGPathElement[]} edgesOf
 */
export function highlightEdges(svg, edgesOf) {
  /** @type {Spot|null} */
  let at = null;
  /** @type {number[]} */
  let counts = [];

  /** @param {Spot|null} spot */
  function look(spot) {
    if (at) edgesOf(at).forEach((edge) => edge.classList.remove("lit"));
    at = spot;
    if (at) edgesOf(at).forEach((edge) => edge.classList.add("lit"));
  }
  /** @param {Event} event */
  function spotOf(event) {
    const group = /** @type {SVGElement|null} */ (/** @type {Element} */ (event.target).closest("[data-unit]"));
    return group ? { place: Number(group.dataset.place), unit: Number(group.dataset.unit) } : null;
  }
  svg.addEventListener("pointerover", (event) => look(spotOf(event)));
  svg.addEventListener("pointerleave", () => look(null));
  svg.addEventListener("blur", () => look(null));
  svg.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const place = within((at?.place ?? 0) + (at ? move[0] : 0), counts.length);
    look({ place, unit: within((at?.unit ?? 0) + (at ? move[1] : 0), counts[place]) });
  });

  /** A new network: units drawn in each column, and whether any column is a strip. @param {number[]} drawn @param {boolean} hasStrip */
  return function reshape(drawn, hasStrip) {
    at = null;
    counts = drawn;
    set(svg, { tabindex: hasStrip ? 0 : null });
  };
}
