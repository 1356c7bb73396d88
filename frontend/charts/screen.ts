/**
 * The magnification of an element on the screen, and its colours of tokens.css.
 * Owns: reading both from the browser.
 */

import type { Colour } from "./terrain.ts";

/** How much larger an element is drawn than its own px say: 1, or more while presenting. */
export const magnification = (element: HTMLElement) =>
  element.offsetWidth ? element.getBoundingClientRect().width / element.offsetWidth : 1;

/** The present value of a colour of tokens.css. */
export function colourOf(style: CSSStyleDeclaration, name: string): Colour {
  const [, r, g, b] = /^#(..)(..)(..)$/.exec(
    style.getPropertyValue(name).trim(),
  ) as RegExpExecArray;
  return [parseInt(r, 16), parseInt(g, 16), parseInt(b, 16)];
}
