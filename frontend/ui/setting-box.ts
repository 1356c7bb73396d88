/**
 * Controls made from one row of the catalog: a box for a parameter, a select for a table.
 * Owns: their label, range, unit and help line.
 */

import { html } from "lit";
import { selectOf } from "./controls.ts";
import { fullHelp, helpId, helpLine } from "./help-line.ts";
import { LightElement } from "./live-element.ts";
import { NumberBox } from "./number-box.ts";
import { termOf } from "./term.ts";
import type { Option } from "./controls.ts";
import type { Explanation } from "../core/parameters.ts";

/** A labelled box for a parameter. Its message stands below the grid of boxes, where there is room. */
class SettingBox extends NumberBox {
  /** The label with its unit, unless that repeats the name. */
  get #labelled() {
    const { unit } = this.parameter;
    const { label } = this;
    return unit && unit.toLowerCase() !== label.toLowerCase() ? `${label}, ${unit}` : label;
  }

  override render() {
    return html`
      <div class="cell">
        <label class="field"><span>${this.#labelled}</span>${this.input()}</label>
        ${this.help}
      </div>
      ${this.message}`;
  }
}

/** A select with the help of the chosen row below. */
class SettingSelect extends LightElement {
  static override properties = {
    text: {},
    name: {},
    options: {},
    value: {},
    explanation: {},
    term: {},
  };
  declare text?: string; // null where the place says enough
  declare name?: string;
  declare options: Option[];
  declare value: string;
  declare explanation: Explanation;
  declare term?: string; // explains the text
  /** Returns false if the value stays. */
  choose: (value: string) => unknown = () => {};
  readonly #helpId = helpId();

  override render() {
    const { text, term, name = text ?? "", options, value, explanation } = this;
    const choose = (chosen: string) => this.choose(chosen) === false && this.requestUpdate();
    const more = { helpId: this.#helpId, title: fullHelp(explanation) };
    const select = selectOf(value, { name, options, choose, ...more });
    return html`<div class="cell">
      ${text ? html`<label class="field"><span>${term ? termOf(term, text) : text}</span>${select}</label>` : select}
      ${helpLine(this.#helpId, explanation)}
    </div>`;
  }
}

customElements.define("setting-box", SettingBox);
customElements.define("setting-select", SettingSelect);
