/**
 * Makes elements by hand where a template does not fit, without markup in strings.
 * Owns: make, draw, changes to existing elements, and templates as elements. Knows nothing of the
 * application.
 */

import { render } from "lit";
import type { TemplateResult } from "lit";

export type Child = Node | TemplateResult | string | number | null | false | undefined;
/** true = present, false or null = absent; `on` holds listeners, `style` holds properties */
type Attributes = Record<string, any> & {
  on?: Record<string, (event: any) => void>;
  style?: Record<string, string | number>;
};

const SVG = "http://www.w3.org/2000/svg";

export function set(element: Element, attributes: Attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") listen(element, value);
    else if (name === "style") restyle(element as HTMLElement, value);
    else if (value === false || value === null || value === undefined)
      element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value === true ? "" : value)) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

function listen(element: Element, listeners: Record<string, (event: any) => void>) {
  for (const [type, listener] of Object.entries(listeners))
    element.addEventListener(type, listener);
}

function restyle(element: HTMLElement, properties: Record<string, string | number>) {
  for (const [name, value] of Object.entries(properties))
    element.style.setProperty(name, String(value));
}

const present = (children: Child[]) =>
  children
    .filter((child) => child !== null && child !== false && child !== undefined)
    .map((child) => (isTemplate(child) ? nodeOf(child) : child)) as (Node | string)[];

const isTemplate = (child: Child): child is TemplateResult =>
  typeof child === "object" && child !== null && "_$litType$" in child;

export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...present(children));
  return element;
}

/** A custom element, by name. */
export function makeOwn(
  tag: string,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElement {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...present(children));
  return element;
}

export function draw<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(SVG, tag);
  set(element, attributes);
  element.append(...present(children));
  return element as any;
}

/** Disables each control inside. Unlike a disabled fieldset, it can leave some enabled. */
export function disableAll(root: Element, disabled: boolean) {
  for (const control of root.querySelectorAll("button, input, select"))
    (control as HTMLButtonElement).disabled = disabled;
}

/** Writes text only when it differs: most numbers stay the same from frame to frame. */
export function write(element: Element, text: string) {
  if (element.textContent !== text) element.textContent = text;
}

/** A template as an element for code that builds by hand; `show` renders it with another value. */
export function held<Value>(template: (value: Value) => TemplateResult, first: NoInfer<Value>) {
  const place = document.createElement("div");
  const show = (value: Value) => void render(template(value), place);
  show(first);
  return { root: place.firstElementChild as HTMLElement, show };
}

/** A template that never changes, as an element. */
export const nodeOf = (template: TemplateResult) => held(() => template, null).root;
