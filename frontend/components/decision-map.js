/**
 * One run's decision map: a cell the class that would be predicted there, fuller the surer, with the samples on it.
 * Owns: its elements, drawn anew with every answer. What there is to draw comes from charts/map-drawing.js.
 */

import { draw, make, set, write } from "./dom.js";
import { marker } from "./icons.js";
import { borderOf, classShape, COLOURS, dotsOf, pixelsOf, SPAN } from "../charts/map-drawing.js";
import { mapWords, readMap } from "../state/decision-map.js";
import { score } from "../state/format.js";

/** @typedef {import("../state/types.js").Run} Run */
/** @typedef {import("../state/types.js").Json} Json */
/** @typedef {import("../charts/map-drawing.js").Colour} Colour */

/** A colour of tokens.css as it is on an element. @param {CSSStyleDeclaration} style @param {string} name @returns {Colour} */
function colourOf(style, name) {
  const [, r, g, b] = /** @type {RegExpExecArray} */ (/^#(..)(..)(..)$/.exec(style.getPropertyValue(name).trim()));
  return [parseInt(r, 16), parseInt(g, 16), parseInt(b, 16)];
}

/** The pixels are no drawing of the style sheet's: with another theme they are made anew. @param {HTMLCanvasElement} canvas */
function coloursOn(canvas) {
  const style = getComputedStyle(canvas);
  return { paper: colourOf(style, "--paper"), colours: Array.from({ length: COLOURS }, (_, place) => colourOf(style, `--class-${place + 1}`)) };
}

/** @param {number} kind  the place of a class */
const coloured = (kind) => ({ style: { "--class": `var(--class-${(kind % COLOURS) + 1})` } });

/** @param {Run} run */
export function decisionMap(run) {
  const label = make("b", {});
  const accuracy = make("span", { class: "values" });
  const canvas = make("canvas", {});
  const border = draw("path", { class: "border" });
  const dots = draw("g", {});
  const off = make("span", { class: "off", hidden: true }, "off the axis");
  const picture = make("div", { class: "map", role: "img" }, canvas, draw("svg", { viewBox: `0 0 ${SPAN} ${SPAN}`, "aria-hidden": "true" }, border, dots), off);
  const title = make("div", { class: "title", "aria-hidden": "true" }, marker(run.lane), label, accuracy);
  const root = make("div", { class: "decision", "data-run": run.name, "data-lane": run.lane }, title, picture);
  /** @type {Json|undefined} */
  let drawn;
  let theme = "";

  /** @param {Json|undefined} told */
  function drawAll(told) {
    canvas.hidden = !told;
    const map = told && readMap(told);
    set(border, { d: map ? borderOf(map) : "" });
    dots.replaceChildren(...(map ? dotsOf(map) : []).map(({ name, kind, d }) => draw("path", { class: name, "data-class": kind, d, ...coloured(kind) })));
    if (!map) return;
    const { paper, colours } = coloursOn(canvas);
    set(canvas, { width: map.side, height: map.side });
    canvas.getContext("2d")?.putImageData(new ImageData(pixelsOf(map, colours, paper), map.side), 0, 0);
  }

  /** @param {Run} now @param {Json|undefined} last  what was told last */
  function show(now, last) {
    const told = now.status === "diverged" ? undefined : last;
    const present = document.documentElement.dataset.theme ?? "";
    if (told !== drawn || present !== theme) drawAll(told);
    [drawn, theme] = [told, present];
    write(label, now.label);
    write(accuracy, `accuracy ${score(told?.right)}`);
    off.hidden = now.status !== "diverged";
    set(picture, { "aria-label": mapWords(now, told) });
    set(root, { "data-step": told?.step ?? null });
  }
  return { root, show };
}

/** @param {string} name @param {Node} shape */
const entry = (name, shape) => make("span", { title: name }, draw("svg", { viewBox: "0 0 10 10" }, shape), make("span", { class: "clip" }, name));

/** How classes are told apart, and what is wrong. @param {string[]} classes */
export const mapLegend = (classes) => make("div", { class: "legend map-legend", "aria-hidden": "true" },
  ...classes.map((name, place) => entry(name, draw("path", { class: "right", d: classShape(place, 8, 5, 5), ...coloured(place) }))),
  entry("wrong", draw("path", { class: "wrong", d: classShape(0, 7, 5, 5), ...coloured(0) })));
