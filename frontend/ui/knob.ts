/**
 * A slider with a number box. While it is dragged only the box follows. The value applies on
 * release, so that one
 * gesture is one edit.
 * Owns: slider, box and their agreement.
 */

import { numberBox } from "./controls.ts";
import { make, set } from "./dom.ts";
import { helpLine } from "./help-line.ts";
import type { Explanation } from "../core/parameters.ts";
import type { Scale } from "./scales.ts";

/** The slider alone, on a scale. */
export function scaledSlider({
  name,
  scale,
  say,
  preview,
  apply,
}: {
  name: string;
  scale: Scale;
  say: (value: number) => string; // the value in words, with its unit
  preview: (value: number) => void;
  apply: (value: number) => void;
}) {
  let present = Number.NaN;
  const slider = make("input", {
    type: "range",
    min: 0,
    max: scale.positions,
    step: 1,
    "aria-label": name,
    on: {
      input: () => follow(),
      change: () => apply(scale.valueAt(Number(slider.value))),
      keydown: (event: KeyboardEvent) => page(event),
    },
  });

  function place(position: number, value: number) {
    slider.style.setProperty("--filled", `${(100 * position) / scale.positions}%`);
    set(slider, { "aria-valuetext": say(value) });
  }
  function follow() {
    const position = Number(slider.value);
    place(position, scale.valueAt(position));
    preview(scale.valueAt(position));
  }
  function page(event: KeyboardEvent) {
    const by = { PageUp: scale.page, PageDown: -scale.page }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    // from the value, not from the nearest position: a decade up from 0.03 is 0.3
    apply(scale.valueAt(Math.min(scale.positions, Math.max(0, scale.positionOf(present) + by))));
  }
  function show(value: number) {
    if (value === present) return;
    present = value;
    const position = scale.positionOf(value);
    slider.value = String(Math.round(position));
    place(position, value);
  }
  return { slider, show };
}

export function knob({
  text,
  name,
  scale,
  format,
  say,
  refuse,
  apply,
  whole,
  explanation,
}: {
  text: string; // the visible label: "Rate"
  name: string; // the full name: "Learning rate of GD"
  scale: Scale;
  format: (value: number) => string;
  say: (value: number) => string;
  refuse: (value: number) => string | null;
  apply: (value: number) => void;
  whole?: boolean;
  explanation: Explanation;
}) {
  const box = numberBox({ name, format, refuse, apply, whole });
  const slider = scaledSlider({ name: `${name}, slider`, scale, say, preview: box.preview, apply });
  const root = make(
    "div",
    { class: "knob" },
    make("span", { "aria-hidden": "true" }, text),
    slider.slider,
    box.box,
  );
  const help = helpLine(slider.slider, box.box);
  help.show(explanation);
  const block = make("div", {}, root, box.complaint, help.root);
  function show(value: number) {
    box.show(value);
    slider.show(value);
  }
  return { root: block, show };
}
