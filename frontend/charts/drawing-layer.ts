/**
 * Paths and words of a chart in one SVG, patched in place.
 * Owns: its elements. paths.ts, bands.ts and axes.ts say what to draw.
 */

import { draw } from "./elements.ts";
import type { Word } from "./axes.ts";
import type { Path } from "./paths.ts";

/** Makes one element for each set of attributes; touches only what changes. */
function patch(group: Element, tag: string, all: Record<string, string | number | undefined>[]) {
  while (group.childElementCount > all.length) group.lastElementChild?.remove();
  all.forEach((attributes, place) => {
    const element = group.children[place] ?? group.appendChild(draw(tag, {}));
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) element.removeAttribute(name);
      else if (element.getAttribute(name) !== String(value))
        element.setAttribute(name, String(value));
    }
  });
}

/** @param name its class */
export function createDrawingLayer(name: string) {
  const [drawn, written] = [draw("g", {}), draw("g", {})];
  const svg = draw("svg", { class: name, "aria-hidden": "true" }, drawn, written);
  return {
    element: svg,
    /**
     * @param paths lowest first
     * @param words above the paths
     */
    show(paths: Path[], words: Word[] = []) {
      patch(
        drawn,
        "path",
        paths.map(({ name: kind, lane, run, width, dash, opacity, d }) => ({
          class: kind,
          "data-lane": lane,
          "data-run": run,
          "stroke-width": width,
          "stroke-dasharray": dash,
          opacity,
          d,
        })),
      );
      patch(
        written,
        "text",
        words.map(({ name: kind, left, top }) => ({ class: kind, x: left, y: top })),
      );
      words.forEach(({ text }, place) => {
        const element = written.children[place];
        if (element.textContent !== text) element.textContent = text;
      });
    },
  };
}
