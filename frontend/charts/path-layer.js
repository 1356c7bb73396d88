/**
 * Path data as elements: one SVG of a chart, patched in place.
 * Owns: its elements. What is drawn comes from paths.js.
 */

/** @typedef {import("./paths.js").Path} Path */

const SVG = "http://www.w3.org/2000/svg";

/** @param {Element} element @param {Record<string, string|number|undefined>} attributes */
function patch(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
  }
}

/** @param {string} name  its class */
export function createPathLayer(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", name);
  svg.setAttribute("aria-hidden", "true");
  return {
    element: svg,
    /** @param {Path[]} paths  the lowest first */
    show(paths) {
      while (svg.childElementCount > paths.length) svg.lastElementChild?.remove();
      paths.forEach(({ name: kind, lane, run, width, dash, d }, place) => {
        const path = svg.children[place] ?? svg.appendChild(document.createElementNS(SVG, "path"));
        patch(path, { class: kind, "data-lane": lane, "data-run": run, "stroke-width": width, "stroke-dasharray": dash, d });
      });
    },
  };
}
