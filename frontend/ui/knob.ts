/**
 * A slider with a number box. While it is dragged only the box follows. The value applies on
 * release, so that one gesture is one edit.
 * Owns: slider, box and their agreement.
 */

import { html, nothing } from "lit";
import { fullHelp } from "./help-line.ts";
import { NumberBox } from "./number-box.ts";
import { termOf } from "./term.ts";
import { explained } from "../core/parameters.ts";
import * as texts from "../words/english.ts";
import type { Scale } from "./scales.ts";

type Slider = {
  name: string;
  scale: Scale;
  say: (value: number) => string; // the value in words, with its unit
  preview: (value: number) => void;
  apply: (value: number) => void;
  helpId?: string;
  title?: unknown;
};

const filled = (position: number, { positions }: Scale) => `${(100 * position) / positions}%`;

/** The slider alone, on a scale. */
export function sliderOf(
  value: number,
  { name, scale, say, preview, apply, helpId, title }: Slider,
) {
  const position = scale.positionOf(value);
  const follow = ({ target }: Event) => {
    const slider = target as HTMLInputElement;
    const at = Number(slider.value);
    slider.style.setProperty("--filled", filled(at, scale));
    slider.setAttribute("aria-valuetext", say(scale.valueAt(at)));
    preview(scale.valueAt(at));
  };
  const page = (event: KeyboardEvent) => {
    const by = { PageUp: scale.page, PageDown: -scale.page }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    // from the value, not from the nearest position: a decade up from 0.03 is 0.3
    apply(scale.valueAt(Math.min(scale.positions, Math.max(0, position + by))));
  };
  return html`<input type="range" min="0" max=${scale.positions} step="1"
    aria-label=${name} aria-valuetext=${say(value)}
    aria-describedby=${helpId ?? nothing} title=${title ?? nothing}
    style="--filled: ${filled(position, scale)}" .value=${String(Math.round(position))}
    @input=${follow} @keydown=${page}
    @change=${({ target }: Event) => apply(scale.valueAt(Number((target as HTMLInputElement).value)))}>`;
}

class SettingKnob extends NumberBox {
  static override properties = { scale: {} };
  declare scale: Scale;
  say: (value: number) => string = String;

  override render() {
    const { scale, say, apply, helpId } = this;
    const slider: Slider = {
      name: texts.xSlider(this.name ?? ""),
      scale,
      say,
      preview: (value) => void (this.box.value = this.format(value)),
      apply,
      helpId,
      title: fullHelp(explained(this.parameter)),
    };
    return html`
      <div class="knob">
        ${termOf(this.parameter.name, this.label)}${sliderOf(this.value ?? 0, slider)}${this.input()}
      </div>
      ${this.message}${this.help}`;
  }
}

customElements.define("setting-knob", SettingKnob);
