/**
 * A slider with a number box. While it is dragged only the box follows. The value applies on release, so that one
 * gesture is one edit.
 * Owns: slider, box and their agreement.
 */

import { numberBox } from "./controls.js";
import { make, set } from "./dom.js";
import { helpLine } from "./help-line.js";

/** @typedef {import("./scales.js").Scale} Scale */

/**
 * The slider alone, on a scale.
 * @param {object} options
 * @param {string} options.name
 * @param {Scale} options.scale
 * @param {(value: number) => string} options.say  the value in words, with its unit
 * @param {(value: number) => void} options.preview
 * @param {(value: number) => void} options.apply
 */
export function scaledSlider({ name, scale, say, preview, apply }) {
  let present = Number.NaN;
  const slider = make("input", {
    type: "range", min: 0, max: scale.positions, step: 1, "aria-label": name,
    on: { input: () => follow(), change: () => apply(scale.valueAt(Number(slider.value))), keydown: (/** @type {KeyboardEvent} */ event) => page(event) },
  });

  /** @param {number} position @param {number} value */
  function place(position, value) {
    slider.style.setProperty("--filled", `${(100 * position) / scale.positions}%`);
    set(slider, { "aria-valuetext": say(value) });
  }
  function follow() {
    const position = Number(slider.value);
    place(position, scale.valueAt(position));
    preview(scale.valueAt(position));
  }
  /** @param {KeyboardEvent} event */
  function page(event) {
    const by = { PageUp: scale.page, PageDown: -scale.page }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    // from the value, not from the nearest position: a decade up from 0.03 is 0.3
    apply(scale.valueAt(Math.min(scale.positions, Math.max(0, scale.positionOf(present) + by))));
  }
  /** @param {number} value */
  function show(value) {
    if (value === present) return;
    present = value;
    const position = scale.positionOf(value);
    slider.value = String(Math.round(position));
    place(position, value);
  }
  return { slider, show };
}

/**
 * @param {object} options
 * @param {string} options.text  the visible label: "Rate"
 * @param {string} options.name  the full name: "Learning rate of GD"
 * @param {Scale} options.scale
 * @param {(value: number) => string} options.format
 * @param {(value: number) => string} options.say
 * @param {(value: number) => string|null} options.refuse
 * @param {(value: number) => void} options.apply
 * @param {boolean} [options.whole]
 * @param {import("../state/parameters.js").Explanation} options.explanation
 */
export function knob({ text, name, scale, format, say, refuse, apply, whole, explanation }) {
  const box = numberBox({ name, format, refuse, apply, whole });
  const slider = scaledSlider({ name: `${name}, slider`, scale, say, preview: box.preview, apply });
  const root = make("div", { class: "knob" }, make("span", { "aria-hidden": "true" }, text), slider.slider, box.box);
  const help = helpLine(slider.slider, box.box);
  help.show(explanation);
  const block = make("div", {}, root, box.complaint, help.root);
  /** @param {number} value */
  function show(value) {
    box.show(value);
    slider.show(value);
  }
  return { root: block, show };
}
