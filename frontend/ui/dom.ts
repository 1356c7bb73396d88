/**
 * Elements made by hand where a template does not fit, without markup in strings.
 * Owns: make, draw, and changes to existing elements. Knows nothing of the application.
 */

type Child = Node | string | null;
/** true = present; false, null or undefined = absent */
type Attributes = Record<string, string | number | boolean | null | undefined>;

const SVG = "http://www.w3.org/2000/svg";

export function set(element: Element, attributes: Attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = value === true ? "" : String(value);
    if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

function filled<Made extends Element>(element: Made, attributes: Attributes, children: Child[]) {
  set(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

export const make = <Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
) => filled(document.createElement(tag), attributes, children);

export const draw = <Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
) => filled(document.createElementNS(SVG, tag), attributes, children);

/**
 * Writes text only when it differs: most numbers stay the same from frame to frame. A text node that
 * is there gets the new words: another one would be a new child, and the browser would match the
 * selectors with `:has()` again.
 */
export function write(element: Element, text: string) {
  if (element.textContent === text) return;
  const { firstChild } = element;
  if (firstChild?.nodeType === Node.TEXT_NODE && firstChild === element.lastChild)
    firstChild.nodeValue = text;
  else element.textContent = text;
}
