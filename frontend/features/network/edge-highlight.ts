/**
 * Draws the edges of a layer's strip only for the unit under the pointer or chosen by arrow keys.
 * Owns: which unit that is.
 */

import { set } from "../../ui/dom.ts";

type Spot = { place: number; unit: number };

const MOVES = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
} as Record<string, [number, number]>;

const within = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));

/** @param svg its units carry data-place and data-unit */
export function highlightEdges(svg: SVGSVGElement, edgesOf: (spot: Spot) => SVGPathElement[]) {
  let at: Spot | null = null;
  let counts: number[] = [];

  function look(spot: Spot | null) {
    if (at) edgesOf(at).forEach((edge) => edge.classList.remove("lit"));
    at = spot;
    if (at) edgesOf(at).forEach((edge) => edge.classList.add("lit"));
  }
  function spotOf(event: Event) {
    const group = (event.target as Element).closest("[data-unit]") as SVGElement | null;
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

  /** A new network: units drawn in each column, and whether any column is a strip. */
  return function reshape(drawn: number[], hasStrip: boolean) {
    at = null;
    counts = drawn;
    set(svg, { tabindex: hasStrip ? 0 : null });
  };
}
