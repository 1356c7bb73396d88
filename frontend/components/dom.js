/**
 * Makes elements without markup in strings, so that no text can become markup.
 * Owns: make, draw and changes to existing elements. Knows nothing of the application.
 */

/** @typedef {Node|string|number|null|false|undefined} Child */
/**
 * @typedef {Record<string, any> & { on?: Record<string, (event: any) => void>, style?: Record<string, string|number>}} Attributes  true = present, false or null = absent; `on` holds listeners, `style` holds properties
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Element} element
 * @param {Attributes} attributes
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") listen(element, value);
    else if (name === "style") restyle(/** @type {HTMLElement} */ (element), value);
    else if (value === false || value === null || value === undefined) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value === true ? "" : value)) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * @param {Element} element
 * @param {Record<string, (event: any) => void>} listeners
 */
function listen(element, listeners) {
  for (const [type, listener] of Object.entries(listeners)) element.addEventListener(type, listener);
}

/**
 * @param {HTMLElement} element
 * @param {Record<string, string|number>} properties
 */
function restyle(element, properties) {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, String(value));
}

/** @param {Child[]} children */
const present = (children) =>
  /** @type {(Node|string)[]} */ (
    children.filter((child) => child !== null && child !== false && child !== undefined)
      .map((child) => (typeof child === "number" ? String(child) : child))
  );

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...present(children));
  return element;
}

/**
 * A custom element, by name.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function makeOwn(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...present(children));
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...present(children));
  return /** @type {any} */ (element);
}

/**
 * Disables each control inside. Unlike a disabled fieldset, it can leave some enabled.
 * @param {Element} root
 * @param {boolean} disabled
 */
export function disableAll(root, disabled) {
  for (const control of root.querySelectorAll("button, input, select")) /** @type {HTMLButtonElement} */ (control).disabled = disabled;
}

/**
 * Writes text only when it differs: most numbers stay the same from frame to frame.
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
