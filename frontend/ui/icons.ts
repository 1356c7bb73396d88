/**
 * Drawings 16 or 18 px wide: icons, state glyphs, markers of runs, lights, as templates.
 * Owns: their shapes. The style sheet sets colours.
 */

import { html, svg } from "lit";
import { SHAPES } from "../core/lanes.ts";
import type { Lane } from "../core/types.ts";

const stroke = (d: string) => svg`<path d=${d}></path>`;
const solid = (d: string) => svg`<path class="solid" d=${d}></path>`;
const ring = (x: number, y: number, r: number) => svg`<circle cx=${x} cy=${y} r=${r}></circle>`;
const dot = (x: number, y: number, r: number) =>
  svg`<circle class="solid" cx=${x} cy=${y} r=${r}></circle>`;
const bar = (x: number) =>
  svg`<rect class="solid" x=${x} y="2.5" width="3.2" height="11" rx=".8"></rect>`;

const ICONS = {
  play: [solid("M4.5 2.8v10.4c0 .6.6.9 1.1.6l8-5.2c.4-.3.4-.9 0-1.2l-8-5.2c-.5-.3-1.1 0-1.1.6z")],
  pause: [bar(3.6), bar(9.2)],
  step: [stroke("M3 3.5v9M6.5 3.8v8.4L12.8 8z")],
  epoch: [stroke("M2.5 3.8v8.4L8 8zM8.5 3.8v8.4L14 8zM14 3.5v9")],
  reset: [stroke("M3 8a5 5 0 1 0 1.6-3.7M3 2.6v2.9h2.9")],
  sun: [
    ring(8, 8, 2.8),
    stroke(
      "M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
    ),
  ],
  moon: [stroke("M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z")],
  halves: [ring(8, 8, 5.6), solid("M8 2.4a5.6 5.6 0 0 1 0 11.2z")],
  help: [
    ring(8, 8, 6.2),
    stroke("M6.3 6.3a1.8 1.8 0 1 1 2.5 1.7c-.5.2-.8.6-.8 1.2"),
    dot(8, 11.3, 0.85),
  ],
  share: [
    stroke(
      "M6.8 9.2a2.6 2.6 0 0 0 3.7 0l2.4-2.4a2.6 2.6 0 0 0-3.7-3.7l-.9.9M9.2 6.8a2.6 2.6 0 0 0-3.7 0L3.1 9.2a2.6 2.6 0 0 0 3.7 3.7l.9-.9",
    ),
  ],
  close: [stroke("m4 4 8 8M12 4l-8 8")],
  chevron: [stroke("m5 6.5 3 3 3-3")],
  up: [stroke("m5 9.5 3-3 3 3")],
  previous: [stroke("m9.5 4-4 4 4 4")],
  next: [stroke("m6.5 4 4 4-4 4")],
  more: [dot(3.4, 8, 1.2), dot(8, 8, 1.2), dot(12.6, 8, 1.2)],
  eye: [stroke("M1.6 8S4 3.7 8 3.7 14.4 8 14.4 8 12 12.3 8 12.3 1.6 8 1.6 8z"), ring(8, 8, 1.9)],
  eyeShut: [stroke("M1.6 8S4 3.7 8 3.7 14.4 8 14.4 8 12 12.3 8 12.3 1.6 8 1.6 8zM3 13 13 3")],
  plus: [stroke("M8 3.2v9.6M3.2 8h9.6")],
  minus: [stroke("M3.2 8h9.6")],
  recipe: [
    stroke("M2.5 4.5h5M11.5 4.5h2M2.5 11.5h2M8.5 11.5h5"),
    ring(9.5, 4.5, 1.8),
    ring(6.5, 11.5, 1.8),
  ],
  speed: [stroke("M2.5 11.8a6 6 0 1 1 11 0M8 8.9l2.6-3.2")],
  lines: [stroke("M5.5 4 1.8 8l3.7 4M10.5 4l3.7 4-3.7 4")],
  download: [stroke("M8 2.5v7.6M4.7 6.9 8 10.2l3.3-3.3M2.8 13.2h10.4")],
  screen: [stroke("M2 3h12v8H2zM8 11v2.5M5.5 13.5h5")],
  flag: [stroke("M3 2.5v11M3 3.5h8.5L9.5 6l2 2.5H3")],
  lock: [
    stroke(
      "M4.4 7h7.2c.6 0 1 .4 1 1v4.4c0 .6-.4 1-1 1H4.4c-.6 0-1-.4-1-1V8c0-.6.4-1 1-1zM5.4 7V5a2.6 2.6 0 0 1 5.2 0v2",
    ),
  ],
  axes: [stroke("M2.5 2.5v11h11M5.5 9.5l2.4-3 2.2 1.6 3-4")],
};

export const icon = (name: keyof typeof ICONS) =>
  html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" data-icon=${name}>${ICONS[name]}</svg>`;

/** A run's shape in its colour. */
export const marker = (lane: Lane) =>
  html`<span class="marker" data-lane=${lane} aria-hidden="true"
    ><svg viewBox="0 0 10 10"><path d=${SHAPES[lane]}></path></svg></span>`;

const line = (d: string, width: number) =>
  svg`<path d=${d} stroke-width=${width} stroke-linecap="round" stroke-linejoin="round"></path>`;
const onTop = (d: string) =>
  svg`<path d=${d} stroke="var(--paper)" stroke-width="2" stroke-linecap="round"></path>`;
const body = (d: string) => svg`<path d=${d} fill="currentColor" stroke-linejoin="round"></path>`;

const GLYPHS = {
  problem: [
    body("M5.8 1.5h6.4l4.3 4.3v6.4l-4.3 4.3H5.8l-4.3-4.3V5.8z"),
    onTop("M9 5v4.6M9 12.3v.6"),
  ],
  warning: [body("M9 1.8 17 16H1z"), onTop("M9 7v4M9 13.4v.2")],
  check: [
    svg`<circle cx="9" cy="9" r="7.4" stroke-width="1.6"></circle>`,
    line("m5.6 9.3 2.4 2.4 4.6-5", 1.8),
  ],
  dead: [svg`<circle cx="9" cy="9" r="6.6" stroke-width="2" stroke-dasharray="3.1 2.1"></circle>`],
  cross: [line("m4 4 10 10M14 4 4 14", 2.6)],
  dot: [svg`<circle cx="9" cy="9" r="2.6" fill="currentColor"></circle>`],
  flat: [line("M3 9h12", 3)],
  rising: [line("M3 13 14 5M8.6 4.4 14.4 4.6 13.4 10.4", 2.2)],
};

export type Glyph = keyof typeof GLYPHS;

/** The shape of a state. */
export const glyph = (name: Glyph) =>
  html`<svg class="glyph" viewBox="0 0 18 18" aria-hidden="true" data-glyph=${name}>${GLYPHS[name]}</svg>`;

const LIGHTS = {
  full: svg`<circle cx="5" cy="5" r="4.2" fill="currentColor"></circle>`,
  ring: svg`<circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" stroke-width="1.6"
    stroke-dasharray="3 2"></circle>`,
  triangle: svg`<path d="M5 .8 9.6 9H.4z" fill="currentColor"></path>`,
  half: svg`<path d="M5 .8a4.2 4.2 0 0 1 0 8.4zM5 1.6a3.4 3.4 0 0 0 0 6.8" fill="currentColor"
    stroke="currentColor" stroke-width=".8"></path>`,
  empty: svg`<circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" stroke-width="1.6"></circle>`,
};

/** The light beside the connection's word. */
export const light = (name: keyof typeof LIGHTS) =>
  html`<svg viewBox="0 0 10 10" aria-hidden="true" data-light=${name}>${LIGHTS[name]}</svg>`;
