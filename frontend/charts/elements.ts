/**
 * Elements that charts make by hand.
 * Owns: making them. Knows no chart.
 */

export const SVG = "http://www.w3.org/2000/svg";

export function draw(
  tag: string,
  attributes: Record<string, string | number>,
  ...children: (Node | string)[]
) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** @param name its classes */
export function part(tag: string, name: string, ...children: (Node | string)[]) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}
